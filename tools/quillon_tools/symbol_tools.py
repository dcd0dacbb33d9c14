"""Tools that look for definitions and for what refers to them."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

import re
from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz, process

from quillon_tools.calls import Retry, ToolError
from quillon_tools.files import limited, numbered
from quillon_tools.index import Defined, SymbolIndex, source_language
from quillon_tools.languages import language_of, parse
from quillon_tools.masking import masked_lines
from quillon_tools.search import searchable
from quillon_tools.symbols import Kind
from quillon_tools.textfile import lines_of
from quillon_tools.tool import tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace

MAX_ROWS = 20
MAX_REFERENCES = 100
MAX_NAME = 300
MAX_SOURCE_LINES = 150
_FUZZY = 75.0  # rapidfuzz ratio, 0 to 100
_KEYWORDS = re.compile(
    r"^(?:(?:async|def|class|function|fn|func|struct|interface|trait|impl|enum|type|const|let|var|"
    r"static|public|private|export|method|symbol)\s+)+"
)
_LEADING = re.compile(r"^\s*(@|#\[|///|/\*|\*|//|#(?!include|define|if|endif|else))")
_IDENTIFIERS = ("identifier", "constant", "type_identifier", "operator_name", "destructor_name")


@tool(effect="read")
def search_symbols(index: SymbolIndex, stop: Stop, query: str, *, kind: Kind | None = None) -> str:
    """Find where a symbol is defined.

    Args:
        query: Name or Container.name.
        kind: Kind.
    """
    name = plain_name(query)
    definitions, note = index.definitions(stop)
    if kind is not None:
        definitions = [each for each in definitions if each.symbol.kind == kind]
    rows = limited([each.row for each in ranked(name, definitions)], MAX_ROWS, "symbols")
    return "\n".join([*(rows or ["No symbols found."]), *([note] if note else [])])


@tool(effect="read")
def read_symbol(workspace: Workspace, index: SymbolIndex, stop: Stop, name: str) -> str:
    """Read a definition.

    Args:
        name: Name or Container.name.
    """
    wanted = plain_name(name)
    definitions, _note = index.definitions(stop)
    found = ranked(wanted, definitions)
    if not found:
        return "No symbols found."
    same = [each for each in found if each.symbol.name == found[0].symbol.name]
    if len(same) == 1 or (_fits(same[0], wanted) and not _fits(same[1], wanted)):
        return _source(workspace, found[0])
    rows = limited([each.row for each in same], MAX_ROWS, "symbols")
    return "\n".join(["Several are defined; read one with read_file:", *rows])


@tool(effect="read")
def find_references(workspace: Workspace, index: SymbolIndex, stop: Stop, name: str) -> str:
    """Find uses of a name.

    Args:
        name: Name.
    """
    short = plain_name(name).rsplit(".", 1)[-1]
    definitions, _note = index.definitions(stop)
    defined = {(each.path, each.symbol.start_line) for each in definitions}
    rows = []
    for path in workspace.walk(stop=stop, wanted=lambda file: language_of(file) is not None):
        stop.check()
        for number, line in _references(workspace, path, short):
            mark = " (definition)" if (path, number) in defined else ""
            rows.append(f"{path}:{number}: {line}{mark}")
        if len(rows) > MAX_REFERENCES:
            break
    if len(rows) > MAX_REFERENCES:
        rows = [*rows[:MAX_REFERENCES], "[... more references ...]"]
    return "\n".join(rows) or "No references found."


def plain_name(query: str) -> str:
    """The dotted name that a query means: without quotes, keywords, arguments and `::`.

    Raises:
        Retry: It holds no name.
    """
    text = query.strip().strip("`'\"").strip()
    text = _KEYWORDS.sub("", text)
    text = re.sub(r"\(.*$", "", text, flags=re.DOTALL)
    text = re.sub(r"::|->|#", ".", text).strip(" .:;")
    if not text or len(text) > MAX_NAME:
        raise Retry("query must be the name of a symbol, such as parse or Parser.parse")
    return text


def ranked(name: str, definitions: Sequence[Defined]) -> list[Defined]:
    """The definitions that a name means, the likeliest first.

    Those with exactly the name if there are any, else those that contain it or are alike.
    """
    folded = name.casefold()
    last = folded.rsplit(".", 1)[-1]
    tiers: list[list[Defined]] = [[] for _ in range(6)]
    for each in definitions:
        tier = _tier(each, name, folded, last)
        if tier is not None:
            tiers[tier].append(each)
    for strong in (tiers[0], tiers[1], tiers[2]):
        if strong:
            return sorted(strong, key=_order)
    weak = [each for tier in tiers[3:] for each in sorted(tier, key=_order)]
    return weak or _alike(last, definitions)


def _tier(each: Defined, name: str, folded: str, last: str) -> int | None:
    symbol = each.symbol
    own = symbol.name.casefold()
    if last not in own:
        return None
    if _fits(each, name):
        return 0
    if own == last:
        full = symbol.full_name.casefold()
        return 1 if full == folded or full.endswith("." + folded) else 2
    if "." in name and name.split(".")[-2].casefold() not in symbol.container.casefold():
        return 5
    return 3 if own.startswith(last) else 4


def _fits(each: Defined, name: str) -> bool:
    full = each.symbol.full_name
    return full == name or full.endswith("." + name)


def _alike(last: str, definitions: Sequence[Defined]) -> list[Defined]:
    names = {each.symbol.name for each in definitions}
    plain = {name: name.casefold().replace("_", "") for name in names}
    near = process.extract(
        last.replace("_", ""), plain, scorer=fuzz.ratio, score_cutoff=_FUZZY, limit=MAX_ROWS
    )
    scores = {name: score for _plain, score, name in near}
    found = [each for each in definitions if each.symbol.name in scores]
    return sorted(found, key=lambda each: (-scores[each.symbol.name], _order(each)))


def _order(each: Defined) -> tuple[bool, int, str, int]:
    """Code before tests, shallow before deep."""
    shown = str(each.path)
    return ("test" in shown.lower(), len(each.path.parts), shown, each.symbol.start_line)


def _source(workspace: Workspace, found: Defined) -> str:
    lines = lines_of(masked_lines(workspace.read_text(found.path).text))
    first, last = found.symbol.start_line, min(found.symbol.end_line, len(lines))
    while first > 1 and _LEADING.match(lines[first - 2]):
        first -= 1  # decorators, attributes and comments belong to it
    shown = min(last, first + MAX_SOURCE_LINES - 1)
    rows = [found.row, *numbered(lines[first - 1 : shown], first)]
    if shown < last:
        rows.append(f"[read on with read_file from line {shown + 1}]")
    return "\n".join(rows)


def _references(workspace: Workspace, path: ConfinedPath, name: str) -> Iterator[tuple[int, str]]:
    """Lines in which the syntax tree has the name as an identifier, each once."""
    wanted = name.encode()
    try:
        source = searchable(workspace, path)
        if wanted not in source:
            return
        language = source_language(path.name, source)
        tree = parse(source, language) if language else None
    except ToolError:
        return
    last = 0
    for match in re.finditer(rb"(?<![\w$])" + re.escape(wanted) + rb"(?![\w$])", source):
        node = tree.root_node.descendant_for_byte_range(*match.span()) if tree else None
        if node is None or not node.type.endswith(_IDENTIFIERS):
            continue
        number = node.start_point[0] + 1
        if number != last:
            start = source.rfind(b"\n", 0, match.start()) + 1
            end = source.find(b"\n", match.start())
            line = source[start : end if end >= 0 else len(source)]
            yield number, line.decode("utf-8", "replace").strip()[:200]
        last = number
