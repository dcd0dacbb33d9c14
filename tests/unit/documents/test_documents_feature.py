"""Document synchronisation as messages: the session is the only keeper of texts."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from quillon.features import documents, lifecycle
from quillon.features.documents import ParseAhead
from quillon.rpc import QuillonServer
from quillon.session import Session
from quillon.text import Change

URI = "file:///w/a.py"


def unused(*_):
    raise AssertionError("documents need neither an engine nor conversations")


class Client:
    """Sends messages to a server in this process, as JSON."""

    def __init__(self):
        self.session = Session()
        self.server = QuillonServer(self.session, unused, unused, {})
        self.sent = []
        self.server.protocol.set_writer(self, include_headers=False)
        documents.register(self.server)
        lifecycle.register(self.server)
        self.send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id=1)

    def write(self, data):
        self.sent.append(json.loads(data))

    def send(self, method, params, **more):
        raw = json.loads(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}))
        self.server.protocol.handle_message(self.server.protocol.structure_message(raw))

    def open(self, text, uri=URI, language="python"):
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})

    def change(self, *changes, uri=URI, version=2):
        document = {"uri": uri, "version": version}
        self.send(
            "textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)}
        )

    @property
    def text(self):
        return self.session.snapshot(URI).text


def at(line, start, end, text):
    place = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
    return {"range": place, "text": text}


@pytest.fixture
async def client():
    made = Client()
    yield made
    made.server.thread_pool.shutdown()


async def test_the_server_asks_for_incremental_changes(client):
    sync = client.sent[0]["result"]["capabilities"]["textDocumentSync"]
    assert (sync["openClose"], sync["change"]) == (True, 2)
    assert client.sent[0]["result"]["capabilities"]["positionEncoding"] == "utf-16"


async def test_a_document_is_opened_changed_and_closed(client):
    client.open("a\u2028b\fc\nd😀e\n")
    client.change(at(1, 3, 4, "E"), at(0, 1, 2, "-"), version=9)
    assert client.text == "a-b\fc\nd😀E\n"
    assert client.session.snapshot(URI).version == 9
    client.change({"text": "whole\n"})
    assert client.text == "whole\n"
    client.send("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert client.session.snapshot(URI) is None


async def test_pygls_keeps_no_second_copy(client):
    client.open("x")
    client.change({"text": "y"})
    assert client.server.workspace.text_documents == {}


async def test_half_characters_in_json(client):
    client.open("a😀")
    client.change(at(0, 2, 3, ""))
    assert client.text == "a\ud83d"
    client.change(at(0, 2, 2, "\ude01"))
    assert client.text == "a😁"


async def test_messages_about_unknown_documents_are_no_error(client):
    client.change({"text": "y"}, uri="file:///unknown")
    client.send("textDocument/didClose", {"textDocument": {"uri": "file:///unknown"}})
    client.open("still here")
    assert client.text == "still here"
    assert len(client.sent) == 1  # the answer to initialize, and no error


async def test_diagnostics_that_the_client_passes_on(client):
    client.open("😀 bad\n")
    place = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 6}}
    client.send(
        "quillon/diagnostics",
        {"uri": URI, "diagnostics": [{"range": place, "message": "no", "severity": 2}]},
    )
    (found,) = client.session.diagnostics(URI)
    assert (found.span.cut(client.text), found.severity) == ("bad", "warning")
    client.send(
        "quillon/diagnostics",
        {
            "uri": "file:///closed.py",
            "diagnostics": [{"range": place, "message": "far", "severity": 1}],
        },
    )
    assert {problem.message for problem in client.session.problems(None)} == {"no", "far"}


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as made:
        yield made


async def test_a_text_is_parsed_ahead_of_the_question(pool):
    session = Session()
    ahead = ParseAhead(session, pool)
    session.open(URI, "python", 1, "def f():\n    return 1\n" * 4000)
    ahead.parse(URI, 0)
    await ahead.tasks[URI]
    assert session.snapshot(URI).is_parsed
    session.change(URI, 2, [Change("def (")])  # broken and large: only a fresh parse settles it
    assert not session.snapshot(URI).is_parsed
    ahead.parse(URI, 0)
    await ahead.tasks[URI]
    assert session.snapshot(URI).is_parsed
    assert ahead.tasks == {}


async def test_what_was_typed_while_a_thread_parsed_is_parsed_too(pool):
    session = Session()
    ahead = ParseAhead(session, pool)
    session.open(URI, "python", 1, "x = 1\n" * 9000)
    busy = threading.Event()
    pool.submit(busy.wait, 30)
    ahead.parse(URI, 0)
    await asyncio.sleep(0)  # the task takes its snapshot and waits for the thread
    session.change(URI, 2, [Change("y = 2\n" * 9000)])
    busy.set()
    await ahead.tasks[URI]
    assert session.snapshot(URI).is_parsed


async def test_a_document_that_was_closed_meanwhile_is_not_parsed(pool):
    session = Session()
    ahead = ParseAhead(session, pool)
    session.open(URI, "python", 1, "x")
    ahead.parse(URI, 0)
    session.close(URI)
    await ahead.tasks[URI]
    assert ahead.tasks == {}
