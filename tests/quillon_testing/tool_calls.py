"""Tools, and calls of them as the dialects write them."""

from quillon.prompt.dialects import Dialect
from quillon_testing.answers import definition

HERMES = Dialect("hermes", tag_tokens=True)
XML = Dialect("function_xml", tag_tokens=True)
JSON = Dialect("json", trigger='{"tool_call": ')
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
TOOLS = [
    definition("lines", {"path": STRING, "start": INTEGER, "end": INTEGER}, "path"),
    definition("now"),
    definition("style", {"kind": {"enum": ["a", "ab", 'b"<']}, "deep": {"type": "boolean"}}),
    definition(
        "edit",
        {
            "edits": {
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "items": {
                    "type": "object",
                    "properties": {"old": STRING, "new": {"type": ["string", "null"]}},
                    "required": ["old"],
                },
            }
        },
        "edits",
    ),
]


def hermes(*calls):
    """Calls, each a name and its arguments as JSON, in Hermes' tags."""
    return "\n".join(
        f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'
        for name, arguments in calls
    )


def xml(name, **values):
    """A call as function XML."""
    body = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in values.items())
    return f"<tool_call>\n<function={name}>\n{body}</function>\n</tool_call>"
