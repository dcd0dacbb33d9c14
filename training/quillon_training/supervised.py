"""Batches of dialogues behind one system prompt, which is computed once per batch.

The system prompt with its tools is most of a short dialogue's tokens and the same in all of them:
its keys and values are computed once, and every row attends to them.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from tokenizers import Tokenizer
from transformers import DynamicCache, Qwen2ForCausalLM, Qwen3ForCausalLM
from transformers.cache_utils import DynamicLayer

from quillon_training.errors import CorpusError
from quillon_training.rendering import CALL_WEIGHT, Rendered, Renderer
from quillon_training.tokenizer import FIM_PAD

_MULTIPLE = 16
# Rows to choose those of one batch from: the more, the closer their lengths and the less padding
# (1024 with a multiple of 16: 8 % of a batch; 64 with one of 64: 27 %).
_POOL = 1024


class DialogueMixture(msgspec.Struct, frozen=True):
    """How dialogues become rows: loss weights, shares of 1, and the most tokens of a row.

    Of a dialogue that is longer than `longest`, the beginning is a row.
    `joined` is the share of rows that hold several requests, one after another. `prefix_learns` is
    the share of batches whose gradients flow through the system prompt too, which is dear.
    Positions of a `shifted` share begin up to `farthest` further on, as late in a conversation.
    """

    call_weight: float = CALL_WEIGHT
    context_weight: float = 0.0
    joined: float = 0.35
    longest: int = 640
    prefix_learns: float = 1.0
    shifted: float = 0.0
    farthest: int = 1024


class DialogueBatch(msgspec.Struct, frozen=True):
    """`prefix` `[p]` is common; `ids` and `weights` are `[rows, length]`, padded at the end."""

    prefix: torch.Tensor
    ids: torch.Tensor
    weights: torch.Tensor
    prefix_learns: bool = True
    shift: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of its rows, without the padding and the prefix."""
        return int((self.ids != FIM_PAD).sum())

    def to(self, device: torch.device) -> "DialogueBatch":
        """The same batch on a device."""
        prefix, ids, weights = (each.to(device) for each in (self.prefix, self.ids, self.weights))
        return DialogueBatch(prefix, ids, weights, self.prefix_learns, self.shift)


class DialogueRows:
    """Random batches of dialogues; a batch depends on the seed and its number only."""

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        *,
        tokens: int,
        seed: int,
        mixture: DialogueMixture | None = None,
    ) -> None:
        self._tokens, self._seed = tokens, seed
        self._mixture = mixture = mixture or DialogueMixture()
        renderer = Renderer(tokenizer, mixture.call_weight, mixture.context_weight)
        self._groups: dict[tuple[int, ...], list[Rendered]] = {}
        prefixes: dict[bytes, tuple[int, ...]] = {}  # few are different, and all are long
        for record in read_records(path):
            system, *messages = record["messages"]
            if (rendered := renderer.beginning(messages, mixture.longest)) is None:
                continue
            for tools in _offers(record):
                key = msgspec.json.encode((system["content"], tools))
                if (prefix := prefixes.get(key)) is None:
                    prefix = prefixes[key] = tuple(renderer.system(system["content"], tools))
                self._groups.setdefault(prefix, []).append(rendered)
        if not self._groups:
            raise CorpusError(f"{path} holds no dialogue", "Make some with `dialogues`.")

    def batch(self, number: int) -> DialogueBatch:
        """Rows of about the same length, so that little is padded."""
        rng = random.Random(f"{self._seed} {number}")  # noqa: S311 - no secret
        prefixes = list(self._groups)
        prefix = rng.choices(prefixes, [len(self._groups[key]) for key in prefixes])[0]
        group = self._groups[prefix]
        pool = sorted((self._row(group, rng) for _ in range(_POOL)), key=lambda row: len(row.ids))
        at = rng.randrange(len(pool))
        rows = [pool[at]]
        for row in pool[at + 1 :]:
            if (len(rows) + 1) * _padded(len(row.ids)) > self._tokens:
                break
            rows.append(row)
        length = _padded(max(len(row.ids) for row in rows))
        ids = torch.full((len(rows), length), FIM_PAD)
        weights = torch.zeros(len(rows), length)
        for index, row in enumerate(rows):
            ids[index, : len(row.ids)] = torch.tensor(row.ids)
            weights[index, : len(row.ids)] = torch.tensor(row.weights)
        mixture = self._mixture
        learns = rng.random() < mixture.prefix_learns
        shift = rng.randint(1, mixture.farthest) if rng.random() < mixture.shifted else 0
        return DialogueBatch(torch.tensor(prefix), ids, weights, learns, shift)

    def _row(self, group: Sequence[Rendered], rng: random.Random) -> Rendered:
        first = rng.choice(group)
        ids, weights = list(first.ids), list(first.weights)
        while rng.random() < self._mixture.joined:
            more = rng.choice(group)
            if len(ids) + len(more.ids) > self._mixture.longest:
                break
            ids += more.ids
            weights += more.weights
        return Rendered(ids, weights)


def hidden_states(model: Qwen2ForCausalLM | Qwen3ForCausalLM, batch: DialogueBatch) -> torch.Tensor:
    """Last hidden states of the rows, `[rows, length, d]`; the prefix is computed once."""
    rows, length = batch.ids.shape
    cache = DynamicCache(config=model.config)
    with torch.set_grad_enabled(batch.prefix_learns and torch.is_grad_enabled()):
        model.model(input_ids=batch.prefix[None], past_key_values=cache, use_cache=True)
    shared = DynamicCache(config=model.config)
    for index, layer in enumerate(cache.layers):
        if not isinstance(layer, DynamicLayer) or layer.keys is None or layer.values is None:
            raise TypeError("attention of this kind keeps no keys and values")
        keys, values = layer.keys, layer.values
        shape = (rows, *keys.shape[1:])
        shared.update(keys.expand(shape), values.expand(shape), index)
    start = len(batch.prefix) + batch.shift
    positions = torch.arange(start, start + length, device=batch.ids.device)[None]
    output = model.model(
        input_ids=batch.ids, past_key_values=shared, use_cache=True, position_ids=positions
    )
    hidden: torch.Tensor = output.last_hidden_state
    return hidden


def _offers(record: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The tool lists that a dialogue may have: a workspace without tests has no `run_tests`."""
    tools = record["tools"]
    called = {
        call["function"]["name"]
        for message in record["messages"]
        for call in message.get("tool_calls", [])
    }
    fewer = [tool for tool in tools if tool["function"]["name"] != "run_tests"]
    return [tools] if "run_tests" in called or not tools else [tools, fewer]


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """The dialogues of a JSON Lines file, each with `messages` and `tools`.

    Raises:
        CorpusError: The file cannot be read, or a line is no dialogue that begins with a system
            message.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error}", "Make it with `dialogues`.") from error
    for number, line in enumerate(lines, 1):
        try:
            record = msgspec.json.decode(line, type=dict[str, Any])
            fits = record["messages"][0]["role"] == "system" and isinstance(record["tools"], list)
        except (msgspec.DecodeError, KeyError, IndexError, TypeError):
            fits = False
        if not fits:
            raise CorpusError(
                f"Line {number} of {path} is no dialogue", "Make the file anew with `dialogues`."
            )
        yield record


def _padded(length: int) -> int:
    return -(-length // _MULTIPLE) * _MULTIPLE
