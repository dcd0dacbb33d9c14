"""Servers that hang, die, flood or lie: what they do costs nobody anything but their own calls."""

import asyncio
import re

import pytest

from quillon_testing.tool_servers import DEADLINE, PATIENCE, alive, hostile, hub_with, until
from quillon_tools.mcp.servers import Patience, ServerSpec


def started(notes):
    return notes.read_text().count("started")


def children(notes):
    return [int(number) for number in re.findall(r"child (\d+)", notes.read_text())]


async def test_a_call_that_hangs_is_stopped_in_time_and_costs_no_other(servers, notes):
    await servers.started(bad=hostile(notes=str(notes)))
    result = await servers.call("bad__hang", servers.guarded(seconds=0.2))
    assert not result.ok
    assert "did not answer within 0.2 s" in result.text
    await until(lambda: "cancelled" in notes.read_text())
    assert (await servers.call("bad__echo", text="well")).ok
    assert started(notes) == 1


async def test_stopping_a_call_reaches_the_server(servers, notes):
    await servers.started(bad=hostile(notes=str(notes)))
    calling = asyncio.create_task(servers.call("bad__hang"))
    await until(lambda: "called" in notes.read_text())
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await until(lambda: "cancelled" in notes.read_text())


async def test_a_server_that_dies_in_a_call_is_started_again(servers, notes):
    await servers.started(bad=hostile(notes=str(notes)))
    result = await servers.call("bad__die")
    assert not result.ok
    assert "the server bad" in result.text
    await until(lambda: started(notes) == 2 and servers.names)
    assert (await servers.call("bad__echo", text="again")).ok
    (sentence,) = servers.hub.news()
    assert "MCP server bad failed and is started again" in sentence
    assert "I was not built for this" in sentence


async def test_a_server_that_cannot_live_is_given_up_with_one_more_sentence(servers, notes):
    await servers.started(bad=hostile(start="dead", notes=str(notes)))
    await until(lambda: started(notes) == PATIENCE.tries)
    sentences = []
    await until(lambda: sentences.extend(servers.hub.news()) or len(sentences) == 2)
    assert "failed and is started again" in sentences[0]
    assert "is not used" in sentences[1]
    assert "cannot find my configuration" in sentences[1]
    assert servers.names == []


@pytest.mark.parametrize("start", ["mute", "deaf"])
async def test_a_server_that_never_answers_is_ended_with_all_it_started(start, notes, tmp_path):
    with hub_with(Patience(start=2.0, leave=0.1, pause=0.01, tries=1)) as hub:
        hub.configure({"bad": hostile(start=start, notes=str(notes))})
        await hub.settle(DEADLINE)
        (sentence,) = hub.news()
        assert "was not ready within 2 s" in sentence
    await until(lambda: not [number for number in children(notes) if alive(number)])


async def test_what_a_server_started_ends_with_it(servers, notes):
    await servers.started(bad=hostile(notes=str(notes)))
    assert (await servers.call("bad__descend")).ok
    (child,) = children(notes)
    assert alive(child)
    servers.hub.configure({})
    await until(lambda: not alive(child))
    assert servers.names == []


@pytest.mark.parametrize("plan", [{"start": "garbage"}, {}])
async def test_garbage_without_end_ends_the_server_that_writes_it(servers, plan, notes):
    await servers.started(bad=hostile(notes=str(notes), **plan))
    if not plan:
        assert not (await servers.call("bad__flood")).ok
    sentences = []
    await until(lambda: sentences.extend(servers.hub.news()) or sentences)
    assert "sent more than anybody asked for" in sentences[0]


async def test_a_loop_of_changes_neither_blocks_nor_outlives_its_allowance(servers, notes):
    await servers.started(good=hostile(), bad=hostile(notes=str(notes)))
    assert (await servers.call("bad__changes")).ok
    assert (await servers.call("good__echo", text="at once")).ok
    await until(lambda: started(notes) == 2)


async def test_a_server_that_asks_for_the_model_the_user_or_the_folders_gets_nothing(
    servers, notes
):
    await servers.started(bad=hostile(notes=str(notes)))
    assert (await servers.call("bad__ask")).ok
    await until(lambda: notes.read_text().count("refused") == 3)
    assert "answered" not in notes.read_text()


async def test_a_result_of_40_mb_fails_its_call_only(servers, notes):
    await servers.started(bad=hostile(notes=str(notes)))
    result = await servers.call("bad__big")
    assert not result.ok
    assert "larger than 4 MB" in result.text
    assert (await servers.call("bad__echo", text="well")).ok
    assert started(notes) == 1


async def test_a_list_without_end_is_cut(servers):
    await servers.started(bad=hostile(start="endless list"))
    assert len(servers.names) <= 100
    sentences = servers.hub.news()
    assert any("another one has the same name" in sentence for sentence in sentences)
    assert any("more such problems" in sentence for sentence in sentences)


async def test_thousands_of_tools_are_cut_and_said(servers):
    tools = [{"name": f"t{n}", "inputSchema": {"type": "object"}} for n in range(3000)]
    spec = hostile()
    folder = servers.workspace.roots[0].real
    # Too long for an argument: the server reads its plan from a program of its own.
    program = folder / "many.py"
    source = f"import sys, json\nsys.argv = ['x', json.dumps({{'only': 1, 'tools': {tools!r}}})]\n"
    program.write_text(source + f"exec(open({spec.arguments[1]!r}).read())\n")
    await servers.started(many=ServerSpec(command=spec.command, arguments=(str(program),)))
    assert len(servers.names) == 100
    assert "more than 100 tools" in " ".join(servers.hub.news())


async def test_a_program_that_is_not_there_is_said_once_and_not_tried_again(servers):
    await servers.started(none=ServerSpec(command="/nowhere/at-all"))
    (sentence,) = servers.hub.news()
    assert "MCP server none is not used" in sentence
    assert "/nowhere/at-all cannot be started: No such file or directory" in sentence
    assert servers.hub.news() == []


@pytest.mark.parametrize(
    ("name", "spec", "why"),
    [
        ("a__b", ServerSpec(command="x"), "its name must be"),
        ("_a", ServerSpec(command="x"), "its name must be"),
        ("a b", ServerSpec(command="x"), "its name must be"),
        ("a" * 40, ServerSpec(command="x"), "its name must be"),
        ("a", ServerSpec(), "either a command or a url"),
        ("a", ServerSpec(command="x", url="http://x/"), "either a command or a url"),
        ("a", ServerSpec(url="file:///etc/passwd"), "must begin with http"),
        ("a", ServerSpec(command="x", arguments=("\0",)), "NUL"),
    ],
)
async def test_settings_that_make_no_server_are_said(servers, name, spec, why):
    await servers.started(**{name: spec})
    (sentence,) = servers.hub.news()
    assert why in sentence
    assert servers.names == []


async def test_the_end_comes_at_once_whatever_runs(notes):
    with hub_with(PATIENCE) as hub:
        hub.configure({"bad": hostile(start="deaf", notes=str(notes))})
        await until(lambda: children(notes))
    await until(lambda: not [number for number in children(notes) if alive(number)])
