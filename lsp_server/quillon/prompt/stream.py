"""The answer of a model as a stream of plain text and tags that only tokens can spell."""

import codecs
from typing import NamedTuple

from quillon.engine.base import Delta


class Tag(NamedTuple):
    """A special token such as `<tool_call>`; text that merely reads the same is no tag."""

    text: str


class TagStream:
    """Tells tags from text.

    With `by_token`, the vocabulary has tokens for the tags, and in an answer that comes with
    tokens a tag is such a token and nothing else.
    """

    def __init__(self, *, by_token: bool) -> None:
        self.by_token = False  # whether this answer's tags are tokens
        self._vocabulary_has_tags = by_token
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ahead = ""  # text that arrived before the token that it belongs to

    def feed(self, delta: Delta) -> list[str | Tag]:
        """What a delta adds."""
        told = all(token.id >= 0 for token in delta.tokens)  # some servers tell no ids
        if not self._vocabulary_has_tags or not told or not (delta.tokens or self._ahead):
            return [delta.text] if delta.text else []
        self.by_token = True
        self._ahead += delta.text
        items: list[str | Tag] = []
        for token in delta.tokens:
            text = self._decoder.decode(token.bytes, final=token.special)
            if token.special and not self._ahead.startswith(text):
                continue  # a control token has no text in the answer
            self._ahead = self._ahead[len(text) :]
            if token.special and text.startswith("<") and text.endswith(">"):
                items.append(Tag(text))
            elif text:
                items.append(text)
        return items

    def finish(self) -> list[str | Tag]:
        """What was held back: text whose token did not come, half a character."""
        rest, self._ahead = self._ahead or self._decoder.decode(b"", final=True), ""
        return [rest] if rest else []
