# make model: the embedded model from nothing to GGUF. Every step resumes where it stopped; what is
# made lies in MODEL_CACHE, outside the repository. Included by the Makefile.
#
# A quick look at all of it, without a network, on the packages of the virtual environment:
#   make model MODEL_RECIPE=miniature MODEL_CACHE=/tmp/miniature MODEL_PACKAGES=.venv/lib/python3.11/site-packages

MODEL_CACHE ?= $(HOME)/.cache/quillon-training
# miniature, cpu (two cores, some ten hours) or gpu.
MODEL_RECIPE ?= cpu
# Folders of installed packages; those of data/packages.txt are fetched where it is empty.
MODEL_PACKAGES ?=
MODEL_THREADS ?= 2
MODEL_KIND ?= q8_0
MODEL_PYTHON ?= $(BIN)/python

MODEL_VOCABULARY_miniature = 512
MODEL_VOCABULARY_cpu = 4096
MODEL_VOCABULARY_gpu = 8192
MODEL_REPOSITORIES_miniature = 2
MODEL_REPOSITORIES_cpu = 200
MODEL_REPOSITORIES_gpu = 250
MODEL_FILES_miniature = 100
MODEL_FILES_cpu = 4500
MODEL_FILES_gpu = 9000
MODEL_LIMIT_miniature = 20000
MODEL_LIMIT_cpu = 4000000
MODEL_LIMIT_gpu = 4000000
MODEL_HOLES_miniature = 4
MODEL_HOLES_cpu = 500
MODEL_HOLES_gpu = 500

# Threads that wait at work and memory that is kept: 1.5 times as fast on two cores of its own.
MODEL_ENVIRONMENT ?= OMP_WAIT_POLICY=active MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=8000000000
TRAIN = PYTHONPATH=training:tools $(MODEL_ENVIRONMENT) nice -n 19 $(MODEL_PYTHON) -m quillon_training
MODEL_RUN = $(MODEL_CACHE)/runs/$(MODEL_RECIPE)
MODEL_GGUF = $(MODEL_CACHE)/quillon-$(MODEL_RECIPE)-$(MODEL_KIND).gguf
MODEL_TOKENIZER = $(MODEL_CACHE)/tokenizer-$(MODEL_VOCABULARY_$(MODEL_RECIPE)).json
MODEL_DATA = --corpus $(MODEL_CACHE)/corpus --tokenizer $(MODEL_TOKENIZER)
MODEL_FOLDERS = $(or $(MODEL_PACKAGES),$(MODEL_CACHE)/packages/python)

.PHONY: model
model: $(VENV)/.training $(MODEL_TOKENIZER) $(MODEL_CACHE)/dialogues.jsonl
	$(TRAIN) follow $(MODEL_RUN) $(MODEL_DATA) --dialogues $(MODEL_CACHE)/dialogues.jsonl --recipe $(MODEL_RECIPE) --threads $(MODEL_THREADS)
	$(TRAIN) curve $(MODEL_RUN)
	$(TRAIN) export $(MODEL_RUN) $(MODEL_GGUF) $(MODEL_DATA) --kind $(MODEL_KIND)
	$(TRAIN) verify $(MODEL_RUN) $(MODEL_GGUF) $(MODEL_DATA) --kind $(MODEL_KIND)
	$(TRAIN) evaluate $(MODEL_GGUF) $(MODEL_DATA) --holes $(MODEL_HOLES_$(MODEL_RECIPE))
	$(TRAIN) share $(MODEL_CACHE)/dialogues.jsonl $(MODEL_CACHE)/shared

$(MODEL_CACHE)/packages/npm/node_modules: | $(VENV)/.training
	$(TRAIN) fetch $(MODEL_CACHE)/packages

# Where folders are named, nothing is fetched.
$(MODEL_CACHE)/corpus/train/sources.json: | $(VENV)/.training $(if $(MODEL_PACKAGES),,$(MODEL_CACHE)/packages/npm/node_modules)
	$(TRAIN) corpus $(MODEL_CACHE)/corpus $(foreach folder,$(MODEL_FOLDERS),--packages $(folder)) \
	  $(if $(MODEL_PACKAGES),,--npm $(MODEL_CACHE)/packages/npm/node_modules) --limit $(MODEL_LIMIT_$(MODEL_RECIPE))

$(MODEL_TOKENIZER): | $(MODEL_CACHE)/corpus/train/sources.json
	$(TRAIN) tokenizer $@ --corpus $(MODEL_CACHE)/corpus --files $(MODEL_FILES_$(MODEL_RECIPE)) --vocabulary $(MODEL_VOCABULARY_$(MODEL_RECIPE))

$(MODEL_CACHE)/dialogues.jsonl: | $(MODEL_CACHE)/corpus/train/sources.json
	$(TRAIN) dialogues $@.part $(foreach folder,$(MODEL_FOLDERS),--packages $(folder)) --repositories $(MODEL_REPOSITORIES_$(MODEL_RECIPE))
	mv $@.part $@
