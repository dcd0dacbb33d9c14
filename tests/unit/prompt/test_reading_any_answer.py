"""Whatever a model writes: reading it never raises, and never depends on the chunks."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quillon_testing.answers import definition, plainly, read

ROOT = Path(__file__).parents[3]


def load_fuzzer():
    spec = importlib.util.spec_from_file_location("fuzz_calls", ROOT / "benchmarks/fuzz_calls.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_calls"] = module
    spec.loader.exec_module(module)
    return module


FUZZER = load_fuzzer()
ANSWERS = st.lists(st.sampled_from(FUZZER.FRAGMENTS) | st.text(max_size=5), max_size=12).map(
    "".join
)
TOOLS = [definition("f", {"a": {"type": "integer"}})]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_calls(seed):
    wrong, counts, _ = FUZZER.run((seed, 1000))
    assert wrong is None
    assert counts["call"] > 100  # the generator makes calls, and not only noise
    assert counts["broken"] > 50


@given(ANSWERS, st.lists(st.integers(0, 100)), st.booleans(), st.sampled_from(["stop", "length"]))
def test_chunks_do_not_matter(text, cuts, anywhere, reason):
    places = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    parts = [text[a:b] for a, b in pairwise(places)]
    settings = {"tools": TOOLS, "anywhere": anywhere, "reason": reason}
    assert read(parts, **settings) == read([text], **settings)


@given(ANSWERS, st.integers(1, 7))
def test_bytes_may_be_cut_inside_a_character(text, size):
    text = text.encode("utf-8", "replace").decode()
    deltas = plainly(text, size)
    whole = read(plainly(text, 10**6), tools=TOOLS, tag_tokens=True)
    assert read(deltas, tools=TOOLS, tag_tokens=True) == whole


@given(ANSWERS)
def test_no_text_is_lost_without_a_call(text):
    pieces = read([text])
    assume("<think>" not in text and all(piece[0] != "call" for piece in pieces))
    kept = "".join(piece[1] for piece in pieces)
    assert "".join(kept.split()) == "".join(text.split())


GOOD = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
MEGABYTE = 1_000_000
HUGE = {
    "a long string": '<tool_call>{"name": "f", "arguments": {"x": "' + "y" * MEGABYTE + '"}}',
    "deep lists": '<tool_call>{"name": "f", "arguments": {"x": ' + "[" * 10_000 + "]" * 10_000,
    "deep objects": '<tool_call>{"name": "f", "arguments": '
    + '{"a":' * 10_000
    + "1"
    + "}" * 10_000,
    "a long number": '<tool_call>{"name": "f", "arguments": {"x": ' + "1" * MEGABYTE + "}}",
    "a long value": "<tool_call><function=f><parameter=x>" + "y<" * (MEGABYTE // 2),
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
@pytest.mark.parametrize("size", [10**7, 37])
def test_what_no_call_can_be_is_refused(text, size):
    text += f"</tool_call>{GOOD}"
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    pieces = read(parts, tools=TOOLS)
    assert [piece[0] for piece in pieces] == ["broken", "call"]
    assert any(word in pieces[0][2] for word in ("longer than", "levels deep", "too long"))


def test_bare_json_beyond_the_limit_is_text():
    text = '{"name": "f", "arguments": {"x": "' + "y" * MEGABYTE + '"}}'
    assert read([text], tools=TOOLS) == [("text", text)]


# Each of these would take hours if what was read before were looked at again and again.
REPEATED = [
    *('<tool_call>{"a": "', "<tool_call><function=a><parameter=b>", "<tool_call>", "<function=f>"),
    *("<think>", '{"name": ', '```json\n{"', "<", "[{", "\n```\n", '\n{"name": "x <tool_call>'),
    *("<tool_call>{'a': '</tool_call>", "<function=a><parameter=b>x</function>", " ", "}"),
]


@pytest.mark.parametrize("unit", REPEATED)
def test_the_time_grows_with_the_length_only(unit):
    text = unit * (40_000 // len(unit))
    assert read([text]) == read([text[at : at + 100] for at in range(0, len(text), 100)])
