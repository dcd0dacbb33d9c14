"""What the model is asked for an action: one short question, the code, and as much around as fits.

Every text of the user's is a message's content, which the template never parses for special
tokens. Small models lose the question in long prompts, so they get the code alone.
"""

import asyncio
import textwrap
from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon.assist.actions import ActionKind, Offer
from quillon.assist.authorship import is_small
from quillon.assist.edits import indent_at
from quillon.context.counts import TokenCounts
from quillon.context.document import DocumentSnapshot
from quillon.context.gather import Gatherer
from quillon.context.material import LeftOut, Part, left_out_of
from quillon.context.neighbours import Neighbour, relative_path
from quillon.engine.base import Engine, EngineInfo, Prompt, PromptTooLong
from quillon.prompt.fences import fenced
from quillon.prompt.messages import Message
from quillon.prompt.template import ChatTemplate
from quillon.text import Span

_MARGIN = 16  # tokens
_MOST_AROUND = 6000  # tokens of what is around the code
_LEAST_AROUND = 48  # tokens; less explains nothing
_MESSAGE = 1_500  # characters of a problem's message
_NEAR = 12_000  # characters before and after the code whose absence is told
_LEAST_ANSWER = 160  # tokens
_ANSWERS = {
    ActionKind.EXPLAIN: 700,
    ActionKind.EXPLAIN_PROBLEM: 500,
    ActionKind.FIX: 1024,
    ActionKind.DOCSTRING: 320,
    ActionKind.IMPLEMENT: 1024,
    ActionKind.TEST: 1200,
}

_SYSTEM = "You are a coding assistant working in the user's repository."
_QUESTIONS = {
    ActionKind.EXPLAIN: "explain this code",
    ActionKind.EXPLAIN_PROBLEM: "explain this error: {problem}\n"
    "What causes it, and how is it mended?",
    ActionKind.FIX: "fix this problem: {problem}\nAnswer with the whole code, corrected, in one "
    "code block.",
    ActionKind.DOCSTRING: "write a docstring for this code. Answer with the docstring only.",
    ActionKind.IMPLEMENT: "implement this function. Answer with the whole function in one code "
    "block.",
    ActionKind.TEST: "write a test for {name} with {framework} ({import_line}). Answer with the "
    "code of the test in one code block.",
}
_QUESTIONS_ZH = {
    ActionKind.EXPLAIN: "解释一下这段代码",
    ActionKind.EXPLAIN_PROBLEM: "解释一下这个报错：{problem}\n是什么原因造成的，应该怎样修改？",
    ActionKind.FIX: "修复这个问题：{problem}\n请用一个代码块给出修改后的完整代码。",
    ActionKind.DOCSTRING: "给这段代码写文档字符串。只回答文档字符串。",
    ActionKind.IMPLEMENT: "实现这个函数。请用一个代码块给出完整的函数。",
    ActionKind.TEST: "用 {framework} 为 {name} 写一个测试（{import_line}）。"
    "请用一个代码块给出测试代码。",
}
_AROUND, _AROUND_ZH = "It is part of {path}:", "它是 {path} 的一部分："
_FROM, _FROM_ZH = "From {path}:", "来自 {path}："


class Asked(msgspec.Struct, frozen=True):
    """A prompt that fits, the tokens left for its answer, and what was left out, if anything."""

    prompt: Prompt
    max_tokens: int
    left_out: str


class Wording(msgspec.Struct, frozen=True):
    """What the question names besides the code. `chinese`: the user reads Chinese."""

    chinese: bool = False
    name: str = ""
    framework: str = ""
    import_line: str = ""


def question(offer: Offer, wording: Wording) -> str:
    """The question of an action, in the user's language."""
    table = _QUESTIONS_ZH if wording.chinese else _QUESTIONS
    problem = offer.problem
    said = "" if problem is None else _bounded(problem.message)
    if problem is not None and problem.source:
        said += f" ({problem.source})"
    return table[offer.kind].format(
        problem=said,
        name=wording.name,
        framework=wording.framework,
        import_line=wording.import_line,
    )


def _bounded(message: str) -> str:
    """A message of which the code is left room: compilers write pages about one template."""
    return message if len(message) <= _MESSAGE else f"{message[:_MESSAGE]} …"


async def ask(
    engine: Engine,
    snapshot: DocumentSnapshot,
    offer: Offer,
    wording: Wording,
    label: str,
    *,
    neighbours: Sequence[Neighbour] = (),
    roots: Sequence[Path] = (),
) -> Asked:
    """The prompt of an action; `label` names the file to the model.

    What is around the code, and parts of `neighbours`, go with it as far as they fit.

    Raises:
        PromptTooLong: The code itself does not fit the model's context.
        EngineError: The engine cannot be asked.
    """
    info = await engine.info()
    wanted = min(_ANSWERS[offer.kind], max(_LEAST_ANSWER, info.context // 2))
    said = _said(snapshot, offer, wording)
    alone, tokens = await _sized(engine, info, said)
    room = info.context - tokens
    if room < _LEAST_ANSWER:
        raise PromptTooLong(
            f"The code takes {tokens} tokens, and the model has room for "
            f"{max(0, info.context - _LEAST_ANSWER)}. Select less, or choose a larger context "
            "(setting quillon.model.contextSize)."
        )
    if is_small(info) or _is_all(snapshot, offer.span):
        return Asked(alone, min(wanted, room), "")
    if not snapshot.is_parsed:
        await asyncio.to_thread(snapshot.settled)
    own = relative_path(snapshot.path, roots) or snapshot.uri
    others = [one for one in neighbours if relative_path(one.snapshot.path, roots) != own]
    gatherer = Gatherer(engine)
    budget = min(_MOST_AROUND, room - wanted)
    while budget >= _LEAST_AROUND:
        found = await gatherer.about(snapshot, offer.span, budget, neighbours=others, roots=roots)
        if found.left_out.lines:
            break  # not even the code fits once more
        around = _around(snapshot, found.parts, own, label, wording)
        prompt, tokens = await _sized(engine, info, f"{said}\n\n{around}")
        if info.context - tokens >= wanted:
            unseen = await _unseen(snapshot, offer.span, found.parts, own, gatherer.counts)
            return Asked(prompt, wanted, found.left_out.with_more(unseen).sentence())
        budget -= max(_LEAST_AROUND, wanted - (info.context - tokens))
    unseen = await _unseen(snapshot, offer.span, (), own, gatherer.counts)
    return Asked(alone, min(wanted, room), unseen.sentence())


async def _sized(engine: Engine, info: EngineInfo, text: str) -> tuple[Prompt, int]:
    """The prompt of a question, and its tokens."""
    messages = [Message(role="system", content=_SYSTEM), Message(role="user", content=text)]
    prompt = ChatTemplate.from_info(info).render(messages)
    return prompt, sum(await engine.count([segment.text for segment in prompt])) + _MARGIN


def _is_all(snapshot: DocumentSnapshot, span: Span) -> bool:
    """Whether a file holds nothing but the code."""
    return not (snapshot.text[: span.start] + snapshot.text[span.end :]).strip()


def _said(snapshot: DocumentSnapshot, offer: Offer, wording: Wording) -> str:
    """The question with the code."""
    whole = indent_at(snapshot.text, offer.span.start) + offer.span.cut(snapshot.text)
    return f"{question(offer, wording)}\n{_fenced(snapshot, textwrap.dedent(whole))}"


def _around(
    snapshot: DocumentSnapshot, parts: Sequence[Part], own: str, label: str, wording: Wording
) -> str:
    """Parts of other files, then those of the file itself, what is between them as dots."""
    lead = _FROM_ZH if wording.chinese else _FROM
    shown = [
        f"{lead.format(path=part.path)}\n{_fenced(None, part.text.rstrip())}"
        for part in parts
        if part.path != own
    ]
    here = "\n...\n".join(part.text.rstrip() for part in parts if part.path == own)
    lead = _AROUND_ZH if wording.chinese else _AROUND
    shown.append(f"{lead.format(path=label)}\n{_fenced(snapshot, here)}")
    return "\n\n".join(shown)


async def _unseen(
    snapshot: DocumentSnapshot,
    span: Span,
    parts: Sequence[Part],
    own: str,
    counts: TokenCounts,
) -> LeftOut:
    """What the model does not get to see of the text near the code, which the user may expect."""
    lines = snapshot.lines
    near = range(
        lines.line_of(max(0, span.start - _NEAR)),
        lines.line_of(min(len(snapshot.text), span.end + _NEAR)) + 1,
    )
    code = range(lines.line_of(span.start), lines.line_of(max(span.start, span.end - 1)) + 1)
    seen = {line for part in parts if part.path == own for line in part.lines}
    return await left_out_of(lines, set(near) - seen - set(code), own, counts)


def _fenced(snapshot: DocumentSnapshot | None, code: str) -> str:
    language = "" if snapshot is None else snapshot.language_id
    if snapshot is not None and snapshot.language is not None:
        language = snapshot.language.id
    return fenced(code, language)
