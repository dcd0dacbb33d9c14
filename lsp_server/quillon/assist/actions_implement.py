"""An implementation for a stub: the model's body between the signature and docstring that stand.

The model writes the whole function, for that is what it is best at; only the body is taken.
"""

from quillon.assist.edits import BadAnswer, indent_at, indented, unit_for
from quillon.context.anatomy import Definition, definitions_in
from quillon.context.document import DocumentSnapshot
from quillon.context.tree import parsed
from quillon.text import Edit, Span
from quillon_tools.languages import Language


def implementation_edit(snapshot: DocumentSnapshot, definition: Definition, code: str) -> Edit:
    """The edit that puts the body of the model's function in the place of the stub.

    Raises:
        BadAnswer: There is no stub (any more), or the model only repeated it.
    """
    language = snapshot.language
    if definition.stub is None or definition.body is None or language is None:
        raise BadAnswer("There is no stub here any more.")
    own = _own(definition, code, language)
    if own is not None and own.stub is not None:
        raise BadAnswer("The model left the function without a body. Try a larger model.")
    if language.id == "python":
        body = code if own is None else _python_statements(definition, own, code)
        return _python_edit(snapshot, definition, definition.stub, body)
    text = snapshot.text
    unit = unit_for(text, code)
    body = _braced(code, unit) if own is None else _braced_body(own, code)
    indent = indent_at(text, definition.signature.start)
    return Edit(definition.stub, indented(body, indent, unit, language))


def _own(definition: Definition, code: str, language: Language) -> Definition | None:
    """The function of that name in the model's code; None: the code is a body alone.

    A method is no function by itself: its class, or one of ours, makes it parse.
    """
    for text in (code, f"class _ {{\n{code}\n}}"):
        tree = parsed(text, language)
        found = [d for d in definitions_in(tree) if d.name == definition.name] if tree else []
        if found and found[0].body is not None and text is code:
            return found[0]
        if found and found[0].body is not None:
            return _moved(found[0], -len("class _ {\n"))
    return None


def _moved(own: Definition, by: int) -> Definition:
    def moved(span: Span | None) -> Span | None:
        return None if span is None else Span(span.start + by, span.end + by)

    return Definition(
        name=own.name,
        kind=own.kind,
        whole=moved(own.whole) or own.whole,
        signature=moved(own.signature) or own.signature,
        body=moved(own.body),
        documented=own.documented,
        stub=moved(own.stub),
    )


def _python_statements(definition: Definition, own: Definition, code: str) -> str:
    """The model's statements from the start of a line, without a docstring that we have."""
    body = own.body or own.signature
    start = body.start
    if own.docstring is not None and definition.docstring is not None:
        rest = code[own.docstring.end : body.end]
        if not rest.strip():
            raise BadAnswer("The model wrote a docstring and no code. Try a larger model.")
        start = own.docstring.end + len(rest) - len(rest.lstrip())
    line = code.rfind("\n", 0, start) + 1
    return code[start if code[line:start].strip() else line : body.end]


def _python_edit(snapshot: DocumentSnapshot, definition: Definition, stub: Span, body: str) -> Edit:
    text, lines = snapshot.text, snapshot.lines
    unit, colon = unit_for(text, body), definition.signature.end
    if lines.line_of(stub.start) == lines.line_of(colon):  # `def f(): ...` becomes lines
        indent = indent_at(text, definition.signature.start) + unit
        placed = indented(body, indent, unit, snapshot.language)
        return Edit(Span(colon, stub.end), f"\n{indent}{placed}")
    indent = indent_at(text, stub.start if len(stub) else definition.signature.end)
    if not len(stub) and definition.docstring is not None:  # the code goes behind the docstring
        indent = indent_at(text, definition.docstring.start)
    placed = indented(body, indent, unit, snapshot.language)
    return Edit(stub, placed if len(stub) else f"\n{indent}{placed}")


def _braced_body(own: Definition, code: str) -> str:
    """The braces of the model's function, its first line as deep as the function stands."""
    body = own.body or own.signature
    return indent_at(code, own.signature.start) + body.cut(code)


def _braced(code: str, unit: str) -> str:
    """Statements, perhaps in braces of their own, as a block."""
    if code.lstrip().startswith("{") and code.rstrip().endswith("}"):
        return code.strip()
    lines = code.split("\n")
    return "{\n" + "\n".join(f"{unit}{line}" if line else "" for line in lines) + "\n}"
