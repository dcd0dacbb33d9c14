# make model: the embedded model from nothing to GGUF. Every step resumes where it stopped; what is
# made lies in MODEL_CACHE, outside the repository. Included by the Makefile.

MODEL_CACHE ?= $(HOME)/.cache/quillon-training
MODEL_SHAPE ?= cpu
MODEL_MINUTES ?= 600
TRAIN = PYTHONPATH=training:tools nice -n 19 $(MODEL_PYTHON) -m quillon_training
MODEL_PYTHON ?= $(BIN)/python
MODEL_DATA = --corpus $(MODEL_CACHE)/corpus --tokenizer $(MODEL_CACHE)/tokenizer.json

.PHONY: model
model: $(MODEL_CACHE)/tokenizer.json $(MODEL_CACHE)/dialogues.jsonl
	$(TRAIN) pretrain $(MODEL_CACHE)/runs/$(MODEL_SHAPE) $(MODEL_DATA) --shape $(MODEL_SHAPE) --minutes $(MODEL_MINUTES)
	$(TRAIN) curve $(MODEL_CACHE)/runs/$(MODEL_SHAPE)
	$(TRAIN) export $(MODEL_CACHE)/runs/$(MODEL_SHAPE) $(MODEL_CACHE)/quillon-tiny-q8_0.gguf --tokenizer $(MODEL_CACHE)/tokenizer.json
	$(TRAIN) verify $(MODEL_CACHE)/runs/$(MODEL_SHAPE) $(MODEL_CACHE)/quillon-tiny-q8_0.gguf $(MODEL_DATA)
	$(TRAIN) evaluate $(MODEL_CACHE)/quillon-tiny-q8_0.gguf $(MODEL_DATA) --holes 500

$(MODEL_CACHE)/packages/npm/node_modules:
	$(TRAIN) fetch $(MODEL_CACHE)/packages

$(MODEL_CACHE)/corpus/train/sources.json: | $(MODEL_CACHE)/packages/npm/node_modules
	$(TRAIN) corpus $(MODEL_CACHE)/corpus --packages $(MODEL_CACHE)/packages/python --npm $(MODEL_CACHE)/packages/npm/node_modules

$(MODEL_CACHE)/tokenizer.json: | $(MODEL_CACHE)/corpus/train/sources.json
	$(TRAIN) tokenizer $@ --corpus $(MODEL_CACHE)/corpus

$(MODEL_CACHE)/dialogues.jsonl: | $(MODEL_CACHE)/corpus/train/sources.json
	$(TRAIN) dialogues $@ --packages $(MODEL_CACHE)/packages/python --repositories 200
