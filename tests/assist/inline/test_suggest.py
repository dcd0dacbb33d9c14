"""Suggestions from a scripted model: what is shown, what the model is asked, why nothing is."""

import asyncio

import pytest
from inline_snapshot import snapshot

from quillon.assist.inline_reason import NoSuggestion
from quillon.assist.suggestion import Suggestion
from quillon.engine.base import Priority
from quillon.engine.script import Script, Step
from quillon.text import Span
from quillon_testing.suggestions import Desk, check_suggestion

SURE, UNSURE = -0.05, -3.0


async def test_the_rest_of_a_line() -> None:
    assert await check_suggestion("x = ▮\n", "f(1)\ny = 2") == "x = «f(1)»\n"


async def test_the_rest_of_a_block() -> None:
    source = """
        def area(r):
            ▮

        print(area(2))
        """
    reply = "r2 = r * r\n    return 3 * r2\n\nprint(area(1))"
    assert await check_suggestion(source, reply) == snapshot("""\
def area(r):
    «r2 = r * r
    return 3 * r2»

print(area(2))
""")


async def test_the_model_is_stopped_where_the_block_ends() -> None:
    desk = Desk(Step(reply="a = 1\n    return a\n\ndef other():\n    pass\n", gates={6: "never"}))
    async with asyncio.timeout(5):
        shown = await desk.show("def f():\n    ▮\n")
    assert shown == "def f():\n    «a = 1\n    return a»\n"
    (call,) = desk.engine.calls
    assert call.outcome == "cancelled"


async def test_a_brace_that_the_editor_closed_is_covered() -> None:
    source = "if (x) {▮}\n"
    answer = await Desk("\n  return 1;\n}\n\nfoo();", language="javascript").answer(source)
    assert answer == Suggestion(Span(8, 9), "\n  return 1;\n}")


async def test_a_bracket_that_the_editor_closed_is_covered() -> None:
    answer = await Desk("a, b)").answer("print(▮)\n")
    assert answer == Suggestion(Span(6, 7), "a, b)")


async def test_a_brace_below_is_not_written_again() -> None:
    source = """
        function f() {
          ▮
        }
        """
    reply = "return 1;\n}\n\nfunction g() {\n}"
    assert await check_suggestion(source, reply, language="javascript") == snapshot("""\
function f() {
  «return 1;»
}
""")


@pytest.mark.parametrize(
    ("source", "reply", "expected"),
    [
        ("x = ▮\n", "f('\ufffd')", "x = «f('»\n"),
        ("x = ▮\n", "\ufffd", "NOTHING_TO_ADD"),
        ("def f(😀▮x):\n    return 1\n", "\ufffd):", "NOTHING_TO_ADD"),
        ("def f():\n    ▮\n", "a = 1\n    \ufffd = 2\n", "def f():\n    «a = 1»\n"),
        ("def f():\n    ▮\n\ny = 2\n", "a\n\ny = 2\n\ufffd", "def f():\n    «a»\n\ny = 2\n"),
        # What the document says, the model may say.
        ("y = '\ufffd'\nx = ▮\n", "f('\ufffd')", "y = '\ufffd'\nx = «f('\ufffd')»\n"),
    ],
)
async def test_half_a_character_is_never_shown(source: str, reply: str, expected: str) -> None:
    assert await check_suggestion(source, reply) == expected


async def test_the_model_is_stopped_where_it_writes_half_a_character() -> None:
    desk = Desk(Step(reply="f(\ufffd and more", chunk=1, gates={6: "never"}))
    async with asyncio.timeout(5):
        assert await desk.show("x = ▮\n") == "x = «f(»\n"
    assert desk.engine.calls[0].outcome == "cancelled"


async def test_before_code_only_what_fits_on_the_line() -> None:
    assert await check_suggestion("x = ▮ + y\n", "foo(1) + y\nz") == "x = «foo(1)» + y\n"


@pytest.mark.parametrize(
    ("source", "reply", "expected"),
    [
        ("def f():\n    ▮\n", ("  ", "  re", "turn 1"), "def f():\n    «return 1»\n"),
        ("if x:\n    ▮\n", "        y()", "if x:\n    «    y()»\n"),
        ("x = ▮\n", "  1", "x = «1»\n"),
        ("f(▮)\n", " 1)", "f(«1)»\n"),
        ("return▮\n", " 1", "return« 1»\n"),
    ],
)
async def test_blanks_are_not_doubled(source: str, reply: str, expected: str) -> None:
    assert await check_suggestion(source, reply) == expected


async def test_astral_characters_and_windows_line_ends() -> None:
    source = "s = '🗡🗡'; t = f(▮)\r\nu = 1\r\n"
    assert await check_suggestion(source, "s, '🛡')\r\nv = 2") == (
        "s = '🗡🗡'; t = f(«s, '🛡')»\r\nu = 1\r\n"
    )


async def test_windows_line_ends_in_pieces() -> None:
    source = "def f():\r\n    ▮\r\n\r\nx = 1\r\n"
    assert await check_suggestion(source, ("a = 1\r", "\n    return", " a\r", "\n")) == (
        "def f():\r\n    «a = 1\n    return a»\r\n\r\nx = 1\r\n"
    )


@pytest.mark.parametrize(
    ("source", "reply", "reason"),
    [
        ("x = ▮\n", "", "NOTHING_TO_ADD"),
        ("x = 1▮\n", "\ny = 2", "NOTHING_TO_ADD"),
        ("a = 1\n▮\nb = 2\n", "b = 2\nc = 3", "ALREADY_THERE"),
        ("return ▮value\n", "value", "ALREADY_THERE"),
        ("total += value\n▮\n", "total += value\n", "REPETITIVE"),
        ("fo▮o = 1\n", "x", "INSIDE_WORD"),
    ],
)
async def test_nothing_and_why(source: str, reply: str, reason: str) -> None:
    assert await check_suggestion(source, reply) == reason


async def test_inside_a_word_on_demand() -> None:
    assert await check_suggestion("fo▮o = 1\n", "ld_", invoked=True) == "fo«ld_»o = 1\n"


async def test_settings_turn_it_off() -> None:
    assert await Desk("x", enabled=False).show("▮") == "OFF"
    assert await Desk("x", disabled_languages=("python",)).show("▮") == "LANGUAGE_OFF (python)"


async def test_a_huge_document() -> None:
    desk = Desk("x")
    assert await desk.show("x = 1\n" * 400_000 + "▮") == "TOO_LARGE"
    assert desk.engine.calls == []


async def test_a_model_without_fill_in_the_middle() -> None:
    desk = Desk(script=Script(fim=False, model="chatty"))
    assert await desk.show("x = ▮") == "NO_FIM (chatty)"


async def test_a_model_that_loads_is_not_waited_for() -> None:
    desk = Desk(script=Script(steps=(Step(reply="1"),), load_gate="load"))
    loading = asyncio.create_task(desk.engine.info())
    assert await desk.show("x = ▮") == "LOADING"
    desk.engine.gate("load").open()
    await loading
    assert await desk.show("x = ▮") == "x = «1»"


async def test_a_model_that_cannot_be_loaded() -> None:
    desk = Desk(script=Script(load_error="the file m.gguf is cut off"))
    with pytest.raises(Exception, match="cut off"):
        await desk.engine.info()
    assert await desk.show("x = ▮") == "NO_MODEL the file m.gguf is cut off"


@pytest.mark.parametrize("reply", ["", "foo(1, 2"])
async def test_an_engine_that_dies(reply: str) -> None:
    desk = Desk(Step(reply=reply, error="EngineLost", message="it was killed"), "1")
    assert await desk.show("x = ▮") == "ENGINE_FAILED it was killed"
    assert await desk.show("x = ▮") == "x = «1»"


async def test_a_model_that_is_too_slow() -> None:
    desk = Desk(Step(error="DeadlineExceeded"))
    assert await desk.show("x = ▮") == "TOO_SLOW"


async def test_a_model_that_is_not_sure() -> None:
    desk = Desk(Step(reply="foo(a, b, c)", chunk=2, logprob=UNSURE, gates={5: "never"}))
    async with asyncio.timeout(5):
        assert await desk.show("x = ▮") == "UNSURE (5% sure)"
    assert desk.engine.calls[0].outcome == "cancelled"


@pytest.mark.parametrize(
    ("embedded", "chosen", "shown"),
    [(False, {}, True), (True, {}, False), (True, {"min_confidence": 0.3}, True)],
)
async def test_the_embedded_model_must_be_surer(embedded: bool, chosen, shown: bool) -> None:
    step = Step(reply="foo(a, b, c)", chunk=2, logprob=-0.5)
    desk = Desk(script=Script(steps=(step,), embedded=embedded), **chosen)
    assert await desk.show("x = ▮") == ("x = «foo(a, b, c)»" if shown else "UNSURE (61% sure)")


@pytest.mark.parametrize(
    ("embedded", "chosen", "long"),
    [(False, {}, True), (True, {}, False), (True, {"prefix_tokens": 512}, True)],
)
async def test_the_embedded_model_reads_little_around_the_cursor(embedded, chosen, long) -> None:
    desk = Desk(script=Script(steps=(Step(reply="1"),), embedded=embedded), **chosen)
    await desk.show("price(1000)\n" * 300 + "x = ▮", invoked=True)
    prompt = desk.engine.calls[0].prompt
    assert (prompt.count("price") > 100) is long
    assert "price" in prompt


async def test_the_user_asked_for_it() -> None:
    desk = Desk(Step(reply="foo(a, b, c)", chunk=2, logprob=UNSURE))
    assert await desk.show("x = ▮", invoked=True) == "x = «foo(a, b, c)»"


async def test_lines_that_the_model_is_not_sure_of_are_left_out() -> None:
    reply = ("a = 1", "\n", "    ", "b", " = 2", "\n", "    c = 3")
    sure = (SURE, SURE, SURE, SURE, SURE, SURE, UNSURE)
    desk = Desk(Step(reply=reply, logprob=sure))
    assert await desk.show("def f():\n    ▮\n") == "def f():\n    «a = 1\n    b = 2»\n"


async def test_a_suggestion_that_was_cut_ends_with_a_whole_line() -> None:
    desk = Desk(Step(reply="a = 1\n    b = 2\n    retu", finish="length"))
    assert await desk.show("def f():\n    ▮\n") == "def f():\n    «a = 1\n    b = 2»\n"


async def test_the_selected_completion_is_where_it_goes_on() -> None:
    desk = Desk("(1, 2)")
    source = "x = «ap»\n"
    answer = await desk.answer(source, selected="append")
    assert answer == Suggestion(Span(4, 6), "append(1, 2)")
    assert desk.engine.calls[0].prompt.startswith("<|fim_prefix|>x = append<|fim_suffix|>")


async def test_what_the_engine_is_asked() -> None:
    desk = Desk("1", max_tokens=80)
    await desk.show("x = ▮\n", uri="file:///w/b.py")
    (request,) = desk.engine.requests
    assert request.priority is Priority.INLINE
    assert request.logprobs
    assert request.cache_key == "inline:file:///w/b.py"
    assert (request.stop, request.max_tokens) == (("\n",), 48)
    assert request.deadline is not None
    await Desk("pass").show("def f():\n    ▮\n")


# Typing on


async def test_typing_on_needs_no_model() -> None:
    desk = Desk("foo(1)")
    assert await desk.show("x = ▮\n") == "x = «foo(1)»\n"
    assert await desk.show("x = fo▮\n") == "x = fo«o(1)»\n"
    assert await desk.show("x = foo(▮)\n") == "x = foo(«1)»\n"
    assert len(desk.engine.calls) == 1


async def test_the_reason_for_nothing_is_remembered_too() -> None:
    desk = Desk("")
    assert await desk.show("x = 1▮\n") == "NOTHING_TO_ADD"
    assert await desk.show("x = 1▮\n") == "NOTHING_TO_ADD"
    assert len(desk.engine.calls) == 1


async def test_something_else_was_typed() -> None:
    desk = Desk("foo(1)", "bar(2)")
    assert await desk.show("x = ▮\n") == "x = «foo(1)»\n"
    assert await desk.show("x = b▮\n") == "x = b«bar(2)»\n"


# Newer queries


async def test_the_newest_query_wins() -> None:
    desk = Desk(Step(reply="foo(1)", gates={0: "held"}), "bar(2)")
    older = desk.start("x = ▮\n")
    await desk.engine.gate("held").reached.wait()
    assert await desk.show("y = ▮\n") == "y = «bar(2)»\n"
    assert await older == "SUPERSEDED"
    assert desk.engine.calls[0].outcome == "cancelled"


async def test_queries_in_one_breath() -> None:
    desk = Desk("bar(2)")
    first, second, third = (desk.start(f"{name} = ▮\n") for name in "xyz")
    assert await asyncio.gather(first, second) == ["SUPERSEDED", "SUPERSEDED"]
    assert await third == "z = «bar(2)»\n"


async def test_a_running_generation_is_taken_over() -> None:
    desk = Desk(Step(reply=("fo", "o(1)"), gates={1: "held"}))
    older = desk.start("x = ▮\n")
    await desk.engine.gate("held").reached.wait()
    newer = desk.start("x = f▮\n")
    assert await older == "SUPERSEDED"
    desk.engine.gate("held").open()
    assert await newer == "x = f«oo(1)»\n"
    assert len(desk.engine.calls) == 1


async def test_a_generation_that_turns_elsewhere_is_replaced() -> None:
    desk = Desk(Step(reply=("fo", "o(1)"), gates={0: "held"}), "r()")
    older = desk.start("x = ▮\n")
    await desk.engine.gate("held").reached.wait()
    newer = desk.start("x = ba▮\n")
    assert await older == "SUPERSEDED"
    desk.engine.gate("held").open()
    assert await newer == "x = ba«r()»\n"
    assert [call.outcome for call in desk.engine.calls] == ["cancelled", "finished"]


async def test_documents_do_not_disturb_each_other() -> None:
    desk = Desk(
        Step(reply="foo(1)", match="x = ", gates={0: "held"}), Step(reply="2", match="y = ")
    )
    first = desk.start("x = ▮\n")
    await desk.engine.gate("held").reached.wait()
    assert await desk.show("y = ▮\n", uri="file:///w/b") == "y = «2»\n"
    desk.engine.gate("held").open()
    assert await first == "x = «foo(1)»\n"


async def test_a_cancelled_query_stops_the_model() -> None:
    desk = Desk(Step(reply="foo(1)", gates={0: "held"}))
    task = desk.start("x = ▮\n")
    await desk.engine.gate("held").reached.wait()
    task.cancel()
    async with asyncio.timeout(5):
        await desk.engine.calls[0].ended.wait()
    assert desk.engine.calls[0].outcome == "cancelled"
    with pytest.raises(asyncio.CancelledError):
        await task


def test_every_reason_is_a_sentence() -> None:
    assert all(reason.value.endswith(".") for reason in NoSuggestion)
