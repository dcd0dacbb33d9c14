"""What the model is asked for an action: one short question, the code, and as much around as fits.

Every text of the user's is a message's content, which the template never parses for special
tokens. Small models lose the question in long prompts, so they get the code alone.
"""

import textwrap

import msgspec

from quillon.assist.actions import ActionKind, Offer
from quillon.assist.edits import indent_at
from quillon.context.document import DocumentSnapshot
from quillon.engine.base import Engine, EngineInfo, Prompt, PromptTooLong
from quillon.prompt.messages import Message
from quillon.prompt.template import ChatTemplate
from quillon.text import Span

SMALL = 300_000_000  # weights; below, a model gets no more than the code in question

_MARGIN = 16  # tokens
_MOST_AROUND = 24_000  # characters of the file around the code, before it is cut to fit
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


def reads_chinese(locale: str) -> bool:
    """Whether an editor's locale, such as `zh-cn`, means Chinese."""
    return locale.lower().replace("_", "-").split("-")[0] == "zh"


def question(offer: Offer, wording: Wording) -> str:
    """The question of an action, in the user's language."""
    table = _QUESTIONS_ZH if wording.chinese else _QUESTIONS
    problem = offer.problem
    said = f"{problem.message} ({problem.source})" if problem and problem.source else ""
    return table[offer.kind].format(
        problem=said or (problem.message if problem else ""),
        name=wording.name,
        framework=wording.framework,
        import_line=wording.import_line,
    )


async def ask(
    engine: Engine, snapshot: DocumentSnapshot, offer: Offer, wording: Wording, label: str
) -> Asked:
    """The prompt of an action; `label` names the file to the model.

    Raises:
        PromptTooLong: The code itself does not fit the model's context.
        EngineError: The engine cannot be asked.
    """
    info = await engine.info()
    template = ChatTemplate.from_info(info)
    wanted = min(_ANSWERS[offer.kind], max(_LEAST_ANSWER, info.context // 2))
    around = "" if _is_small(info) else _around(snapshot, offer.span)
    whole = len(around)
    while True:
        text = _text(snapshot, offer, wording, label, around)
        messages = [Message(role="system", content=_SYSTEM), Message(role="user", content=text)]
        prompt = template.render(messages)
        tokens = sum(await engine.count([segment.text for segment in prompt])) + _MARGIN
        room = info.context - tokens
        if room >= wanted or (not around and room >= _LEAST_ANSWER):
            cut = (
                f"{whole - len(around)} characters of the file left out"
                if whole > len(around)
                else ""
            )
            return Asked(prompt, min(wanted, room), cut)
        if not around:
            raise PromptTooLong(
                f"The code takes {tokens} tokens, and the model has room for "
                f"{max(0, info.context - _LEAST_ANSWER)}. Select less, or choose a larger context "
                "(setting quillon.model.contextSize)."
            )
        around = _narrower(around, offer.span.cut(snapshot.text))


def _is_small(info: EngineInfo) -> bool:
    return info.embedded or 0 < info.parameters < SMALL


def _text(
    snapshot: DocumentSnapshot, offer: Offer, wording: Wording, label: str, around: str
) -> str:
    whole = indent_at(snapshot.text, offer.span.start) + offer.span.cut(snapshot.text)
    said = f"{question(offer, wording)}\n{_fenced(snapshot, textwrap.dedent(whole))}"
    if not around:
        return said
    lead = (_AROUND_ZH if wording.chinese else _AROUND).format(path=label)
    return f"{said}\n\n{lead}\n{_fenced(snapshot, around)}"


def _fenced(snapshot: DocumentSnapshot, code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    language = snapshot.language.id if snapshot.language is not None else snapshot.language_id
    return f"{fence}{language}\n{code}\n{fence}"


def _around(snapshot: DocumentSnapshot, span: Span) -> str:
    """The file around the code, whole lines; empty where the code is all of it."""
    text = snapshot.text
    if not (text[: span.start] + text[span.end :]).strip():
        return ""
    if len(text) <= _MOST_AROUND:
        return text
    half = max(0, _MOST_AROUND - len(span)) // 2
    return text[max(0, span.start - half) : span.end + half]


def _narrower(around: str, code: str) -> str:
    """Less of the file around the code: half of what is before and half of what is after it."""
    at = around.find(code)
    before, after = at, len(around) - at - len(code)
    if at < 0 or before + after < len(around) // 8 + 80:
        return ""
    cut = around[before - before // 2 : at + len(code) + after // 2]
    lines = cut.split("\n")
    inner = "\n".join(lines[1:-1])
    return inner if code in inner else cut
