"""What the commands print, line by line."""

import json

import pytest
import typer

from quillon.chinese import in_chinese
from quillon.cli.markdown import ReadableMarkdown
from quillon.cli.output import Output, check_writable, complain, fail


def test_a_notice_in_the_middle_of_an_answer_has_its_own_line(capfd):
    output = Output()
    for piece in ("new, ", "new"):
        output.text(piece)
    output.line("The model repeated itself.", "dim")
    output.text("again\n")
    output.line("and stopped")
    output.end_line()
    assert capfd.readouterr().out == "new, new\nThe model repeated itself.\nagain\nand stopped\n"


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")


def test_in_a_narrow_window_a_row_is_a_record_and_no_word_is_broken(narrow, capfd):
    output = Output()
    table = output.table("", "model", "ghost text", "licence", "file")
    path = "/" + "/".join(["folder"] * 12)
    table.add_row("→", "Quillon [/Tiny]", "yes", "", f"{path}/[x].gguf")
    table.add_row("", "Other", "no", "Apache-2.0", "")
    output.show(table)
    shown = capfd.readouterr().out
    assert shown.startswith("→ model: Quillon [/Tiny]\nghost text: yes\nfile:")
    assert f"{path}/[x].gguf" in "".join(shown.split())
    assert "\n\nmodel: Other\nghost text: no\nlicence: Apache-2.0\n" in shown


def test_a_table_that_fits_stays_a_table(narrow, capfd):
    output = Output()
    table = output.table("pid", "state")
    table.add_row("12", "does not answer")
    output.show(table)
    assert [line.split() for line in capfd.readouterr().out.splitlines()] == [
        ["pid", "state"],
        ["12", "does", "not", "answer"],
    ]


def test_tables_in_markdown_lose_nothing_in_a_narrow_window(narrow, capfd):
    words = "| requests | right call or none | 71.4% | 61.0% – 80.0% | 520 |"
    table = f"| task | figure | value | 95 % interval | n |\n|-|-|-|-|-|\n{words}\n"
    Output().show(ReadableMarkdown(table))
    shown = capfd.readouterr().out
    assert "figure: right call or none\nvalue: 71.4%\n95 % interval: 61.0% – 80.0%\n" in shown


def test_nothing_that_is_shown_steers_the_terminal(capfd):
    hostile = "a\x1b]0;title\x07\x9b31m\rb\r\nc"
    output = Output()
    output.text(hostile + "\n")
    output.line(hostile, "dim")
    output.notice(hostile)
    output.show(ReadableMarkdown(f"{hostile}\n\n```python\n{hostile}\n```\n"))
    table = output.table("name")
    table.add_row(hostile)
    output.show(table)
    with pytest.raises(typer.Exit):
        fail(hostile)
    out, err = capfd.readouterr()
    assert out.startswith("a⟨U+001B⟩]0;title⟨U+0007⟩⟨U+009B⟩31m⟨U+000D⟩b\nc\n")
    assert not [sign for sign in out + err if sign != "\n" and not sign.isprintable()]
    assert err.count("⟨U+001B⟩") == 2


def test_a_line_end_may_come_in_two_pieces(capfd):
    output = Output()
    for piece in ("a\r", "\nb\r", "c\r\n", "d\r"):
        output.text(piece)
    output.end_line()
    output.line("e")
    assert capfd.readouterr().out == "a\nb⟨U+000D⟩c\nd\ne\n"


@pytest.mark.parametrize("leads_to", [None, "not-there-yet.json"], ids=["a file", "a link"])
def test_to_see_whether_a_file_can_be_written_leaves_no_trace(tmp_path, leads_to):
    file = tmp_path / "report.json"
    if leads_to is not None:
        file.symlink_to(leads_to)
    before = list(tmp_path.iterdir())
    check_writable(file)
    assert list(tmp_path.iterdir()) == before


def test_links_in_a_circle_cannot_be_written(tmp_path, capfd):
    file = tmp_path / "report.json"
    file.symlink_to(file.name)
    with pytest.raises(typer.Exit):
        check_writable(file)
    assert f"{file} cannot be written: " in capfd.readouterr().err


@pytest.mark.parametrize("text", ["x = d[:key:]", "fe80:a:b", "\tif [bold]x[/]:", "a" * 200])
def test_code_is_shown_to_the_letter(capfd, text):
    output = Output()
    output.text(f"{text}\n")
    output.line(text)
    assert capfd.readouterr().out == f"{text}\n{text}\n"


def test_a_name_in_a_complaint_stays_as_it_is(capfd):
    complain("There is no file :x:.py")
    assert "no file :x:.py" in capfd.readouterr().err


@pytest.mark.parametrize("language", ["zh-cn", "en"])
def test_an_editor_reads_our_sentences_in_its_language(language, monkeypatch, capfd):
    monkeypatch.setenv("QUILLON_LANGUAGE", language)
    sentence = "HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it."
    with pytest.raises(typer.Exit):
        fail(sentence, json=True)
    Output(json=True).value({"name": "ghost text", "purpose": "ghost text", "size": 1})
    shown = capfd.readouterr()
    told, model = map(json.loads, shown.out.splitlines())
    chinese = language == "zh-cn"
    assert told["error"] == (in_chinese(sentence) if chinese else sentence)
    purpose = "代码建议" if chinese else "ghost text"
    assert model == {"name": "ghost text", "purpose": purpose, "size": 1}
    # What a log may hold stays as it was written.
    assert sentence in shown.err
