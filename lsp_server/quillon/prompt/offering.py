"""What a question that names something leaves of the tools, and of what calls may leave out."""

from collections.abc import Mapping, Sequence
from typing import Any

from quillon.prompt.grammar import Live
from quillon.prompt.messages import Message
from quillon.prompt.naming import (
    ANY_PATH,
    READ,
    SYMBOL,
    TEXT,
    has_folder,
    meant,
    named_together,
    names_files_alone,
    names_paths_alone,
    names_symbols_alone,
    phrases,
    titled,
)
from quillon.prompt.schemas import Schema

Definition = Mapping[str, Any]


def fitting(
    definitions: Sequence[Definition], question: Message, known: Live
) -> Sequence[Definition]:
    """The tools that a question can ask for, as it can ask for them.

    What a folder holds does not tell of symbols, and a file is no folder; no symbol is a path or
    has blanks in its name; a title, such as README, is a file's; where no path is named a text is
    searched for everywhere; and who names a folder does not ask for all of them.
    """
    dropped = set()
    if names_symbols_alone(question, known) or names_files_alone(question, known):
        dropped.add("list_files")
    if phrases(question):
        dropped.add(SYMBOL[0])
    if titled(question, known) and not meant(question, known)[SYMBOL]:
        dropped |= {SYMBOL[0], TEXT[0]}
    if names_paths_alone(question, known):
        dropped.add(SYMBOL[0])
    kept = [each for each in definitions if _function(each)["name"] not in dropped]
    if known.get(READ) and not meant(question, known)[ANY_PATH]:
        kept = [
            _without_path(each) if _function(each)["name"] == TEXT[0] else each for each in kept
        ]
    return listing(kept, question, known)


def listing(
    definitions: Sequence[Definition], question: Message, known: Live
) -> Sequence[Definition]:
    """The tools, of which none lists all folders where a question has one among its words."""
    if not has_folder(question, known):
        return definitions
    return [
        _with_path(each) if _function(each)["name"] == "list_files" else each
        for each in definitions
    ]


def lookups(
    definitions: Sequence[Definition], question: Message, known: Live
) -> list[list[tuple[str, Schema]]]:
    """What looks up all names that a question asks for together: a list of calls for each tool.

    A small model looks up the last of them alone.
    """
    names = named_together(question, known)
    offered = {_function(each)["name"] for each in definitions}
    lists = []
    for tool, parameter in (SYMBOL, TEXT):
        if names and tool in offered:
            lists.append([(tool, _exactly(parameter, name)) for name in names])
    return lists


def _exactly(parameter: str, value: str) -> Schema:
    return {
        "type": "object",
        "properties": {parameter: {"const": value}},
        "required": [parameter],
        "additionalProperties": False,
    }


def _function(definition: Definition) -> Mapping[str, Any]:
    function: Mapping[str, Any] = definition.get("function", definition)
    return function


def _with_path(definition: Definition) -> Definition:
    return _changed(definition, {"required": ["path"]})


def _without_path(definition: Definition) -> Definition:
    properties = _function(definition)["parameters"].get("properties", {})
    return _changed(
        definition, {"properties": {key: properties[key] for key in properties if key != "path"}}
    )


def _changed(definition: Definition, change: Mapping[str, Any]) -> Definition:
    function = _function(definition)
    return {
        **definition,
        "function": {**function, "parameters": {**function["parameters"], **change}},
    }
