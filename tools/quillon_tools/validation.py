"""Arguments against a tool's schema: all violations at once, in words that say what to mend."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from rapidfuzz import fuzz, process
from referencing.exceptions import Unresolvable

from quillon_tools.calls import Refusal, ToolCall, Violation
from quillon_tools.coercion import coerced, excerpt, unfit_for_validation
from quillon_tools.schema import Schema
from quillon_tools.tool import Tool
from quillon_tools.validator import TooMuchWork, bounded_work

MAX_VIOLATIONS = 20
_SEAL = object()
_NEAR = 60.0  # rapidfuzz ratio, 0 to 100
_ARTICLES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


class ValidCall:
    """A call whose arguments fit its tool's schema. Only `validate` makes one.

    `arguments` are the call's after coercion; `coercions` are sentences on what was coerced.
    """

    __slots__ = ("arguments", "call", "coercions", "tool")

    def __init__(
        self,
        call: ToolCall,
        tool: Tool,
        arguments: dict[str, Any],
        coercions: tuple[str, ...],
        *,
        seal: object,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("only `validate` makes valid calls")
        self.call = call
        self.tool = tool
        self.arguments = arguments
        self.coercions = coercions


def validate(call: ToolCall, tool: Tool) -> ValidCall | Refusal:
    """The call with arguments that fit, or what to mend. Never raises for any JSON value."""
    if unfit := unfit_for_validation(call.arguments):
        return Refusal(call, f"the arguments of {tool.name} are not accepted: {unfit}")
    try:
        with bounded_work():
            arguments, coercions = coerced(tool.validator, call.arguments)
            found = violations(tool.validator, arguments)
    # Schemas of others may refer to nothing, or to themselves for ever.
    except (TooMuchWork, Unresolvable, RecursionError) as error:
        why = str(error) or type(error).__name__
        return Refusal(call, f"{tool.name} cannot be called: its schema cannot be applied: {why}")
    if not found:
        return ValidCall(call, tool, arguments, coercions, seal=_SEAL)
    rows = "\n".join(f"- {violation}" for violation in found[:MAX_VIOLATIONS])
    more = len(found) - MAX_VIOLATIONS
    rows += f"\n- and {more} more" if more > 0 else ""
    return Refusal(call, f"the arguments of {tool.name} do not fit:\n{rows}", tuple(found))


def unknown_tool(call: ToolCall, names: Iterable[str]) -> Refusal:
    """The refusal of a call of something that is no tool."""
    known = list(names)
    near = nearest(call.name, known)
    hint = f" Did you mean {near}?" if near else ""
    offered = f"The tools are: {', '.join(known)}." if known else "There are no tools."
    return Refusal(call, f"there is no tool {excerpt(call.name)}.{hint} {offered}")


def violations(validator: Validator, value: Any) -> list[Violation]:
    """Every way in which a value misses the schema, by path."""
    found: dict[tuple[str, str], Violation] = {}
    for error in validator.iter_errors(value):
        for violation in _violations_of(error):
            found.setdefault((violation.path, violation.expected), violation)
    return sorted(found.values(), key=lambda violation: violation.path)


def nearest(wrong: str, valid: Iterable[str]) -> str | None:
    """The valid name most like a wrong one; None where none is alike."""
    choices = [choice for choice in valid if isinstance(choice, str)]
    folded = {choice: choice.casefold() for choice in choices}
    best = process.extractOne(wrong[:200].casefold(), folded, scorer=fuzz.ratio)
    return str(best[2]) if best is not None and best[1] >= _NEAR else None


def _violations_of(error: ValidationError) -> Iterator[Violation]:
    value, schema = error.instance, cast("Schema", error.schema)
    if error.validator == "additionalProperties" and isinstance(value, dict):
        known = list(schema.get("properties", {}))
        expected = f"one of {', '.join(known)}" if known else "no arguments"
        for name in value:
            if name not in known:
                near = nearest(str(name), known)
                yield Violation(_below(error, name), excerpt(value[name]), expected, near)
    elif error.validator == "required" and isinstance(value, dict):
        for name in schema["required"]:
            if name not in value:
                expected = describe(schema.get("properties", {}).get(name, {}))
                yield Violation(_below(error, name), "nothing", f"{expected} (required)")
    elif error.validator == "enum":
        near = nearest(value, schema["enum"]) if isinstance(value, str) else None
        quoted = json.dumps(near, ensure_ascii=False) if near is not None else None
        yield Violation(error.json_path, excerpt(value), describe(schema), quoted)
    else:
        yield Violation(error.json_path, excerpt(value), _expected(error, schema))


def _below(error: ValidationError, name: str) -> str:
    """The JSON path of a member of the object that an error is about."""
    return ValidationError("", path=[*error.absolute_path, name]).json_path


def _expected(error: ValidationError, schema: Schema) -> str:
    bound = error.validator_value
    phrases = {
        "type": lambda: describe(schema),
        "anyOf": lambda: describe(schema),
        "minimum": lambda: f"at least {bound}",
        "maximum": lambda: f"at most {bound}",
        "exclusiveMinimum": lambda: f"more than {bound}",
        "exclusiveMaximum": lambda: f"less than {bound}",
        "multipleOf": lambda: f"a multiple of {bound}",
        "minLength": lambda: f"at least {bound} characters",
        "maxLength": lambda: f"at most {bound} characters",
        "pattern": lambda: f"text that matches {bound}",
        "minItems": lambda: f"at least {bound} items",
        "maxItems": lambda: f"at most {bound} items",
    }
    phrase = phrases.get(str(error.validator))
    return phrase() if phrase is not None else f"{error.validator} {excerpt(bound)}"


def describe(schema: Schema) -> str:
    """What a schema asks for, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(excerpt(choice) for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(describe(member) for member in schema["anyOf"])
    kinds = schema.get("type", [])
    names = [_ARTICLES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return " or ".join(names) or "any value"
