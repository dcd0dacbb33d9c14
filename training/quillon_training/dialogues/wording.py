"""How a request is put: sentences from `data/wordings.toml`, framed, quoted and spelled freely."""

import random
import tomllib
from importlib.resources import files

from quillon_training.dialogues.records import Language

_EVERY_HELD = 8
_LOWER, _NO_MARK, _UNQUOTED = 0.25, 0.15, 0.5
_QUOTES = ("`{}`", "'{}'", '"{}"')
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
        frame = rng.choice(self._groups["frames"][language][form])
        return _cased(frame.format(x=sentence.format(**shown)), rng)

    def sentences(self, intent: str, language: Language) -> list[tuple[str, str]]:
        """The sentences of an intent with their forms, `do` or `ask`."""
        group = self._groups[intent][language]
        return [
            (form, sentence)
            for form in ("do", "ask")
            for number, sentence in enumerate(group[form])
            if (number % _EVERY_HELD == _EVERY_HELD - 1) == self._unseen
        ]

    def _spelled(self, value: object, language: Language, rng: random.Random) -> str:
        if isinstance(value, int):
            return str(value)
        text = str(value)
        if rng.random() < _UNQUOTED and " " not in text:
            return text
        return rng.choice(_CHINESE_QUOTES if language == "zh" else _QUOTES).format(text)


def _cased(text: str, rng: random.Random) -> str:
    if rng.random() < _NO_MARK:
        text = text.rstrip("?.。？")
    if rng.random() < _LOWER or not text:
        return text
    return text[0].upper() + text[1:]
