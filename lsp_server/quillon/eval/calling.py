"""The tasks `calls` and `bugs` on dialogues: decisions, arguments, chains, facts, mistakes.

A decision is asked with the dialogue's own history, so that one mistake is counted once; a chain
is what the model does by itself from the question on.
"""

import re
from collections.abc import Sequence
from functools import partial

from quillon.eval.asking import Asker, Mode, Said
from quillon.eval.dialogues import Dialogue
from quillon.eval.grading import finds_nothing, has_facts, same_calls, same_names
from quillon.eval.outcomes import Outcome, Question
from quillon.eval.replay import Played, play
from quillon.prompt.messages import Message

MODES: tuple[Mode, ...] = ("free", "schema", "span")
_CODE = re.compile(r"`([^`\n]+)`")


def dialogue_questions(asker: Asker, dialogues: Sequence[Dialogue]) -> list[Question]:
    """One question for each dialogue: what is right in it."""
    return [
        Question(
            "bugs" if dialogue.kind == "bug" else "calls" if dialogue.tools else "answers",
            dialogue.id,
            partial(_outcome, asker, dialogue),
        )
        for dialogue in dialogues
    ]


async def _outcome(asker: Asker, dialogue: Dialogue) -> Outcome:
    if dialogue.kind == "bug":
        return await _mistake(asker, dialogue)
    return await (_calls if dialogue.tools else _answered)(asker, dialogue)


async def _calls(asker: Asker, dialogue: Dialogue) -> Outcome:
    marks: dict[str, bool] = {}
    shown = dialogue.messages[0].content
    last = len(dialogue.messages) - 1
    for index in dialogue.decisions:
        history, expected = dialogue.messages[:index], dialogue.messages[index]
        said = await asker.ask(history, dialogue.tools, live=dialogue.live)
        if expected.tool_calls and (said.calls or said.broken):
            marks["valid calls"] = marks.get("valid calls", True) and _valid(asker, dialogue, said)
        if index == 1:
            marks |= _first(said, expected)
            marks |= await _by_mode(asker, dialogue, said)
        else:
            marks |= _later(said, expected, history)
        if index == last and dialogue.facts:
            right = not said.calls and has_facts(said.text, dialogue.facts)
            marks["right facts in the answer"] = right
        shown += f"\n→ {said.shown}"
    return Outcome("calls", dialogue.id, marks | await _chain(asker, dialogue, marks), shown=shown)


async def _chain(asker: Asker, dialogue: Dialogue, marks: dict[str, bool]) -> dict[str, bool]:
    """What becomes of the whole turn; it is lost where the first calls already are wrong."""
    if "exact arguments" not in marks:
        return {}
    played = (
        await play(asker, dialogue) if marks["exact arguments"] else Played(chain=False, answer="")
    )
    told = played.chain and has_facts(played.answer, dialogue.facts)
    return {"whole chain": played.chain, "chain and facts": told}


def _first(said: Said, expected: Message) -> dict[str, bool]:
    marks = {
        "right first decision (tool or none)": not said.broken
        and same_names(said.calls, expected.tool_calls)
    }
    if not expected.tool_calls:
        return {**marks, "no call where none fits": not said.calls and not said.broken}
    exact = same_calls(said.calls, expected.tool_calls)
    marks["exact arguments"] = exact
    if len(expected.tool_calls) > 1:
        marks["parallel calls exact"] = exact
    return marks


def _later(said: Said, expected: Message, history: Sequence[Message]) -> dict[str, bool]:
    marks: dict[str, bool] = {}
    if expected.tool_calls:
        exact = same_calls(said.calls, expected.tool_calls)
        marks["exact arguments, later calls"] = exact
        if history[-1].content.startswith("Error"):
            marks["mended after an error"] = exact
    else:
        marks["answers when all is known"] = not said.calls and not said.broken
    return marks


async def _by_mode(asker: Asker, dialogue: Dialogue, usual: Said) -> dict[str, bool]:
    """Valid and exact calls of the first decision, with each grammar and without."""
    marks: dict[str, bool] = {}
    history, expected = dialogue.messages[:1], dialogue.messages[1]
    for mode in MODES if expected.tool_calls else ():
        said = (
            usual
            if mode == asker.mode
            else await asker.ask(history, dialogue.tools, mode, dialogue.live)
        )
        if said.calls or said.broken:
            marks[f"valid, {mode}"] = _valid(asker, dialogue, said)
        marks[f"exact, {mode}"] = same_calls(said.calls, expected.tool_calls)
    return marks


def _valid(asker: Asker, dialogue: Dialogue, said: Said) -> bool:
    return not said.broken and all(asker.valid(call, dialogue.tools) for call in said.calls)


async def _mistake(asker: Asker, dialogue: Dialogue) -> Outcome:
    """Code with a known mistake, whose line stands in backticks in the reference, or without."""
    reference = dialogue.messages[-1].content
    said = await asker.ask(dialogue.messages[:1], dialogue.tools, live=dialogue.live)
    if finds_nothing(reference):
        marks = {"clean code accused": not finds_nothing(said.text)}
    else:
        line = _CODE.match(reference)
        named = (
            any(re.search(one, said.text, re.IGNORECASE) for one in dialogue.accepted)
            if dialogue.accepted
            else has_facts(said.text, dialogue.facts)
        )
        marks = {
            "mistake named": named,
            "mistake and line named": named and (line is None or line[1] in said.text),
        }
    asked = dialogue.messages[0].content
    return Outcome("bugs", dialogue.id, marks, shown=f"{asked}\n→ {said.text}")


async def _answered(asker: Asker, dialogue: Dialogue) -> Outcome:
    """A question about code that is given, as editors' actions ask it."""
    said = await asker.ask(dialogue.messages[:1], dialogue.tools, live=dialogue.live)
    marks = {f"{dialogue.kind}: the reference's facts": has_facts(said.text, dialogue.facts)}
    asked = dialogue.messages[0].content
    return Outcome("answers", dialogue.id, marks, shown=f"{asked}\n→ {said.text}")
