"""The span grammar: what an argument may copy from a conversation."""

import json
import re

import pytest
from inline_snapshot import snapshot

from quillon.engine.llama_sampler import Grammar
from quillon.prompt.dialects import Dialect
from quillon.prompt.schemagrammar import Place
from quillon.prompt.spans import MAX_SPANS, candidates, is_free, numbers_in, span_constraint
from quillon_testing.answers import definition

HERMES = Dialect("hermes", tag_tokens=True)
XML = Dialect("function_xml", tag_tokens=True)
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
TOOLS = [
    definition("lines", {"path": STRING, "start": INTEGER}, "path"),
    definition("write", {"path": STRING, "content": STRING}, "path", "content"),
    definition("style", {"kind": {"enum": ["function", "class"]}}),
]

FOUND = {
    "a path with a line": (
        "Look at src/app/main.py:12-40.",
        ["src/app/main.py", "src/app", "main.py"],
    ),
    "a quoted text": ('Who prints "not found: x"?', ["not found: x"]),
    "code in backticks": ("Call `Foo.bar(1)`!", ["Foo.bar(1)", "Foo.bar", "Foo", "bar"]),
    "a call": ("What does parse_config() do?", ["parse_config", "parse_config()"]),
    "a test": ("tests/test_a.py::test_b fails", ["tests/test_a.py", "test_b"]),
    "names beside Chinese": ("请看utils.py的load_file函数", ["utils.py", "load_file"]),
    "punctuation of other scripts": ("函数run_all，在哪里？", ["run_all"]),
    "a traceback": ('  File "/srv/app.py", line 3, in f', ["/srv/app.py", "f"]),
    "a GitHub place": ("see lib/a.ts#L10-L20", ["lib/a.ts"]),
    "a Windows path": (r"open src\app\main.cpp", [r"src\app\main.cpp"]),
    "names of C++": ("ns::Thing::run", ["ns::Thing::run", "ns", "Thing", "run"]),
    "a folder": ("List src/app/", ["src/app"]),
    "a flag": ("What is --dry-run?", ["--dry-run"]),
}


@pytest.mark.parametrize(("text", "spans"), FOUND.values(), ids=FOUND)
def test_what_can_be_copied(text, spans):
    assert set(spans) <= set(candidates([text]))


def test_whole_names_have_no_parts():
    found = candidates(["src/app/main.py:12-40 method Thing.run tests/a.py::test_b"], whole=True)
    assert {"src/app/main.py", "Thing.run", "tests/a.py::test_b"} <= set(found)
    assert not {"src/app", "main.py", "Thing", "run", "test_b"} & set(found)


def test_all_candidates_of_a_sentence():
    assert candidates(["Why does `load(x)` in a/b.py:3 fail?"]) == snapshot(
        [
            "load(x)",
            "Why",
            "does",
            "`load(x)`",
            "load",
            "x",
            "in",
            "a/b.py:3",
            "a/b.py",
            "a",
            "b.py",
            "fail",
            "fail?",
        ]
    )


def test_blanks_and_long_texts_are_no_candidates():
    assert candidates(["x" * 200, "   ", '"  "', ""]) == []


def test_a_long_result_leaves_room_for_the_question():
    question = "Open the file special_name.py please"
    result = "\n".join(f"module_{n}/file_{n}.py:{n} function name_{n}" for n in range(5000))
    found = candidates([question, result])
    assert len(found) == MAX_SPANS
    assert "special_name.py" in found
    assert "module_0/file_0.py" in found


def test_the_latest_text_counts_first():
    texts = [f"word{n} " + " ".join(f"w{n}x{m}" for m in range(900)) for n in range(3)]
    found = candidates(texts)
    assert found[0] == "word2"
    assert found.index("word1") < found.index("word0")


def test_numbers():
    assert numbers_in(["line 12", "a.py:40-52, x3"]) == [1, 40, 52, 3, 12]


def call(name, /, **arguments):
    text = json.dumps(arguments, ensure_ascii=False)
    return f'<tool_call>\n{{"name": "{name}", "arguments": {text}}}\n</tool_call>'


TEXTS = ['Read src/a.py from line 12 on, where "it\'s\t\\odd" stands. 看日本.py']


@pytest.mark.parametrize(
    "text",
    [
        call("lines", path="src/a.py", start=12),
        call("lines", path="a.py", start=1),
        call("lines", path="live/z.py"),
        call("write", path="src/a.py", content="anything\n at all"),
        call("style", kind="class"),
    ],
)
def test_allowed(accepts, text):
    live = {("lines", "path"): ["live/z.py"]}
    assert accepts(span_constraint(TOOLS, HERMES, TEXTS, live=live).grammar, text)


@pytest.mark.parametrize(
    "text",
    [
        call("lines", path="src/b.py"),
        call("lines", path=""),
        call("lines", path="src/a.py", start=13),
        call("write", path="live/z.py", content=""),
        call("write", path="new.py", content="x"),
        call("style", kind="where"),
    ],
)
def test_forbidden(accepts, text):
    live = {("lines", "path"): ["live/z.py"]}
    assert not accepts(span_constraint(TOOLS, HERMES, TEXTS, live=live).grammar, text)


def test_function_xml(accepts):
    grammar = span_constraint(TOOLS, XML, ["see src/a.py"]).grammar
    head, end = (
        "<tool_call>\n<function=lines>\n<parameter=path>\n",
        "\n</parameter>\n</function>\n</tool_call>",
    )
    assert accepts(grammar, f"{head}src/a.py{end}")
    assert not accepts(grammar, f"{head}src/b.py{end}")


def test_the_schema_still_counts(accepts):
    limited = {"type": "string", "minLength": 3, "maxLength": 8, "pattern": "^[a-z.]+$"}
    tools = [definition("f", {"name": limited, "line": {"type": "integer", "minimum": 5}})]
    grammar = span_constraint(tools, HERMES, ["ab abc.py Abc averylongname 3 9"]).grammar
    assert accepts(grammar, call("f", name="abc.py", line=9))
    for wrong in ("ab", "Abc", "averylongname"):
        assert not accepts(grammar, call("f", name=wrong))
    assert not accepts(grammar, call("f", line=3))


def test_a_conversation_without_words_holds_nothing(accepts):
    grammar = span_constraint(TOOLS, HERMES, ["..."]).grammar
    assert accepts(grammar, call("lines", path="...", start=1))
    assert accepts(span_constraint(TOOLS, HERMES, []).grammar, call("lines", path="anything"))


def test_prose_code_and_patterns_are_written_freely():
    assert is_free(Place("write", ("content",)), {})
    assert is_free(Place("edit", ("edits", "replace")), {})
    assert is_free(Place("f", ("x",)), {"contentMediaType": "text/x-python"})
    assert is_free(Place("f", ("pattern",)), {"description": "A glob such as *.py."})
    assert not is_free(Place("edit", ("edits", "path")), {})
    assert not is_free(Place("search_text", ("pattern",)), {"description": "The text."})


def test_hostile_texts_make_no_hostile_grammar(model):
    texts = ['"] ::= root | "\\', "\\x00 \x00\x01 \ud800 [^a] {1,99999} `\\U0010FFFF`", "<" * 5000]
    made = span_constraint(TOOLS, HERMES, texts)
    Grammar(model, made.grammar.encode("utf-8", "replace").decode()).close()


@pytest.mark.parametrize("kind", ["hermes", "function_xml", "json"])
@pytest.mark.parametrize(
    "bad", [{"type": "string", "minLength": 5000}, {"type": "array", "minItems": "x"}]
)
def test_a_schema_that_cannot_be_written_leaves_no_rule_missing_for_its_neighbours(kind, bad):
    tools = [definition("odd", {"a": STRING, "b": bad}, "a"), definition("good", {"path": STRING})]
    live = dict.fromkeys((("odd", "a"), ("good", "path")), ("x.py", "y.py"))
    grammar = span_constraint(tools, Dialect(kind), TEXTS, live=live).grammar
    named = {line.split(" ::= ")[0] for line in grammar.splitlines()}
    bodies = [line.split(" ::= ", 1)[1] for line in grammar.splitlines()]
    plain = re.sub(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|\{[\d,]*\}', " ", " ".join(bodies))
    assert set(re.findall(r"[a-z][a-z0-9-]*", plain)) <= named
