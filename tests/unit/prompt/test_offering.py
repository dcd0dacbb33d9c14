"""What a question leaves of the tools: what it names is looked up, all of it, and nothing else."""

import json

import pytest

from quillon.prompt.dialects import Dialect
from quillon.prompt.messages import Message
from quillon.prompt.naming import SYMBOL
from quillon.prompt.telling import facts_constraint
from quillon_testing.answers import definition

HERMES = Dialect("hermes", tag_tokens=True)
TOOLS = [definition("read_file", {"path": {"type": "string"}}, "path")]
LOOKING = [
    definition("search_symbols", {"query": {"type": "string"}}, "query"),
    definition("search_text", {"pattern": {"type": "string"}}, "pattern"),
    definition("list_files", {"path": {"type": "string"}}),
]
LIVE = {
    SYMBOL: ("area", "load_all", "_expand"),
    ("read_file", "path"): ("docs", "src/shapes.py"),
}


def called(name, **arguments):
    call = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{call}\n</tool_call>"


@pytest.mark.parametrize(
    ("question", "path", "good"),
    [
        ("The error points at src/app.py. Look?", "src/app.py", True),
        ("The error points at src/app.py. Look?", "points", False),
        ("The error points at src/app.py. Look?", "app.py", False),
        ("list tests/unit/ for load_all", "tests/unit/", True),
        ("list tests/unit/ for load_all", "tests/unit", True),
        ("setup.cfg 里有什么", "setup.cfg", True),
        ("is load_all in docs", "docs", True),
        ("is load_all in docs", "is", False),
        ("where is `is` of load_all", "is", True),
    ],
)
def test_what_a_question_names_is_what_is_looked_up(accepts, question, path, good):
    held = facts_constraint(TOOLS, HERMES, (Message("user", question),))
    call = json.dumps({"name": "read_file", "arguments": {"path": path}})
    assert held is not None
    assert accepts(held.grammar, f"<tool_call>\n{call}\n</tool_call>") is good


def test_a_query_is_one_of_the_symbols_that_a_question_names(accepts):
    tools = [definition("search_symbols", {"query": {"type": "string"}}, "query")]
    held = facts_constraint(tools, HERMES, (Message("user", "what happens in load_all?"),))
    assert held is not None
    for query, good in (("load_all", True), ("happens", False), ("load_all?", False)):
        call = json.dumps({"name": "search_symbols", "arguments": {"query": query}})
        assert accepts(held.grammar, f"<tool_call>\n{call}\n</tool_call>") is good


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("What does format_price do?", "format_price"),
        ("read src/app.py", "src/app.py"),
        ("`Quay` 在哪里", "Quay"),
        ("who calls mooring( today?", "mooring"),
        ("and Table.rows", "Table.rows"),
        ('what about "quays"', "quays"),
        ("src/app 里有什么", "src/app"),
        ("enumerate all below harbour/", "harbour"),
    ],
)
def test_what_a_question_names_is_looked_up_first(accepts, question, path):
    held = facts_constraint(TOOLS, HERMES, (Message("user", question),))
    assert held is not None
    assert not accepts(held.grammar, "It returns the price.")
    call = json.dumps({"name": "read_file", "arguments": {"path": path}})
    assert accepts(held.grammar, f"<tool_call>\n{call}\n</tool_call>")
    assert held.trigger is None


@pytest.mark.parametrize(
    "question",
    [
        Message("user", "What is a decorator, e.g. in Python 3.11?"),
        Message("user", "Why does it fail? Please look again..."),
        Message("user", "explain load_all", attached=("src/a.py",)),
        Message("user", "这段代码有什么问题？"),
    ],
)
def test_a_question_that_names_nothing_or_brings_a_file_may_be_answered(question):
    held = facts_constraint(TOOLS, HERMES, (question,))
    assert held is not None
    assert held.trigger == "<tool_call>"


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("Where is area defined?", None),
        ("what does area in src/ do?", "src/"),
        ("what is in docs, and where is area?", "docs"),
        ("where is other_name defined?", ""),
    ],
)
def test_for_a_symbol_of_the_workspace_no_folder_is_listed(accepts, question, path):
    held = facts_constraint(LOOKING, HERMES, (Message("user", question),), live=LIVE)
    assert held is not None
    call = called("list_files", **({"path": path} if path else {}))
    assert accepts(held.grammar, call) is (path is not None)


def test_names_that_belong_together_are_all_looked_up_by_one_tool(accepts):
    question = Message("user", "where are `load_all` and _expand?")
    held = facts_constraint(LOOKING, HERMES, (question,), live=LIVE)
    assert held is not None
    symbols = [called("search_symbols", query=name) for name in ("load_all", "_expand")]
    texts = [called("search_text", pattern=name) for name in ("load_all", "_expand")]
    assert held.trigger is None
    for good in (symbols, texts):
        assert accepts(held.grammar, "\n".join(good))
    for bad in (symbols[:1], symbols[1:], symbols[::-1], [symbols[0], texts[1]], symbols + texts):
        assert not accepts(held.grammar, "\n".join(bad))


def test_names_are_looked_up_by_what_is_offered(accepts):
    question = Message("user", "where are `load_all` and _expand?")
    held = facts_constraint(LOOKING[1:2], HERMES, (question,), live=LIVE)
    assert held is not None
    both = "\n".join(called("search_text", pattern=name) for name in ("load_all", "_expand"))
    assert accepts(held.grammar, both)
    held = facts_constraint(TOOLS, HERMES, (question,), live=LIVE)
    assert held is not None
    assert accepts(held.grammar, called("read_file", path="load_all"))


def test_where_an_answer_has_one_call_the_names_are_looked_up_one_by_one(accepts):
    question = Message("user", "where are `load_all` and _expand?")
    held = facts_constraint(LOOKING, Dialect("json"), (question,), live=LIVE)
    assert held is not None
    call = {"tool_call": {"name": "search_symbols", "arguments": {"query": "load_all"}}}
    assert accepts(held.grammar, json.dumps(call))


def test_a_text_in_quotes_is_searched_for_whole(accepts):
    question = Message("user", 'somebody wrote "pilot aboard" here, find it')
    held = facts_constraint(LOOKING, HERMES, (question,), live=LIVE)
    assert held is not None
    assert accepts(held.grammar, called("search_text", pattern="pilot aboard"))
    assert not accepts(held.grammar, called("search_text", pattern="pilot"))
    assert not accepts(held.grammar, called("search_symbols", query="pilot"))


def test_of_a_name_with_dots_no_part_is_looked_up(accepts):
    held = facts_constraint(LOOKING, HERMES, (Message("user", "who uses json.dumps here"),))
    assert held is not None
    for tool, key in (("search_symbols", "query"), ("search_text", "pattern")):
        assert accepts(held.grammar, called(tool, **{key: "json.dumps"}))
        assert not accepts(held.grammar, called(tool, **{key: "json"}))
        assert not accepts(held.grammar, called(tool, **{key: "dumps"}))


def test_a_folder_that_is_named_is_the_one_listed(accepts):
    question = Message("user", "docs 目录底下都有些什么")
    held = facts_constraint(LOOKING, HERMES, (question,), live=LIVE)
    assert held is not None
    assert accepts(held.grammar, called("list_files", path="docs"))
    assert not accepts(held.grammar, called("list_files"))


def test_where_no_path_is_named_a_text_is_searched_for_everywhere(accepts):
    path = {"type": "string"}
    tools = [definition("search_text", {"pattern": {"type": "string"}, "path": path}, "pattern")]
    for question, good in (("search for `area`", False), ("search for `area` in docs", True)):
        held = facts_constraint(tools, HERMES, (Message("user", question),), live=LIVE)
        assert held is not None
        assert accepts(held.grammar, called("search_text", pattern="area")) is True
        assert accepts(held.grammar, called("search_text", pattern="area", path="docs")) is good


def test_a_title_stands_for_its_file(accepts):
    live = {**LIVE, ("read_file", "path"): ("README.md",)}
    held = facts_constraint(
        [*TOOLS, *LOOKING], HERMES, (Message("user", "what is in the README?"),), live=live
    )
    assert held is not None
    assert accepts(held.grammar, called("read_file", path="README.md"))
    assert not accepts(held.grammar, called("search_symbols", query="README"))
    assert not accepts(held.grammar, called("search_text", pattern="README"))


@pytest.mark.parametrize(
    ("question", "lists"),
    [
        ("what is in src/shapes.py?", False),
        ("what is in src/?", True),
        ("compare docs/ with src/shapes.py", True),
    ],
)
def test_a_file_is_not_listed(accepts, question, lists):
    held = facts_constraint(LOOKING, HERMES, (Message("user", question),), live=LIVE)
    assert held is not None
    path = "src/shapes.py" if "shapes" in question else "src/"
    assert accepts(held.grammar, called("list_files", path=path)) is lists


def test_the_lines_that_a_question_names_are_read(accepts):
    number = {"type": "integer"}
    parameters = {"path": {"type": "string"}, "start_line": number, "end_line": number}
    held = facts_constraint(
        [definition("read_file", parameters, "path")],
        HERMES,
        (Message("user", "src/shapes.py 24:43 please"),),
        live=LIVE,
    )
    assert held is not None
    for first, last, good in ((24, 43, True), (24, 24, False), (43, 43, False), (1, 43, False)):
        call = called("read_file", path="src/shapes.py", start_line=first, end_line=last)
        assert accepts(held.grammar, call) is good


@pytest.mark.parametrize(
    ("question", "looked_up"),
    [("what is in docs/?", False), ("what is area in docs/?", True), ("look into docs/", False)],
)
def test_a_path_is_no_symbol(accepts, question, looked_up):
    held = facts_constraint(LOOKING, HERMES, (Message("user", question),), live=LIVE)
    assert held is not None
    query = "area" if looked_up else "docs/"
    assert accepts(held.grammar, called("search_symbols", query=query)) is looked_up


@pytest.mark.parametrize(
    ("question", "whole"), [("which files are in docs?", False), ("which files are there?", True)]
)
def test_of_a_folder_among_the_words_not_the_whole_workspace_is_listed(accepts, question, whole):
    held = facts_constraint(LOOKING, HERMES, (Message("user", question),), live=LIVE)
    assert held is not None
    assert accepts(held.grammar, called("list_files")) is whole
    assert accepts(held.grammar, called("list_files", path="docs")) is not whole
