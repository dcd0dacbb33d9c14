"""Lines from somebody who may send anything."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.settings import parse_settings, settled
from quillon_testing.tool_servers import DEADLINE, PATIENCE, hostile, hub_with
from quillon_tools.mcp.lines import Allowance, FloodError, LongLine, lines


def source(pieces):
    rest = iter([*pieces, b""])

    async def read():
        return next(rest)

    return read


async def taken(pieces, *, limit=1000, **allowance):
    found = lines(source(pieces), Allowance(**allowance), limit=limit)
    return [line async for line in found]


@given(st.binary(max_size=200), st.integers(1, 20))
async def test_however_they_are_split_the_lines_are_the_same(raw, size):
    raw = raw.replace(b"x", b"\n")
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    assert await taken(pieces) == [line for line in raw.split(b"\n")[:-1] if line]


@pytest.mark.parametrize(
    ("head", "tail", "number"),
    [
        (b'{"jsonrpc":"2.0","id":7,"result":"', b'"}', 7),
        (b'{ "id" : 8 , "result":"', b'"}', 8),
        (b'{"result":"', b'"},"jsonrpc":"2.0","id":9}', 9),
        (b'{"result":"', b'"},"id":10, "jsonrpc":"2.0"} ', 10),
        (b'{"result":{"id":5,"x":"', b'"}}', None),
        (b'{"jsonrpc":"2.0","id":"a","result":"', b'"}', None),
        (b"x", b"x", None),
    ],
)
async def test_of_a_line_that_is_too_long_the_id_is_kept(head, tail, number):
    whole = head + b"x" * 5000 + tail
    for size in (7, 1000, 10_000):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        first, second = await taken([*pieces, b"\nnext\n"])
        assert isinstance(first, LongLine)
        assert len(first.head) + len(first.tail) <= 600
        assert first.number == number
        assert second == b"next"


async def test_an_allowance_comes_back_with_time():
    now = [0.0]
    allowance = Allowance(messages=2, messages_per_second=1, clock=lambda: now[0])
    allowance.spend(messages=2)
    with pytest.raises(FloodError):
        allowance.spend(messages=1)
    now[0] += 2
    allowance.spend(messages=1)
    now[0] += 1000
    allowance.spend(messages=2)
    with pytest.raises(FloodError):
        allowance.spend(messages=1)


async def test_too_many_bytes_are_a_flood_even_without_a_line():
    with pytest.raises(FloodError):
        await taken([b"x" * 100] * 100, size=1000, size_per_second=0)


async def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "quillon_tools.mcp.connection", None)
    with hub_with(PATIENCE) as hub:
        hub.configure({"one": hostile(), "two": hostile()})
        await hub.settle(DEADLINE)
        assert hub.news() == [
            "The MCP servers of the settings (one, two) are not used. "
            "Install the extra in your clone of Quillon: pip install '.[mcp]'."
        ]
        assert hub.tools == ()


def test_servers_that_an_untrusted_workspace_names_do_not_count():
    mine = {"mine": {"command": "a"}}
    theirs = {"trusted": False, "settings": {"mcp": {"servers": {"theirs": {"command": "b"}}}}}
    told = settled({"mcp": {"servers": mine}, "workspace": theirs})
    settings, _problems = parse_settings(told.raw)
    assert list(settings.mcp.servers) == ["mine"]


def test_one_wrong_server_costs_no_other():
    servers = {"a": {"command": "x", "args": ["y"], "type": "stdio"}, "b": 7, "c": {"args": "x"}}
    settings, problems = parse_settings({"mcp": {"servers": servers}})
    assert list(settings.mcp.servers) == ["a"]
    assert [problem.split(":")[0] for problem in problems] == ["mcp.servers.b", "mcp.servers.c"]
