"""Sentences in Chinese: what is translated, and that English and Chinese stay together."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import quillon
import quillon_tools
from quillon.assist.agreement import Vote
from quillon.assist.inline_reason import NoSuggestion, Nothing
from quillon.chinese import in_chinese, reads_chinese
from quillon.context.material import LeftOut
from quillon.engine.catalogue import RECOMMENDED
from quillon_tools.registry import all_tools
from quillon_tools.workspace import Workspace

SERVER, TOOLS = (Path(package.__file__).parent for package in (quillon, quillon_tools))
TABLE = json.loads((SERVER / "chinese.json").read_text("utf-8"))
SLOT = re.compile(r"\{(\d+)(?:!s)?\}")
# Made of texts for people, in modules that make them for editors.
FOR_PEOPLE = {
    *("BadAnswer", "ContentModified", "ConversationError", "NoticeEvent"),
    *("PromptTooLong", "RequestFailed"),
}


def pattern(node: ast.AST) -> str | None:
    """A text with `{0}` for each value in it, as the table has it; None: it is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.split("\n\n")[0]  # of docstrings only the summary is shown
    if not isinstance(node, ast.JoinedStr):
        return None
    texts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    numbers = iter(range(len(texts)))
    return "".join(f"{{{next(numbers)}}}" if text is None else text for text in texts)


def nodes(folder: Path) -> Iterator[ast.AST]:
    for path in folder.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def test_the_english_is_what_the_code_says():
    said = {pattern(node) for folder in (SERVER, TOOLS) for node in nodes(folder)}
    assert sorted(set(TABLE) - said) == []


def test_what_varies_is_the_same_in_both_languages():
    for english, chinese in TABLE.items():
        there = SLOT.findall(english)
        assert there == [str(number) for number in range(len(there))], english
        assert set(SLOT.findall(chinese)) <= set(there), english


def test_every_reason_for_no_suggestion_has_chinese():
    assert [reason.value for reason in NoSuggestion if reason.value not in TABLE] == []


def test_every_notice_and_every_refusal_of_an_answer_has_chinese():
    missing = {
        text
        for folder in (SERVER / "assist", SERVER / "features")
        for node in nodes(folder)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in FOR_PEOPLE and node.args
        if (text := pattern(node.args[0])) is not None and text not in TABLE
    }
    assert missing == set()


def test_every_end_of_a_download_has_chinese():
    said = {
        pattern(node.args[0])
        for node in nodes(SERVER / "engine" / "pull")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"PullError", "_Broken"}
    }
    assert sorted(said - set(TABLE)) == []


def test_what_the_recommended_models_are_for_has_chinese():
    known = {*TABLE, "Apache-2.0"}
    assert {it for model in RECOMMENDED for it in (model.purpose, model.licence)} - known == set()


def test_every_tool_says_in_chinese_what_is_asked_for(tmp_path):
    (tmp_path / ".git").mkdir()
    tools = all_tools(Workspace((tmp_path,)))
    assert [tool.summary for tool in tools if tool.summary not in TABLE] == []


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("zh-cn", True), ("zh_CN.UTF-8", True), ("zh", True), ("en", False), ("", False)],
)
def test_who_reads_chinese(locale, expected):
    assert reads_chinese(locale) is expected


def test_a_reason_with_what_else_is_known():
    error = "There is no model file at /a b.gguf. `quillon model pull tiny` downloads it."
    assert in_chinese(Nothing(NoSuggestion.NO_MODEL, error).sentence) == snapshot(
        "没有模型在运行。/a b.gguf 处没有模型文件。可用 `quillon model pull tiny` 下载。"
    )
    failed = Nothing(NoSuggestion.ENGINE_FAILED, "(ValueError)")
    assert in_chinese(failed.sentence) == snapshot("模型未能回答。(ValueError)")


def test_sentences_with_names_and_numbers():
    left_out = LeftOut(("a.py", "b.py"), ("lines 3-9 of c.py",), 812)
    assert in_chinese(left_out.sentence()) == snapshot(
        "已省略：c.py 的第 3-9 行、2 个文件，共 812 个 token"
    )
    assert in_chinese(Vote(5, 2, ()).notice("run_tests")) == snapshot(
        "run_tests：模型不确定：5 次回答中有 2 次作出此调用。"
    )
    assert in_chinese(Vote(5, 2, ()).sentence) == snapshot(
        "模型不确定：5 次回答中有 2 次作出此调用。"
    )
    text = (
        "The engine failed 3 times in a row with the model /m.gguf; the last time it was killed by "
        "signal 9 (SIGKILL), perhaps because memory ran out. Its log is /log. Choose a smaller "
        "model or context, or restart the engine."
    )
    assert in_chinese(text) == snapshot(
        "引擎使用模型 /m.gguf 连续失败 3 次；最后一次它被信号 9（SIGKILL）终止，可能因为内存不足。"
        "其日志是 /log。请选择更小的模型或上下文，或重新启动引擎。"
    )


def test_the_end_of_a_download_with_its_reason():
    text = (
        "q/r:m.gguf could not be received: the server stopped after 1,000 of 2,000 bytes. What "
        "came is kept: the next pull goes on from there."
    )
    assert in_chinese(text) == snapshot(
        "无法接收 q/r:m.gguf：服务器在 2,000 字节中的 1,000 字节之后停止。"
        "已下载的部分会保留：下次下载从那里继续。"
    )
    away = "The Hub has no repository q/r, or it is private. Check the name. If it is private: "
    login = "Get a token at https://huggingface.co/settings/tokens and set HF_TOKEN to it."
    assert in_chinese(away + login) == snapshot(
        "Hub 上没有仓库 q/r，或者它是私有的。请检查名称。如果它是私有的："
        "请在 https://huggingface.co/settings/tokens 获取令牌，并将 HF_TOKEN 设为它。"
    )
    broken = "h.test/m.gguf is empty. It is deleted. Choose another file: what the server holds is "
    assert in_chinese(f"{broken}broken.") == snapshot(
        "h.test/m.gguf 是空的。已将其删除。请选择其他文件：服务器上的内容已损坏。"
    )
    online = "Is this machine online? Where a proxy is needed, set HTTPS_PROXY."
    refused = f"h.test cannot be reached: [Errno 111] Connection refused. {online}"
    assert in_chinese(refused) == snapshot(
        "无法连接 h.test：[Errno 111] Connection refused。"
        "本机是否联网？如果需要代理，请设置 HTTPS_PROXY。"
    )


def test_braces_in_names_stay():
    assert in_chinese("{0}{x}.py exists by now. Ask again.") == snapshot(
        "{0}{x}.py 现已存在。请重新提问。"
    )


def test_a_name_with_and_is_one_name():
    name = "black and white.py"
    lines = LeftOut((), (f"lines 3-9 of {name}",), 12)
    assert in_chinese(lines.sentence()) == snapshot(
        "已省略：black and white.py 的第 3-9 行，共 12 个 token"
    )
    several = LeftOut((name,), (f"lines 3-9 of {name}", "lines 1-2 of b.py"), 12)
    assert in_chinese(several.sentence()) == snapshot(
        "已省略：black and white.py 的第 3-9 行、b.py 的第 1-2 行、black and white.py，"
        "共 12 个 token"
    )


ADVICE = (
    "Set model.path or QUILLON_MODEL to a GGUF file of a text model, or leave both empty for the "
    "embedded model."
)
SAME_ADVICE = in_chinese(ADVICE)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("There is no model file at /me/v1. 2/m.gguf.", "/me/v1. 2/m.gguf 处没有模型文件。"),
        ("The model file /m/a b.gguf is empty.", "模型文件 /m/a b.gguf 是空的。"),
        (
            "The model file /m. 2/b cannot be read: Is a directory.",
            "模型文件 /m. 2/b 无法读取：Is a directory。",
        ),
        (
            "The file /m is. a/b c is a LoRA adapter: set it as model.adapter, beside a model.",
            "文件 /m is. a/b c 是LoRA 适配器：请把它设为 model.adapter，与模型一起使用。",
        ),
        (
            "The model file /my lines is cut off: its header needs 9 bytes, the file has 3.",
            "模型文件 /my lines 被截断：文件头需要 9 字节，而文件有 3 字节。",
        ),
    ],
)
def test_a_path_with_what_follows_it_in_a_sentence(problem, expected):
    assert in_chinese(ADVICE) != ADVICE
    assert in_chinese(f"{problem} {ADVICE}") == f"{expected}{SAME_ADVICE}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Explanation of 3 characters", "3 characters 的说明"),
        ("Problem in 3 characters", "3 characters 中的问题"),
        ("Proposed the new file is empty.", "建议新建文件 is empty。"),
        ("The server says of it: it ended", "服务器对它的说明：it ended"),
    ],
)
def test_names_are_not_translated(text, expected):
    assert in_chinese(text) == expected


@pytest.mark.parametrize("text", ["", "Nobody has translated this.", "两种语言都有。"])
def test_what_has_no_translation_stays(text):
    assert in_chinese(text) == text


@pytest.mark.parametrize("frame", ["{}", "Left out: {}, 3 tokens", "There is no model file at {}"])
@pytest.mark.parametrize(
    "piece", ["No model runs. ", ": cancelled", "it stopped and ", "lines 1-2 of a.py and ", " is "]
)
def test_sentences_in_sentences_come_to_an_end(frame, piece):
    # One that is searched again and again takes minutes, and the run ends with it.
    assert in_chinese(frame.format(piece * (750_000 // len(piece))))
