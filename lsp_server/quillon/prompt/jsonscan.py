"""Finding the end of a JSON object or array while it arrives, one look at each character.

An error is noticed at the first character that cannot be right. That keeps the reading of an
answer linear: nothing is ever held until the end of the answer in the hope that it closes.
"""

import re
from typing import Literal

MAX_CHARS = 512 * 1024  # of one call; no local model's context holds a longer one
MAX_DEPTH = 100
_MAX_KEY = 100  # characters of the first key that are looked at
_MAX_SCALAR = 2000  # characters of a number

_Expected = Literal["value", "value or ]", "key", "key or }", "colon", "comma", "nothing"]

_BLANK = re.compile(r"[ \t\r\n]*")
_IN_STRING = re.compile(r'[^"\\\x00-\x1f]*')
_IN_STRING_LENIENT = re.compile(r'[^"\\]*')
_SCALAR = re.compile(r"[-+.0-9A-Za-z]*")
_WHOLE_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null")
_ESCAPES = frozenset('"\\/bfnrtu')


class JsonError(Exception):
    """The text is no JSON; `at` is the index in the last chunk of what cannot be right.

    `limit`: it may be JSON, but it is more than anyone shall read.
    """

    def __init__(self, message: str, at: int, *, limit: bool = False) -> None:
        super().__init__(message)
        self.at = at
        self.limit = limit


class JsonScanner:
    """Follows one object or array through the chunks of its text.

    `lenient` allows raw line ends and tabs in strings, which models forget to escape.
    `first_key` is the first key of the outermost object, once it was read.
    """

    def __init__(self, *, lenient: bool) -> None:
        self.first_key: str | None = None
        self.chars = 0
        self._lenient = lenient
        self._open: list[str] = []
        self._expected: _Expected = "value"
        self._in_string = False
        self._escaped = False
        self._key = ""
        self._scalar = ""

    @property
    def missing(self) -> str:
        """The brackets that would close what is open, or "" where more than those is missing."""
        if self._in_string or self._scalar or self._expected != "comma":
            return ""
        return "".join("}" if bracket == "{" else "]" for bracket in reversed(self._open))

    def feed(self, text: str, at: int = 0) -> int | None:
        """The index behind the value's end, or None where `text` does not hold it yet.

        Raises:
            JsonError: From here on it cannot be JSON, or it is too long or too deep.
        """
        start, whole = at, len(text)
        text = text[: start + MAX_CHARS - self.chars]
        while at < len(text):
            if self._in_string:
                at = self._string(text, at)
            elif self._scalar or text[at] in "-+.0123456789" or text[at].isalpha():
                at = self._scan_scalar(text, at)
            elif text[at] in " \t\r\n":
                at = _end(_BLANK, text, at)
            else:
                at = self._structure(text, at)
                if self._expected == "nothing":
                    return at
        if at < whole:
            raise JsonError(f"it is longer than {MAX_CHARS} characters", at, limit=True)
        self.chars += at - start
        return None

    def _string(self, text: str, at: int) -> int:
        if self._escaped:
            if text[at] not in _ESCAPES:
                raise JsonError(f"the escape \\{text[at]} does not exist in JSON", at)
            self._escaped = False
            return at + 1
        end = _end(_IN_STRING_LENIENT if self._lenient else _IN_STRING, text, at)
        if self._expected == "colon" and self.first_key is None and len(self._key) <= _MAX_KEY:
            self._key += text[at:end]
        if end == len(text):
            return end
        if text[end] == "\\":
            self._escaped = True
        elif text[end] == '"':
            self._in_string = False
            if self._expected == "colon" and self.first_key is None:
                self.first_key = self._key
        else:
            raise JsonError("a string holds a raw control character", end)
        return end + 1

    def _scan_scalar(self, text: str, at: int) -> int:
        if not self._scalar and not self._expected.startswith("value"):
            raise JsonError(f"{_named(text[at])} stands where a {self._wanted} should", at)
        end = _end(_SCALAR, text, at)
        self._scalar += text[at:end]
        if len(self._scalar) > _MAX_SCALAR:
            raise JsonError(f"{self._scalar[:40]} is too long for a value", at)
        if end < len(text):
            if not _WHOLE_SCALAR.fullmatch(self._scalar):
                raise JsonError(f"{self._scalar[:40]} is no JSON value", at)
            self._scalar = ""
            self._expected = "comma"
        return end

    def _structure(self, text: str, at: int) -> int:
        char = text[at]
        if char in "{[" and self._expected.startswith("value"):
            self._open.append(char)
            if len(self._open) > MAX_DEPTH:
                raise JsonError(f"it nests more than {MAX_DEPTH} levels deep", at, limit=True)
            self._expected = "key or }" if char == "{" else "value or ]"
        elif char == '"' and self._expected in {"key", "key or }"}:
            self._in_string, self._expected = True, "colon"
        elif char == '"' and self._expected.startswith("value"):
            self._in_string, self._expected = True, "comma"
        elif char == ":" and self._expected == "colon":
            self._expected = "value"
        elif char == "," and self._expected == "comma":
            self._expected = "key" if self._open[-1] == "{" else "value"
        elif self._closes(char):
            self._open.pop()
            self._expected = "comma" if self._open else "nothing"
        else:
            raise JsonError(f"{_named(char)} stands where a {self._wanted} should", at)
        return at + 1

    def _closes(self, char: str) -> bool:
        if not self._open:
            return False
        if self._open[-1] == "{":
            return char == "}" and self._expected in {"comma", "key or }"}
        return char == "]" and self._expected in {"comma", "value or ]"}

    @property
    def _wanted(self) -> str:
        if self._expected != "comma":
            return self._expected
        return "comma or }" if self._open[-1] == "{" else "comma or ]"


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _named(char: str) -> str:
    return repr(char) if char != "'" else "a single quote"
