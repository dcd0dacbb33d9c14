"""`quillon/symbols`: names that a question may refer to, without another language's server."""

import pytest

from quillon_testing.stdio_server import raw_server

SOURCE = "class Cart:\n    def total(self):\n        return 1\n\n\ndef add(a, b):\n    return a\n"


@pytest.fixture
def folder(folder_of):
    return folder_of({"shop.py": SOURCE})


async def named(server, query):
    answer = await server.call("quillon/symbols", {"query": query})
    return answer["result"]


async def test_definitions_with_their_lines(folder):
    async with raw_server(folder) as server:
        await server.initialize(rootUri=folder.as_uri())
        uri = (folder / "shop.py").as_uri()
        whole = {"start": {"line": 1, "character": 0}, "end": {"line": 3, "character": 0}}
        wanted = [{"name": "Cart.total", "uri": uri, "range": whole}]
        assert await named(server, "total") == wanted
        assert await named(server, "Cart.total") == wanted
        assert [one["name"] for one in await named(server, "ad")] == ["add"]
        assert await named(server, "") == []
        assert await named(server, "nothing_of_the_sort") == []


async def test_open_documents_count_as_they_are(folder):
    async with raw_server(folder) as server:
        await server.initialize(rootUri=folder.as_uri())
        item = {"uri": (folder / "shop.py").as_uri(), "languageId": "python", "version": 1}
        item["text"] = "def subtract(a, b):\n    return a\n"
        server.notify("textDocument/didOpen", {"textDocument": item})
        assert [one["name"] for one in await named(server, "subtract")] == ["subtract"]


async def test_without_a_folder_there_are_none(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        assert await named(server, "add") == []
