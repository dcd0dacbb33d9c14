"""Which dialect a model speaks."""

import pytest

from quillon.engine.base import EngineInfo, Segment
from quillon.engine.gguf import read_header
from quillon.engine.models import EMBEDDED
from quillon.prompt.dialects import dialect_for

HERMES = "{% if tools %}<tool_call>{% endif %}"
XML = "{% if tools %}<tool_call>\n<function=name>{% endif %}"


@pytest.mark.parametrize(
    ("template", "kind", "trigger"),
    [
        (read_header(EMBEDDED).metadata["tokenizer.chat_template"], "hermes", "<tool_call>"),
        (HERMES, "hermes", "<tool_call>"),
        (XML, "function_xml", "<tool_call>"),
        (None, "json", '{"tool_call": '),
        ("{{ messages[0].content }}", "json", '{"tool_call": '),
    ],
)
def test_the_template_decides(template, kind, trigger):
    dialect = dialect_for(EngineInfo(state="ready", template=template))
    assert (dialect.kind, dialect.trigger) == (kind, trigger)


def test_the_vocabulary_decides_whether_tags_are_tokens():
    info = EngineInfo(state="ready", template=HERMES, tool_call_token=True)
    assert dialect_for(info).tag_tokens
    assert not dialect_for(EngineInfo(state="ready", template=HERMES)).tag_tokens
    assert not dialect_for(EngineInfo(state="ready", tool_call_token=True)).tag_tokens


def test_a_parser_knows_the_prompt():
    dialect = dialect_for(EngineInfo(state="ready", template=HERMES))
    opened = (Segment("<|im_start|>assistant\n<think>", trusted=True), Segment("\n"))
    assert dialect.parser([], opened).finish() == []
