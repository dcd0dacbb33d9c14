"""The task `bfcl`: a user's copy of BFCL's single-turn data.

Read are `BFCL_v4_*.json` with their answers in `possible_answer/`, as the leaderboard has them,
and JSON Lines whose rows hold `category`, `question`, `function` and `ground_truth`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from quillon.eval.asking import Asker
from quillon.eval.matching import Answer, calls_match
from quillon.eval.outcomes import EvalError, Outcome, Question
from quillon.prompt.messages import Message

# Their schemas name Python's types.
_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
_ROLES = {"user", "assistant", "system"}


class Entry(msgspec.Struct, frozen=True):
    """One question; `answers` are the right calls, None where only calling at all is judged."""

    id: str
    category: str
    messages: tuple[Message, ...]
    functions: tuple[dict[str, Any], ...]
    answers: tuple[Answer, ...] | None

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The functions as tools: JSON Schema, and names without dots."""
        return [
            {
                "type": "function",
                "function": {
                    "name": _name(function["name"]),
                    "description": function.get("description", ""),
                    "parameters": _schema(function.get("parameters", {})),
                },
            }
            for function in self.functions
        ]


def read_bfcl(folder: Path) -> list[Entry]:
    """All single-turn entries below a folder, or of one file.

    Raises:
        EvalError: There are none, or a file cannot be read.
    """
    files = [folder] if folder.is_file() else sorted(folder.glob("*.json*"))
    entries = []
    for file in files:
        try:
            entries += list(_entries(file))
        except (OSError, UnicodeDecodeError) as error:
            raise EvalError(f"The file {file} cannot be read: {error}.") from error
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise EvalError(
                f"{file} is not of BFCL's form ({error!r}). Name the folder with its "
                "BFCL_v4_*.json, or leave other files out of it."
            ) from error
    if not entries:
        raise EvalError(f"There are no entries of BFCL in {folder}; it needs BFCL_v4_*.json.")
    return entries


def bfcl_questions(asker: Asker, entries: list[Entry]) -> list[Question]:
    """One question for each entry."""
    return [Question("bfcl", entry.id, partial(_outcome, asker, entry)) for entry in entries]


async def _outcome(asker: Asker, entry: Entry) -> Outcome:
    tools = entry.tools
    said = await asker.ask(entry.messages, tools)
    if entry.answers is None:
        right = bool(said.calls) if "irrelevance" not in entry.category else not said.calls
    else:
        answers = [{_name(name): given for name, given in a.items()} for a in entry.answers]
        functions = {_name(f["name"]): f.get("parameters", {}) for f in entry.functions}
        right = not said.broken and calls_match(said.calls, answers, functions)
    marks = {"all": right, entry.category: right}
    if said.calls or said.broken:
        marks["valid calls"] = not said.broken and all(asker.valid(c, tools) for c in said.calls)
    shown = f"{entry.messages[-1].content}\n→ {said.shown}"
    return Outcome("bfcl", entry.id, marks, shown=shown)


def _entries(file: Path) -> Iterator[Entry]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    beside = file.parent / "possible_answer" / file.name
    known: dict[str, Any] = {}
    if beside.is_file():
        for line in beside.read_text("utf-8").splitlines():
            if line.strip():
                row = json.loads(line)
                known[row["id"]] = row["ground_truth"]
    for row in rows:
        entry = _entry(row, file, known)
        if entry is not None:
            yield entry


def _entry(row: Mapping[str, Any], file: Path, known: Mapping[str, Any]) -> Entry | None:
    category = row.get("category") or file.stem.partition("_v4_")[2] or file.stem
    turns = row["question"]
    judged = "relevance" in category
    answers = row.get("ground_truth") or known.get(row["id"])
    if len(turns) != 1 or not row.get("function") or (answers is None and not judged):
        return None
    return Entry(
        id=row["id"],
        category=category,
        messages=tuple(
            Message(role=m["role"] if m["role"] in _ROLES else "user", content=m["content"])
            for m in turns[0]
        ),
        functions=tuple(row["function"]),
        answers=None if judged else tuple(answers or ()),
    )


def _name(name: str) -> str:
    return name.replace(".", "_")


def _schema(value: Any) -> Any:
    """JSON Schema of a description that names Python's types; `any` is no restriction."""
    if isinstance(value, list):
        return [_schema(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    made: dict[str, Any] = {}
    for key, item in value.items():
        if key == "properties" and isinstance(item, Mapping):
            made[key] = {name: _schema(inner) for name, inner in item.items()}
        elif key == "type" and item == "any":
            continue
        elif key == "type" and isinstance(item, str):
            made[key] = _TYPES.get(item, item)
        else:
            made[key] = item if key in ("enum", "default") else _schema(item)
    return made
