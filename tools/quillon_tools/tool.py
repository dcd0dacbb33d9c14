"""A tool is one typed function: name, description, schema and validator are derived from it.

    @tool(effect="read")
    def list_files(workspace: Workspace, path: ConfinedPath | None = None) -> str: ...

What the model reads stands in the function's docstring, its `Args` included. Parameters of the
types that a toolset injects (`Workspace`, `Limits`, `Stop`, ...) are not the model's. Keyword-only
parameters are options: the brief form of a definition leaves them out.

What a tool may do follows from what it returns. A tool of effect `read` returns its text. Any
tool may instead return a `Command` or a `Proposal` that says what would be done: the function
itself then only looks, and what it returned is what is approved and carried out.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, get_args, get_type_hints

import msgspec
from jsonschema.protocols import Validator

from quillon_tools.calls import Effect, Proposal
from quillon_tools.command import Command
from quillon_tools.docstring import Docstring, parse_docstring
from quillon_tools.foreign import ForeignCall
from quillon_tools.index import SymbolIndex
from quillon_tools.schema import Resolve, Schema, Shape, UntypableError, shape_of
from quillon_tools.validator import make_validator
from quillon_tools.workers import Stop
from quillon_tools.workspace import Workspace

Detail = Literal["full", "brief"]
Answer = str | Command | Proposal | ForeignCall

_NAME_LENGTH = 64


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on calls. Times are in seconds, sizes in characters of text.

    `read_seconds` bounds tools that only look, `test_seconds` test runs; `output` the text that
    goes back to the model; `calls` the calls of one turn. `agreement` answers of the model vote on
    a call that changes or runs something; 1: no vote.
    """

    read_seconds: float = 20.0
    test_seconds: float = 120.0
    output: int = 8000
    calls: int = 12
    agreement: int = 1


INJECTED: tuple[type, ...] = (Workspace, SymbolIndex, Limits, Stop)


class ToolDefinitionError(TypeError):
    """A function cannot be a tool; the message says which function and which parameter."""


class Tool(ABC):
    """Something that a model may call; immutable.

    `summary` says in a line what it does, `description` all that the model should know. `schema`
    is the JSON Schema of the arguments, `validator` its validator. `plans`: calling what `bind`
    gives changes nothing, and what that returns is approved and carried out.
    """

    name: str
    effect: Effect
    summary: str
    description: str
    schema: Schema
    validator: Validator
    plans: bool

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, effect={self.effect!r})"

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The parameters whose strings name places of the workspace."""
        return ()

    @abstractmethod
    def definition(self, detail: Detail = "full") -> dict[str, Any]:
        """The tool in the form of OpenAI's `tools` list.

        `brief` has names and types only, and no options: the form for the smallest models.
        """

    @abstractmethod
    def bind(
        self, arguments: dict[str, Any], resolve: Resolve, injected: dict[type, Any]
    ) -> Callable[[], Answer]:
        """The call of the tool with valid arguments.

        Raises:
            ToolError: A path does not resolve.
        """


class FunctionTool(Tool):
    """A function that a model may call. Made by `tool`.

    `summary` is the first paragraph of the docstring, `description` all of it before the
    sections.
    """

    def __init__(self, function: Callable[..., Answer], effect: Effect) -> None:
        self.function = function
        self.effect = effect
        self.name = function.__name__
        doc = _docstring(function, self.name)
        self.summary = doc.summary
        self.description = doc.description
        self._parameters = _parameters(function, self.name)
        self._shapes = {
            name: _shape(self.name, name, parameter, doc)
            for name, parameter in self._parameters.items()
            if parameter.annotation not in INJECTED
        }
        self._check_docs(doc)
        self.schema = self._schema()
        self.validator = make_validator(self.schema)
        self.plans = self._plans()

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The parameters whose strings name places of the workspace."""
        return tuple(name for name, shape in self._shapes.items() if shape.is_path)

    def definition(self, detail: Detail = "full") -> dict[str, Any]:
        """The tool in the form of OpenAI's `tools` list, as the function's docstring has it."""
        full = detail == "full"
        properties = {
            name: schema if full else {k: v for k, v in schema.items() if k != "description"}
            for name, schema in self.schema["properties"].items()
            if full or self._parameters[name].kind is not inspect.Parameter.KEYWORD_ONLY
        }
        parameters: Schema = {"type": "object", "properties": properties}
        if self.schema.get("required"):
            parameters["required"] = self.schema["required"]
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description if full else self.summary,
                "parameters": parameters,
            },
        }

    def bind(
        self, arguments: dict[str, Any], resolve: Resolve, injected: dict[type, Any]
    ) -> Callable[[], Answer]:
        """The call of the function with valid arguments as its own types.

        Raises:
            ToolError: A path does not resolve.
        """
        values = {
            name: self._shapes[name].convert(value, resolve) for name, value in arguments.items()
        }
        for name, parameter in self._parameters.items():
            if parameter.annotation in injected:
                values[name] = injected[parameter.annotation]
        return lambda: self.function(**values)

    def _schema(self) -> Schema:
        required = [
            name
            for name in self._shapes
            if self._parameters[name].default is inspect.Parameter.empty
        ]
        schema: Schema = {
            "type": "object",
            "properties": {name: shape.schema for name, shape in self._shapes.items()},
            "additionalProperties": False,
        }
        if required:
            schema["required"] = required
        return schema

    def _plans(self) -> bool:
        """Whether calling the function changes nothing, and what it returns is approved."""
        returned = get_type_hints(self.function).get("return")
        kinds = get_args(returned) or (returned,)
        return self.effect == "read" or Command in kinds or Proposal in kinds

    def _check_docs(self, doc: Docstring) -> None:
        for name in doc.arguments:
            if name not in self._parameters:
                raise ToolDefinitionError(
                    f"tool {self.name}: the docstring describes {name!r}, which is no parameter"
                )


def tool(*, effect: Effect) -> Callable[[Callable[..., Answer]], Tool]:
    """Make a typed function with a Google-style docstring a tool.

    Raises:
        ToolDefinitionError: It has no docstring, or a parameter without a type that has a JSON
            Schema, or without a description.
    """

    def make(function: Callable[..., Answer]) -> Tool:
        return FunctionTool(function, effect)

    return make


def _docstring(function: Callable[..., Answer], name: str) -> Docstring:
    if not name.isidentifier() or len(name) > _NAME_LENGTH:
        raise ToolDefinitionError(f"{name!r} is no name for a tool")
    try:
        doc = parse_docstring(function.__doc__)
    except ValueError as error:
        raise ToolDefinitionError(f"tool {name}: {error}") from error
    if doc is None or not doc.summary:
        raise ToolDefinitionError(f"tool {name} has no docstring: the model would not know its use")
    return doc


def _parameters(function: Callable[..., Answer], tool_name: str) -> dict[str, inspect.Parameter]:
    """The parameters by name, with their annotations evaluated; `self` and `cls` left out."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise ToolDefinitionError(f"tool {tool_name}: {error}") from error
    found = {}
    for index, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        if index == 0 and name in {"self", "cls"} and name not in hints:
            continue
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise ToolDefinitionError(f"tool {tool_name}: *{name} is no parameter with a type")
        if name not in hints:
            raise ToolDefinitionError(f"tool {tool_name}: parameter {name!r} has no type hint")
        found[name] = parameter.replace(annotation=hints[name])
    return found


def _shape(tool_name: str, name: str, parameter: inspect.Parameter, doc: Docstring) -> Shape:
    """The shape of one parameter, with its description.

    A parameter that may be left out because it is None by default needs no null in its schema.
    """
    hint = parameter.annotation
    if parameter.default is None and type(None) in get_args(hint):
        rest = [member for member in get_args(hint) if member is not type(None)]
        hint = rest[0]
        for member in rest[1:]:
            hint = hint | member
    try:
        shape = shape_of(hint)
    except UntypableError as error:
        raise ToolDefinitionError(f"tool {tool_name}: parameter {name!r}: {error}") from error
    argument = doc.arguments.get(name)
    if argument is None and "description" not in shape.schema:
        raise ToolDefinitionError(f"tool {tool_name}: the docstring does not describe {name!r}")
    schema = dict(shape.schema)
    if argument is not None:
        schema["description"] = argument.text
        if argument.choices is not None:
            schema["enum"] = list(argument.choices)
    return msgspec.structs.replace(shape, schema=schema)
