"""What llama.cpp's grammar parser must never see: it would hang, crash or silently do nothing.

Everything else that is wrong with a grammar, its parser refuses by itself.
"""

import re

from quillon.engine.base import ConstraintError

MAX_SIZE = 1024 * 1024  # bytes
MAX_NESTING = 200  # groups are parsed recursively

_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*', re.DOTALL)
_REPETITION = re.compile(r"\{\s*(\d+)\s*,\s*(\d+)\s*\}")


def check_grammar(text: str) -> None:
    """Refuse a grammar that would harm the engine.

    Raises:
        ConstraintError: It is empty, too large, too deeply nested, or repeats backwards.
    """
    if not text.strip():
        raise ConstraintError("the grammar is empty")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise ConstraintError(f"the grammar is no text: {error.reason}") from error
    if size > MAX_SIZE:
        raise ConstraintError(f"the grammar has {size} bytes; the limit is {MAX_SIZE}")
    if "\0" in text:
        raise ConstraintError("the grammar contains a NUL character")
    bare = _LITERAL.sub(" ", text)
    if _nesting(bare) > MAX_NESTING:
        raise ConstraintError(f"the grammar nests groups more than {MAX_NESTING} deep")
    for least, most in _REPETITION.findall(bare):
        if _magnitude(least) > _magnitude(most):
            raise ConstraintError(f"the grammar repeats {{{least},{most}}}, which is impossible")


def _magnitude(digits: str) -> tuple[int, str]:
    # As text: a number of thousands of digits is input too.
    significant = digits.lstrip("0")
    return len(significant), significant


def _nesting(bare: str) -> int:
    depth = deepest = 0
    for char in bare:
        if char == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif char == ")":
            depth -= 1
    return deepest
