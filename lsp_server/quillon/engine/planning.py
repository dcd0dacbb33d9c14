"""From a model file to a plan for this machine: reads the facts that `machine.plan` weighs."""

from pathlib import Path

from quillon.engine.base import ModelError
from quillon.engine.catalogue import Recommended
from quillon.engine.gguf import Header
from quillon.engine.machine import Gpu, MachineFacts, ModelFacts, Plan, machine_facts, plan
from quillon.engine.models import ModelFile, summarise, verify
from quillon.settings import ModelSettings

_CACHE_ELEMENT = 2  # bytes: keys and values are kept as f16


def plan_for(path: Path, settings: ModelSettings, gpus: tuple[Gpu, ...]) -> Plan:
    """How to run the model on this machine, as it is now.

    Raises:
        ModelError: The file is missing, broken or no text model, or it does not fit.
    """
    return plan(machine_facts(gpus), model_facts(path), settings)


def plan_recommended(model: Recommended, machine: MachineFacts) -> Plan | None:
    """How a recommended model would run on a machine as it is now; None where it does not fit."""
    facts = ModelFacts(
        name=model.title,
        weights=model.size,
        parameters=model.shape.parameters,
        layers=model.shape.layers,
        cache=model.shape.cache,
        width=model.shape.width,
        vocabulary=model.shape.vocabulary,
        trained_context=model.shape.context,
    )
    try:
        return plan(machine, facts, ModelSettings())
    except ModelError:
        return None


def model_facts(path: Path) -> ModelFacts:
    """What the file says about its needs.

    Raises:
        ModelError: It is missing, broken or no text model.
    """
    header = verify(path)
    summary = summarise(ModelFile(path, "settings"))
    return ModelFacts(
        name=summary.name,
        weights=summary.size,
        parameters=summary.parameters,
        layers=max(1, _number(header, "block_count")),
        cache=cache_per_token(header),
        width=_number(header, "embedding_length") + _number(header, "feed_forward_length"),
        vocabulary=header.vocabulary,
        trained_context=header.trained_context,
    )


def cache_per_token(header: Header) -> int:
    """Bytes that one token takes in the key-value cache, over all layers.

    An upper bound: models with window or recurrent layers need less.
    """
    heads = _number(header, "attention.head_count") or 1
    groups = _number(header, "attention.head_count_kv") or heads
    width = _number(header, "embedding_length") // heads
    keys = _number(header, "attention.key_length") or width
    values = _number(header, "attention.value_length") or width
    return _number(header, "block_count") * groups * (keys + values) * _CACHE_ELEMENT


def _number(header: Header, name: str) -> int:
    return header.number(f"{header.architecture}.{name}")
