"""Google-style docstrings: what a function does, and what its arguments mean.

The form is that of the Google Python Style Guide, section 3.8.3.
"""

import inspect
import json
import re
from typing import Any

import msgspec

_SECTION = re.compile(
    r"^(Args|Arguments|Returns?|Raises|Yields?|Examples?|Notes?|Warnings?|Attributes|See Also"
    r"|Todo|References):\s*$"
)
_ENTRY = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$", re.DOTALL)
_CHOICES = re.compile(r"\s*\(choices:\s*(\[.*?\])\).*$", re.IGNORECASE | re.DOTALL)


class ArgumentDoc(msgspec.Struct, frozen=True):
    """What one argument means. `choices` come from a trailing `(choices: [...])`, a JSON list."""

    text: str
    choices: tuple[Any, ...] | None = None


class Docstring(msgspec.Struct, frozen=True):
    """A docstring taken apart. `summary` is its first sentence or line.

    `description` is all that stands before the first section, with lines joined.
    """

    summary: str
    description: str
    arguments: dict[str, ArgumentDoc]
    attributes: dict[str, ArgumentDoc]


def parse_docstring(raw: str | None) -> Docstring | None:
    """The parts of a docstring; None where there is none.

    Raises:
        ValueError: A `(choices: [...])` is no JSON list.
    """
    if not raw or not raw.strip():
        return None
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in inspect.cleandoc(raw).split("\n"):
        if match := _SECTION.match(line):
            current = match[1]
            sections.setdefault(current, [])
        else:
            sections[current].append(line)
    head = "\n".join(sections[""]).strip()
    paragraphs = [_join(part) for part in re.split(r"\n\s*\n", head)]
    return Docstring(
        summary=paragraphs[0],
        description="\n".join(paragraphs),
        arguments=_entries(sections.get("Args") or sections.get("Arguments") or []),
        attributes=_entries(sections.get("Attributes") or []),
    )


def _join(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _entries(lines: list[str]) -> dict[str, ArgumentDoc]:
    """Entries start at the section's least indentation; deeper lines continue them."""
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    if not indents:
        return {}
    entries: list[str] = []
    for line in lines:
        if not line.strip():
            continue
        if len(line) - len(line.lstrip()) == min(indents):
            entries.append(line.strip())
        elif entries:
            entries[-1] += " " + line.strip()
    found = (_ENTRY.match(entry) for entry in entries)
    return {match[1]: _argument(match[2]) for match in found if match}


def _argument(text: str) -> ArgumentDoc:
    text = _join(text)
    match = _CHOICES.search(text)
    if match is None:
        return ArgumentDoc(text)
    choices = json.loads(match[1])
    return ArgumentDoc(text[: match.start()].strip(), tuple(choices))
