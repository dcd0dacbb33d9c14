"""Who wrote an answer, told where that is a small model: people should expect its mistakes."""

from quillon.engine.base import EngineInfo

BETTER_MODELS = "Qwen3-4B-Instruct-2507"
SMALL = 300_000_000  # weights; below, a model gets no more than the code in question

_MODEST = 2_000_000_000  # weights; below, an answer says what wrote it


def is_small(info: EngineInfo) -> bool:
    """Whether a model is so small that it loses the question in a long prompt."""
    return info.embedded or 0 < info.parameters < SMALL


def author(info: EngineInfo, *, chinese: bool = False) -> str:
    """A line on who wrote an explanation, where that is a small model; else empty."""
    if chinese:
        return _said_in_chinese(info, "本说明", "解释")
    return _said(info, "Written by", "explains")


def answerer(info: EngineInfo, *, chinese: bool = False) -> str:
    """A line on who answers in a chat, where that is a small model; else empty."""
    if chinese:
        return _said_in_chinese(info, "回答", "回答")
    return _said(info, "Answers come from", "answers")


def _said(info: EngineInfo, lead: str, does: str) -> str:
    if not _is_modest(info):
        return ""
    size = f", {_count(info.parameters)} parameters" if info.parameters else ""
    very = "a very small model" if is_small(info) else "a small model"
    return (
        f"{lead} {info.model or 'the embedded model'} ({very}{size}): expect mistakes. "
        f"A larger one, such as {BETTER_MODELS}, {does} better; choose it with the setting "
        "quillon.model.path."
    )


def _said_in_chinese(info: EngineInfo, what: str, does: str) -> str:
    if not _is_modest(info):
        return ""
    size = f"，{_count_in_chinese(info.parameters)}参数" if info.parameters else ""
    very = "非常小的模型" if is_small(info) else "小模型"
    return (
        f"{what}来自 {info.model or '内置模型'}（{very}{size}），可能有错。"
        f"较大的模型（例如 {BETTER_MODELS}）{does}得更好，可用设置 quillon.model.path 选择。"
    )


def _is_modest(info: EngineInfo) -> bool:
    return info.embedded or 0 < info.parameters < _MODEST


def _count(parameters: int) -> str:
    billions = parameters / 1e9
    return (
        f"{billions:.1f} billion" if billions >= 1 else f"{max(1, round(billions * 1000))} million"
    )


def _count_in_chinese(parameters: int) -> str:
    if parameters >= 1e8:  # noqa: PLR2004 - the next unit
        return f"{parameters / 1e8:.1f} 亿"
    return f"{max(1, round(parameters / 1e4))} 万"
