"""What a small model says is wrong with a line of Python, and what the line must hold for it.

The embedded model knows nine mistakes and sees them where they are not. Each of them shows in the
line that it names: a line without the sign is not accused of it. A line with the sign may still be
right; that the model decides.
"""

import re
from collections.abc import Callable

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """How a mistake is told, in both languages, and whether a line can have it."""

    english: str
    chinese: str
    fits: Callable[[str], bool]


_STRING = re.compile(r"(?P<prefix>\w*)(?P<quote>\"\"\"|'''|[\"'])(?P<text>.*?)(?<!\\)(?P=quote)")
_BRACES = re.compile(r"(?<!\{)\{[A-Za-z_][^{}]*\}(?!\})")


def _has(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda line: compiled.search(line) is not None


def _without_prefix(line: str) -> bool:
    """Whether a string has a name in braces, no `f` before it, and nothing that fills it."""
    if ".format" in line:
        return False
    return any(
        "f" not in string["prefix"].lower() and _BRACES.search(string["text"])
        for string in _STRING.finditer(line)
    )


def _left_open(line: str) -> bool:
    return re.search(r"\bopen\(", line) is not None and not line.startswith(
        ("with ", "async with ")
    )


def _leaves_one_out(line: str) -> bool:
    """Whether a range ends one before its end, and the line does not ask for the next element."""
    return re.search(r"range\(.*-\s*1\s*\)", line) is not None and not re.search(
        r"\[[^\]]*\+\s*1\s*\]", line
    )


CLAIMS = (
    Claim(
        "mutable default",
        "可变的默认参数",
        _has(
            r"(?:\bdef\b.*|^\w+(?::[^=]+?)?\s*)=\s*(?:[\[{]|(?:list|dict|set)\().*[:,]\s*(?:#.*)?$"
        ),
    ),
    Claim("bare except", "裸 except", _has(r"^except\s*:")),
    Claim(
        "comparison with None",
        "用 == 比较 None",
        _has(r"[!=]=\s*None\b|\bNone\s*[!=]="),
    ),
    Claim(
        "identity of a literal",
        "用 is 比较字面量",
        _has(r"\bis\s+(?:not\s+)?(?:[bBrRuUfF]{0,2}[\"']|[-\d(\[{])"),
    ),
    Claim("off by one", "差一错误", _leaves_one_out),
    Claim("unclosed file", "文件没有关闭", _left_open),
    Claim("missing f prefix", "缺少 f 前缀", _without_prefix),
    Claim("assert on a tuple", "断言的是元组", _has(r"^assert\s*\(.*,.*\)\s*(?:#.*)?$")),
    Claim("wrong type check", "类型判断不对", _has(r"\btype\(.*\)\s*(?:[!=]=|is\b|in\b|not\b)")),
)

_MISTAKE = re.compile(
    r"\b(?:bugs?|mistakes?|wrong|review|flaws?|faults?)\b|\bcode right\b|\bhave a problem\b"
    r"|\bproblem with\b|错误|问题|不对|对吗|对不对|有错|审查|检查|毛病|bug",
    re.IGNORECASE,
)
_MESSAGE = re.compile(r"(?:error|报错)\s*[:：]\s*(\S.*)", re.IGNORECASE)
_GIVEN = re.compile(r"\berror|\bexception|traceback|\bexplain\b|解释|报错|异常", re.IGNORECASE)


def claims_of(line: str) -> tuple[str, ...]:
    """How an answer may go on behind this line of code and a colon."""
    return tuple(
        told for claim in CLAIMS if claim.fits(line) for told in (claim.english, claim.chinese)
    )


def asks_for_mistakes(question: str) -> bool:
    """Whether a question about code asks what is wrong with it; not for one that is given."""
    return _MISTAKE.search(question) is not None and _GIVEN.search(question) is None


def given_message(question: str) -> str | None:
    """What a checker says of code, where the question gives it to be explained."""
    found = _MESSAGE.search(question)
    return found[1] if found else None
