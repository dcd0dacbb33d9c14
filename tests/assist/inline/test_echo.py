"""What a file says elsewhere behind the same words, and when the embedded model gives way to it."""

import pytest

from quillon.assist.echo import echo
from quillon.assist.inline_place import Query
from quillon.assist.suggestion import Suggestion
from quillon.context.document import snapshot_of
from quillon.context.neighbours import Neighbour
from quillon.engine.script import Script, Step
from quillon_testing.markers import marked_block
from quillon_testing.suggestions import Desk

ROPES = """
    def moor(boat):
        log.info("moored %s", boat.name)
        harbour.boats.append(boat)


    def tow(boat):
        log.info("moored %s", ▮
        harbour.boats.append(boat)
    """


def said(source: str, *others: str) -> str | None:
    place = marked_block(source)
    found = echo(place.prefix, place.suffix, others)
    return None if found is None else found.text


def desk(reply: str = "by_the_model()", **chosen) -> Desk:
    step = Step(reply=reply, times=0, logprob=-0.001)
    return Desk(script=Script(steps=(step,), embedded=True), **chosen)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ROPES, "boat.name)"),
        ("for boat in harbour.boats:\n    pass\nfor boat in ▮\n", "harbour.boats:"),
        ("x = 1\n", None),
        ("▮", None),
        ("ab▮", None),
        ("quay\nquay▮\n", None),  # both lines end here
        ("a" * 4 + "b" * 300 + "\naaaa▮", None),  # what follows is longer than a line that is read
    ],
)
def test_what_was_said_before_is_said_again(source, expected):
    assert said(source if "▮" in source else source + "▮") == expected


def test_the_longer_agreement_wins():
    source = """
        first.moor(quay_one)
        last.moor(quay_two)
        first.moor(quay_one)
        last.moor(▮
        """
    assert said(source) == "quay_two)"


def test_what_stands_behind_the_line_has_a_say():
    source = """
        tie(bow)
        turn(left)
        tie(stern)
        stop()
        tie(▮
        stop()
        """
    assert said(source) == "stern)"


def test_other_files_are_asked():
    assert said("harbour.▮") is None
    assert said("harbour.▮", "x = harbour.master.name\n") == "master.name"


def test_surer_the_more_agrees():
    lone = echo("a.moor(b)\nx = 5\nc.moor(", "")
    place = marked_block(ROPES)
    long = echo(place.prefix, place.suffix)
    assert lone is not None
    assert long is not None
    assert 0 < lone.confidence < 0.6 < long.confidence < 1


@pytest.mark.parametrize(
    "text",
    [
        " " * 500_000,
        "\n" * 500_000,
        "ab" * 250_000,
        ("x = 1\n" * 90_000),
        "\U0001f600 = 1\n" * 50_000,
        "\r\n\0\x1b[0m" * 50_000,
    ],
    ids=["blanks", "empty lines", "one word", "one line", "astral", "odd"],
)
def test_texts_that_repeat_one_thing_are_searched_within_bounds(text):
    found = echo(text[:250_000], text[250_000:], [text] * 9)
    assert found is None or len(found.text) <= 200


async def test_the_embedded_model_gives_way_to_what_the_file_says() -> None:
    told = desk()
    assert (await told.show(ROPES)).count("«boat.name)»") == 1
    assert told.engine.calls == []


@pytest.mark.parametrize(("name", "shown"), [("sm\u00f6rg\u00e5s", True), ("sm\ufffdrg", False)])
async def test_half_a_character_of_another_file_is_not_said_again(name: str, shown: bool) -> None:
    place, other = marked_block("value = call(▮\n"), f"value = call('{name}')\n" * 3
    document = snapshot_of("file:///w/a", place.text, language_id="python")
    others = [Neighbour(snapshot_of("file:///w/b", other, language_id="python"))]
    told = desk("")
    query = Query(document, place.cursor, invoked=True, neighbours=others)
    answer = await told.suggester.suggest(query, told.engine, told.settings)
    assert isinstance(answer, Suggestion)
    assert answer.text == (f"'{name}')" if shown else "'sm")


async def test_a_suggestion_from_the_file_is_typed_into() -> None:
    told = desk()
    await told.show(ROPES)
    assert "boat«.name)»" in await told.show(ROPES.replace("▮", "boat▮"))
    assert told.engine.calls == []


async def test_other_models_write_themselves() -> None:
    assert "«by_the_model()»" in await Desk("by_the_model()").show(ROPES)


async def test_where_the_file_says_little_the_model_is_asked_while_one_types() -> None:
    source = "a.moor(b)\nx = 5\nc.moor(▮\n"
    told = desk()
    assert "«by_the_model()»" in await told.show(source)
    assert len(told.engine.calls) == 1


async def test_asked_for_the_file_says_what_it_can() -> None:
    source = "a.moor(b)\nx = 5\nc.moor(▮\n"
    told = desk("")
    assert "«b)»" in await told.show(source, invoked=True)
    assert told.engine.calls == []
    # While one types the same is not sure enough, though it was suggested before.
    await told.show(source)
    assert len(told.engine.calls) == 1


@pytest.mark.parametrize("least", [0.94, 0.95])
async def test_who_wants_to_see_less_sees_less(least) -> None:
    told = desk("", min_confidence=least)
    await told.show(ROPES)
    assert len(told.engine.calls) == 1


async def test_what_the_user_asked_for_stays_while_it_is_typed() -> None:
    source = "a.moor(bollard)\nx = 5\nc.moor(▮\n"
    told = desk("")
    assert "«bollard)»" in await told.show(source, invoked=True)
    assert "boll«ard)»" in await told.show(source.replace("▮", "boll▮"))
    assert told.engine.calls == []


async def test_what_the_model_wrote_when_asked_stays_while_it_is_typed() -> None:
    told = Desk(Step(reply="tow(boat)", logprob=-3.0))
    assert "«tow(boat)»" in await told.show("x = ▮\n", invoked=True)
    assert "to«w(boat)»" in await told.show("x = to▮\n")
    assert "to«w(boat)»" in await told.show("x = to▮\n")
    assert len(told.engine.calls) == 1


async def test_of_a_weak_echo_the_model_is_asked_even_by_key() -> None:
    told = desk()
    assert "«by_the_model()»" in await told.show(
        "x = 100\ny = 200\nz = 300\nqueue = ▮\n", invoked=True
    )


async def test_an_echo_is_no_longer_than_a_suggestion_may_be() -> None:
    told = desk("", max_tokens=2)
    await told.show(ROPES)
    assert len(told.engine.calls) == 1


def test_a_line_ends_at_any_line_end():
    assert said("harbour.open(gate, key)\rx = 1\rharbour.open(gate, ▮") == "key)"
    assert said("harbour.open(gate, key)\r\nx = 1\r\nharbour.open(gate, ▮\r\n") == "key)"


async def test_a_bracket_that_stands_there_is_covered() -> None:
    source = """
        harbour.open(gate, key)
        x = 1
        harbour.open(▮)
        """
    assert "harbour.open(«gate, key)»\n" in await desk("").show(source)


async def test_what_stands_below_is_not_said_again() -> None:
    source = """
        open_gate()
        close_gate()

        open_gate()
        ▮
        close_gate()
        """
    assert "«close_gate()»" not in await desk("").show(source, invoked=True)


async def test_open_files_are_asked_but_not_secret_ones(tmp_path) -> None:
    place = marked_block("harbour_master.▮")
    document = snapshot_of("file:///w/a.py", place.text, language_id="python")
    texts = {".env": "harbour_master.secret\n", "quay.py": "harbour_master.name\n"}
    others = {
        name: Neighbour(
            snapshot_of((tmp_path / name).as_uri(), text, language_id="x", path=tmp_path / name)
        )
        for name, text in texts.items()
    }
    for names, expected in (((".env",), None), ((".env", "quay.py"), "name")):
        told = desk("")
        query = Query(
            document, place.cursor, True, neighbours=tuple(others[name] for name in names)
        )
        answer = await told.suggester.suggest(query, told.engine, told.settings)
        assert (answer.text if isinstance(answer, Suggestion) else None) == expected
