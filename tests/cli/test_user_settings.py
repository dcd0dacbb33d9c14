"""The user's settings file: what it says counts in the terminal, and nothing else does."""

import json
import os
from pathlib import Path

import pytest

from quillon_testing.tool_servers import hostile

READ = '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>'
ECHO = '<tool_call>\n{"name": "ours__echo", "arguments": {"text": "hello"}}\n</tool_call>'


@pytest.fixture
def project(folder_of):
    return folder_of({"a.py": "ANSWER = 42\n"})


def results(ended):
    return [line for line in ended.lines if line["kind"] == "toolResult"]


def test_the_chat_heeds_it(quillon, config, project):
    ended = quillon("chat", "-p", "hi", "-C", str(project), **config({}, "Hello from the script."))
    assert ended.status == 0, ended.err
    assert "Hello from the script." in ended.out


@pytest.mark.parametrize(
    "tools", [{"disabled": ["read_file"]}, {"approval": {"read_file": "deny"}}], ids=["off", "deny"]
)
def test_what_it_forbids_is_not_done(quillon, config, project, tools):
    words = ("chat", "--json", "-p", "read", "-C", str(project))
    allowed = quillon(*words, **config({}, READ, "Done."))
    assert [result["ok"] for result in results(allowed)] == [True]
    forbidden = quillon(*words, **config({"tools": tools}, READ, "Done."))
    assert [result["ok"] for result in results(forbidden)] == [False]
    assert "ANSWER" not in forbidden.out


def test_tool_servers_that_it_names_are_called_and_end_with_the_chat(
    quillon, config, project, tmp_path
):
    notes = tmp_path / "notes"
    spec = hostile(notes=str(notes))
    settings = {
        "mcp": {"servers": {"ours": {"command": spec.command, "args": list(spec.arguments)}}},
        "tools": {"approval": {"ours__echo": "allow"}},
    }
    words = ("chat", "--json", "-p", "say hello", "-C", str(project))
    ended = quillon(*words, **config(settings, ECHO, "It said hello."))
    (result,) = results(ended)
    assert result["ok"], ended.out
    assert result["text"].endswith("hello")
    process = int(notes.read_text().split()[1])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    del settings["tools"]
    ended = quillon(*words, **config(settings, ECHO, "No."))
    (result,) = results(ended)
    assert "nobody is at the terminal to approve it" in result["text"]


def test_a_server_that_cannot_start_is_said(quillon, config, project):
    settings = {"mcp": {"servers": {"none": {"command": "/nowhere/at-all"}}}}
    ended = quillon("chat", "-p", "hi", "-C", str(project), **config(settings, "Hello."))
    assert ended.status == 0
    assert ended.err.count("The MCP server none is not used") == 1


def test_what_is_wrong_in_it_is_said_and_the_rest_counts(quillon, config, project):
    settings = {"chat": {"maxTokens": "many"}, "tools": {"approval": {"x": "yes"}}, "workspace": {}}
    ended = quillon("chat", "-p", "hi", "-C", str(project), **config(settings, "Hello."))
    assert (ended.status, ended.out.strip()) == (0, "Hello.")
    for said in ("chat.maxTokens: Expected", "tools.approval.x: expected", "workspace: no such"):
        assert f"{config.file}: {said}" in ended.err


BROKEN = {
    "no JSON": ("{'a': 1}", "is no JSON: Expecting property name"),
    "cut": ('{"tools": {', "is no JSON: "),
    "no object": ("[]", "must hold a JSON object"),
    "empty": ("", "is no JSON: "),
    "deep": ("[" * 200_000, "is no JSON of settings"),
    "large": (" " * 1_000_001 + "{}", "is no file of settings"),
}


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
def test_one_that_cannot_be_read_stops_the_command(here, config, project, text, why):
    ended = here("chat", "-p", "hi", "-C", str(project), **config(text))
    assert (ended.status, ended.out) == (1, "")
    assert why in ended.sentence
    assert str(config.file) in ended.sentence


@pytest.mark.parametrize("kind", ["folder", "pipe", "bytes", "lost link"])
def test_what_is_no_file_of_text_stops_the_command(here, config, project, kind):
    found = config({})
    config.file.unlink()
    if kind == "folder":
        config.file.mkdir()
    elif kind == "pipe":
        os.mkfifo(config.file)
    elif kind == "bytes":
        config.file.write_bytes(b"\xff\xfe{}")
    else:
        config.file.symlink_to("nowhere")
    ended = here("model", "path", **found)
    assert ended.status == 1
    assert str(config.file) in ended.sentence


def test_an_option_outranks_it(here, config, tmp_path):
    found = config({"model": {"path": str(tmp_path / "of-the-file.gguf")}})
    assert "of-the-file" in here("model", "path", **found).out
    assert "of-the-option" in here("model", "path", "-m", "of-the-option.gguf", **found).out


def test_an_option_that_names_a_model_is_heeded_whatever_engine_the_file_names(here, config):
    found = config({}, "Of the script.")
    ended = here("chat", "-p", "hi", "-m", "of-the-option.gguf", **found)
    assert ended.status == 1
    assert "of-the-option.gguf" in ended.sentence


@pytest.mark.parametrize("name", ["qwen2.5-coder-3b", "own"], ids=["recommended", "a stem"])
def test_a_folder_here_does_not_hide_the_model_of_its_name(here, project, tmp_path, name):
    models = tmp_path / "models"
    models.mkdir()
    (models / "own.gguf").touch()
    (project / name).mkdir()
    ended = here("model", "path", "-m", name, over={"QUILLON_MODELS": str(models)})
    assert ended.status == 1  # what is there, or not, is no model
    assert Path(ended.out.strip()).is_relative_to(models)


def test_nothing_in_the_workspace_is_read_as_settings(quillon, project, tmp_path):
    """Not by any name, and not where a variable names a folder relative to where we are."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"steps": [{"reply": "From the workspace."}]}))
    text = json.dumps({"engine": {"kind": "scripted", "script": str(script)}})
    places = (".", ".quillon", "quillon", ".config/quillon", ".vscode")
    for folder in places:
        (project / folder).mkdir(parents=True, exist_ok=True)
        for name in ("settings.json", "quillon.json", ".quillon.json"):
            (project / folder / name).write_text(text)
    for over in (
        {"XDG_CONFIG_HOME": ".config", "QUILLON_CONFIG_DIR": ""},
        {"QUILLON_CONFIG_DIR": ".quillon"},
        {"QUILLON_CONFIG_DIR": str(tmp_path / "empty")},
    ):
        words = ("chat", "-p", "hi", "-m", str(tmp_path / "none.gguf"))
        ended = quillon(*words, cwd=project, over=over)
        assert "From the workspace." not in ended.out
        assert "none.gguf" in ended.sentence  # the engine is the local one, as by default
