"""What a question names: paths, folders, symbols, phrases, and names that belong together."""

import time

import pytest

from quillon.prompt.messages import Message
from quillon.prompt.naming import (
    ANY_PATH,
    FIRST_LINE,
    LAST_LINE,
    SYMBOL,
    TEXT,
    meant,
    named_together,
    names_folder,
    names_something,
)

LIVE = {
    SYMBOL: ("Cart", "run", "MAX", "area", "load_all", "total", "_expand", "NullSession"),
    ("read_file", "path"): ("tests", "docs/api", "src/app.py", "README.md", "LICENSE", "lib/NEWS"),
}


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("new here: what happens inside load_all?", ["load_all"]),
        ("Compare load_all and Cart.total please", ["load_all", "Cart.total"]),
        ("how was the function load_all in src/app.py made?", ["load_all"]),
        ("is Quay used by load_all", ["Quay", "load_all"]),
        ("where is run, and where is load_all", ["run", "load_all"]),
        ("哪里定义了 loadAll 和 `check`？", ["loadAll", "check"]),
        ("who calls mooring( today?", ["mooring"]),
        ("what is in src/app.py", []),
        ("where is parse in src/app.py, e.g. its end", []),
        ('someone wrote "pilot aboard" somewhere', []),
    ],
)
def test_of_a_questions_words_those_that_only_code_has_are_symbols(question, names):
    live = {SYMBOL: ("run", "other"), ("read_file", "path"): ("src", "docs")}
    assert meant(Message("user", question), live)[SYMBOL] == names


def test_a_folder_without_a_slash_is_a_path_where_the_workspace_has_it():
    live = {("read_file", "path"): ("src", "docs")}
    asked = Message("user", "look into docs for load_all, and into more/of/it")
    assert meant(asked, live)[ANY_PATH] == ["more/of/it", "docs"]


def test_symbols_of_the_workspace_are_names_unless_they_may_be_words():
    live = {SYMBOL: ("Cart", "run", "MAX", "area")}
    assert names_something(Message("user", "what does Cart do?"), live)
    assert names_something(Message("user", "MAX 是什么"), live)
    assert names_something(Message("user", "Where is area defined?"), live)
    assert names_something(Message("user", "area 在哪里"), live)
    assert not names_something(Message("user", "This is a wide area."), live)
    assert not names_something(Message("user", "run the tests"), live)
    assert not names_something(Message("user", "what does Cart do?"), {})


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("where are load_all and _expand?", ["load_all", "_expand"]),
        ("where is area, and where is `load_all`?", ["area", "load_all"]),
        ("now find `_expand`, Cart and load_all", ["_expand", "Cart", "load_all"]),
        ("看看 「Cart.total」 与 NullSession 定义在哪", ["Cart.total", "NullSession"]),
        (
            "two things: where does load_all sit, and where does _expand sit?",
            ["load_all", "_expand"],
        ),
        ("where is load_all?", []),
        ("where is load_all in Cart", []),
        ("rename load_all and other_name", []),
        ("compare area and run", []),
        ("run it, then area, and load_all", ["area", "load_all"]),
        ("are load_all and _expand in src/app.py?", []),
        ("load_all, _expand, Cart and NullSession", []),
        ("load_all and _expand fail:\nCart", []),
        ("load_all and _expand, " + "please " * 40, []),
        ("does load_all and _expand help NullSession", []),
    ],
)
def test_names_that_are_asked_for_together(question, names):
    assert named_together(Message("user", question), LIVE) == names


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("where does quay_of sit, and where does HarbourMaster sit?", ["quay_of", "HarbourMaster"]),
        ("where are quay_of and harbour?", []),
        ("compare start and stop", []),
    ],
)
def test_of_a_workspace_whose_symbols_are_too_many_what_is_only_code_counts(question, names):
    assert named_together(Message("user", question), {}) == names


def test_of_an_attached_file_no_names_are_looked_up():
    question = Message("user", "explain load_all and _expand", attached=("src/app.py",))
    assert named_together(question, LIVE) == []


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("what is in the tests folder", True),
        ("tests 目录底下都有些什么", True),
        ("list the directory `docs/api`", True),
        ("文件夹 tests 里有什么", True),
        ("run the tests", False),
        ("what is in the other folder", False),
        ("which folders are there", False),
    ],
)
def test_a_folder_is_named_where_it_is_called_one_and_is_there(question, named):
    asked = Message("user", question)
    assert names_folder(asked, LIVE) is named
    assert names_something(asked, LIVE) is named


@pytest.mark.parametrize(
    ("question", "paths"),
    [
        ("what is in the README?", ["README.md"]),
        ("看看 LICENSE 的内容", ["LICENSE"]),
        ("please read me the NEWS", []),
        ("what is the licence?", []),
    ],
)
def test_a_file_beside_the_root_is_named_by_its_title(question, paths):
    asked = Message("user", question)
    assert meant(asked, LIVE)[ANY_PATH] == paths
    assert names_something(asked, LIVE) is bool(paths)


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ('somebody wrote "pilot aboard" here, find it', ["pilot aboard"]),
        ("where do we say `raise ValueError`", ["raise ValueError"]),
        ("I don't know where load_all is, it's lost", ["load_all"]),
        ("find `load_all` and 'no-cache'", ["load_all", "no-cache"]),
        ("new here: what happens inside load_all?", ["load_all"]),
        ("grep `src/app.py` for load_all", ["load_all"]),
        ("we left early. Cart is where?", ["Cart"]),
        ("find it", []),
        ("who calls load_all( and 'x-y'", ["load_all(", "load_all", "x-y"]),
    ],
)
def test_a_text_is_several_words_in_quotes_or_what_else_is_named(question, texts):
    assert meant(Message("user", question), LIVE)[TEXT] == texts


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("lines 3 to 9 of src/app.py", (["3"], ["9"])),
        ("src/app.py 24:43 please", (["24"], ["43"])),
        ("src/app.py 38 到 42 行", (["38"], ["42"])),
        ("src/v2/app-3.py, lines 5-7", (["5"], ["7"])),
        ("lines 9 to 3 of src/app.py", ([], [])),
        ("line 9 of src/app.py", ([], [])),
        ("in Python 3.11, lines 5 to 7 of src/app.py", (["5"], ["7"])),
        ("lines 3 to 9", ([], [])),
    ],
)
def test_two_numbers_beside_a_path_are_its_first_and_last_line(question, lines):
    names = meant(Message("user", question), LIVE)
    assert (names[FIRST_LINE], names[LAST_LINE]) == lines


def test_a_folder_in_quotes_is_no_symbol():
    names = meant(Message("user", "what is in `tests`, and who calls `load_all`?"), LIVE)
    assert names[ANY_PATH] == ["tests"]
    assert names[SYMBOL] == ["load_all"]


@pytest.mark.parametrize("piece", [", ", "and ", "'", "a.", "a/", "`x ", "目录"])
def test_no_question_takes_long_to_read(piece):
    question = Message("user", "`load_all`" + piece * 5_000 + "`_expand` folder")
    begun = time.process_time()
    names_something(question, LIVE)
    named_together(question, LIVE)
    meant(question, LIVE)
    assert time.process_time() - begun < 2
