"""What the user is asked, and what the audit prints: whole, and nothing in it hidden."""

import json

import pytest

from quillon.cli.audit import show_audit
from quillon.cli.output import Output
from quillon_testing.victims import (
    CREATE,
    TOUCH,
    Victim,
    is_readable,
)
from quillon_tools.visible import visible, visible_lines

TRICKS = [
    ("line feed", "a\nin /safe/folder", "a⟨U+000A⟩in /safe/folder"),
    ("line feeds", "a" + "\n" * 200 + "b", "a⟨U+000A ×200⟩b"),
    ("blanks", "a" + " " * 500 + "b", "a⟨U+0020 ×500⟩b"),
    ("carriage return", "a\rb", "a⟨U+000D⟩b"),
    ("escape", "\x1b[8mhidden\x1b[0m", "⟨U+001B⟩[8mhidden⟨U+001B⟩[0m"),
    ("eight-bit escape", "\x9b8m", "⟨U+009B⟩8m"),
    ("backspaces", "rm\b\bls", "rm⟨U+0008 ×2⟩ls"),
    ("bidi", "a\u202eb\u2066c", "a⟨U+202E⟩b⟨U+2066⟩c"),
    ("zero width", "a\u200b\ufeffb", "a⟨U+200B⟩⟨U+FEFF⟩b"),
    ("line separator", "a\u2028b\u0085c", "a⟨U+2028⟩b⟨U+0085⟩c"),
    ("fillers", "a\u3164\u2800\u00a0b", "a⟨U+3164⟩⟨U+2800⟩⟨U+00A0⟩b"),
    ("tags", "a\U000e0061b", "a⟨U+E0061⟩b"),
    ("selectors", "a\ufe01\U000e0100b", "a⟨U+FE01⟩⟨U+E0100⟩b"),
    ("plain", "naïve 中文 'x'", "naïve 中文"),
]

# A turn is stopped after some calls in a row that fail.
SOME_TRICKS = [TRICKS[n : n + 3] for n in range(0, len(TRICKS), 3)]


@pytest.mark.parametrize("tricks", SOME_TRICKS)
async def test_commands_are_shown_whole_and_on_one_line(folder, tricks):
    acts = [("run_command", {"arguments": ["touch", "marker", row[1]]}) for row in tricks]
    victim = await Victim(folder, acts).run()
    for (trick, _, shown), request in zip(tricks, victim.asked, strict=True):
        command, place = request.preview.split("\n")
        assert shown in command, trick
        assert is_readable(request.preview), trick
        assert place == f"in {folder}"
        assert is_readable(json.dumps(request.arguments, ensure_ascii=False)), trick
    victim.check_harmless(TOUCH)


async def test_what_runs_is_what_was_shown(folder):
    arguments = [row[1] for row in TRICKS]
    script = "import sys; print(ascii(sys.argv[1:]))"
    command = ("run_command", {"arguments": ["python3", "-c", script, *arguments]})
    victim = await Victim(folder, command, decisions=("once",)).run()
    assert victim.results[0].text.startswith(ascii(arguments))


async def test_no_argument_is_replaced(folder):
    script = "import sys; print(sys.argv[1:])"
    for argument in ("{report}", "$HOME", "~", "%TEMP%", "*"):
        command = ("run_command", {"arguments": ["python3", "-c", script, argument]})
        victim = await Victim(folder, command, decisions=("once",)).run()
        assert victim.results[0].text.startswith(str([argument]))


async def test_an_argument_with_a_nul_is_refused(folder):
    command = ("run_command", {"arguments": ["touch", "\0report\0"]})
    victim = await Victim(folder, command).run()
    assert victim.asked == []
    assert "must not hold NUL" in victim.results[0].text


@pytest.mark.parametrize("tricks", SOME_TRICKS)
async def test_diffs_are_shown_whole(folder, tricks):
    content = "x = 1  # {}\ny = 2\n"
    creates = [
        ("create_file", {"path": "new.py", "content": content.format(row[1])}) for row in tricks
    ]
    victim = await Victim(folder, creates).run()
    for (trick, argument, shown), request in zip(tricks, victim.asked, strict=True):
        # The lines of a diff are lines, each behind its mark.
        expected = argument.replace("\n", "\n+") if "line feed" in trick else shown
        assert f"+x = 1  # {expected}" in request.preview, trick
        assert request.preview.endswith("\n+y = 2\n"), trick
        assert is_readable(request.preview), trick
    victim.check_harmless(CREATE)


def test_a_diff_of_a_file_with_returns_stays_a_diff():
    assert visible_lines("--- a/x\n+++ b/x\n@@\n-a\r\n+b\r\n") == "--- a/x\n+++ b/x\n@@\n-a\n+b\n"
    assert visible_lines("@@\n-a\n+b\r\n") == "@@\n-a\n+b⟨U+000D⟩\n"
    assert visible("a b\tc") == "a b⟨U+0009⟩c"


async def test_the_audit_is_safe_to_print(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    name = "\x1b]0;title\x07[bold]x[/]\u202e"
    await Victim(folder, (name, {"[/]": "[red]\u202e\x9b8m"})).run()
    show_audit(None, Output())
    printed = capsys.readouterr().out
    assert is_readable(printed)
    assert "⟨U+001B⟩]0;title⟨U+0007⟩[bold]x[/]⟨U+202E⟩" in printed
    assert '{"[/]":"[red]⟨U+202E⟩⟨U+009B⟩8m"}' in printed
