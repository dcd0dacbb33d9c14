"""When a call is right by the rules of BFCL, the Berkeley Function-Calling Leaderboard.

Source: `ast_checker.py` of BFCL v4 (github.com/ShishirPatil/gorilla). For each argument the
answer lists the values that are right; an empty text among them means that it may be left out.
Strings are compared without case, blanks and `,./-_*^`; types are strict, but an integer may
stand for a float.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from quillon_tools.calls import ToolCall

Answer = Mapping[str, Mapping[str, Sequence[Any]]]
Schema = Mapping[str, Any]

_IGNORED = re.compile(r"[ ,./\-_*^]")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "float": (float, int),
    "number": (float, int),
    "boolean": (bool,),
    "array": (list,),
    "tuple": (list,),
    "dict": (dict,),
    "object": (dict,),
}


def calls_match(
    made: Sequence[ToolCall], answers: Sequence[Answer], functions: Mapping[str, Schema]
) -> bool:
    """Whether as many calls were made as are right, each of them one of these, in any order.

    `functions` are the parameter schemas by name.
    """
    if len(made) != len(answers):
        return False
    rest = list(made)
    for answer in answers:
        index = next((i for i, c in enumerate(rest) if call_matches(c, answer, functions)), None)
        if index is None:
            return False
        del rest[index]
    return True


def call_matches(call: ToolCall, answer: Answer, functions: Mapping[str, Schema]) -> bool:
    """Whether one call is right."""
    [(name, accepted)] = answer.items()
    if call.name != name or name not in functions:
        return False
    schema = functions[name]
    properties = schema.get("properties", {})
    if not all(key in call.arguments for key in schema.get("required", ())):
        return False
    if not all(key in properties and key in accepted for key in call.arguments):
        return False
    left_out = (key for key in accepted if key not in call.arguments)
    return all("" in accepted[key] for key in left_out) and all(
        _accepts(properties[key], value, accepted[key]) for key, value in call.arguments.items()
    )


def _accepts(schema: Schema, value: Any, accepted: Sequence[Any]) -> bool:
    kind = schema.get("type")
    if not _is_of(kind, value):
        # The answer may itself be of another type, such as a variable's name.
        return any(type(value) is type(one) and value == one for one in accepted if one != "")
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        inner = items.get("type")
        if not all(_is_of(inner, item) for item in value):
            return False
    if isinstance(value, dict):
        return any(_dict_matches(value, one) for one in accepted if isinstance(one, Mapping))
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return any(_dicts_match(value, one) for one in accepted if isinstance(one, list))
    return any(_same(value, one) for one in accepted)


def _is_of(kind: object, value: Any) -> bool:
    types = _TYPES.get(kind) if isinstance(kind, str) else None
    if types is None:
        return True
    return isinstance(value, types) and (isinstance(value, bool) == (kind == "boolean"))


def _dict_matches(value: Mapping[str, Any], accepted: Mapping[str, Any]) -> bool:
    """Whether each member is one of the values that are right for it."""
    if not all(key in accepted for key in value):
        return False
    return all(
        any(_same(value[key], one) for one in _several(choices)) if key in value else "" in choices
        for key, choices in accepted.items()
    )


def _dicts_match(values: Sequence[Any], accepted: Sequence[Any]) -> bool:
    return len(values) == len(accepted) and all(
        isinstance(value, dict) and isinstance(one, Mapping) and _dict_matches(value, one)
        for value, one in zip(values, accepted, strict=True)
    )


def _several(choices: Any) -> Sequence[Any]:
    return choices if isinstance(choices, list) else [choices]


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return bool(_plain(value) == _plain(other))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _IGNORED.sub("", value).lower().replace("'", '"')
    return [_plain(item) for item in value] if isinstance(value, list) else value
