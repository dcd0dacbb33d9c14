"""A syntax tree and the text it belongs to, with code points and bytes kept apart.

tree-sitter counts UTF-8 bytes, everything else here counts code points; `Tree` is the only
translator. Lone surrogates, which UTF-8 cannot hold, are parsed as U+FFFD: the same number of
code points, so no offset moves.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

import tree_sitter

from quillon.text import Span, difference, encodable
from quillon_tools.languages import Language, ParseError, parse

Node = tree_sitter.Node

_STEP = 1024  # code points between two known byte offsets
# A source with syntax errors is parsed anew up to this size, in bytes: error recovery can take
# another path when parts of an older tree are reused, so only the new tree is the tree of the text.
ANEW_BYTES = 65_536


class Tree:
    """The tree of one text. Offsets are code points; `raw` speaks tree-sitter's bytes.

    `provisional` says that it was made from an older tree and may differ from a fresh parse: near
    syntax errors, or where the text changed since.
    """

    __slots__ = ("_ascii", "_steps", "language", "provisional", "raw", "source", "text")

    def __init__(
        self,
        text: str,
        source: bytes,
        language: Language,
        raw: tree_sitter.Tree,
        *,
        provisional: bool = False,
    ) -> None:
        self.text = text
        self.source = source
        self.language = language
        self.raw = raw
        self.provisional = provisional
        self._ascii = len(source) == len(text)
        self._steps: list[int] | None = None

    @property
    def root(self) -> Node:
        """The node of the whole text."""
        return self.raw.root_node

    @property
    def has_error(self) -> bool:
        """Whether the text has a syntax error."""
        return self.raw.root_node.has_error

    def byte_of(self, offset: int) -> int:
        """The byte where code point `offset` starts."""
        if self._ascii:
            return min(max(0, offset), len(self.text))
        offset = min(max(0, offset), len(self.text))
        steps = self._byte_steps()
        step = min(offset // _STEP, len(steps) - 1)
        return steps[step] + len(_encoded(self.text[step * _STEP : offset]))

    def offset_of(self, byte: int) -> int:
        """The code point that byte `byte` belongs to."""
        if self._ascii:
            return min(max(0, byte), len(self.text))
        byte = min(max(0, byte), len(self.source))
        steps = self._byte_steps()
        step = bisect_right(steps, byte) - 1
        return step * _STEP + len(self.source[steps[step] : byte].decode("utf-8", "ignore"))

    def span(self, node: Node) -> Span:
        """What a node covers."""
        return Span(self.offset_of(node.start_byte), self.offset_of(node.end_byte))

    def text_of(self, node: Node) -> str:
        """The text of a node."""
        return self.span(node).cut(self.text)

    def node_at(self, offset: int) -> Node:
        """The smallest node that covers the place between two characters at `offset`."""
        byte = self.byte_of(offset)
        return self.root.descendant_for_byte_range(byte, byte) or self.root

    def ancestors(self, offset: int) -> Iterator[Node]:
        """The nodes that cover `offset`, innermost first, the root last."""
        node: Node | None = self.node_at(offset)
        while node is not None:
            yield node
            node = node.parent

    def _byte_steps(self) -> list[int]:
        if self._steps is None:
            pieces = range(0, max(0, len(self.text) - _STEP), _STEP)
            sizes = (len(_encoded(self.text[at : at + _STEP])) for at in pieces)
            self._steps = list(accumulate(sizes, initial=0))
        return self._steps


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return encodable(text).encode()


def parsed(
    text: str, language: Language, old: Tree | None = None, *, patience: float | None = None
) -> Tree | None:
    """The tree of a text, made from an older text's tree where that is faster.

    Equal to a fresh parse, unless it is marked `provisional` (`settled` makes that one anew).
    With `patience`, in seconds, a reparse that takes longer is given up, and the answer is the
    old tree with its nodes moved to where they are now.

    None where the text is too large to parse or parsing takes too long.
    """
    source = _encoded(text)
    try:
        if old is None or old.language != language:
            return Tree(text, source, language, parse(source, language))
        moved = _edited(old, text, source)
        raw = _reparsed(source, language, moved, patience)
        if raw is None:
            return Tree(text, source, language, moved, provisional=True)
        if not raw.root_node.has_error:
            return Tree(text, source, language, raw)
        if len(source) > ANEW_BYTES:
            return Tree(text, source, language, raw, provisional=True)
        return Tree(text, source, language, parse(source, language))
    except ParseError:
        return None


def _reparsed(
    source: bytes, language: Language, old: tree_sitter.Tree, patience: float | None
) -> tree_sitter.Tree | None:
    if patience is None:
        return parse(source, language, old_tree=old)
    try:
        return parse(source, language, old_tree=old, seconds=patience)
    except ParseError:
        return None


def settled(tree: Tree) -> Tree | None:
    """The tree as a fresh parse gives it; the same tree where it is that already."""
    return parsed(tree.text, tree.language) if tree.provisional else tree


def _edited(old: Tree, text: str, source: bytes) -> tree_sitter.Tree:
    """A copy of the old tree that knows where the new text differs."""
    edit = difference(old.text, text)
    start, end = old.byte_of(edit.span.start), old.byte_of(edit.span.end)
    new_end = start + len(_encoded(edit.text))
    raw = old.raw.copy()
    raw.edit(
        start,
        end,
        new_end,
        _point(old.source, start),
        _point(old.source, end),
        _point(source, new_end),
    )
    return raw


def _point(source: bytes, byte: int) -> tuple[int, int]:
    """tree-sitter's row and column, in bytes; its rows end at line feeds only."""
    return source.count(b"\n", 0, byte), byte - source.rfind(b"\n", 0, byte) - 1
