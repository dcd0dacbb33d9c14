import dataclasses
import enum
import json
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest
from inline_snapshot import snapshot
from msgspec import Meta

from quillon_tools.command import Command
from quillon_tools.docstring import parse_docstring
from quillon_tools.registry import all_tools, default_tools
from quillon_tools.tool import FunctionTool, ToolDefinitionError, tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    """A place.

    Attributes:
        x: To the right.
    """

    x: int
    y: float = 0.0


class Row(TypedDict):
    name: str


class Box(msgspec.Struct):
    width: Annotated[int, Meta(gt=0, le=10)]
    label: str = ""


def schema_of(hint: Any, default: Any = ...) -> dict[str, Any]:
    """The schema of a parameter with this hint, without its description."""

    def example(value):
        """Do it.

        Args:
            value: The value.
        """
        return str(value)

    example.__annotations__ = {"value": hint}
    if default is not ...:
        example.__defaults__ = (default,)
    schema = dict(FunctionTool(example, "read").schema["properties"]["value"])
    assert schema.pop("description") == "The value."
    return schema


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (list, {"type": "array"}),
        (dict, {"type": "object"}),
        (ConfinedPath, {"type": "string"}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (list[ConfinedPath], {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (str | int, {"type": ["integer", "string"]}),
        (int | None, {"type": ["integer", "null"]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, "a"], {"type": ["integer", "string"], "enum": [1, "a"]}),
        (Color, {"type": "string", "enum": ["red", "blue"]}),
        (
            Annotated[int, Meta(ge=1, lt=9)],
            {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
        ),
        (
            Annotated[str, Meta(min_length=2, pattern="^a")],
            {"type": "string", "minLength": 2, "pattern": "^a"},
        ),
        (
            Annotated[list[int], Meta(max_length=3)],
            {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        ),
        (
            str | list[str],
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        ),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (
            Point,
            {
                "type": "object",
                "properties": {
                    "x": {"type": "integer", "description": "To the right."},
                    "y": {"type": "number"},
                },
                "required": ["x"],
                "additionalProperties": False,
            },
        ),
        (
            Box,
            {
                "type": "object",
                "properties": {
                    "width": {"type": "integer", "exclusiveMinimum": 0, "maximum": 10},
                    "label": {"type": "string"},
                },
                "required": ["width"],
                "additionalProperties": False,
            },
        ),
        (
            Row,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        ),
    ],
    ids=str,
)
def test_schema_of_a_type(hint, schema):
    assert schema_of(hint) == schema


def test_a_parameter_that_may_be_left_out_needs_no_null():
    assert schema_of(int | None, None) == {"type": "integer"}
    assert schema_of(int | str | None, None) == {"type": ["integer", "string"]}


class Recursive(TypedDict):
    inner: "list[Recursive]"


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (bytes, "parameter 'value': bytes has no JSON Schema"),
        (set[int], "has no JSON Schema"),
        (object, "object has no JSON Schema"),
        (tuple[int], "use list"),
        (tuple[int, ...], "use list"),
        (dict[int, str], "names in JSON objects are strings"),
        (Recursive, "recursive"),
        (Literal[b"x"], "choices"),
        ("Unknown", "Unknown"),
        (complex | int, "complex has no JSON Schema"),
    ],
    ids=str,
)
def test_a_type_without_a_schema_is_refused(hint, message):
    with pytest.raises(ToolDefinitionError, match="tool example: .*" + message):
        schema_of(hint)


def no_docstring(x: int) -> str:
    return str(x)


def no_hint(x) -> str:
    """Do it.

    Args:
        x: A value.
    """
    return str(x)


def no_description(x: int) -> str:
    """Do it."""
    return str(x)


def stale_description(x: int) -> str:
    """Do it.

    Args:
        x: A value.
        y: Gone.
    """
    return str(x)


def rest(*values: int) -> str:
    """Do it.

    Args:
        values: Numbers.
    """
    return str(values)


def broken_choices(x: str) -> str:
    """Do it.

    Args:
        x: A value (choices: [a, b])
    """
    return x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_docstring, "tool no_docstring has no docstring"),
        (no_hint, "tool no_hint: parameter 'x' has no type hint"),
        (no_description, "tool no_description: the docstring does not describe 'x'"),
        (stale_description, "tool stale_description: the docstring describes 'y'"),
        (rest, r"tool rest: \*values"),
        (broken_choices, "tool broken_choices: "),
        (lambda: "", "'<lambda>' is no name for a tool"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused(function, message):
    with pytest.raises(ToolDefinitionError, match=message):
        tool(effect="read")(function)


@tool(effect="run")
def everything(
    workspace: Workspace,
    stop: Stop,
    path: ConfinedPath,
    mode: Literal["fast", "slow"] = "fast",
    *,
    depth: int | None = None,
) -> Command | str:
    """Do everything
    at once.

    More about it.

    Args:
        path: Where.
            It may be long.
        mode: How (choices: ["fast", "slow"])

        depth (int): How deep.

    Returns:
        Nothing that matters.
    """
    return str((workspace, stop, path, mode, depth))


def test_the_definition_has_what_a_model_needs():
    assert everything.definition() == snapshot(
        {
            "type": "function",
            "function": {
                "name": "everything",
                "description": "Do everything at once.\nMore about it.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string", "description": "Where. It may be long."},
                        "mode": {
                            "type": "string",
                            "enum": ["fast", "slow"],
                            "description": "How",
                        },
                        "depth": {"type": "integer", "description": "How deep."},
                    },
                    "required": ["path"],
                },
            },
        }
    )
    assert everything.plans
    assert everything.path_parameters == ("path",)


def test_the_brief_definition_leaves_out_descriptions_and_options():
    assert everything.definition("brief")["function"] == snapshot(
        {
            "name": "everything",
            "description": "Do everything at once.",
            "parameters": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "mode": {"type": "string", "enum": ["fast", "slow"]},
                },
                "required": ["path"],
            },
        }
    )


def test_bind_gives_the_function_its_own_types():
    seen = {}

    def record(point: Point, color: Color, pair: tuple[int, str], count: int, way: str | list[int]):
        """Do it.

        Args:
            point: A.
            color: B.
            pair: C.
            count: D.
            way: E.
        """
        seen.update(point=point, color=color, pair=pair, count=count, way=way)
        return ""

    arguments = {"point": {"x": 1}, "color": "red", "pair": [1, "a"], "count": 2.0, "way": [3]}
    FunctionTool(record, "read").bind(arguments, lambda text: text, {})()
    assert seen == {
        "point": Point(1),
        "color": Color.RED,
        "pair": (1, "a"),
        "count": 2,
        "way": [3],
    }
    assert type(seen["count"]) is int


def test_a_docstring_without_sections():
    doc = parse_docstring("  One line.\n\n  Another\n  paragraph.  ")
    assert (doc.summary, doc.description) == ("One line.", "One line.\nAnother paragraph.")
    assert parse_docstring(None) is None
    assert parse_docstring("  \n ") is None


def test_the_six_default_tools_are_what_the_embedded_model_knows():
    brief = {t.name: t.definition("brief")["function"]["parameters"] for t in default_tools()}
    arguments = {
        name: {key: value["type"] for key, value in parameters["properties"].items()}
        for name, parameters in brief.items()
    }
    assert arguments == snapshot(
        {
            "search_symbols": {"query": "string"},
            "read_file": {"path": "string", "start_line": "integer", "end_line": "integer"},
            "search_text": {"pattern": "string", "path": "string"},
            "list_files": {"path": "string"},
            "run_tests": {"target": "string"},
            "get_diagnostics": {"path": "string"},
        }
    )
    assert json.dumps(default_tools()[4].definition("brief")) == (
        '{"type": "function", "function": {"name": "run_tests", "description": "Run tests.", '
        '"parameters": {"type": "object", "properties": {"target": {"type": "string"}}}}}'
    )


def test_all_definitions_together_are_short():
    # About four characters make a token: 1,500 tokens.
    assert len(json.dumps([t.definition() for t in all_tools()])) < 6000
    assert len({t.name for t in all_tools()}) == len(all_tools())


def test_every_tool_says_what_it_does_to_the_workspace():
    effects = {t.name: t.effect for t in all_tools() if t.effect != "read"}
    assert effects == {
        "run_tests": "run",
        "run_command": "run",
        "propose_edit": "edit",
        "create_file": "edit",
    }
    assert all(t.plans for t in all_tools())
