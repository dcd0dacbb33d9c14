"""What a model gets of a machine: facts in, a plan or an error out."""

import msgspec
import pytest
from inline_snapshot import snapshot

from quillon.engine.base import ModelError
from quillon.engine.machine import GIB, Gpu, MachineFacts, ModelFacts, machine_facts, plan
from quillon.engine.models import EMBEDDED
from quillon.engine.planning import model_facts
from quillon.settings import ModelSettings

TINY = ModelFacts(
    name="tiny",
    weights=12 * 2**20,
    parameters=11_000_000,
    layers=8,
    cache=2048,
    width=1216,
    vocabulary=8192,
    trained_context=2048,
)
# Qwen3-4B at Q4_K_M: 36 layers, 8 key-value heads of 128.
QWEN_4B = ModelFacts(
    name="Qwen3 4B",
    weights=int(2.5 * GIB),
    parameters=4_000_000_000,
    layers=36,
    cache=36 * 8 * 256 * 2,
    width=12_288,
    vocabulary=151_936,
    trained_context=262_144,
)


def machine(free, total=None, cores=8, gpus=()):
    total = total or free * 1.25
    return MachineFacts(
        cores=cores, memory=int(total * GIB), free_memory=int(free * GIB), gpus=gpus
    )


def gpu(free, total=None, **facts):
    return Gpu("RTX", int(free * GIB), int((total or free) * GIB), **facts)


def check_plan(facts, model, settings=None):
    chosen = plan(facts, model, settings or ModelSettings())
    return {
        name: getattr(chosen, name)
        for name in ("gpu_layers", "context", "cells", "threads", "batch_threads")
    }


def test_a_tiny_model_decodes_on_one_thread():
    assert check_plan(machine(8), TINY) == snapshot(
        {"gpu_layers": 0, "context": 2048, "cells": 8192, "threads": 1, "batch_threads": 4}
    )


def test_a_real_model_on_a_laptop():
    assert check_plan(machine(11, 16), QWEN_4B) == snapshot(
        {"gpu_layers": 0, "context": 12288, "cells": 18688, "threads": 7, "batch_threads": 8}
    )


def test_little_memory_makes_a_small_context():
    assert check_plan(machine(5, 8, cores=4), QWEN_4B) == snapshot(
        {"gpu_layers": 0, "context": 4096, "cells": 4096, "threads": 3, "batch_threads": 4}
    )


def test_much_memory_is_not_all_taken():
    assert check_plan(machine(100, 128, cores=32), QWEN_4B) == snapshot(
        {"gpu_layers": 0, "context": 16384, "cells": 24576, "threads": 8, "batch_threads": 32}
    )


def test_one_core_is_left_for_the_editor():
    assert [
        plan(machine(16, cores=n), QWEN_4B, ModelSettings()).threads for n in (1, 2, 4, 64)
    ] == [
        1,
        1,
        3,
        8,
    ]


def test_a_large_gpu_takes_everything():
    assert check_plan(machine(20, 32, gpus=(gpu(15, 16),)), QWEN_4B) == snapshot(
        {"gpu_layers": -1, "context": 16384, "cells": 24576, "threads": 7, "batch_threads": 8}
    )


def test_a_small_gpu_takes_some_layers():
    assert check_plan(machine(20, 32, gpus=(gpu(3, 4),)), QWEN_4B) == snapshot(
        {"gpu_layers": 20, "context": 6144, "cells": 9216, "threads": 7, "batch_threads": 8}
    )


def test_a_full_gpu_takes_none():
    assert check_plan(machine(20, 32, gpus=(gpu(0.3, 8),)), QWEN_4B)["gpu_layers"] == 0


def test_a_gpu_that_shares_the_machines_memory_is_counted_once():
    chosen = plan(machine(10, 16, gpus=(gpu(10, 11, unified=True),)), QWEN_4B, ModelSettings())
    assert chosen.gpu_layers == -1
    used = QWEN_4B.weights + chosen.cells * QWEN_4B.cache
    assert used < 10 * GIB


def test_settings_decide_where_they_are_set():
    settings = ModelSettings(context_size=6000, gpu_layers=3, threads=5, batch_threads=7)
    chosen = check_plan(machine(16, gpus=(gpu(8),)), QWEN_4B, settings)
    assert chosen == snapshot(
        {"gpu_layers": 3, "context": 6000, "cells": 14080, "threads": 5, "batch_threads": 7}
    )


def test_the_number_of_threads_is_fixed_where_there_is_nothing_to_choose():
    def most(facts, model, **settings):
        return plan(facts, model, ModelSettings(**settings)).most_threads

    assert most(machine(16), QWEN_4B) == 8
    assert most(machine(16), QWEN_4B, threads=2) == 0
    assert most(machine(16), TINY) == 0
    assert most(machine(20, 32, gpus=(gpu(15, 16),)), QWEN_4B) == 0


def test_a_context_beyond_the_training_is_cut():
    assert check_plan(machine(16), TINY, ModelSettings(context_size=9000))["context"] == 2048


def test_a_context_beyond_what_the_model_was_trained_for_is_capped_and_said():
    # What is asked for would need over 100 GiB; what the model was trained for fits.
    chosen = plan(machine(2), TINY, ModelSettings(context_size=2**26))
    assert chosen.context == 2048
    assert chosen.reason.endswith(
        "; model.contextSize asks for 67108864, and the model was trained for 2048"
    )
    within = plan(machine(2), TINY, ModelSettings(context_size=2048))
    assert "asks for" not in within.reason


def test_a_model_that_does_not_say_its_context_gets_the_one_asked_for():
    unknown = msgspec.structs.replace(TINY, trained_context=0)
    chosen = plan(machine(2), unknown, ModelSettings(context_size=20_000))
    assert chosen.context == 20_000
    assert "asks for" not in chosen.reason


def test_the_reason_is_one_sentence_for_the_log():
    assert plan(machine(11, 16), QWEN_4B, ModelSettings()).reason == snapshot(
        "Qwen3 4B (2.5 GiB) runs on the processor with a context of 12288 tokens, 18688 in "
        "all (2.6 GiB), 7 threads to generate and 8 to read, because 11.0 GiB of 16.0 GiB "
        "memory are free"
    )
    assert plan(machine(20, 32, gpus=(gpu(3, 4),)), QWEN_4B, ModelSettings()).reason == snapshot(
        "Qwen3 4B (2.5 GiB) runs with 20 of 36 layers on the GPU with a context of 6144 "
        "tokens, 9216 in all (1.3 GiB), 7 threads to generate and 8 to read, because 20.0 GiB "
        "of 32.0 GiB memory are free, 3.0 GiB free on RTX"
    )


def test_a_model_too_large_for_memory_is_an_error_with_numbers():
    with pytest.raises(ModelError) as caught:
        plan(machine(3, 8), QWEN_4B, ModelSettings())
    assert str(caught.value) == snapshot(
        "The model Qwen3 4B does not fit into memory: it needs about 3.5 GiB (2.5 GiB of "
        "weights, 576 MiB for a context of 4096 tokens), and 3.0 GiB of 8.0 GiB are free, of "
        "which 1.0 GiB are kept for other programs. Close programs, choose a smaller model or "
        "a stronger quantisation, or set a smaller model.contextSize."
    )


def test_a_context_too_large_for_memory_is_an_error_even_when_asked_for():
    with pytest.raises(ModelError, match="does not fit into memory"):
        plan(machine(11, 16), QWEN_4B, ModelSettings(context_size=200_000))


@pytest.mark.parametrize("free", [3.5, 4, 5, 6, 8, 12, 16, 24, 64])
def test_no_choice_takes_more_than_is_free(free):
    facts = machine(free)
    try:
        chosen = plan(facts, QWEN_4B, ModelSettings())
    except ModelError:
        assert free < 5
        return
    assert QWEN_4B.weights + chosen.cells * QWEN_4B.cache < facts.free_memory - GIB // 2
    assert chosen.context <= chosen.cells


def test_the_facts_of_this_machine_and_of_the_embedded_model():
    facts = machine_facts()
    assert 1 <= facts.cores <= 4096
    assert 0 < facts.free_memory <= facts.memory
    tiny = model_facts(EMBEDDED)
    assert tiny.weights == EMBEDDED.stat().st_size
    assert tiny.cache > 0
    assert plan(facts, tiny, ModelSettings()).context == tiny.trained_context
