"""What the commands print, line by line."""

from quillon.cli.output import Output


def test_a_notice_in_the_middle_of_an_answer_has_its_own_line(capfd):
    output = Output()
    for piece in ("new, ", "new"):
        output.text(piece)
    output.line("The model repeated itself.", "dim")
    output.text("again\n")
    output.line("and stopped")
    output.end_line()
    assert capfd.readouterr().out == "new, new\nThe model repeated itself.\nagain\nand stopped\n"
