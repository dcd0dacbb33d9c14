"""Code in Markdown: fences that no line of the code ends, and what stands between them."""

import re

_RUN = re.compile(r"`{3,}")
_BLOCK = re.compile(r"^(?P<fence>`{3,})[^\n`]*\n(?P<code>.*?)^(?P=fence)", re.MULTILINE | re.DOTALL)


def fenced(code: str, language: str = "") -> str:
    """The code as a block whose fence is longer than any in it."""
    longest = max((len(run) for run in _RUN.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def code_in(text: str) -> str:
    """What stands in the blocks of a text."""
    return "\n".join(block["code"] for block in _BLOCK.finditer(text))


def text_around(text: str) -> str:
    """What stands outside of the blocks of a text."""
    return _BLOCK.sub("", text)
