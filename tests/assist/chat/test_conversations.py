"""Stored conversations: what a restart keeps, and what hostile ids and broken files do."""

import pytest

from quillon.assist.conversations import (
    Conversation,
    ConversationError,
    ConversationStore,
    markdown,
    new_conversation,
)
from quillon.prompt.messages import Message
from quillon_tools.calls import ToolCall

TURN = (
    Message(role="user", content="what is it?"),
    Message(
        role="assistant", content="Let me look.", tool_calls=(ToolCall("1", "read", {"a": 1}),)
    ),
    Message(role="tool", content="```\nfenced\n```", tool_call_id="1"),
    Message(role="assistant", content="It is 四十二 🙂."),
)


def test_a_conversation_survives_in_its_file(tmp_path):
    conversation = new_conversation().with_messages(TURN)
    ConversationStore(tmp_path / "new").put(conversation)
    assert ConversationStore(tmp_path / "new").get(conversation.id) == conversation
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"{conversation.id}.json"]


def test_without_a_folder_it_stays_in_memory():
    store = ConversationStore(None)
    conversation = new_conversation().with_messages(TURN)
    store.put(conversation)
    assert store.get(conversation.id) == conversation


@pytest.mark.parametrize(
    "hostile", ["", "x", "../secrets", "/etc/passwd", "a" * 32 + "/..", "A" * 32, "0" * 31 + "\0"]
)
def test_an_id_that_is_none_reads_and_deletes_nothing(tmp_path, hostile):
    (tmp_path / "secrets.json").write_text("{}")
    store = ConversationStore(tmp_path / "conversations")
    with pytest.raises(ConversationError, match="There is no conversation"):
        store.get(hostile)
    store.delete(hostile)
    assert (tmp_path / "secrets.json").exists()


def test_a_broken_file_is_named_and_does_not_hide_the_others(tmp_path):
    store = ConversationStore(tmp_path)
    whole = new_conversation().with_messages(TURN)
    store.put(whole)
    broken = "0" * 32
    (tmp_path / f"{broken}.json").write_text('{"id": ')
    fresh = ConversationStore(tmp_path)
    assert [conversation.id for conversation in fresh.all()] == [whole.id]
    with pytest.raises(ConversationError, match="cannot be read"):
        fresh.get(broken)


def test_the_list_is_searched_and_sorted(tmp_path):
    store = ConversationStore(tmp_path)
    older = Conversation("a" * 32, "First", "2026-01-01T00:00:00+00:00", TURN)
    newer = Conversation("b" * 32, "Second", "2026-01-02T00:00:00+00:00", ())
    for conversation in (older, newer):
        store.put(conversation)
    assert [c.id for c in store.all()] == [newer.id, older.id]
    assert [c.id for c in store.all("WHAT IS")] == [older.id]
    assert [c.id for c in store.all("second")] == [newer.id]
    assert store.all("nowhere") == []


def test_a_long_first_question_gives_a_short_title():
    messages = (Message(role="user", content="word " * 100),)
    title = new_conversation().with_messages(messages).title
    assert len(title) == 60
    assert title.endswith("…")


def test_markdown_keeps_fences_apart():
    text = markdown(new_conversation().with_messages(TURN))
    assert text.startswith("# what is it?\n")
    assert "````text\n```\nfenced\n```\n````" in text
    assert '- `read` {"a":1}' in text


def test_two_windows_see_what_the_other_added(tmp_path):
    one, other = ConversationStore(tmp_path), ConversationStore(tmp_path)
    conversation = new_conversation().with_messages(TURN[:1])
    one.put(conversation)
    assert other.get(conversation.id) == conversation
    longer = conversation.with_messages(TURN)
    other.put(longer)
    assert one.get(conversation.id) == longer


def test_what_was_deleted_while_it_was_answered_does_not_come_back(tmp_path):
    store = ConversationStore(tmp_path)
    conversation = new_conversation().with_messages(TURN[:1])
    store.put(conversation)
    store.delete(conversation.id)
    store.put(conversation.with_messages(TURN))
    assert store.all() == []


def test_what_could_not_be_written_stays_in_memory(tmp_path):
    (tmp_path / "file").write_text("no folder")
    store = ConversationStore(tmp_path / "file")
    conversation = new_conversation().with_messages(TURN)
    with pytest.raises(ConversationError, match="could not be saved"):
        store.put(conversation)
    assert store.get(conversation.id) == conversation
    assert store.all() == [conversation]


def test_a_name_of_the_users_stays(tmp_path):
    store = ConversationStore(tmp_path)
    conversation = new_conversation().with_messages(TURN[:1])
    store.put(conversation)
    store.rename(conversation.id, "  The  constant\n")
    assert ConversationStore(tmp_path).get(conversation.id).title == "The constant"
    # The turn that was being answered knows the old name.
    store.put(conversation.with_messages(TURN))
    assert store.get(conversation.id).title == "The constant"
    assert store.get(conversation.id).messages == TURN
    store.rename(conversation.id, "n" * 500)
    assert len(store.get(conversation.id).title) == 200


def test_an_empty_name_or_none_to_give_it_to_is_a_sentence(tmp_path):
    store = ConversationStore(tmp_path)
    conversation = new_conversation().with_messages(TURN)
    store.put(conversation)
    with pytest.raises(ConversationError, match="needs a name"):
        store.rename(conversation.id, " \n")
    with pytest.raises(ConversationError, match="no conversation"):
        store.rename("f" * 32, "New")
    assert store.get(conversation.id) == conversation


def test_the_first_turns_of_a_conversation():
    more = Message(role="user", content="And then?")
    conversation = new_conversation().with_messages((*TURN, more))
    assert conversation.first(0).messages == ()
    assert conversation.first(1).messages == TURN
    assert conversation.first(2) == conversation
    assert conversation.first(-1) == conversation


def test_the_title_is_what_was_asked_not_what_was_attached():
    message = Message(role="user", content="a.py\n```\nx\n```\n\nWhat is x?", asked="What is x?")
    assert new_conversation().with_messages((message,)).title == "What is x?"
