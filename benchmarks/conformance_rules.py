"""Where we differ from other readers of tool calls on purpose: the whole list, with reasons.

Where peers agree we agree. Where they disagree we choose what loses nothing of the user's text
and executes nothing uncertain. Each rule names the kinds of difference that it explains in a
case, after checking that the difference is of its kind.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

OPEN, CLOSE, THINK = "<tool_call>", "</tool_call>", "<think>"


class Case(NamedTuple):
    """A case and what we made of it. `content` includes the text of broken calls."""

    row: dict[str, Any]
    content: str
    reasoning: str
    calls: list[dict[str, Any]]
    broken: list[str]
    differs: set[str]  # of content, reasoning, calls, outcome

    @property
    def text(self) -> str:
        return str(self.row["input"])

    @property
    def expected_calls(self) -> list[dict[str, Any]]:
        return self.row["expected_calls"] or []

    @property
    def expected_content(self) -> str:
        return self.row["expected_content"] or ""

    @property
    def names(self) -> set[str] | None:
        tools = self.row["tools"]
        return None if tools is None else {tool["name"] for tool in tools}


class Rule(NamedTuple):
    """A deliberate difference: the sentence, and what it explains in a case."""

    sentence: str
    explains: Callable[[Case], set[str]]


def squash(text: str) -> str:
    return "".join(text.split())


def contained(part: str, whole: str) -> bool:
    """Whether `part` is `whole` with some of its characters left out."""
    rest = iter(whole)
    return all(char in rest for char in part)


def same_names(ours: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    return [c["name"] for c in ours] == [c["name"] for c in expected]


def _blanks(case: Case) -> set[str]:
    same = squash(case.content) == squash(case.expected_content)
    return {"content"} if same else set()


def _nothing_lost(case: Case) -> set[str]:
    ours, expected = squash(case.content), squash(case.expected_content)
    kept = contained(expected, ours) and contained(ours, squash(case.text))
    found = {"content"} if kept and len(ours) > len(expected) else set()
    expected = squash(case.row["expected_reasoning"] or "")
    kept = contained(expected, squash(case.reasoning))
    return found | ({"reasoning"} if kept and expected else set())


def _reasoning_apart(case: Case) -> set[str]:
    raw = squash(case.reasoning)
    return {"content", "reasoning"} if raw and raw in squash(case.expected_content) else set()


def _nothing_in_thought(case: Case) -> set[str]:
    if not re.search(r"<tool_call>|<function=|\"name\"", case.reasoning):
        return set()
    # What is left of the calls is a part of them, in their order.
    expected = iter(case.expected_calls)
    later = all(any(e["name"] == ours["name"] for e in expected) for ours in case.calls)
    return {"calls", "reasoning", "content"} if later else set()


def _second_think(case: Case) -> set[str]:
    expected = (case.row["expected_reasoning"] or "").replace(THINK, "")
    return {"reasoning"} if expected.strip() == case.reasoning.strip() else set()


def _more_calls(case: Case) -> bool:
    return len(case.calls) > len(case.expected_calls)


def _without_close(case: Case) -> set[str]:
    unclosed = case.text.count(OPEN) > case.text.count(CLOSE)
    return {"calls", "content", "outcome"} if unclosed and _more_calls(case) else set()


def _without_open(case: Case) -> set[str]:
    bare = re.search(r"^\s*[\[{]", case.text, re.MULTILINE) and OPEN not in case.text
    return {"calls", "content"} if bare and _more_calls(case) else set()


def _line_ends(case: Case) -> set[str]:
    tight = re.search(r"<tool_call>[{\[]|[}\]]</tool_call>", case.text)
    allowed = bool(tight) and (_more_calls(case) or "outcome" in case.differs)
    return {"calls", "content", "outcome"} if allowed else set()


def _key_order(case: Case) -> set[str]:
    early = re.search(r'\{\s*"arguments"', case.text)
    return {"outcome"} if early and case.calls else set()


def _cut_off(case: Case) -> set[str]:
    if not re.search(r"<tool_call>|<function|[{\[]", case.text):
        return set()
    end = case.text.rstrip()
    cut = any(end.endswith(raw.rstrip()) for raw in case.broken)
    cut = cut or (not case.calls and squash(case.content) == squash(case.text))
    ends_open = not end.endswith((CLOSE, "</function>", "}", "]", "```"))
    ends_open = ends_open or end.count("{") > end.count("}") or end.count("[") > end.count("]")
    ends_open = ends_open or end.count("<function=") > end.count("</function>")
    fewer = len(case.calls) < len(case.expected_calls)
    return {"calls", "content"} if cut and ends_open and fewer else set()


def _in_parts(case: Case) -> set[str]:
    partial = case.row["partial"] and len(case.calls) <= len(case.expected_calls)
    return {"calls", "content"} if partial else set()


def _unknown(case: Case) -> set[str]:
    if case.names is None:
        return set()
    ours = [call for call in case.calls if call["name"] in case.names]
    expected = [call for call in case.expected_calls if call["name"] in case.names]
    unknown = (len(ours), len(expected)) != (len(case.calls), len(case.expected_calls))
    return {"calls", "content"} if unknown and same_names(ours, expected) else set()


def _stray_think(case: Case) -> set[str]:
    ours, expected = squash(case.content), squash(case.expected_content)
    stray = case.reasoning and ours == expected.replace("</think>", "")
    return {"content"} if stray else set()


def _untyped(case: Case) -> set[str]:
    typed = {
        (tool["name"], key)
        for tool in case.row["tools"] or ()
        for key, value in ((tool.get("parameters") or {}).get("properties") or {}).items()
        if set(value) & {"type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const"}
    }
    return {"calls"} if _equal_but(case, lambda call, key: (call, key) not in typed) else set()


def _equal_but(case: Case, free: Callable[[str, str], bool]) -> bool:
    """Whether the calls differ in nothing but values that `free` allows to be texts in ours."""
    if len(case.calls) != len(case.expected_calls) or "<function" not in case.text:
        return False
    differ = 0
    for ours, expected in zip(case.calls, case.expected_calls, strict=True):
        for key, value in (expected["arguments"] or {}).items():
            found = ours["arguments"].get(key)
            differ += found != value
            if found != value and not (isinstance(found, str) and free(ours["name"], key)):
                return False
    return differ > 0


def _value_blanks(case: Case) -> set[str]:
    if len(case.calls) != len(case.expected_calls) or "<parameter" not in case.text:
        return set()
    differ = 0
    for ours, expected in zip(case.calls, case.expected_calls, strict=True):
        for key, value in (expected["arguments"] or {}).items():
            found = ours["arguments"].get(key)
            strings = isinstance(found, str) and isinstance(value, str)
            differ += found != value
            if found != value and not (strings and squash(found) == squash(value)):
                return set()
    return {"calls"} if differ else set()


def _trailing_comma(case: Case) -> set[str]:
    comma = re.search(r",\s*[}\]]", case.text)
    fewer = len(case.calls) < len(case.expected_calls)
    return {"calls", "content"} if comma and fewer else set()


def _null_arguments(case: Case) -> set[str]:
    pairs = list(zip(case.calls, case.expected_calls, strict=False))
    none = same_names(case.calls, case.expected_calls) and all(
        e["arguments"] is not None or c["arguments"] == {} for c, e in pairs
    )
    return {"calls"} if none and '"arguments": null' in case.text else set()


def _nameless(case: Case) -> set[str]:
    named = [call for call in case.expected_calls if call["name"] != ""]
    fewer = len(named) < len(case.expected_calls) and len(named) == len(case.calls)
    return {"calls", "content"} if fewer else set()


RULES = [
    Rule("Blanks between calls, reasoning and text are no difference.", _blanks),
    Rule("Nothing inside <think> is a call, even if it is never closed.", _nothing_in_thought),
    Rule("Reasoning is never part of the answer's text.", _reasoning_apart),
    Rule("A second opening <think> right behind the first is dropped.", _second_think),
    Rule("A closing </think> behind reasoning that is closed is dropped.", _stray_think),
    Rule("No text is lost: what a peer drops beside calls is kept.", _nothing_lost),
    Rule("An unknown tool is reported to the model if tagged, and text if not.", _unknown),
    Rule("A call that is complete runs without its closing tag.", _without_close),
    Rule("JSON of a call that begins a line runs without its opening tag.", _without_open),
    Rule("Line ends between tags and JSON may be missing.", _line_ends),
    Rule("The keys of a call may come in any order.", _key_order),
    Rule("A call is handed out once it is complete, never in parts.", _in_parts),
    Rule("What the end of the answer cut off never runs.", _cut_off),
    Rule("Blanks in a value of function XML belong to the value.", _value_blanks),
    Rule("Values of function XML without a type in the schema stay text.", _untyped),
    Rule("Trailing commas are not mended: the model is asked again.", _trailing_comma),
    Rule("Arguments of null are no arguments.", _null_arguments),
    Rule("A call has a name.", _nameless),
]


def explain(case: Case) -> tuple[list[str], set[str]]:
    """The sentences of the rules that explain a case, and the differences that none explains."""
    left = set(case.differs)
    sentences: list[str] = []
    for rule in RULES:
        new = rule.explains(case) & left
        if new:
            left -= new
            sentences.append(rule.sentence)
    return sentences, left


# Rules of the smaller units: values, and argument objects without a call around them.
NULL_TEXT = "The text null is null only where the schema allows null, or allows no string."
NO_FALSE = "A text that is neither true nor false does not become false."
NO_NAME = "Arguments without a name are no call."
WHOLE = "A call is handed out once it is complete: cut JSON is never filled up."
