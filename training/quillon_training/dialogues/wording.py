"""How a request is put: sentences from `data/wordings.toml`, framed, quoted and spelled freely."""

import random
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files

from quillon_training.dialogues.records import Language

_EVERY_HELD = 8
_LOWER, _NO_MARK, _UNQUOTED, _ASIDE = 0.25, 0.15, 0.5, 0.2
_QUOTES = ("`{}`", "'{}'", '"{}"')
_ALTERNATIVES = re.compile(r"\(([^()]*\|[^()]*)\)")
_CHINESE_QUOTES = ("`{}`", "“{}”", "「{}」", '"{}"')


class Wordings:
    """The sentences; `unseen` ones are those kept for evaluation."""

    def __init__(self, *, unseen: bool = False) -> None:
        text = files("quillon_training").joinpath("data/wordings.toml").read_text("utf-8")
        self._groups = tomllib.loads(text)
        self._unseen = unseen

    def request(self, intent: str, language: Language, rng: random.Random, **values: object) -> str:
        """A request of this intent with its placeholders filled; names may be quoted."""
        form, sentence = rng.choice(self.sentences(intent, language))
        shown = {key: self._spelled(value, language, rng) for key, value in values.items()}
        frame = _drawn(rng.choice(self._groups["frames"][language][form]), rng)
        text = frame.format(x=_drawn(sentence, rng).format(**shown)).strip()
        # A name at the beginning keeps its case: it is what the call must hold.
        text = _cased(text, rng, capital=not text.startswith(tuple(shown.values())))
        return self._with_aside(text, language, rng)

    def sentences(self, intent: str, language: Language) -> list[tuple[str, str]]:
        """The sentences of an intent with their forms, `do` or `ask`."""
        group = self._groups[intent][language]
        return [
            (form, sentence)
            for form in ("do", "ask")
            for number, sentence in enumerate(group[form])
            if is_held(number) == self._unseen
        ]

    def intents(self) -> list[str]:
        """What can be asked for."""
        return [name for name in self._groups if name not in ("frames", "asides")]

    def _with_aside(self, text: str, language: Language, rng: random.Random) -> str:
        """The request, sometimes with a sentence beside it that asks for nothing."""
        if rng.random() > _ASIDE:
            return text
        place = rng.choice(("before", "before", "behind"))
        said = self._groups["asides"][language][place]
        kept = [each for number, each in enumerate(said) if is_held(number) == self._unseen]
        aside, blank = _drawn(rng.choice(kept), rng), " " if language == "en" else ""
        if place == "before":
            return f"{aside}{blank}{text}"
        stop = "" if text.endswith(tuple(".?!。？！")) else "." if language == "en" else "。"
        return f"{text}{stop}{blank}{aside}"

    def _spelled(self, value: object, language: Language, rng: random.Random) -> str:
        if isinstance(value, int):
            return str(value)
        text = str(value)
        if rng.random() < _UNQUOTED and " " not in text:
            return text
        return rng.choice(_CHINESE_QUOTES if language == "zh" else _QUOTES).format(text)


def is_held(number: int) -> bool:
    """Whether the wording of this number in its list is kept for evaluation."""
    return number % _EVERY_HELD == _EVERY_HELD - 1


def variants(text: str) -> Iterator[str]:
    """All texts that `text` with its `(alternatives|others)` can be."""
    match = _ALTERNATIVES.search(text)
    if match is None:
        yield text
        return
    for option in match[1].split("|"):
        yield from variants(text[: match.start()] + option + text[match.end() :])


def _drawn(text: str, rng: random.Random) -> str:
    """The text with one of each `(alternative|other)`."""
    drawn = _ALTERNATIVES.sub(lambda match: rng.choice(match[1].split("|")), text)
    return " ".join(drawn.split())


def _cased(text: str, rng: random.Random, *, capital: bool) -> str:
    if rng.random() < _NO_MARK:
        text = text.rstrip("?.。？")
    if rng.random() < _LOWER or not text or not capital:
        return text
    return text[0].upper() + text[1:]
