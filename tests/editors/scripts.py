"""What the scripted engine says in the editors' scenarios."""

import json
from pathlib import Path
from typing import Any

GHOST = "a, b):\n    return a + b"

HOSTILE = """\
<img src="https://example.com/x.png" onerror="document.body.dataset.hacked = 'yes'">
<script>document.body.dataset.hacked = 'yes'</script>

![picture](https://example.com/y.png) and [a link](javascript:alert(1)) and \
[a command](command:workbench.action.quit)

A_very_long_word_without_any_place_to_break_it_that_goes_on_and_on_and_on_and_on_and_on_and_on

| a | b |
|---|---|
| 1 | 2 |
"""


def call(name: str, **arguments: Any) -> str:
    """A tool call as the model writes it."""
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


def rename(old: str, new: str) -> str:
    """A proposed edit as the model writes it."""
    edit = {"path": "a.py", "search": f"def {old}(a, b):", "replace": f"def {new}(a, b):"}
    return call("propose_edit", edits=[edit])


def recount() -> str:
    """Two changes of one file, far enough from each other to be two hunks."""
    edits = [
        {"path": "b.py", "search": "return 1", "replace": "return 0"},
        {"path": "b.py", "search": "return 2", "replace": "return 1"},
    ]
    return call("propose_edit", edits=edits)


def in_both() -> str:
    """A change in each of two files."""
    edits = [
        {"path": "a.py", "search": "return a + b", "replace": "return b + a"},
        {"path": "b.py", "search": "return 2", "replace": "return 3"},
    ]
    return call("propose_edit", edits=edits)


def engine_settings(folder: Path, **more: Any) -> dict[str, Any]:
    """Settings that make the server play the script; gates are files in `folder`/gates.

    `more` is for the script, such as the gate at which its model is loaded.
    """
    gates = folder / "gates"
    gates.mkdir(exist_ok=True)
    file = folder / "script.json"
    # A context that has room for the definitions of all tools.
    script = {"steps": _steps(), "gateFolder": str(gates), "context": 32768, **more}
    file.write_text(json.dumps(script), encoding="utf-8")
    return {"kind": "scripted", "script": str(file)}


def _steps() -> list[dict[str, Any]]:
    return [*_chat(), *_actions(), *_inline()]


def _chat() -> list[dict[str, Any]]:
    return [
        {
            "pattern": r"What does add do\?(?!.*tool_response)(?s:.)*$",
            "reply": "Let me look.\n" + call("read_file", path="a.py"),
        },
        {
            "match": "What does add do?",
            "reply": "It returns the **sum**, see `a.py:1`.\n\n"
            "```python\nprint(add(1, 2))\n```\n\nThat is all.",
            "cachedTokens": 7,
        },
        {"match": "Run the tests now", "reply": call("run_tests", target="tests")},
        {"match": "Run the tests now", "reply": "Then I do not know."},
        {"match": "Run the tests again", "reply": call("run_tests")},
        {"match": "Run the tests again", "reply": "The tests pass."},
        {"match": "Run them all", "reply": call("run_tests")},
        {"match": "Run them all", "reply": "All pass."},
        {"match": "Run them all", "reply": call("run_tests")},
        {"match": "Run them all", "reply": "All pass."},
        {
            "match": "Count to a hundred",
            "reply": "one two three four five six seven eight nine ten",
            "gates": {"4": "counting"},
        },
        {"match": "Call it plus", "reply": rename("add", "plus")},
        {"match": "Call it plus", "reply": "It is called plus now."},
        {"match": "Call it sum_of", "reply": rename("add", "sum_of")},
        {"match": "Call it sum_of", "reply": "It is called sum_of now."},
        {"match": "Count from zero", "reply": recount()},
        {"match": "Count from zero", "reply": "They count from zero now."},
        {"match": "Once more from zero", "reply": recount()},
        {"match": "Once more from zero", "reply": "So they do."},
        {"match": "Change both files", "reply": in_both()},
        {"match": "Change both files", "reply": "Both are changed."},
        {
            "pattern": r"Anything wrong\?(?!.*tool_response)(?s:.)*$",
            "reply": call("get_diagnostics", path="wrong.py"),
        },
        {"match": "The name is not defined.", "reply": "A name is not defined."},
        {"match": "What is attached?", "reply": "I see it.", "times": 0},
        # The last question first: a prompt holds the earlier ones, too.
        {"match": "Better question", "reply": "Better answer.", "times": 0},
        {"match": "Second question", "reply": "Second answer.", "times": 0},
        {"match": "First question", "reply": "First answer.", "times": 0},
        {"match": "Be hostile", "reply": HOSTILE},
        {"match": "explain this code", "reply": "This code **adds** two numbers."},
        {"match": "Explain this code.", "reply": "This code **adds** two numbers."},
    ]


def _actions() -> list[dict[str, Any]]:
    docstring = '"""Return the sum of two numbers."""'
    return [
        {"pattern": _about("stopped"), "reply": docstring, "gates": {"1": "never"}},
        {"pattern": _about("slow"), "reply": docstring, "gates": {"1": "docstring"}},
        {
            "pattern": _about("broken"),
            "error": "EngineUnavailable",
            "message": "Too many questions.",
        },
        {"match": "write a docstring", "reply": docstring, "times": 0},
    ]


def _about(name: str) -> str:
    """The prompt for the docstring of a function."""
    return rf"(?s:def {name}\(.*write a docstring|write a docstring.*def {name}\()"


def _inline() -> list[dict[str, Any]]:
    return [
        {"pattern": r"def add\((?:<|\Z)", "reply": GHOST, "times": 0},
        {"pattern": r"\naddition(?:<|\Z)", "reply": " + 41", "times": 0},
        {"match": "<|fim_middle|>", "reply": "", "times": 0},
        {"reply": "The script knows no answer to this.", "times": 0},
    ]
