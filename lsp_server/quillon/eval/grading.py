"""When calls are the expected ones, and what an answer says."""

import re
from collections.abc import Sequence
from typing import Any

from quillon_tools.calls import ToolCall

# What models say of code in which they see no mistake.
_INNOCENT = re.compile(
    r"\bno (?:\w+ ){0,3}(?:bugs?|mistakes?|problems?|issues?|errors?)\b"
    r"|\bnone of the usual mistakes\b"
    r"|\b(?:looks?|is|seems?|appears?) (?:\w+ ){0,2}(?:correct|fine|good|right|ok|okay)\b"
    r"|\b(?:don't|do not|didn't|did not|cannot|can't) see (?:a|any)\b"
    r"|没有(?:看到|发现|明显|常见|什么)?[^。]{0,8}(?:错误|问题|bug)|(?:代码|函数)[^。]{0,6}(?:正确|没问题)",
    re.IGNORECASE,
)


def same_call(made: ToolCall, expected: ToolCall) -> bool:
    """Whether name and arguments are equal as JSON values."""
    return made.name == expected.name and same_value(made.arguments, expected.arguments)


def same_calls(made: Sequence[ToolCall], expected: Sequence[ToolCall]) -> bool:
    """Whether the calls are equal, in any order."""
    rest = list(expected)
    for call in made:
        index = next((i for i, other in enumerate(rest) if same_call(call, other)), None)
        if index is None:
            return False
        del rest[index]
    return not rest


def same_names(made: Sequence[ToolCall], expected: Sequence[ToolCall]) -> bool:
    """Whether the same tools are called, equally often; none and none agree, too."""
    return sorted(call.name for call in made) == sorted(call.name for call in expected)


def same_value(one: Any, other: Any) -> bool:
    """Whether JSON values are equal; unlike Python's, `true` is not 1 here."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    return bool(one == other)


def has_facts(text: str, facts: Sequence[str]) -> bool:
    """Whether an answer contains every fact; letters' case and line ends count for nothing."""
    said = " ".join(text.split()).casefold()
    return all(" ".join(fact.split()).casefold() in said for fact in facts)


def finds_nothing(text: str) -> bool:
    """Whether an answer says that code has no mistake."""
    return _INNOCENT.search(text) is not None
