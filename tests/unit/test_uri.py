"""URIs and paths, in the spellings that editors use."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.uri import path_of_uri, uri_key, uri_of_path


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file:///a%20b/%C3%A9%23.py", "/a b/é#.py"),
        ("FILE:///a", "/a"),
        ("file://localhost/a", "/a"),
        ("file://server/share/a", None),
        ("untitled:Untitled-1", None),
        ("vscode-notebook-cell:/a/b.ipynb#W0", None),
        ("vscode-remote://ssh-remote+box/a/b.py", None),
        ("git:/a/b.py?ref", None),
        ("file:a.py", None),
        ("file:///a%00b", None),
        ("http://[oops", None),
        ("", None),
        ("/a/b.py", None),
    ],
)
def test_uri_to_path(uri, expected):
    assert path_of_uri(uri, windows=False) == (None if expected is None else Path(expected))


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:///c%3A/a%20b.py", r"C:\a b.py"),
        ("file:///C:/a.py", r"C:\a.py"),
        ("file://server/share/a.py", r"\\server\share\a.py"),
        ("file:///a/b.py", None),
    ],
)
def test_uri_to_windows_path(uri, expected):
    path = path_of_uri(uri, windows=True)
    assert (path and str(path)) == (expected and str(Path(PureWindowsPath(expected))))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PurePosixPath("/a/b.py"), "file:///a/b.py"),
        (PurePosixPath("/a b/é#?.py"), "file:///a%20b/%C3%A9%23%3F.py"),
        (PureWindowsPath(r"C:\a b.py"), "file:///c%3A/a%20b.py"),
        (PureWindowsPath(r"\\server\share\a.py"), "file://server/share/a.py"),
    ],
)
def test_path_to_uri(path, expected):
    assert uri_of_path(path) == expected


def test_a_relative_path_has_no_uri():
    with pytest.raises(ValueError, match="no absolute path"):
        uri_of_path(PurePosixPath("a.py"))


@given(
    st.lists(
        st.text(
            st.characters(exclude_characters="/\0", exclude_categories=["Cs"]),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_paths_survive_the_round_trip(parts):
    path = Path("/" + "/".join(parts))
    assert path_of_uri(uri_of_path(path), windows=False) == path


def test_names_that_are_no_text_survive():
    path = Path("/a\udcff")  # a file name that is no UTF-8
    assert path_of_uri(uri_of_path(path), windows=False) == path


def test_equal_uris_have_one_key():
    assert uri_key("file:///c%3A/x") == uri_key("file:///C:/x") == uri_key("File:///c:/x")
    assert uri_key("file:///a%20b") == uri_key("file:///a b")
    assert uri_key("file:///a") != uri_key("file:///A")
    assert uri_key("untitled:A") == "untitled:A"
