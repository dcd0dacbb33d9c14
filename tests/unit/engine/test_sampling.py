"""Text and tokens of an answer: characters, stop texts, triggers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quillon.engine.base import Delta, Token
from quillon.engine.sampling import Answer, Trigger


def check_answer(pieces, *, stop=(), text, stopped=False, deltas=None):
    """Feed the pieces until a stop text came; compare all of the text, or each delta."""
    answer = Answer(stop)
    seen = []
    for number, piece in enumerate(pieces):
        data = piece if isinstance(piece, bytes) else piece.encode()
        seen.append(answer.add(Token(number, data)))
        if answer.stopped:
            break
    seen.append(answer.finish())
    sent = [delta for delta in seen if delta is not None]
    assert "".join(delta.text for delta in sent) == text
    assert answer.stopped is stopped
    if deltas is not None:
        assert [delta.text for delta in sent] == deltas
    return sent


def split_at(data, places):
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def test_plain_text_leaves_at_once():
    check_answer(["def ", "f", "()"], text="def f()", deltas=["def ", "f", "()"])


def test_characters_are_never_cut():
    pieces = [bytes([byte]) for byte in "日本🙂é".encode()]
    check_answer(pieces, text="日本🙂é", deltas=["日", "本", "🙂", "é"])


def test_a_token_leaves_with_the_character_it_completes():
    first, second = "🙂".encode()[:2], "🙂".encode()[2:]
    sent = check_answer([b"a" + first, second + b"b"], text="a🙂b")
    assert [(delta.text, [token.id for token in delta.tokens]) for delta in sent] == [
        ("a", []),
        ("🙂b", [0, 1]),
    ]


def test_half_a_character_at_the_end_is_dropped():
    check_answer(["ok", "🙂".encode()[:3]], text="ok")


def test_bytes_that_are_no_text_become_replacement_characters():
    check_answer([b"a\xff", b"b"], text="a\ufffdb")


def test_a_stop_text_ends_the_answer_at_every_split():
    data = "x = 1\n\n日本\ndef g(): pass".encode()
    for place in range(len(data)):
        for second in range(place, len(data)):
            check_answer(
                split_at(data, [place, second]),
                stop=("\ndef ",),
                text="x = 1\n\n日本",
                stopped=True,
            )


def test_what_may_become_a_stop_text_waits():
    check_answer(
        ["a\n", "de", "x", "\nd"],
        stop=("\ndef ",),
        text="a\ndex\nd",
        deltas=["a", "\ndex", "\nd"],
    )


def test_the_earliest_of_several_stop_texts_counts():
    check_answer(["one STOP two END"], stop=("END", "STOP"), text="one ", stopped=True)


def test_an_overlapping_beginning_is_not_lost():
    check_answer(["aa", "aab"], stop=("aab",), text="aa", stopped=True)


def test_tokens_of_the_stop_text_are_not_part_of_the_answer():
    sent = check_answer(["a", "b<", "|", ">c"], stop=("<|>",), text="ab", stopped=True)
    assert [token.id for delta in sent for token in delta.tokens] == [0]


def test_control_tokens_have_no_text():
    answer = Answer()
    token = Token(1, b"<|im_start|>", None, special=True)
    assert answer.add(token, control=True) == Delta("", (token,))
    assert answer.add(Token(2, b"user")) == Delta("user", (Token(2, b"user"),))


def test_an_empty_stop_text_is_none():
    check_answer(["a", "b"], stop=("",), text="ab")


@given(st.text(max_size=30), st.lists(st.integers(0, 120), max_size=8), st.text(max_size=3))
def test_any_split_gives_the_text_before_the_stop(text, places, stop):
    data = text.encode()
    pieces = split_at(data, [place for place in places if place <= len(data)])
    at = text.find(stop) if stop else -1
    expected = text if at < 0 else text[:at]
    sent = check_answer(pieces, stop=(stop,), text=expected, stopped=at >= 0)
    if at < 0:
        tokens = [token.id for delta in sent for token in delta.tokens]
        assert tokens == list(range(len(pieces)))


def test_a_trigger_is_found_across_tokens():
    trigger = Trigger("<tool_call>")
    assert trigger.feed(b"I will <to") is None
    assert trigger.feed(b"ol_") is None
    assert trigger.feed(b"call>\n{") == b"<tool_call>\n{"


@given(st.binary(max_size=20), st.binary(max_size=5), st.lists(st.integers(0, 31), max_size=6))
def test_a_trigger_is_found_at_every_split(before, after, places):
    data = before.replace(b"<", b"") + b"<go>" + after
    trigger = Trigger("<go>")
    for end, piece in enumerate(pieces := split_at(data, [p for p in places if p <= len(data)])):
        begun = trigger.feed(piece)
        if begun is not None:
            so_far = b"".join(pieces[: end + 1])
            assert begun == so_far[so_far.index(b"<go>") :]
            return
    raise AssertionError("the trigger was not found")
