"""JSON Schema validators whose patterns take linear time.

The standard says that patterns are ECMA-262 regular expressions. They are matched by RE2, because
schemas may come from others and arguments come from models; what RE2 does not know (look-around,
back references) matches nothing. Unlike Python's `re`, `$` is the very end and digits are ASCII, as
ECMA-262 has it. A reference to another document is never fetched, and within `bounded_work` a
schema whose parts refer to each other cannot make the work grow without end.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any

import re2  # type: ignore[import-untyped]  # the package has no types
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has no types

Schema = Any  # an object, or in a schema's places also true or false

_MAX_STEPS = 50_000
_steps_left: ContextVar[list[int] | None] = ContextVar("steps left", default=None)

# Long names of Unicode's general categories (UAX #44, table 12), for which RE2 has short ones.
_CATEGORIES = {
    "Letter": "L",
    "Cased_Letter": "LC",
    "Uppercase_Letter": "Lu",
    "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm",
    "Other_Letter": "Lo",
    "Mark": "M",
    "Number": "N",
    "Decimal_Number": "Nd",
    "digit": "Nd",
    "Letter_Number": "Nl",
    "Other_Number": "No",
    "Punctuation": "P",
    "punct": "P",
    "Symbol": "S",
    "Separator": "Z",
    "Space_Separator": "Zs",
    "Other": "C",
    "Control": "Cc",
    "Format": "Cf",
}
_PROPERTY = re.compile(r"\\([pP])\{(?:General_Category=|gc=|Script=|sc=)?(\w+)\}")
_UNICODE_ESCAPE = re.compile(r"\\u\{?([0-9A-Fa-f]{4,6})\}?")


def make_validator(schema: Schema, *, default: type[Validator] = Draft202012Validator) -> Validator:
    """The validator of a schema, by the draft that it names in `$schema`, else by `default`."""
    draft: type[Validator] = validator_for(schema, default=default)
    return _linear(draft)(schema, registry=REGISTRY)


class TooMuchWork(Exception):  # noqa: N818 - reads as what it was
    """A schema asks for more than can be done in no time."""


@contextmanager
def bounded_work() -> Iterator[None]:
    """Bound what validators do inside of the block, all in all.

    Raises:
        TooMuchWork: They would have done more.
    """
    token = _steps_left.set([_MAX_STEPS])
    try:
        yield
    finally:
        _steps_left.reset(token)


@lru_cache
def _linear(draft: type[Validator]) -> type[Validator]:
    keywords = {
        **draft.VALIDATORS,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    counted = {name: _counted(keyword) for name, keyword in keywords.items()}
    made: type[Validator] = extend(draft, counted)  # type: ignore[no-untyped-call]  # it has none
    return made


def _counted(keyword: Callable[..., Any]) -> Callable[..., Any]:
    """The keyword, each use of it being a step of the bounded work."""

    @wraps(keyword)
    def use(validator: Validator, value: Any, instance: Any, schema: Any) -> Any:
        left = _steps_left.get()
        if left is not None:
            left[0] -= 1
            if left[0] < 0:
                raise TooMuchWork("it would take too long")
        return keyword(validator, value, instance, schema)

    return use


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    """The pattern on UTF-8 bytes; None where RE2 does not know it."""
    pattern = _PROPERTY.sub(
        lambda match: rf"\{match[1]}{{{_CATEGORIES.get(match[2], match[2])}}}", pattern
    )
    pattern = _UNICODE_ESCAPE.sub(lambda match: rf"\x{{{match[1]}}}", pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


def _matches(pattern: str, text: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is not None and bool(compiled.search(text.encode("utf-8", "replace")))


def _pattern(
    validator: Validator, pattern: str, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Validator, patterns: dict[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, below in patterns.items():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(value, below, path=name, schema_path=pattern)  # type: ignore[attr-defined]  # the protocol leaves it out


def _additional_properties(
    validator: Validator, rest: Any, instance: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extra = [
        name
        for name in instance
        if name not in known and not any(_matches(pattern, name) for pattern in patterns)
    ]
    if isinstance(rest, dict):
        for name in extra:
            yield from validator.descend(instance[name], rest, path=name)  # type: ignore[attr-defined]  # the protocol leaves it out
    elif rest is False and extra:
        yield ValidationError(f"additional properties: {', '.join(map(repr, extra))}")
