"""Writes the server's settings into package.json and package.nls.json: `python settings.py`.

The source is `quillon.settings`; a test compares. The extension's own settings, the first section,
are written by hand, and so are the Chinese descriptions.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from quillon.settings import Settings

EXTENSION = Path(__file__).resolve().parents[1]

SCOPES = {
    "model": "machine-overridable",
    "engine": "machine-overridable",
    "mcp": "machine-overridable",
}
"""Settings that name a program or a file of this machine; the others may differ per window."""

RESTRICTED = ("quillon.interpreter", "quillon.installPackage")
"""The extension's own settings that do not count in a folder that is not trusted."""

RESTRICTED_GROUPS = ("model", "engine", "tools", "mcp")
"""The server's groups that do not: what names models, programs, addresses or what tools may do."""


class Group(msgspec.Struct, frozen=True):
    """One group of settings: its name in the settings, and its fields."""

    name: str
    fields: tuple[msgspec.structs.FieldInfo, ...]

    def key(self, field: msgspec.structs.FieldInfo) -> str:
        """The setting's name without `quillon.`."""
        return f"{self.name}.{field.encode_name}" if self.name else field.encode_name


def groups() -> list[Group]:
    """The groups in the order of the server's settings, single settings last."""
    found, single = [], []
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found.append(Group(field.encode_name, tuple(msgspec.structs.fields(field.type))))
        else:
            single.append(field)
    return [*found, Group("", tuple(single))]


def sections() -> list[dict[str, Any]]:
    """The sections of `contributes.configuration` that belong to the server."""
    return [
        {
            "title": f"%settings.{group.name or 'general'}.title%",
            "properties": {
                f"quillon.{group.key(field)}": _property(group, field) for field in group.fields
            },
        }
        for group in groups()
    ]


def restricted() -> list[str]:
    """Settings that do not count in a folder that is not trusted."""
    own = [
        f"quillon.{group.key(field)}"
        for group in groups()
        if group.name in RESTRICTED_GROUPS
        for field in group.fields
    ]
    return [*RESTRICTED, *own]


def descriptions() -> dict[str, str]:
    """The English descriptions, by the keys that package.json refers to."""
    return {
        f"settings.{group.key(field)}": msgspec.json.schema(field.type).get("description", "")
        for group in groups()
        for field in group.fields
    }


def _property(group: Group, field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    schema = {**_flat(_inlined(msgspec.json.schema(field.type)))}
    schema["description"] = f"%settings.{group.key(field)}%"
    schema["default"] = msgspec.to_builtins(_default(field))
    schema["scope"] = SCOPES.get(group.name, "window")
    return schema


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with each definition where it is referred to: settings have no place for any."""
    known = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            value = known[value["$ref"].rpartition("/")[2]]
        return {key: put(item) for key, item in value.items() if key != "title"}

    inlined: dict[str, Any] = put(schema)
    return inlined


def _flat(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` of a type and null as VS Code's settings editor shows it: a list of types."""
    choices = schema.get("anyOf")
    if not choices:
        return {"type": "string", **schema} if "enum" in schema else schema
    value = next(choice for choice in choices if choice != {"type": "null"})
    return {**value, "type": [value["type"], "null"]}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory()


def rewritten(manifest: dict[str, Any], words: dict[str, str]) -> None:
    """Put the server's settings into a parsed package.json and its English words."""
    contributes = manifest["contributes"]
    contributes["configuration"] = [contributes["configuration"][0], *sections()]
    trust = manifest["capabilities"]["untrustedWorkspaces"]
    trust["restrictedConfigurations"] = restricted()
    kept = {key: text for key, text in words.items() if not _is_generated(key)}
    words.clear()
    words.update({**kept, **descriptions()})


def _is_generated(key: str) -> bool:
    return key.startswith("settings.") and not key.endswith(".title") and ".own." not in key


def main() -> int:
    """Rewrite both files; returns the exit status."""
    manifest_file, words_file = EXTENSION / "package.json", EXTENSION / "package.nls.json"
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    words = json.loads(words_file.read_text(encoding="utf-8"))
    rewritten(manifest, words)
    for file, value in ((manifest_file, manifest), (words_file, words)):
        text = json.dumps(value, indent=2, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
