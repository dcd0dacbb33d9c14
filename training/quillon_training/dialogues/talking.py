"""Requests that no tool answers: talk, unclear requests, and questions about code that is given."""

import ast
import re
import textwrap
import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from quillon_training.dialogues.bugs import CLEAN, EXCEPTIONS, PATTERNS, Pattern, injected
from quillon_training.dialogues.problems import CHECKERS, NAMED, OF_PATTERNS, names_in
from quillon_training.dialogues.projects import FUNCTIONS, MODULES, PACKAGES
from quillon_training.dialogues.recorder import Scene
from quillon_training.dialogues.records import Dialogue, Language
from quillon_training.dialogues.repository import Symbol
from quillon_training.dialogues.scenarios import Scenario
from quillon_training.dialogues.wording import is_held

_CAPITAL = 0.4
_MOST_LINES = 24
_MOST_READ = 80  # lines with the docstring
_LENGTHS = (5, 8, 12, _MOST_LINES)
_CLEAN_SHARE = 0.3  # of what is asked about; that of the dialogues is about 0.4
_LOOKED_AT = 150  # functions, for one that can hold a mistake
_ANY_SHARE = 0.02  # of them; makes about half of the innocent ones such that cannot
_SAID_BY_CHECKER = 0.5
_WITH_TOOLS = 0.5  # of questions about code that is given: the chat has tools, actions have none
_SHORTEST_SUMMARY, _LONGEST_SUMMARY = 15, 120  # characters
_EN_BUG = (
    "is there a bug in this code?",
    "what is wrong with this code?",
    "do you see a mistake here?",
    "review this code",
    "check this code for bugs",
    "find the bug in this code",
    "is this code right?",
    "please review this function",
    "what's the problem with this function?",
    "any bugs here?",
    "can you spot a mistake?",
    "look for mistakes in this code",
    "why might this be wrong?",
    "does this function have a problem?",
)
_ZH_BUG = (
    "这段代码有问题吗？",
    "这段代码有什么错误？",
    "检查一下这段代码",
    "帮我找出这段代码的错误",
    "审查这段代码",
    "这个函数对吗？",
    "看看这段代码哪里不对",
    "这段代码有 bug 吗？",
)
_EN_TRACE = (
    "what does this error mean?",
    "explain this exception",
    "why do I get this error?",
    "I get this traceback, what is wrong?",
    "explain this traceback",
    "what causes this error?",
    "help me with this error",
    "how do I fix this exception?",
    "what went wrong here?",
    "what is this error about?",
    "why does it crash?",
    "can you explain this error?",
)
_ZH_TRACE = (
    "这个错误是什么意思？",
    "解释一下这个异常",
    "为什么会报这个错？",
    "这个报错怎么解决？",
    "帮我看看这个错误",
    "这个异常是什么原因？",
    "程序为什么崩溃？",
    "解释这个报错",
)
_TYPES = ("str", "list", "dict", "int", "float", "tuple", "set", "bytes")


async def talk(scene: Scene) -> Dialogue | None:
    """Greetings, thanks, general questions, and what has nothing to do with code."""
    text = files("quillon_training").joinpath("data/conversations.toml").read_text("utf-8")
    group = scene.rng.choice(tomllib.loads(text)[scene.language])
    asked = _kept(tuple(group["ask"]), unseen=scene.unseen)
    question = scene.rng.choice(asked)
    scene.say(
        question
        + scene.rng.choice(("", "", "?", "!") if scene.language == "en" else ("", "？", "。"))
    )
    return scene.answer("talk", group["answer"], group["answer"])


async def general(scene: Scene) -> Dialogue | None:
    """Questions of general knowledge, which neither a tool nor a small model answers."""
    topics = tomllib.loads(
        files("quillon_training").joinpath("data/topics.toml").read_text("utf-8")
    )
    group = scene.rng.choice(("concepts", "concepts", "tasks", "off"))
    text = scene.rng.choice(_kept(tuple(topics[group][scene.language]), unseen=scene.unseen))
    if group != "off":
        text = scene.rng.choice(topics["forms"][group][scene.language]).format(x=text)
    if scene.rng.random() < _CAPITAL:
        text = text[0].upper() + text[1:]
    scene.say(text + scene.rng.choice(("", "", "?", ".") if scene.language == "en" else ("", "？")))
    said = topics["answers"][scene.language][group == "off"]
    return scene.answer("general", said, said)


async def unclear(scene: Scene) -> Dialogue | None:
    """A request that names nothing: a question back."""
    scene.ask("unclear")
    said = scene.either(
        "Which file or symbol do you mean? Please name it.",
        "你指的是哪个文件或者符号？请说出名字。",
    )
    return scene.answer("unclear", said, scene.either("Which", "哪个"))


async def mistake(scene: Scene) -> Dialogue | None:
    """A function with a known mistake, or as its authors wrote it.

    Every mistake is looked for equally often, and rare where the code that can hold it is rare;
    about half of the innocent functions could have held one.
    """
    pattern = scene.rng.choice(PATTERNS)
    innocent = scene.rng.random() < _CLEAN_SHARE
    found = _with_mistake(scene, pattern, any_share=_ANY_SHARE if innocent else 0)
    if found is None:
        return None
    _, code, made = found
    tools = not scene.unseen and scene.rng.random() < _WITH_TOOLS
    if innocent or made is None:
        _say_code(scene, _EN_BUG, _ZH_BUG, code)
        said = scene.either(*CLEAN)
        return scene.answer("bug", said, said, tools=tools)
    code, line = made
    _say_code(scene, _EN_BUG, _ZH_BUG, code)
    said = f"`{line}`: {scene.either(pattern.english, pattern.chinese)}"
    fact = scene.either(pattern.name, pattern.chinese.split("：")[0])
    return scene.answer("bug", said, fact, tools=tools)


async def problem(scene: Scene) -> Dialogue | None:
    """The editor's action: what a checker's message means, as the chat or a page asks it."""
    if scene.rng.random() < _SAID_BY_CHECKER:
        pattern = scene.rng.choice(PATTERNS)
        found = _with_mistake(scene, pattern)
        if found is None:
            return None
        symbol, _, made = found
        if made is None:
            return None
        code, line = made
        message = scene.rng.choice(OF_PATTERNS[pattern.name])
        said = f"`{line}`: {scene.either(pattern.english, pattern.chinese)}"
        fact = scene.either(pattern.name, pattern.chinese.split("：")[0])
    else:
        symbol, kind = scene.symbol(), scene.rng.choice(NAMED)
        code = _code(scene, symbol) or ""
        names = names_in(code, kind)
        if not names:
            return None
        values = {"x": scene.rng.choice(names), "type": scene.rng.choice(_TYPES)}
        message = scene.rng.choice(kind.messages).format(**values)
        said = fact = scene.either(kind.english, kind.chinese).format(**values)
    if scene.rng.random() < _SAID_BY_CHECKER:
        message += f" ({scene.rng.choice(CHECKERS)})"
    asked = scene.either(
        f"explain this error: {message}\nWhat causes it, and how is it mended?",
        f"解释一下这个报错：{message}\n是什么原因造成的，应该怎样修改？",
    )
    tools = scene.rng.random() < _WITH_TOOLS
    _say_given(scene, asked, symbol, code, attached=tools)
    return scene.answer("problem", said, fact, tools=tools)


async def traceback(scene: Scene) -> Dialogue | None:
    """An exception in a real function, as Python prints it."""
    symbol = scene.symbol()
    code = scene.repository.text(symbol.path).splitlines()
    number = scene.rng.randint(symbol.first, symbol.last)
    if symbol.kind == "class" or not code[number - 1].strip():
        return None
    kind, message, english, chinese = scene.rng.choice(EXCEPTIONS)
    values = {
        "name": symbol.name.split(".")[-1],
        "argument": scene.rng.choice(symbol.parameters or (scene.symbol().name.split(".")[-1],)),
        "type": scene.rng.choice(_TYPES),
        "module": symbol.path.rpartition("/")[2].removesuffix(".py"),
    }
    shown = f"{kind}: {message.format(**values)}" if message else kind
    trace = (
        "Traceback (most recent call last):\n"
        f'  File "{symbol.path}", line {number}, in {values["name"]}\n'
        f"    {code[number - 1].strip()}\n{shown}"
    )
    _say_code(scene, _EN_TRACE, _ZH_TRACE, trace, language="")
    place = f"{symbol.path}:{number}"
    explained = scene.either(english, chinese).format(**values)
    said = scene.either(f"At {place}: {explained}.", f"在 {place}：{explained}。")
    return scene.answer("traceback", said, place, explained)


async def docstring(scene: Scene) -> Dialogue | None:
    """The editor's action: a docstring for code without one."""
    symbol = _documented(scene)
    code = _code(scene, symbol) if symbol else None
    if symbol is None or code is None:
        return None
    asked = scene.either(
        "write a docstring for this code. Answer with the docstring only.",
        "给这段代码写文档字符串。只回答文档字符串。",
    )
    scene.say(f"{asked}\n```python\n{code}\n```")
    return scene.answer("docstring", f'"""{symbol.summary}"""', symbol.summary, tools=False)


async def explain_code(scene: Scene) -> Dialogue | None:
    """The editor's action: what a piece of code does, and what it takes."""
    symbol = _documented(scene)
    code = _code(scene, symbol) if symbol else None
    if symbol is None or code is None:
        return None
    tools = not scene.unseen and scene.rng.random() < _WITH_TOOLS
    asked = scene.either("explain this code", "解释一下这段代码")
    _say_given(scene, asked, symbol, code, attached=tools)
    listed = ", ".join(f"`{name}`" for name in symbol.parameters)
    takes = scene.either(f" It takes {listed}.", f" 它的参数是 {listed}。") if listed else ""
    name = symbol.name.split(".")[-1]
    return scene.answer(
        "explaincode", f"`{name}`: {symbol.summary}{takes}", symbol.summary, tools=tools
    )


async def write_test(scene: Scene) -> Dialogue | None:
    """The editor's action: a test for a function, with pytest."""
    base, parameter, bodies, given, expected = scene.rng.choice(FUNCTIONS)
    imported = f"from {scene.rng.choice(PACKAGES)}.{scene.rng.choice(MODULES)} import {base}"
    asked = scene.either(
        f"write a test for {base} with pytest ({imported}). Answer with the code of the test in "
        "one code block.",
        f"用 pytest 为 {base} 写一个测试（{imported}）。请用一个代码块给出测试代码。",
    )
    scene.say(f"{asked}\n```python\ndef {base}({parameter}):\n    {bodies[0]}\n```")
    code = f"{imported}\n\n\ndef test_{base}():\n    assert {base}({given}) == {expected}"
    return scene.answer("writetest", f"```python\n{code}\n```", f"test_{base}", tools=False)


def _kept(options: tuple[str, ...], *, unseen: bool) -> tuple[str, ...]:
    """The options for training, or those for evaluation (all where there are too few)."""
    part = tuple(option for number, option in enumerate(options) if is_held(number) == unseen)
    return part or options


def _say_code(
    scene: Scene,
    english: tuple[str, ...],
    chinese: tuple[str, ...],
    code: str,
    language: Language | str = "python",
) -> None:
    options = chinese if scene.language == "zh" else english
    asked = scene.rng.choice(_kept(options, unseen=scene.unseen))
    fenced = f"```{language}\n{code}\n```"
    scene.say(f"{asked}\n{fenced}" if scene.rng.random() < 0.7 else f"{fenced}\n{asked}")  # noqa: PLR2004


def _with_mistake(
    scene: Scene, pattern: Pattern, *, any_share: float = 0
) -> tuple[Symbol, str, tuple[str, str] | None] | None:
    """A function that can hold a mistake: itself, its code, and that with the mistake and its line.

    Of those that cannot, `any_share` is taken all the same.
    """
    most_lines = scene.rng.choice(_LENGTHS)
    for _ in range(_LOOKED_AT):
        symbol = scene.symbol()
        code = _code(scene, symbol, most_lines)
        made = injected(pattern, code, scene.rng) if code is not None else None
        if code is not None and (made or scene.rng.random() < any_share):
            return symbol, code, made
    return None


def _say_given(scene: Scene, asked: str, symbol: Symbol, code: str, *, attached: bool) -> None:
    """Code as the chat attaches it, with its place before and the question behind, or as a page."""
    label = f"{symbol.path}:{symbol.first}-{symbol.last}"
    form = (
        f"{label}\n```\n{code}\n```\n\n{asked}" if attached else f"{asked}\n```python\n{code}\n```"
    )
    scene.say(form)


def _documented(scene: Scene) -> Symbol | None:
    found = [
        item
        for item in scene.repository.symbols
        if _SHORTEST_SUMMARY < len(item.summary) < _LONGEST_SUMMARY and item.kind != "class"
    ]
    return scene.rng.choice(found) if found else None


def _code(scene: Scene, symbol: Symbol, most_lines: int = _MOST_LINES) -> str | None:
    """A function's source without its docstring; None where it is too long or nothing is left."""
    if symbol.kind == "class" or symbol.last - symbol.first > _MOST_READ:
        return None
    code = _undocumented(scene.repository.root / symbol.path, symbol.first, symbol.last)
    return code if code and 2 <= len(code.splitlines()) <= most_lines else None  # noqa: PLR2004


@lru_cache(maxsize=10_000)
def _undocumented(path: Path, first: int, last: int) -> str | None:
    lines = path.read_text("utf-8").splitlines()[first - 1 : last]
    code = textwrap.dedent("\n".join(lines))
    if not re.match(r"(?:async )?def ", code):
        return None
    node = ast.parse(code).body[0]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
        rest = code.splitlines()
        docstring = node.body[0]
        del rest[docstring.lineno - 1 : docstring.end_lineno]
        code = "\n".join(rest)
        if len(node.body) == 1:
            return None
    return code


TALKING: dict[str, tuple[Scenario, float]] = {
    "talk": (talk, 1.5),
    "general": (general, 0.8),  # more of them, and a small model declines what tools do
    "unclear": (unclear, 1.0),
    "bug": (mistake, 2.0),
    "problem": (problem, 1.0),
    "traceback": (traceback, 0.8),
    "docstring": (docstring, 0.5),
    "explaincode": (explain_code, 0.5),
    "writetest": (write_test, 0.3),
}
