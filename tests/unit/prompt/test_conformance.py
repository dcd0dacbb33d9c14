"""The runner over other projects' cases, on cases of our own."""

import json
import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).parents[3] / "benchmarks" / "conformance.py"
CALL = '<tool_call>{"name": "now", "arguments": {}}</tool_call>'


def case(text, calls, content="", **fields):
    return {
        "id": "ours",
        "peer": "us",
        "dialect": "hermes_json",
        "input": text,
        "chunks": None,
        "partial": False,
        "tools": None,
        "options": {},
        "expected_content": content,
        "content_match": "exact",
        "expected_reasoning": None,
        "expected_calls": [{"name": name, "arguments": {}} for name in calls],
        "args_match": "exact",
        "calls_match": "exact",
        "outcome": "ok",
        "tags": [],
        **fields,
    }


def value(text, kind, expected):
    fields = {"level": "value", "expected_value": expected, "options": {"schema_type": [kind]}}
    return {"id": "ours", "peer": "us", "input": text, **fields}


def grammar(schema, accepted, rejected):
    fields = {"kind": "schema_accept_reject", "validator_disagrees": []}
    strings = {"accepted": accepted, "rejected": rejected}
    return {"id": "ours", "peer": "us", "schema": schema, **fields, **strings}


def suite(schema, data, *, valid):
    fields = {"draft": "draft2020-12", "group": "g", "test": "t"}
    return {"schema": schema, "data": data, "valid": valid, **fields}


RIGHT = [
    ("parse", case(CALL, ["now"])),
    ("aux", value("5", "integer", 5)),
    ("schema", grammar({"type": "integer"}, ["1"], ["1.5"])),
    ("jsonschema_suite", suite({"minimum": 2}, 1, valid=False)),
]
ON_PURPOSE = [
    ("parse", case(f"Look. {CALL} Done.", ["now"], "Look. ")),
    ("parse", case(f"{CALL[:-1]}", [])),
    ("parse", case(f"<think>{CALL}", ["now"], expected_reasoning="")),
    ("parse", case('<tool_call>{"name": "now",}</tool_call>', ["now"])),
]
WRONG = [
    ("parse", case("Hello.", ["now"], "Hello.")),
    ("parse", case(CALL, ["now"], "Hello.")),
    ("parse", case(CALL, ["later"])),
    ("parse", case("<think>a</think>b", [], "b", expected_reasoning="c")),
    ("aux", value("5", "integer", 6)),
    ("schema", grammar({"type": "integer"}, ["1.5"], [])),
    ("jsonschema_suite", suite({"minimum": 2}, 1, valid=True)),
]


def run(folder):
    command = [sys.executable, str(RUNNER), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def write(folder, cases):
    for file, row in cases:
        with (folder / f"{file}.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")


def test_agreeing_and_differing_on_purpose_is_right(tmp_path):
    write(tmp_path, RIGHT + ON_PURPOSE)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    total = next(line for line in done.stdout.splitlines() if line.startswith("total"))
    assert total.split()[1:] == ["4", "4", "0", "8"]
    assert "No text is lost: what a peer drops beside calls is kept." in done.stdout


def test_all_else_is_wrong(tmp_path):
    write(tmp_path, RIGHT + WRONG)
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("\nWRONG ") == len(WRONG), done.stdout
    assert "WRONG ours: calls of 'Hello.'" in done.stdout
    assert "WRONG ours: '5' as ['integer'] is 5, not 6" in done.stdout


def test_a_folder_without_cases(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 2
    assert "holds none of parse.jsonl, aux.jsonl" in done.stderr
