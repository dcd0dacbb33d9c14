"""Every setting with its type, bounds, default and meaning: the source of the editors' schemas.

Settings arrive as JSON with camelCase names (`initializationOptions`, `workspace/configuration`,
`--settings`). A wrong value is reported and its default used; it never stops the server.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Approval = Literal["allow", "ask", "deny"]

_WORKSPACE = "workspace"
# What a workspace may set that nobody vouches for.
_HARMLESS = frozenset({"inline"})


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which model runs, and how much of the machine it may use."""

    path: Annotated[
        str | None,
        Meta(
            description="GGUF file to use, or the name of a pulled model. "
            "Empty: QUILLON_MODEL, else the embedded model."
        ),
    ] = None
    adapter: Annotated[
        str | None, Meta(description="LoRA adapter (GGUF) to apply to the model.")
    ] = None
    context_size: Annotated[
        Annotated[int, Meta(ge=512)] | None,
        Meta(description="Context in tokens. Empty: chosen from free memory."),
    ] = None
    gpu_layers: Annotated[
        Annotated[int, Meta(ge=-1)] | None,
        Meta(description="Layers on the GPU (-1: all). Empty: chosen."),
    ] = None
    threads: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Threads for generating. Empty: chosen."),
    ] = None
    batch_threads: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Threads for reading prompts. Empty: chosen."),
    ] = None
    idle_minutes: Annotated[
        float,
        Meta(ge=0, description="Minutes after its last client until the engine exits."),
    ] = 5.0


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the model runs."""

    kind: Annotated[
        Literal["local", "remote", "scripted"],
        Meta(description="local: own process. remote: OpenAI-compatible server. scripted: tests."),
    ] = "local"
    url: Annotated[
        str | None,
        Meta(description="Base URL of the remote server, such as http://127.0.0.1:8080/v1."),
    ] = None
    remote_model: Annotated[
        str | None, Meta(description="Model name that the remote server expects.")
    ] = None
    script: Annotated[str | None, Meta(description="Script file of the scripted engine.")] = None


class InlineSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Ghost text."""

    enabled: Annotated[bool, Meta(description="Suggest code while typing.")] = True
    disabled_languages: Annotated[
        tuple[str, ...], Meta(description="Language ids without suggestions.")
    ] = ("plaintext", "markdown", "log")
    max_tokens: Annotated[int, Meta(ge=1, le=1024, description="Longest suggestion.")] = 96
    min_confidence: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="How sure a suggestion must be to show by itself: the mean probability of "
            "its first tokens. Where it is not set, 0.95 for the embedded model, and 0.6 for what "
            "your own files say beside it.",
        ),
    ] = 0.35
    prefix_tokens: Annotated[int, Meta(ge=32, description="Tokens of text before the cursor.")] = (
        1024
    )
    suffix_tokens: Annotated[int, Meta(ge=0, description="Tokens of text after it.")] = 384
    as_completion: Annotated[
        bool,
        Meta(description="Offer suggestions in the completion list too, for other editors."),
    ] = False


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The chat."""

    max_tokens: Annotated[int, Meta(ge=16, description="Longest answer in tokens.")] = 2048
    max_tool_calls: Annotated[int, Meta(ge=0, description="Tool calls in one turn.")] = 12
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(description="0: always the likeliest. Empty: 0 for the embedded model, else 0.7."),
    ] = None
    top_p: Annotated[float, Meta(ge=0, le=1, description="Nucleus sampling.")] = 0.8
    top_k: Annotated[int, Meta(ge=0, description="Sample from the k likeliest.")] = 20
    presence_penalty: Annotated[float, Meta(ge=0, le=2, description="Against repetition.")] = 0.0
    tool_arguments: Annotated[
        Literal["auto", "free", "schema", "span"],
        Meta(
            description="What tool arguments are held to while decoding. "
            "auto: span for the embedded model, schema for others."
        ),
    ] = "auto"


class ToolSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the model may do in the workspace."""

    approval: Annotated[
        dict[str, Approval],
        Meta(
            description="Per tool: allow, ask or deny. Running things is never allowed unasked; "
            "a tool of an MCP server (server__tool) is, where it is named here."
        ),
    ] = msgspec.field(default_factory=dict)
    disabled: Annotated[tuple[str, ...], Meta(description="Tools that are not offered.")] = ()
    agreement: Annotated[
        int,
        Meta(
            ge=1,
            le=9,
            description="Answers of the model that vote on a call that changes or runs something. "
            "1: no vote.",
        ),
    ] = 1
    test_timeout: Annotated[
        float, Meta(gt=0, description="Seconds until a test run is stopped.")
    ] = 120.0
    output_limit: Annotated[
        int, Meta(ge=200, description="Characters of a tool's result that the model sees.")
    ] = 8000


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """A program (command, args, env, cwd; else the home folder) or an address (url, headers)."""

    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = {}


class McpSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tool servers of others (Model Context Protocol)."""

    servers: Annotated[
        dict[str, McpServer],
        Meta(
            description="Tool servers for the chat, by name: command, args, env and cwd of a "
            "program, or url and headers. Needs the extra quillon[mcp]. Each call is asked for."
        ),
    ] = msgspec.field(default_factory=dict)


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All settings, as the editors send them under `quillon`."""

    model: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    inline: InlineSettings = InlineSettings()
    chat: ChatSettings = ChatSettings()
    tools: ToolSettings = ToolSettings()
    mcp: McpSettings = McpSettings()
    log_level: Annotated[
        Literal["error", "warning", "info", "debug"], Meta(description="What the log holds.")
    ] = "info"


class Told(msgspec.Struct, frozen=True):
    """Raw settings as they count, whether the workspace is trusted, and what was ignored.

    `trusted` is None where the client did not say: what it said before still holds.
    """

    raw: dict[str, Any]
    trusted: bool | None = None
    problems: tuple[str, ...] = ()


def settled(raw: object) -> Told:
    """What a client sends: the user's settings, and under `workspace` what it knows of that.

        {"inline": {...}, "workspace": {"trusted": false, "settings": {"inline": {...}}}}

    A workspace's own settings win over the user's, but those of one that is not trusted only
    where they name no model, program or address and allow the model nothing. A client that says
    nothing of the workspace sends settings of the user.
    """
    if not isinstance(raw, dict):
        found = () if raw is None else (f"expected an object, found {type(raw).__name__}",)
        return Told({}, problems=found)
    own = {name: value for name, value in raw.items() if name != _WORKSPACE}
    workspace = raw.get(_WORKSPACE)
    if workspace is None:
        return Told(own)
    if not isinstance(workspace, dict) or not isinstance(workspace.get("trusted"), bool):
        return Told(own, trusted=False, problems=(f"{_WORKSPACE}.trusted: expected true or false",))
    theirs = workspace.get("settings") or {}
    if not isinstance(theirs, dict):
        problem = f"{_WORKSPACE}.settings: expected an object, found {type(theirs).__name__}"
        return Told(own, workspace["trusted"], (problem,))
    if workspace["trusted"]:
        return Told(layered(own, theirs), trusted=True)
    kept = {name: theirs[name] for name in _HARMLESS if name in theirs}
    ignored = sorted(map(str, theirs.keys() - _HARMLESS - {"tools"}))
    problems = [f"{name}: ignored, the workspace is not trusted" for name in ignored]
    raw = layered(own, kept)
    if "tools" in theirs:
        raw["tools"], loose = _tightened(raw.get("tools"), theirs["tools"])
        problems += [f"tools.{name}: ignored, the workspace is not trusted" for name in loose]
    return Told(raw, trusted=False, problems=tuple(problems))


def layered(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Settings over settings, group by group."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(under, dict) and isinstance(value, dict):
            merged[name] = layered(under, value)
        else:
            merged[name] = value
    return merged


def _tightened(own: object, theirs: object) -> tuple[dict[str, Any], list[str]]:
    """The user's tool settings, stricter where a workspace wants so; what else it wanted."""
    tools = dict(own) if isinstance(own, dict) else {}
    if not isinstance(theirs, dict):
        return tools, []
    rules = theirs.get("approval")
    if isinstance(rules, dict):
        mine = tools.get("approval")
        mine = mine if isinstance(mine, dict) else {}
        tools["approval"] = mine | {name: "deny" for name in rules if rules[name] == "deny"}
    disabled, mine = theirs.get("disabled"), tools.get("disabled")
    if isinstance(disabled, list):
        tools["disabled"] = [*(mine if isinstance(mine, list) else ()), *disabled]
    return tools, sorted(map(str, theirs.keys() - {"approval", "disabled"}))


def parse_settings(raw: object) -> tuple[Settings, list[str]]:
    """Settings from JSON, and a sentence for each value that was ignored.

    Unknown names and wrong values are reported; every other value counts.
    """
    problems: list[str] = []
    if raw is None:
        return Settings(), problems
    settings = _parse_struct(Settings, raw, "", problems)
    return settings if isinstance(settings, Settings) else Settings(), problems


def _parse_struct(kind: type[msgspec.Struct], raw: object, at: str, problems: list[str]) -> Any:
    if raw is None:  # editors send it for a group that nobody touched
        return kind()
    if not isinstance(raw, dict):
        problems.append(f"{at or 'settings'}: expected an object, found {type(raw).__name__}")
        return kind()
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        where = f"{at}.{name}" if at else str(name)
        field = fields.get(name)
        if field is None:
            problems.append(f"{where}: no such setting")
        elif isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            values[field.name] = _parse_struct(field.type, value, where, problems)
        elif where in _PARSERS:
            values[field.name] = _PARSERS[where](value, where, problems)
        else:
            try:
                values[field.name] = msgspec.convert(value, field.type)
            except msgspec.ValidationError as error:
                problems.append(f"{where}: {error}; the default is used")
    return kind(**values)


def _parse_rules(raw: object, at: str, problems: list[str]) -> dict[str, Approval]:
    """The rules by tool; one that cannot be read allows nothing, and costs none of the others."""
    rules: dict[str, Approval] = {}
    if raw is not None and not isinstance(raw, dict):
        problems.append(f"{at}: expected an object, found {type(raw).__name__}")
    for name, value in raw.items() if isinstance(raw, dict) else ():
        try:
            rules[str(name)] = msgspec.convert(value, Approval)
        except msgspec.ValidationError:
            problems.append(f"{at}.{name}: expected allow, ask or deny; the tool is denied")
            rules[str(name)] = "deny"
    return rules


def _parse_servers(raw: object, at: str, problems: list[str]) -> dict[str, McpServer]:
    """The servers that are right; one that is wrong costs none of the others."""
    servers: dict[str, McpServer] = {}
    if raw is not None and not isinstance(raw, dict):
        problems.append(f"{at}: expected an object, found {type(raw).__name__}")
    for name, value in raw.items() if isinstance(raw, dict) else ():
        try:
            servers[str(name)] = msgspec.convert(value, McpServer)
        except msgspec.ValidationError as error:
            problems.append(f"{at}.{name}: {error}; this server is not used")
    return servers


def _parse_names(raw: object, at: str, problems: list[str]) -> tuple[str, ...]:
    """Names of tools; what is wrong with one must not offer the others again."""
    names = raw if isinstance(raw, list | tuple) else ()
    found = tuple(each for each in names if isinstance(each, str))
    if raw is not None and (names is not raw or len(found) < len(names)):
        problems.append(f"{at}: expected a list of names of tools")
    return found


# Settings of which a part that is wrong costs that part alone.
_PARSERS: dict[str, Callable[[object, str, list[str]], Any]] = {
    "mcp.servers": _parse_servers,
    "tools.approval": _parse_rules,
    "tools.disabled": _parse_names,
}
