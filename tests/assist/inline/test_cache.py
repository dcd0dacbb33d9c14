"""Suggestions are found again while they are typed."""

from quillon.assist.inline_cache import Completed, SuggestionCache
from quillon_testing.markers import marked

HELD = marked("x = ▮\ny")


def check_find(held: str, suggested: str, later: str) -> str | None:
    """What a suggestion made at `held` still offers in `later`."""
    place, now = marked(held), marked(later)
    cache = SuggestionCache()
    cache.put("a.py", place.text, place.cursor, Completed(suggested, 0.9))
    found = cache.find("a.py", now.text, now.cursor)
    return None if found is None else found.text


def test_the_same_place() -> None:
    assert check_find("x = ▮\ny", "f(1)", "x = ▮\ny") == "f(1)"


def test_typing_on() -> None:
    assert check_find("x = ▮\ny", "f(1)", "x = f▮\ny") == "(1)"
    assert check_find("x = ▮", "f(\n    1)", "x = f(\n ▮") == "   1)"


def test_astral_characters() -> None:
    assert check_find("🗡 = ▮", "'🛡🛡'", "🗡 = '🛡▮") == "🛡'"


def test_all_of_it_was_typed() -> None:
    assert check_find("x = ▮", "f(1)", "x = f(1)▮") is None


def test_something_else_was_typed() -> None:
    assert check_find("x = ▮", "f(1)", "x = g▮") is None


def test_brackets_that_the_editor_closed() -> None:
    assert check_find("x = ▮\ny", "f(1)", "x = f(▮)\ny") == "1)"
    assert check_find("x = ▮\ny", 'f("a")', 'x = f("▮")\ny') == 'a")'
    assert check_find("x = ▮\ny", "f(1)", "x = f(▮z\ny") is None


def test_a_change_elsewhere() -> None:
    assert check_find("x = ▮\ny", "f(1)", "x = f▮\nz") is None
    assert check_find("x = ▮\ny", "f(1)", "w = f▮\ny") is None
    assert check_find("x = ▮\ny", "f(1)", "\nx = f▮\ny") is None


def test_deleting_goes_back_to_an_older_one_only_at_its_place() -> None:
    assert check_find("x = f▮\ny", "(1)", "x = ▮\ny") is None


def test_another_scope() -> None:
    cache = SuggestionCache()
    cache.put("a.py", HELD.text, HELD.cursor, Completed("1", 0.9))
    assert cache.find("b.py", HELD.text, HELD.cursor) is None


def test_the_longest_unused_goes_first() -> None:
    cache = SuggestionCache(max_entries=2)
    for scope in ("a", "b"):
        cache.put(scope, HELD.text, HELD.cursor, Completed(scope, 0.9))
    assert cache.find("a", HELD.text, HELD.cursor)
    cache.put("c", HELD.text, HELD.cursor, Completed("c", 0.9))
    found = [scope for scope in "abc" if cache.find(scope, HELD.text, HELD.cursor)]
    assert found == ["a", "c"]
    cache.clear()
    assert cache.find("a", HELD.text, HELD.cursor) is None
