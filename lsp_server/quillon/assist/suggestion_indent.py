"""Suggestions in the indentation of their file: a model may write blanks where it has tabs."""

import re

import msgspec

from quillon.assist.suggestion import Surroundings

_LOOK_AROUND = 20_000  # characters on each side of the cursor
_TABS = re.compile(r"^\t", re.MULTILINE)
_BLANKS = re.compile(r"^ {2}", re.MULTILINE)
_INDENT = re.compile(r"(?<=\n) +(?=[^ \t\n])")
_OPENERS = ("{", "[", "(", ":")
_STEPS = (4, 2)  # blanks for a tab, the likelier first


class Indentation(msgspec.Struct, frozen=True):
    """What becomes of the indentation of the lines that a model writes at one place.

    `before` is what stands left of the cursor, `depth` how many tabs the lines there begin with.
    """

    tabs: bool
    depth: int
    before: str

    def applied(self, text: str) -> str:
        """The text as the file would indent it; blanks at its end wait for what follows them."""
        if not self.tabs:
            return text
        # Where nothing stands left of the cursor, the first line may bring its indentation, too.
        lead = "" if self.before.strip() else "\n"
        lines = lead + text
        if lines.rstrip(" ").endswith("\n"):
            lines = lines.rstrip(" ")
        first = _INDENT.search(lines)
        if first is None:
            return lines.removeprefix(lead)
        step = self._step(len(first.group()), lines[: first.start()])

        def tabbed(match: "re.Match[str]") -> str:
            steps, rest = divmod(len(match.group()), step)
            return "\t" * steps + " " * rest

        return _INDENT.sub(tabbed, lines).removeprefix(lead)

    def _step(self, width: int, written: str) -> int:
        """How many blanks stand for a tab, by the first line that they indent.

        It should be a step deeper than the line before it where that opens something; else as
        deep, or less by any number of steps, which are two blanks only where four do not fit.
        """
        if (self.before + written).rstrip().endswith(_OPENERS):
            likely = [(depth, step) for depth in (self.depth + 1, self.depth) for step in _STEPS]
        else:
            likely = [(depth, step) for step in _STEPS for depth in range(1, self.depth + 2)]
        return next((step for depth, step in likely if depth * step == width), _STEPS[0])


def indentation_at(text: str, cursor: int, around: Surroundings) -> Indentation:
    """How the lines around a cursor are indented."""
    near = text[max(0, cursor - _LOOK_AROUND) : cursor + _LOOK_AROUND]
    line = around.before or around.above
    # A block of blanks keeps them in a file of tabs, too: Python takes no mixture.
    tabs = not line.startswith(" ") and len(_TABS.findall(near)) > len(_BLANKS.findall(near))
    return Indentation(tabs, len(line) - len(line.lstrip("\t")), around.before)
