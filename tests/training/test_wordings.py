"""How requests are worded: alternatives, and nothing of what later judges the model."""

import difflib
import random
import re
import tomllib
from pathlib import Path

from quillon_training.dialogues.wording import Wordings, variants

import quillon.eval

JUDGED = Path(quillon.eval.__file__).parent / "data/requests.toml"


def test_no_wording_is_a_near_copy_of_a_request_that_judges_the_model():
    judged = []
    for request in tomllib.loads(JUDGED.read_text("utf-8"))["request"]:
        text = request["text"]
        for _, arguments in (*request.get("any", ()), *request.get("both", ())):
            for value in map(str, arguments.values()):
                text = text.replace(value, " x ")
        judged.append(_words(text))
    assert len(judged) == 60
    wordings = Wordings()
    for intent in wordings.intents():
        for language in ("en", "zh"):
            for _, sentence in wordings.sentences(intent, language):
                for words in map(_words, variants(sentence)):
                    near = [other for other in judged if _alike(words, other)]
                    assert not near, sentence


def test_near_copies_are_recognised():
    assert _alike(_words("where is {name} defined now"), _words("Where is x defined?"))
    assert not _alike(_words("where is {name} defined"), _words("Who defines x? I need the file."))


def test_alternatives_are_drawn_and_nothing_of_their_form_is_left():
    assert list(variants("(a|b) x{n} (c|)")) == ["a x{n} c", "a x{n} ", "b x{n} c", "b x{n} "]
    rng, wordings = random.Random(3), Wordings()  # noqa: S311
    for intent in ("where", "explain"):
        for _ in range(300):
            said = wordings.request(intent, "en", rng, name="load")
            assert "load" in said
            assert not set("|{}") & set(said)
            assert "  " not in said


def _words(text):
    return re.findall(r"[a-z]+|[\u4e00-\u9fff]", re.sub(r"\{\w+\}", "x", text).lower())


def _alike(words, other):
    shared = len(set(words) & set(other)) / max(1, len(set(words) | set(other)))
    # What is said in four words, everybody says.
    if len(words) <= 4 or shared <= 0.5:
        return False
    return difflib.SequenceMatcher(None, words, other).ratio() > 0.84
