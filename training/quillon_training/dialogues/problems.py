"""What checkers print of code, as an editor shows it, and what is said of each."""

import builtins
import keyword
import re

import msgspec

CHECKERS = ("pyflakes", "Ruff", "Pylance", "Pyright", "pylint", "mypy", "flake8", "pycodestyle")
"""Whom editors name behind a message, mostly."""

# Messages for the patterns of `bugs.py`, by name.
OF_PATTERNS: dict[str, tuple[str, ...]] = {
    "mutable default": (
        "mutable default",
        "Do not use mutable data structures for argument defaults",
        "Dangerous default value [] as argument",
        "mutable default argument",
        "Mutable default value",
    ),
    "bare except": (
        "bare except",
        "Do not use bare `except`",
        "No exception type(s) specified",
        "do not use bare 'except'",
        "too broad except clause",
    ),
    "comparison with None": (
        "comparison with None",
        "Comparison to `None` should be `cond is None`",
        "comparison to None should be 'if cond is None:'",
        "comparison to None",
        "Comparison should use 'is None'",
    ),
    "identity of a literal": (
        "identity of a literal",
        "Use `==` to compare constant literals",
        'SyntaxWarning: "is" with a literal. Did you mean "=="?',
        "use ==/!= to compare constant literals (str, bytes, int, float, tuple)",
        "Comparison uses 'is' with a literal",
    ),
    "off by one": (
        "off by one",
        "the last element is never reached",
        "possible off-by-one error",
        "loop skips the last element",
    ),
    "unclosed file": (
        "unclosed file",
        "ResourceWarning: unclosed file",
        "Use a context manager for opening files",
        "Consider using 'with' for resource-allocating operations",
        "file is never closed",
        "resource leak: file handle",
    ),
    "missing f prefix": (
        "missing f prefix",
        "Possible f-string without an `f` prefix",
        "f-string is missing its prefix",
        "string has placeholders but no f prefix",
    ),
    "assert on a tuple": (
        "assert on a tuple",
        "Assert test is a non-empty tuple, which is always `True`",
        "assertion is always true, perhaps remove parentheses?",
        "Assert expression always evaluates to true because it is a tuple",
    ),
    "wrong type check": (
        "wrong type check",
        "Use `is` and `is not` for type comparisons, or `isinstance()` for isinstance checks",
        "do not compare types, use 'isinstance()'",
        "Use isinstance() rather than type() for a typecheck",
    ),
}


class Problem(msgspec.Struct, frozen=True):
    """A problem that a checker finds by a name: its messages, and what is said in both languages.

    `subject` finds the names of the code that it may be about: a regular expression with a group.
    """

    subject: str
    messages: tuple[str, ...]
    english: str
    chinese: str


_PYTHON = {*dir(builtins), *keyword.kwlist, "self", "cls"}
_ASSIGNED = r"^ +([a-z_]\w+) = "
_USED = r"(?<![\w.\"'])([a-z_]\w{2,})(?=[,)\[.])"
_CALLED = r"(?<![\w\"'])(?<!def )([a-zA-Z_]\w{2,})\("
_ATTRIBUTE = r"\.([a-z_]\w{2,})\b"
NAMED = (
    Problem(
        _USED,
        (
            "undefined name '{x}'",
            "Undefined name `{x}`",
            '"{x}" is not defined',
            "Undefined variable '{x}'",
            'Name "{x}" is not defined',
        ),
        "`{x}` is not defined here: define or import it, or check its spelling.",
        "`{x}` 没有定义：请定义或者导入它，或者检查拼写。",
    ),
    Problem(
        _ASSIGNED,
        (
            "local variable '{x}' is assigned to but never used",
            "Local variable `{x}` is assigned to but never used",
            'Variable "{x}" is not accessed',
            "Unused variable '{x}'",
            '"{x}" is not accessed',
        ),
        "`{x}` gets a value that nothing uses: remove it, or use it.",
        "`{x}` 赋值以后没有使用：请删除它，或者使用它。",
    ),
    Problem(
        _ASSIGNED,
        (
            '"{x}" is possibly unbound',
            "possibly used before assignment: '{x}'",
            "Possibly using variable '{x}' before assignment",
            "cannot access local variable '{x}' where it is not associated with a value",
        ),
        "`{x}` gets a value on some paths only: give it one before.",
        "`{x}` 只在部分分支里赋值：请先给它一个值。",
    ),
    Problem(
        _CALLED,
        (
            'Import "{x}" could not be resolved',
            "No module named '{x}'",
            "Unable to import '{x}'",
            'Cannot find implementation or library stub for module named "{x}"',
        ),
        "`{x}` is not installed for this Python, or misspelled: install it, or choose another one.",
        "当前的 Python 没有安装 `{x}`，或者拼写错误：请安装它。",
    ),
    Problem(
        _USED,
        (
            "'{x}' imported but unused",
            "`{x}` imported but unused",
            'Import "{x}" is not accessed',
            "Unused import {x}",
        ),
        "`{x}` is imported and never used: remove the import.",
        "`{x}` 导入以后没有使用：请删除这个导入。",
    ),
    Problem(
        _ATTRIBUTE,
        (
            'Cannot access attribute "{x}" for class "{type}"',
            '"{type}" has no attribute "{x}"',
            "Instance of '{type}' has no '{x}' member",
            "'{type}' object has no attribute '{x}'",
        ),
        "a `{type}` has no `{x}`: check the type of the value and the spelling.",
        "`{type}` 没有 `{x}`：请检查值的类型和拼写。",
    ),
    Problem(
        _ATTRIBUTE,
        (
            '"{x}" is not a known attribute of "None"',
            "'NoneType' object has no attribute '{x}'",
            'Item "None" of "{type} | None" has no attribute "{x}"',
        ),
        "the value before `.{x}` may be None: check it before, or find what returned it.",
        "`.{x}` 前面的值可能是 None：请先判断。",
    ),
    Problem(
        _CALLED,
        (
            'Argument missing for parameter "{x}"',
            "missing 1 required positional argument: '{x}'",
            "No value for argument '{x}' in function call",
            'Missing positional argument "{x}" in call',
        ),
        "the call leaves out `{x}`: pass it.",
        "调用缺少参数 `{x}`：请传入。",
    ),
    Problem(
        _CALLED,
        (
            'No parameter named "{x}"',
            "got an unexpected keyword argument '{x}'",
            "Unexpected keyword argument '{x}' in function call",
            'Unexpected keyword argument "{x}"',
        ),
        "the function has no parameter `{x}`: check its signature.",
        "函数没有参数 `{x}`：请检查它的定义。",
    ),
    Problem(
        _ASSIGNED,
        (
            'Need type annotation for "{x}"',
            'Type of "{x}" is unknown',
            'Incompatible types in assignment to "{x}"',
        ),
        "the checker cannot tell the type of `{x}`, or two types meet in it: annotate it.",
        "检查器无法确定 `{x}` 的类型：请加上类型注解。",
    ),
    Problem(
        _CALLED,
        (
            "redefinition of unused '{x}' from line 3",
            "Redefinition of unused `{x}` from line 12",
            '"{x}" is obscured by a declaration of the same name',
            "function already defined: {x}",
        ),
        "`{x}` is defined twice, and the first is lost: rename or remove one.",
        "`{x}` 定义了两次：请重命名或者删除一个。",
    ),
)


def names_in(code: str, problem: Problem) -> list[str]:
    """The names of some code that a problem may be about: neither Python's own nor its words."""
    found = re.findall(problem.subject, code, re.MULTILINE)
    return [name for name in found if name not in _PYTHON]
