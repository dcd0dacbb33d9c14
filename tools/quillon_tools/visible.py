"""Text for people who decide: whatever would be hidden from them is spelled out.

Terminal escapes, direction marks, characters without width, look-alikes of a blank and long runs
of blanks make a text look like another one; here they stand as `⟨U+202E⟩`, runs as `⟨U+0020 ×90⟩`.
"""

import re
import unicodedata
from typing import Any

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
# Of categories that are seen otherwise, and yet drawn as nothing or as a blank.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_VARIATIONS = "\u180b\u180c\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_LONGEST_RUN = 80  # blanks and empty lines; more push what follows out of sight
_SUSPECT = re.compile(
    rf"(?P<run>[ \t\n]{{{_LONGEST_RUN},}})|(?P<same>[^\x20-\x7e])(?P=same)*|[{_BLANK}{_VARIATIONS}]"
)
# What steers a terminal; lines and tabs do, too, and are meant.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """The text for a terminal: escapes and other controls in it are spelled out, and no more."""
    return _STEERING.sub(lambda match: _named(match[0], 1), text.replace("\r\n", "\n"))


def visible(text: str) -> str:
    """The text on one line, with everything in it that cannot be seen spelled out."""
    return _SUSPECT.sub(lambda match: _spelled(match, ""), text)


def visible_lines(text: str) -> str:
    """As `visible`, but lines and tabs stay; a carriage return that ends each line is left out."""
    if "\r" in text:
        text = _without_returns(text)
    return _SUSPECT.sub(lambda match: _spelled(match, "\t\n"), text)


def visible_values(value: Any) -> Any:
    """A JSON value with every string of it, the names included, as `visible_lines` has it."""
    if isinstance(value, str):
        return visible_lines(value)
    if isinstance(value, dict):
        return {visible(str(key)): visible_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible_values(item) for item in value]
    return value


def _spelled(match: re.Match[str], kept: str) -> str:
    found = match[0]
    if match["run"] is not None:
        return "".join(_named(run[0], len(run[0])) for run in re.finditer(r" +|\t+|\n+", found))
    char = found[0]
    pushes = unicodedata.category(char) == "Zs" and len(found) >= _LONGEST_RUN
    if char in kept or not (pushes or _is_hidden(char)):
        return found
    return _named(found, len(found))


def _named(run: str, length: int) -> str:
    times = f" ×{length}" if length > 1 else ""
    return f"⟨U+{ord(run[0]):04X}{times}⟩"


def _is_hidden(char: str) -> bool:
    category = unicodedata.category(char)
    if category in _HIDDEN or char in _BLANK or re.match(f"[{_VARIATIONS}]", char):
        return True
    # A wide blank is a sign of its own in East Asian text, and is seen as one.
    return category == "Zs" and char not in " \u3000"


def _without_returns(text: str) -> str:
    """The text without the returns of files that end each line in CR LF, as a diff quotes them."""
    lines = text.split("\n")
    quoted = [line for line in lines if line[:1] in {" ", "+", "-"} and line[:3] not in _HEADS]
    if quoted and all(line.endswith("\r") for line in quoted):
        return "\n".join(line.removesuffix("\r") for line in lines)
    return text


_HEADS = frozenset({"---", "+++"})
