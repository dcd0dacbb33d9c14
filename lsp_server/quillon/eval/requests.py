"""The task `requests`: what people ask, written by hand, and the calls that are right for it."""

import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from quillon.eval.asking import Asker
from quillon.eval.grading import same_calls
from quillon.eval.outcomes import Outcome, Question
from quillon.prompt.messages import Message
from quillon_tools.calls import ToolCall
from quillon_tools.registry import default_tools

_FILE = Path(__file__).parent / "data" / "requests.toml"


def request_questions(asker: Asker) -> list[Question]:
    """One question for each request."""
    rows = tomllib.loads(_FILE.read_text("utf-8"))["request"]
    return [
        Question("requests", str(number), partial(_outcome, asker, str(number), row))
        for number, row in enumerate(rows, 1)
    ]


async def _outcome(asker: Asker, number: str, row: dict[str, Any]) -> Outcome:
    tools = [tool.definition("brief") for tool in default_tools()]
    said = await asker.ask((Message(role="user", content=row["text"]),), tools)
    accepted = list(_accepted(row))
    right = not said.broken and any(same_calls(said.calls, calls) for calls in accepted)
    marks = {"right call or none": right, f"right call or none, {row['language']}": right}
    if accepted == [[]]:
        marks["no call where none fits"] = right
    else:
        names = [{call.name for call in calls} for calls in accepted]
        marks["right tool"] = {call.name for call in said.calls} in names
        marks["right call"] = right
    return Outcome("requests", number, marks, shown=f"{row['text']}\n→ {said.shown}")


def _accepted(row: dict[str, Any]) -> Iterator[list[ToolCall]]:
    """The lists of calls of which any is right: alternatives, or all of `both`; else none."""
    if "both" in row:
        yield [ToolCall("", *call) for call in row["both"]]
    for name, arguments in row.get("any", []):
        yield [ToolCall("", name, arguments)]
    if not row.get("both") and not row.get("any"):
        yield []
