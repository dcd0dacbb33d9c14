"""What an action's edit is bound to: the text that the model worked on, wherever it is now."""

import pytest

from quillon.action_data import documents_of, surroundings
from quillon.assist.edits import Changed, Created
from quillon.rpc import ContentModified
from quillon.session import Session
from quillon.text import Change, Edit, Span
from quillon.uri import uri_of_path

EDITS = (Edit(Span(0, 1), "y"),)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text("x = 1\n")
    return path


@pytest.fixture
def session(tmp_path):
    return Session(roots=(tmp_path,))


def opened(session, path, version=3):
    return session.open(uri_of_path(path), "python", version, path.read_text())


def from_disk(session, file):
    """The file as an action reads it that works on another document."""
    other = session.open("untitled:other", "python", 1, "")
    found = surroundings(session, other).read(file)
    assert found is not None
    return found


async def version_in(session, changed):
    (document,) = await documents_of(session, changed)
    assert (document.text, document.edits) == ("x = 1\n", EDITS)
    return document.version


async def test_an_open_document_is_named_with_its_version(session, file):
    changed = Changed(opened(session, file), EDITS)
    assert await version_in(session, changed) == 3
    session.change(uri_of_path(file), 4, [Change("z = 1\n")])
    with pytest.raises(ContentModified):
        await documents_of(session, changed)
    session.change(uri_of_path(file), 5, [Change("x = 1\n")])
    assert await version_in(session, changed) == 5


async def test_a_closed_document_has_to_be_the_same_on_disk(session, file):
    changed = Changed(opened(session, file), EDITS)
    session.close(uri_of_path(file))
    assert await version_in(session, changed) is None
    file.write_text("z = 1\n")
    with pytest.raises(ContentModified):
        await documents_of(session, changed)
    file.unlink()
    with pytest.raises(ContentModified):
        await documents_of(session, changed)


async def test_a_file_that_was_not_open_has_to_be_the_same_wherever_it_is(session, file):
    changed = Changed(from_disk(session, file), EDITS)
    assert await version_in(session, changed) is None
    opened(session, file, version=7)
    assert await version_in(session, changed) == 7
    session.close(uri_of_path(file))
    file.write_text("x = 1\r\n")
    with pytest.raises(ContentModified):
        await documents_of(session, changed)


async def test_a_new_file_must_still_be_new(session, tmp_path):
    created = Created(tmp_path / "new.py", "x\n")
    (document,) = await documents_of(session, created)
    assert document.create
    (tmp_path / "new.py").write_text("mine\n")
    with pytest.raises(ContentModified, match="exists by now"):
        await documents_of(session, created)
