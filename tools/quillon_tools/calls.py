"""Values on the path of a tool call, and the errors that a call may end in.

    text ─parse─▶ ToolCall ─validate─▶ ValidCall ─policy─▶ ApprovedCall ─run─▶ ToolResult

A `ToolCall` is what the model wrote: any name, any arguments. Only `Toolset.validate` makes a
`ValidCall`, only the policy makes an `ApprovedCall`, and only an `ApprovedCall` runs.

Errors have three audiences:

    ToolError
    ├── Retry      the model can mend it: the message says what to change
    ├── Failed     it cannot be mended by calling again: tell the model, do not retry
    └── ToolBug    ours: logged with its cause, one sentence for the user
"""

from typing import Any, Literal

import msgspec

# `foreign` is done by somebody else's server: what it does is not known.
Effect = Literal["read", "run", "edit", "foreign"]
Outcome = Literal["ok", "retry", "failed", "denied", "stopped", "bug", "cancelled"]


class ToolError(Exception):
    """A call could not be carried out; the message is for the model, and for people."""


class Retry(ToolError):  # noqa: N818 - reads as what the model should do
    """The arguments do not fit the world or the schema; another call may."""


class Failed(ToolError):  # noqa: N818 - reads as the outcome
    """The call was right but could not be carried out; calling again will not help."""


class ToolBug(ToolError):  # noqa: N818 - reads as whose fault it is
    """A defect of the tool; `__cause__` holds the exception that nobody expected."""


class ToolCall(msgspec.Struct, frozen=True):
    """What the model asked for, as parsed from its text and not yet checked.

    `id` is unique in its conversation and ties the result to the call.
    """

    id: str
    name: str
    arguments: dict[str, Any]


class Violation(msgspec.Struct, frozen=True):
    """One way in which arguments miss the schema.

    `path` is a JSON path such as `$.lines[2]`; `found` is a JSON excerpt of what stands there;
    `expected` says what would be right; `nearest` is the valid name or value most like it.
    """

    path: str
    found: str
    expected: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest}?" if self.nearest else ""
        return f"{self.path}: expected {self.expected}, found {self.found}.{hint}"


class Refusal(msgspec.Struct, frozen=True):
    """Why a call cannot run as it is; `message` is for the model and says what to mend."""

    call: ToolCall
    message: str
    violations: tuple[Violation, ...] = ()


class Edit(msgspec.Struct, frozen=True):
    """Replace the code points `start` to `end` of a file's present text by `text`."""

    start: int
    end: int
    text: str


class FileEdit(msgspec.Struct, frozen=True):
    """Edits of one file, in offsets of the text they were made against.

    `path` is absolute. `version` is that of the open document, or None for a file on disk;
    `before` is the text, so that whoever applies the edit can see whether it still stands.
    `create` marks a file that does not exist yet (`before` is empty then).
    """

    path: str
    edits: tuple[Edit, ...]
    before: str
    version: int | None = None
    create: bool = False


class Proposal(msgspec.Struct, frozen=True):
    """Changes that a tool proposes and nobody has made: the session shows and applies them."""

    label: str
    files: tuple[FileEdit, ...]
    diff: str


class ToolResult(msgspec.Struct, frozen=True):
    """What goes back to the model. `ok` is false for anything but a finished call.

    `proposal` is set by tools that edit. `outcome` says how the call ended.
    """

    call_id: str
    ok: bool
    text: str
    outcome: Outcome = "ok"
    proposal: Proposal | None = None
