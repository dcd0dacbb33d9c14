from typing import Any

import pytest

from quillon_tools.calls import ToolCall
from quillon_tools.guard import FAILURES, IDLE, LoopGuard


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("1", name, arguments)


def stops(guard: LoopGuard, *calls: ToolCall) -> list[bool]:
    return [guard.stop(each) is not None for each in calls]


def test_different_calls_go_on():
    guard = LoopGuard(10)
    assert stops(guard, *(call("read", line=n) for n in range(10))) == [False] * 10
    assert not guard.exhausted


def test_the_budget_of_a_turn():
    guard = LoopGuard(2)
    assert stops(guard, call("a"), call("b"), call("c"), call("d")) == [False, False, True, True]
    assert guard.exhausted
    assert "used up (at most 2)" in str(guard.stop(call("e")))


def test_the_same_call_again_is_stopped_and_then_all_calls_are():
    guard = LoopGuard(10)
    assert guard.stop(call("read", path="x", line=1)) is None
    message = guard.stop(call("read", line=1, path="x"))
    assert message is not None
    assert "made before with the same arguments" in message
    assert not guard.exhausted
    assert guard.stop(call("read", path="y")) is None
    assert guard.stop(call("read", path="x", line=1)) is not None
    assert guard.exhausted
    assert guard.stop(call("something", new=True)) is not None


def test_the_same_call_after_a_change_goes_on():
    guard = LoopGuard(10)
    test, edit = call("run_tests"), call("propose_edit", n=1)
    assert stops(guard, test, edit) == [False, False]
    guard.ended(edit, ok=True, changed=True, result="changed")
    assert stops(guard, test, edit) == [False, True]


def test_two_calls_in_turn():
    guard = LoopGuard(10)
    a, b = call("a"), call("b")
    results = []
    for each in (a, b, a, b):
        results.append(guard.stop(each))
        guard.ended(each, ok=True, changed=True, result="changed")
    assert results[:2] == [None, None]
    assert "in turn" in str(results[3])
    assert guard.exhausted


@pytest.mark.parametrize("length", [2, 3, 4])
def test_calls_that_change_something_in_turn(length: int):
    guard = LoopGuard(100)
    made = [call("edit", n=n) for n in range(length)] * 2
    why = None
    for each in made:
        assert why is None
        why = guard.stop(each)
        guard.ended(each, ok=True, changed=True, result="changed")
    assert "the same calls are made in turn" in str(why)
    assert guard.exhausted


def test_one_tool_that_finds_nothing_again_and_again():
    guard = LoopGuard(100)
    for n in range(IDLE + 1):  # the first time it is news that nothing is there
        assert guard.stop(call("search", query=str(n))) is None
        guard.ended(call("search", query=str(n)), ok=True, result="no matches")
    assert f"{IDLE} calls of search in a row" in str(guard.stop(call("search", query="new")))
    assert guard.exhausted


def test_reading_on_where_everything_was_read():
    guard = LoopGuard(100)
    text = "".join(f"{n} line\n" for n in range(50))
    guard.stop(call("read", start=0))
    guard.ended(call("read", start=0), ok=True, result=text)
    why = None
    for n in range(IDLE + 1):
        assert why is None
        name = "read" if n % 2 else "show"
        why = guard.stop(call(name, start=n))
        guard.ended(call(name, start=n), ok=True, result="".join(text.splitlines(True)[n:]))
    assert "brought nothing new" in str(why)
    assert guard.exhausted


def test_reading_on_goes_on_while_there_is_news():
    guard = LoopGuard(100)
    for n in range(60):
        assert guard.stop(call("read", start=n)) is None
        # Half of what is read overlaps with what was read before.
        guard.ended(call("read", start=n), ok=True, result=f"{n} line\n{n + 1} line")
    assert not guard.exhausted


def test_a_tool_that_finds_something_at_last_starts_afresh():
    guard = LoopGuard(100)
    for n in range(IDLE - 1):
        guard.stop(call("search", query=str(n)))
        guard.ended(call("search", query=str(n)), ok=True, result="no matches")
    guard.stop(call("search", query="it"))
    guard.ended(call("search", query="it"), ok=True, result="a.py:1: it")
    assert guard.stop(call("search", query="more")) is None
    assert not guard.exhausted


def test_a_tool_that_keeps_failing():
    guard = LoopGuard(20)
    for n in range(FAILURES):
        assert guard.stop(call("read", path=str(n))) is None
        guard.ended(call("read"), ok=False, result="no such file")
    assert "failed 4 times in a row" in str(guard.stop(call("read", path="new")))
    assert guard.stop(call("list")) is None


def test_arguments_that_json_does_not_know():
    guard = LoopGuard(5)
    assert stops(guard, ToolCall("1", "x", {"a": {1, 2}}), call("y")) == [False, False]
