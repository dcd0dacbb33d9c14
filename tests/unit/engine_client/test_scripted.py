import asyncio
import json
import re
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.engine.base import (
    DeadlineExceeded,
    Delta,
    EngineInfo,
    EngineLost,
    EngineUnavailable,
    Event,
    Finished,
    ModelError,
    Priority,
    PromptTooLong,
    Request,
    Segment,
    Started,
    Timings,
    Token,
    Usage,
)
from quillon.engine.script import load_script
from quillon.engine.scripted import Script, ScriptedEngine, Step


def ask(text: str, **options) -> Request:
    return Request(prompt=(Segment(text),), **options)


async def play(engine: ScriptedEngine, request: Request) -> list[Event]:
    return [event async for event in engine.generate(request)]


async def replies(engine: ScriptedEngine, request: Request) -> list[str]:
    return [event.text for event in await play(engine, request) if isinstance(event, Delta)]


async def test_one_started_pieces_and_one_finished():
    engine = ScriptedEngine([Step(reply="return a + b", chunk=5)])
    assert await play(engine, ask("def add(a, b):")) == snapshot(
        [
            Started(prompt_tokens=4, cached_tokens=0),
            Delta(
                text="retur", tokens=(Token(id=562, bytes=b"retur", logprob=None, special=False),)
            ),
            Delta(
                text="n a +", tokens=(Token(id=314, bytes=b"n a +", logprob=None, special=False),)
            ),
            Delta(text=" b", tokens=(Token(id=130, bytes=b" b", logprob=None, special=False),)),
            Finished(
                reason="stop",
                usage=Usage(prompt_tokens=4, cached_tokens=0, completion_tokens=3),
                timings=Timings(queued=0.0, prefill=0.0, decode=0.0, first_token=0.0),
            ),
        ]
    )


async def test_special_tokens_are_tokens_of_their_own():
    engine = ScriptedEngine([Step(reply='Look.<tool_call>{"name": "x"}</tool_call>', chunk=100)])
    events = await play(engine, ask("?", logprobs=True))
    tokens = [t for event in events if isinstance(event, Delta) for t in event.tokens]
    assert [(t.bytes, t.special, t.logprob) for t in tokens] == snapshot(
        [
            (b"Look.", False, -0.05),
            (b"<tool_call>", True, -0.05),
            (b'{"name": "x"}', False, -0.05),
            (b"</tool_call>", True, -0.05),
        ]
    )


async def test_a_tuple_gives_the_pieces_themselves():
    engine = ScriptedEngine([Step(reply=("a<tool_call>b", "c"))])
    events = [event for event in await play(engine, ask("?")) if isinstance(event, Delta)]
    assert [(event.text, [t.bytes for t in event.tokens]) for event in events] == snapshot(
        [("a<tool_call>b", [b"a", b"<tool_call>", b"b"]), ("c", [b"c"])]
    )


async def test_control_tokens_have_no_text_and_end_tokens_end():
    engine = ScriptedEngine([Step(reply="a<|fim_pad|>b<|im_end|>c")])
    events = await play(engine, ask("?"))
    deltas = [(event.text, len(event.tokens)) for event in events if isinstance(event, Delta)]
    assert deltas == [("a", 1), ("", 1), ("b", 1)]


async def test_the_first_step_that_fits_and_is_left_answers():
    engine = ScriptedEngine(
        [
            Step(match="add", reply="1"),
            Step(pattern=r"add|sub", reply="2"),
            Step(priority=Priority.INLINE, reply="ghost", times=0),
            Step(match="sub", reply="3", times=2),
        ]
    )
    answers = [await replies(engine, ask(text)) for text in ("sub", "add", "sub", "sub")]
    answers += [await replies(engine, ask("x", priority=Priority.INLINE)) for _ in range(2)]
    assert answers == [["2"], ["1"], ["3"], ["3"], ["ghost"], ["ghost"]]
    with pytest.raises(EngineUnavailable, match="no step left for the prompt that ends in 'sub'"):
        await play(engine, ask("sub"))
    assert [call.outcome for call in engine.calls] == ["finished"] * 6 + ["failed"]


@pytest.mark.parametrize(
    ("options", "text", "reason"),
    [
        ({"max_tokens": 2}, "abcd", "length"),
        ({"max_tokens": 3}, "abcdef", "stop"),
        ({"stop": ("zz", "de")}, "abc", "stop"),
        ({"stop_tokens": ("ab",)}, "", "stop"),
    ],
)
async def test_limits_cut_the_reply(options, text, reason):
    engine = ScriptedEngine([Step(reply="abcdef", chunk=2)])
    *events, last = await play(engine, ask("?", **options))
    assert "".join(event.text for event in events if isinstance(event, Delta)) == text
    assert isinstance(last, Finished)
    assert last.reason == reason


async def test_a_gate_holds_the_answer_until_it_is_opened():
    engine = ScriptedEngine([Step(reply="abcd", chunk=2, gates={1: "middle"})])
    events = engine.generate(ask("?"))
    assert isinstance(await anext(events), Started)
    assert (await anext(events)).text == "ab"
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.wait_for(engine.gate("middle").reached.wait(), 10)
    assert not waiting.done()
    assert engine.state().state == "busy"
    engine.gate("middle").open()
    assert (await waiting).text == "cd"
    await anext(events)
    assert engine.state().state == "ready"


async def test_cancelling_the_reader_ends_the_call():
    engine = ScriptedEngine([Step(reply="abcd", chunk=2, gates={1: "never"})])
    task = asyncio.create_task(play(engine, ask("?")))
    await asyncio.wait_for(engine.gate("never").reached.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (engine.calls[0].outcome, engine.calls[0].text) == ("cancelled", "ab")


async def test_closing_the_iterator_ends_the_call():
    engine = ScriptedEngine([Step(reply="abcd", chunk=2)])
    events = engine.generate(ask("?"))
    await anext(events)
    await events.aclose()
    assert engine.calls[0].outcome == "cancelled"


async def test_errors_come_before_or_after_the_reply():
    engine = ScriptedEngine(
        [
            Step(error="PromptTooLong", message="9 tokens too many"),
            Step(reply="ab", error="EngineLost", message="it died"),
        ]
    )
    with pytest.raises(PromptTooLong, match="9 tokens too many"):
        await play(engine, ask("?"))
    events = engine.generate(ask("?"))
    assert isinstance(await anext(events), Started)
    assert isinstance(await anext(events), Delta)
    with pytest.raises(EngineLost, match="it died"):
        await anext(events)


async def test_a_prompt_over_the_context_is_refused():
    engine = ScriptedEngine(Script(steps=(Step(reply="x"),), context=8))
    with pytest.raises(PromptTooLong, match="the prompt has 10 tokens, the context 8"):
        await play(engine, ask("x" * 40))


async def test_a_deadline_ends_a_held_answer():
    engine = ScriptedEngine([Step(reply="ab", gates={0: "never"})])
    with pytest.raises(DeadlineExceeded, match=r"not finished in 0\.01 seconds"):
        await play(engine, ask("?", deadline=0.01))


async def test_closing_the_engine_ends_what_runs():
    engine = ScriptedEngine([Step(reply="ab", gates={0: "never"})])
    task = asyncio.create_task(play(engine, ask("?")))
    await asyncio.wait_for(engine.gate("never").reached.wait(), 10)
    await engine.aclose()
    with pytest.raises(EngineLost):
        await task
    with pytest.raises(EngineLost):
        await engine.info()


async def test_loading_can_be_held_and_is_told():
    engine = ScriptedEngine(Script(load_gate="load", steps=(Step(reply="x"),)))
    told: list[EngineInfo] = []
    unsubscribe = engine.subscribe(lambda info, _fraction: told.append(info))
    task = asyncio.create_task(engine.info())
    await asyncio.wait_for(engine.gate("load").reached.wait(), 10)
    assert engine.state().state == "loading"
    engine.gate("load").open()
    assert (await task).context == 4096
    assert [info.state for info in told] == ["loading", "ready"]
    unsubscribe()
    await play(engine, ask("?"))
    assert len(told) == 2


async def test_loading_can_fail():
    engine = ScriptedEngine(Script(load_error="no such file"))
    with pytest.raises(ModelError, match="no such file"):
        await engine.info()
    assert engine.state().state == "failed"


async def test_counts_are_one_for_four_bytes():
    assert await ScriptedEngine().count(["", "a", "abcd", "abcde", "€€"]) == [0, 1, 1, 2, 2]


async def test_a_script_file_with_gates_and_records_for_another_process(tmp_path: Path):
    file = tmp_path / "script.json"
    step = {"match": "add", "reply": "ab", "chunk": 1, "gates": {"1": "held"}, "opens": ["x"]}
    record = tmp_path / "record.jsonl"
    script = {"context": 99, "gateFolder": str(tmp_path), "record": str(record), "steps": [step]}
    file.write_text(json.dumps(script))
    engine = ScriptedEngine(load_script(file))
    task = asyncio.create_task(replies(engine, ask("add \ud800")))
    await asyncio.wait_for(engine.gate("held").reached.wait(), 10)
    (tmp_path / "held").touch()
    assert await task == ["a", "b"]
    assert engine.gate("x").opened.is_set()
    assert '"add \\ud800"' in record.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not an engine script: Input data was truncated"),
        ('{"steps": [{"replies": ""}]}', "unknown field `replies`"),
        ('{"steps": [{"error": "Oops"}]}', "Oops is not the name of an engine error"),
        ('{"steps": [{"pattern": "("}]}', "wrong pattern in a step"),
    ],
)
def test_a_wrong_script_file_says_what_is_wrong(tmp_path: Path, content: str, message: str):
    file = tmp_path / "script.json"
    file.write_text(content)
    with pytest.raises(ModelError, match=re.escape(message)):
        load_script(file)


def test_a_missing_script_file(tmp_path: Path):
    with pytest.raises(ModelError, match=r"cannot read the engine script .*No such file"):
        load_script(tmp_path / "none.json")
