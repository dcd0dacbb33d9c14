"""The mean probability of a line's first tokens."""

import math

from pytest import approx  # noqa: PT013 - one name, read often

from quillon.assist.inline_confidence import Confidence
from quillon.engine.base import Token


def tokens(*parts: tuple[str, float]) -> list[Token]:
    return [
        Token(id=index, bytes=text.encode(), logprob=math.log(probability))
        for index, (text, probability) in enumerate(parts)
    ]


def confidence(*parts: tuple[str, float]) -> Confidence:
    result = Confidence()
    result.feed(tokens(*parts))
    return result


def test_the_first_tokens_count() -> None:
    read = confidence(*[("a", 0.8)] * 4, ("b", 0.3), *[("c", 0.01)] * 9)
    assert read.first == approx(0.7)
    assert read.decided


def test_blanks_say_nothing() -> None:
    read = confidence(("\n", 1.0), ("    ", 1.0), ("return", 0.5))
    assert read.first == approx(0.5)
    assert not read.decided


def test_a_finished_line_is_decided() -> None:
    assert confidence(("x", 0.9), ("\n", 1.0), ("y", 0.9)).decided


def test_unknown_probabilities_are_trusted() -> None:
    read = Confidence()
    read.feed([Token(id=1, bytes=b"a"), Token(id=2, bytes=b"\n"), Token(id=3, bytes=b"b")])
    assert read.first == 1.0
    assert read.weak_line(1.0) is None


def test_special_tokens_do_not_count() -> None:
    read = confidence(("a", 0.5))
    read.feed([Token(id=9, bytes=b"<|endoftext|>", logprob=0.0, special=True)])
    assert read.first == approx(0.5)


def test_a_later_line_may_be_weak() -> None:
    sure, unsure = ("a", 0.9), ("b", 0.1)
    read = confidence(("\n", 1.0), sure, ("\n", 1.0), sure, ("\n", 1.0), unsure)
    assert read.weak_line(0.5) == 3
    assert read.weak_line(0.1) is None


def test_nothing_was_read() -> None:
    read = Confidence()
    assert (read.first, read.decided, read.weak_line(0.5)) == (1.0, False, None)
