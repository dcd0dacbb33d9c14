"""What the demonstration shows, whatever stands in it."""

from rich.text import Text

from quillon.cli.demo import titled
from quillon.cli.output import Output


def test_brackets_around_a_suggestion_are_shown_as_they_are(capfd):
    Output().show(titled(Text("a = [/b]"), "shop/[x].py", "it would repeat [/x]"))
    shown = capfd.readouterr().out
    assert "a = [/b]" in shown
    assert " shop/[x].py " in shown
    assert " it would repeat [/x] " in shown
