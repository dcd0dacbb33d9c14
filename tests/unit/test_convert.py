"""The wall between the protocol's types and ours."""

import pytest
from inline_snapshot import snapshot
from lsprotocol import converters
from lsprotocol import types as lsp

from quillon import protocol
from quillon.capabilities import ClientCapabilities
from quillon.context.document import snapshot_of
from quillon.convert import (
    DocumentEdit,
    Outdated,
    change_from_lsp,
    client_capabilities,
    diagnostics_from_lsp,
    edits_of,
    offset_from_lsp,
    proposal_to_lsp,
    range_to_lsp,
    span_from_lsp,
    workspace_edit_to_lsp,
    workspace_roots,
)
from quillon.session import Session
from quillon.text import Change, Edit, LineIndex, Position, Span
from quillon_testing.markers import marked
from quillon_tools.calls import Edit as ToolEdit
from quillon_tools.calls import FileEdit, Proposal

CONVERTER = converters.get_converter()
FULL = ClientCapabilities(document_changes=True, create_files=True, change_annotations=True)


def plain(value):
    return CONVERTER.unstructure(value)


def initialize(capabilities, **more):
    raw = {"processId": None, "rootUri": None, "capabilities": capabilities, **more}
    return CONVERTER.structure(raw, lsp.InitializeParams)


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_ranges(encoding, character):
    place = marked("a😀«b»")
    lines = LineIndex(place.text)
    range_ = range_to_lsp(lines, place.selection, encoding)
    assert range_.start == lsp.Position(0, character)
    assert span_from_lsp(lines, range_, encoding) == place.selection
    backwards = lsp.Range(range_.end, range_.start)
    assert span_from_lsp(lines, backwards, encoding) == place.selection
    assert offset_from_lsp(lines, range_.end, encoding) == len(place.text)


def test_changes():
    part = lsp.TextDocumentContentChangePartial(
        lsp.Range(lsp.Position(0, 1), lsp.Position(2, 3)), "x"
    )
    assert change_from_lsp(part) == Change("x", (Position(0, 1), Position(2, 3)))
    whole = lsp.TextDocumentContentChangeWholeDocument("y")
    assert change_from_lsp(whole) == Change("y")


def test_a_client_that_says_nothing():
    assert client_capabilities(initialize({})) == ClientCapabilities()


def test_a_client_that_can_everything():
    params = initialize(
        {
            "general": {"positionEncodings": ["utf-7", "utf-32", "utf-16"]},
            "workspace": {
                "applyEdit": True,
                "configuration": True,
                "workspaceFolders": True,
                "didChangeWatchedFiles": {"dynamicRegistration": True},
                "textDocumentContent": {},
                "workspaceEdit": {
                    "documentChanges": True,
                    "resourceOperations": ["create", "rename"],
                    "changeAnnotationSupport": {},
                },
            },
            "textDocument": {
                "inlineCompletion": {},
                "completion": {"completionItem": {"snippetSupport": True}},
                "codeAction": {
                    "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
                    "dataSupport": True,
                    "disabledSupport": True,
                    "isPreferredSupport": True,
                    "resolveSupport": {"properties": ["edit"]},
                    "tagSupport": {"valueSet": [1]},
                },
            },
            "window": {"workDoneProgress": True, "showDocument": {"support": True}},
            "experimental": {"quillon": {"approve": True, "chat": True}},
        },
        clientInfo={"name": "Neovim", "version": "1"},
        locale="zh-cn",
    )
    found = client_capabilities(params)
    assert found == ClientCapabilities(
        locale="zh-cn",
        encoding="utf-32",
        **{
            field: True
            for field in ClientCapabilities.__struct_fields__
            if field not in ("locale", "encoding")
        },
    )


@pytest.mark.parametrize("experimental", [None, [], "x", {"quillon": None}, {"quillon": [1]}])
def test_odd_experimental_capabilities_are_none(experimental):
    found = client_capabilities(initialize({"experimental": experimental}))
    assert not found.quillon_approve
    assert not found.quillon_chat


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"workspaceFolders": [{"uri": "file:///a%20b", "name": "x"}]}, ["/a b"]),
        ({"workspaceFolders": [{"uri": "vscode-vfs://github/a", "name": "x"}]}, []),
        (
            {"workspaceFolders": [{"uri": "file:///a", "name": "x"}] * 2, "rootUri": "file:///b"},
            ["/a"],
        ),
        ({"rootUri": "file:///b"}, ["/b"]),
        ({"rootPath": "/c"}, ["/c"]),
        ({"rootPath": "c"}, []),
        ({}, []),
    ],
)
def test_roots(params, expected):
    assert [str(path) for path in workspace_roots(initialize({}, **params))] == expected


def test_an_edit_is_bound_to_the_version_of_its_document():
    document = snapshot_of("file:///a.py", "x😀 = 1\r\n", version=7)
    edit = edits_of(document, [Edit(Span(2, 2), "\ny")])
    assert plain(workspace_edit_to_lsp([edit], FULL)) == snapshot(
        {
            "documentChanges": [
                {
                    "textDocument": {"uri": "file:///a.py", "version": 7},
                    "edits": [
                        {
                            "range": {
                                "start": {"line": 0, "character": 3},
                                "end": {"line": 0, "character": 3},
                            },
                            "newText": "\r\ny",
                        }
                    ],
                }
            ]
        }
    )


def test_a_client_without_versions_gets_plain_edits():
    document = snapshot_of("file:///a.py", "x", version=7)
    edit = workspace_edit_to_lsp(
        [edits_of(document, [Edit(Span(0, 1), "y")])], ClientCapabilities()
    )
    assert plain(edit) == snapshot(
        {
            "changes": {
                "file:///a.py": [
                    {
                        "range": {
                            "start": {"line": 0, "character": 0},
                            "end": {"line": 0, "character": 1},
                        },
                        "newText": "y",
                    }
                ]
            }
        }
    )


def test_a_proposal_asks_before_it_is_applied():
    session = Session(client=FULL)
    session.open("file:///w/A%2Epy", "python", 3, "x = 1\n")
    proposal = Proposal(
        "Rename x",
        (
            FileEdit("/w/A.py", (ToolEdit(0, 1, "y"),), "x = 1\n", version=3),
            FileEdit("/w/new.py", (ToolEdit(0, 0, "z\n"),), "", create=True),
        ),
        "",
    )
    assert proposal_to_lsp(proposal, session) == snapshot(
        {
            "documentChanges": [
                {
                    "textDocument": {"uri": "file:///w/A%2Epy", "version": 3},
                    "edits": [
                        {
                            "annotationId": "quillon",
                            "range": {
                                "start": {"line": 0, "character": 0},
                                "end": {"line": 0, "character": 1},
                            },
                            "newText": "y",
                        }
                    ],
                },
                {"uri": "file:///w/new.py", "kind": "create", "annotationId": "quillon"},
                {
                    "textDocument": {"uri": "file:///w/new.py", "version": None},
                    "edits": [
                        {
                            "annotationId": "quillon",
                            "range": {
                                "start": {"line": 0, "character": 0},
                                "end": {"line": 0, "character": 0},
                            },
                            "newText": "z\n",
                        }
                    ],
                },
            ],
            "changeAnnotations": {"quillon": {"label": "Rename x", "needsConfirmation": True}},
        }
    )


@pytest.mark.parametrize("client", [ClientCapabilities(), FULL])
def test_a_proposal_for_another_text_than_the_editors_is_refused(client):
    session = Session(client=client)
    session.open("file:///w/a.py", "python", 3, "x = 1\n")
    file = FileEdit("/w/a.py", (ToolEdit(0, 1, "y"),), "x = 1\n", version=3)
    session.change("file:///w/a.py", 4, [Change("z = 1\n")])
    with pytest.raises(Outdated, match=r"/w/a\.py has changed since this was proposed"):
        proposal_to_lsp(Proposal("Rename x", (file,), ""), session)
    session.change("file:///w/a.py", 5, [Change("x = 1\n")])
    edit = proposal_to_lsp(Proposal("Rename x", (file,), ""), session)
    versions = [change["textDocument"]["version"] for change in edit.get("documentChanges", ())]
    assert versions == ([5] if client.document_changes else [])
    session.open("file:///w/new.py", "python", 1, "")
    new = FileEdit("/w/new.py", (ToolEdit(0, 0, "z"),), "", create=True)
    with pytest.raises(Outdated, match=r"/w/new\.py"):
        proposal_to_lsp(Proposal("Make it", (new,), ""), session)


def test_a_new_file_that_has_a_line_gets_no_second_end():
    new = DocumentEdit("file:///new.py", "", (Edit(Span(0, 0), "x = 1\ny = 2\n"),), create=True)
    told = ClientCapabilities(document_changes=True, create_files=True, new_file_is_a_line=True)
    _, filled = workspace_edit_to_lsp([new], told).document_changes
    assert filled.edits[0].new_text == "x = 1\ny = 2"
    old = DocumentEdit("file:///a.py", "", (Edit(Span(0, 0), "x = 1\n"),))
    (filled,) = workspace_edit_to_lsp([old], told).document_changes
    assert filled.edits[0].new_text == "x = 1\n"


@pytest.mark.parametrize(
    "client", [ClientCapabilities(), ClientCapabilities(document_changes=True)]
)
def test_a_client_that_cannot_create_files_is_told(client):
    new = DocumentEdit("file:///new.py", "", (Edit(Span(0, 0), "x"),), create=True)
    with pytest.raises(ValueError, match="This editor cannot create"):
        workspace_edit_to_lsp([new], client)


def test_diagnostics_of_a_known_text():
    lines = LineIndex("a\n😀 bad\n")
    raw = lsp.Diagnostic(
        lsp.Range(lsp.Position(1, 3), lsp.Position(1, 6)),
        "no such name",
        severity=lsp.DiagnosticSeverity.Warning,
        code=7,
        source="mypy",
    )
    (found,) = diagnostics_from_lsp(lines, [raw], "utf-16")
    assert found.span.cut(lines.text) == "bad"
    assert (found.first_line, found.column, found.severity, found.code) == (1, 2, "warning", "7")


def test_diagnostics_of_a_file_that_is_not_open():
    raw = protocol.Diagnostic(
        range=protocol.Range(
            start=protocol.Position(line=4, character=2), end=protocol.Position(line=3, character=0)
        ),
        message="bad",
        severity=9,
    )
    (found,) = diagnostics_from_lsp(None, [raw], "utf-16")
    assert (found.first_line, found.last_line, found.column, found.span) == (3, 4, 0, Span(0, 0))
    assert (found.severity, found.source, found.code) == ("error", "", "")
