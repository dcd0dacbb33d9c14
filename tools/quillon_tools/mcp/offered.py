"""What a server says of its tools, as tools of ours. All of it is text that nobody has checked.

A tool whose name or schema cannot be used is left out with a sentence; its annotations
(`readOnlyHint` and the like) are hints of a stranger and count for nothing.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import SchemaError
from jsonschema.validators import Draft202012Validator, validator_for

from quillon_tools.foreign import ForeignCall
from quillon_tools.schema import Resolve, Schema
from quillon_tools.textfile import whole
from quillon_tools.tool import Answer, Detail, Tool
from quillon_tools.validator import TooMuchWork, bounded_work, make_validator
from quillon_tools.visible import visible, visible_lines

logger = logging.getLogger(__name__)

MAX_DESCRIPTION = 800
MAX_SCHEMA = 20_000  # characters of its JSON
MAX_DEPTH = 24
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SUMMARY = 120
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_VALUES = frozenset({"enum", "const", "default", "examples", "required"})
_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_NOT_FOR_MODELS = frozenset({"title", "$schema", "$id", "$comment", "examples", "deprecated"})

MakeCall = Callable[[dict[str, Any]], ForeignCall]


class UnusableToolError(Exception):
    """A tool cannot be offered; the message says why."""


class ForeignTool(Tool):
    """A tool of a server that is not ours. Nobody knows what it does: it is asked for."""

    def __init__(self, name: str, description: str, schema: Schema, call: MakeCall) -> None:
        self.name = name
        self.effect = "foreign"
        self.description = description
        first = description.split("\n", 1)[0]
        self.summary = first if len(first) <= _SUMMARY else f"{first[:_SUMMARY]}…"
        self.schema = schema
        self.validator = make_validator(schema)
        self.plans = True
        self._call = call

    def definition(self, detail: Detail = "full") -> dict[str, Any]:
        """The tool in the form of OpenAI's `tools` list."""
        full = detail == "full"
        dropped = _NOT_FOR_MODELS if full else _NOT_FOR_MODELS | {"description", "default"}
        parameters = pruned(self.schema, dropped)
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description if full else self.summary,
                "parameters": {**parameters, "properties": parameters.get("properties", {})},
            },
        }

    def bind(
        self,
        arguments: dict[str, Any],
        resolve: Resolve,  # noqa: ARG002 - a stranger's paths are not ours
        injected: dict[type, Any],  # noqa: ARG002 - nor does it get anything of ours
    ) -> Callable[[], Answer]:
        """The call, which is only a value until it is approved."""
        return lambda: self._call(arguments)


def narrowed(result: dict[str, Any]) -> dict[str, Any]:
    """A result as it came; of a list of tools only what we read of it.

    The SDK refuses a whole list for one tool with one field of a wrong type.
    """
    tools = result.get("tools")
    if not isinstance(tools, list):
        return result
    kept = []
    for tool in tools:
        schema = tool.get("inputSchema") if isinstance(tool, dict) else None
        if not isinstance(schema, dict) or not isinstance(tool.get("name"), str):
            continue
        if schema.get("type", "object") == "object":
            texts = {k: tool[k] for k in ("title", "description") if isinstance(tool.get(k), str)}
            inputs = {"type": "object", **schema}
            kept.append({"name": tool["name"], "inputSchema": inputs, **texts})
    if len(kept) < len(tools):
        left_out = len(tools) - len(kept)
        logger.warning("%d tools are left out: without a name or a schema of an object", left_out)
    return {**result, "tools": kept}


def full_name(server: str, tool: object) -> str:
    """The name under which a tool is offered.

    Raises:
        UnusableToolError: The name has other signs than models and their servers take.
    """
    name = f"{server}__{re.sub('[./]', '_', str(tool))}"
    if not _NAME.fullmatch(name):
        raise UnusableToolError(
            f"its name must be letters, digits, -, _, . and /, and {name[:80]!r} at most 64 long"
        )
    return name


def usable_description(text: object) -> str:
    """A description within its bounds, with what cannot be seen spelled out."""
    if not isinstance(text, str) or not text.strip():
        return "No description."
    shown = visible_lines(whole(text[: 2 * MAX_DESCRIPTION]).strip())
    return shown if len(shown) <= MAX_DESCRIPTION else f"{shown[:MAX_DESCRIPTION]}…"


def usable_schema(schema: object) -> Schema:
    """The schema of a tool's arguments.

    Raises:
        UnusableToolError: It is too large or too deep, refers to other documents or to nothing,
            asks for endless work, or is no schema of an object.
    """
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise UnusableToolError("its schema does not describe an object")
    schema = {"type": "object", **schema}
    _check_size(schema)
    for reference in _references(schema):
        _check_reference(reference, schema)
    draft = validator_for(schema, default=Draft202012Validator)
    try:
        draft.check_schema(schema)
        with bounded_work():
            make_validator(schema).is_valid({})
    except SchemaError as error:
        where = visible(error.json_path[:80])
        raise UnusableToolError(f"its schema is no JSON Schema, at {where}") from error
    except (TooMuchWork, RecursionError) as error:
        raise UnusableToolError("its schema refers to itself without end") from error
    except Exception as error:
        # The libraries raise of their own on schemas that nobody thought of; none may pass.
        why = type(error).__name__
        raise UnusableToolError(f"its schema cannot be applied ({why})") from error
    return schema


def pruned(schema: Any, dropped: frozenset[str]) -> Any:
    """A schema without some keywords; properties that are named like them stay."""
    if isinstance(schema, list):
        return [pruned(item, dropped) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key in dropped:
            continue
        if key in _BY_NAME and isinstance(value, dict):
            kept[key] = {name: pruned(below, dropped) for name, below in value.items()}
        else:
            kept[key] = value if key in _VALUES else pruned(value, dropped)
    return kept


def _check_size(schema: Schema) -> None:
    pending: list[tuple[Any, int]] = [(schema, 1)]
    while pending:
        each, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise UnusableToolError(f"its schema is nested deeper than {MAX_DEPTH}")
        below = each.values() if isinstance(each, Mapping) else each
        pending += ((item, depth + 1) for item in below if isinstance(item, (dict, list)))
    try:
        size = len(json.dumps(schema, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise UnusableToolError("its schema is no JSON") from error
    if size > MAX_SCHEMA:
        raise UnusableToolError(f"its schema is larger than {MAX_SCHEMA} bytes")


def _references(schema: Any) -> Iterator[object]:
    pending = [schema]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            # A property may be called `$ref`; its value is then a schema and no text.
            found = (each[key] for key in _REFERENCES if key in each)
            yield from (reference for reference in found if not isinstance(reference, dict))
            pending += each.values()
        elif isinstance(each, list):
            pending += each


def _check_reference(reference: object, schema: Schema) -> None:
    if not isinstance(reference, str) or not reference.startswith("#"):
        named = visible(str(reference)[:80])
        raise UnusableToolError(f"its schema refers to {named}, and nothing is fetched for it")
    at: Any = schema
    if not reference.startswith("#/"):
        return  # the whole, or an anchor, which is looked for when it is needed
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(at, list) and name.isdecimal() and int(name) < len(at):
            at = at[int(name)]
        elif isinstance(at, dict) and name in at:
            at = at[name]
        else:
            named = visible(reference[:80])
            raise UnusableToolError(f"its schema refers to {named}, which is not there")
