"""Conversations: their turns in memory, and a JSON file each so that a restart keeps them.

A conversation is written after every turn, to a new file that replaces the old one, so a crash or
a full disk never leaves half of one behind.
"""

import contextlib
import datetime
import json
import logging
import os
import re
import tempfile
import uuid
from pathlib import Path

import msgspec

from quillon.prompt.fences import fenced
from quillon.prompt.messages import Message

logger = logging.getLogger(__name__)

_TITLE_LENGTH = 60
_LONGEST_NAME = 200  # characters of a title that the user gave
_ID = re.compile(r"[0-9a-f]{32}")


class ConversationError(Exception):
    """A conversation is unknown or could not be kept; the message is for people."""

    for_people = True


class Conversation(msgspec.Struct, frozen=True):
    """The messages of one conversation, the system message not among them.

    `updated` is ISO 8601 in UTC.
    """

    id: str
    title: str
    updated: str
    messages: tuple[Message, ...] = ()

    def with_messages(self, messages: tuple[Message, ...]) -> "Conversation":
        """The conversation after another turn; the first question gives the title."""
        title = self.title or _title(messages)
        return Conversation(self.id, title, _now(), messages)

    def first(self, turns: int) -> "Conversation":
        """The conversation with its first turns only."""
        starts = [at for at, message in enumerate(self.messages) if message.role == "user"]
        end = starts[turns] if 0 <= turns < len(starts) else len(self.messages)
        return Conversation(self.id, self.title, self.updated, self.messages[:end])

    @property
    def turns(self) -> int:
        """The number of questions asked."""
        return sum(message.role == "user" for message in self.messages)


def new_conversation() -> Conversation:
    """An empty conversation under an id of its own."""
    return Conversation(uuid.uuid4().hex, "", _now())


class ConversationStore:
    """The conversations of one workspace. `folder` None keeps them in memory only.

    The files are the truth, since several editors may share them; memory holds only what could
    not be written. The methods read and write files, and may be called from any thread.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._unwritten: dict[str, Conversation] = {}
        self._deleted: set[str] = set()
        self._names: dict[str, str] = {}

    def get(self, conversation_id: str) -> Conversation:
        """A conversation by its id.

        Raises:
            ConversationError: There is none, or its file cannot be read.
        """
        return self._unwritten.get(conversation_id) or self._read(conversation_id)

    def has(self, conversation_id: str) -> bool:
        """Whether there is a conversation with an id."""
        if conversation_id in self._unwritten:
            return True
        place = self._place(conversation_id)
        return place is not None and place.is_file()

    def put(self, conversation: Conversation) -> None:
        """Keep a conversation; in memory at least. One that was deleted stays so.

        Raises:
            ConversationError: It could not be written, as on a full disk.
        """
        if conversation.id in self._deleted:
            return
        # It may have been renamed while it was answered.
        title = self._names.get(conversation.id, conversation.title)
        conversation = Conversation(
            conversation.id, title, conversation.updated, conversation.messages
        )
        if self._folder is None:
            self._unwritten[conversation.id] = conversation
            return
        try:
            _replace(self._folder, f"{conversation.id}.json", _encoded(conversation))
        except OSError as error:
            self._unwritten[conversation.id] = conversation
            raise ConversationError(
                f"The conversation could not be saved in {self._folder} ({error.strerror}). "
                "It stays in memory until the server ends."
            ) from error
        self._unwritten.pop(conversation.id, None)

    def all(self, query: str = "") -> list[Conversation]:
        """The conversations whose text holds `query`, newest first."""
        needle = query.casefold()
        found = []
        for conversation_id in self._ids():
            try:
                conversation = self.get(conversation_id)
            except ConversationError as error:
                logger.warning("%s", error)
                continue
            if needle in conversation.title.casefold() or any(
                needle in message.content.casefold() for message in conversation.messages
            ):
                found.append(conversation)
        return sorted(found, key=lambda c: c.updated, reverse=True)

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title.

        Raises:
            ConversationError: There is none, the title is empty, or it could not be written.
        """
        name = " ".join(title.split())[:_LONGEST_NAME]
        if not name:
            raise ConversationError("A conversation needs a name. Type one and try again.")
        conversation = self.get(conversation_id)
        self._names[conversation_id] = name
        self.put(conversation)

    def delete(self, conversation_id: str) -> None:
        """Forget a conversation; one that is not there is forgotten already."""
        self._deleted.add(conversation_id)
        self._unwritten.pop(conversation_id, None)
        place = self._place(conversation_id)
        if place is not None:
            with contextlib.suppress(FileNotFoundError):
                place.unlink()

    def _ids(self) -> set[str]:
        ids = set(self._unwritten)
        if self._folder is not None and self._folder.is_dir():
            ids |= {path.stem for path in self._folder.glob("*.json") if _ID.fullmatch(path.stem)}
        return ids

    def _place(self, conversation_id: str) -> Path | None:
        """The file of a conversation; None where there cannot be one."""
        # The id comes from the client and becomes a file name.
        if self._folder is None or not _ID.fullmatch(conversation_id):
            return None
        return self._folder / f"{conversation_id}.json"

    def _read(self, conversation_id: str) -> Conversation:
        if not conversation_id:
            raise ConversationError(
                "There is no conversation with an empty id. Name one of quillon/conversations/list."
            )
        unknown = ConversationError(
            f"There is no conversation {conversation_id!r}; it may have been deleted."
        )
        path = self._place(conversation_id)
        if path is None:
            raise unknown
        try:
            return msgspec.json.decode(path.read_bytes(), type=Conversation)
        except FileNotFoundError:
            raise unknown from None
        except (OSError, msgspec.MsgspecError) as error:
            raise ConversationError(
                f"The conversation in {path} cannot be read: {error}"
            ) from error


def markdown(conversation: Conversation) -> str:
    """A conversation as a Markdown document; tool results are folded into fenced blocks."""
    parts = [f"# {conversation.title or 'Conversation'}", f"*{conversation.updated}*"]
    for message in conversation.messages:
        if message.role == "user":
            parts.append(f"## You\n\n{message.content}")
        elif message.role == "assistant":
            calls = "\n".join(
                f"- `{call.name}` {msgspec.json.encode(call.arguments).decode()}"
                for call in message.tool_calls
            )
            body = "\n\n".join(part for part in (message.content, calls) if part)
            parts.append(f"## Quillon\n\n{body}")
        elif message.role == "tool":
            parts.append(fenced(message.content, "text"))
    return "\n\n".join(parts) + "\n"


def _encoded(conversation: Conversation) -> bytes:
    try:
        return msgspec.json.encode(conversation)
    except UnicodeEncodeError:
        # Half a surrogate pair, which JSON can bring and UTF-8 cannot hold, becomes a `?`.
        text = json.dumps(msgspec.to_builtins(conversation), ensure_ascii=False)
        return text.encode("utf-8", "replace")


def _title(messages: tuple[Message, ...]) -> str:
    for message in messages:
        if message.role == "user":
            line = " ".join(message.said.split())
            return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1] + "…"
    return ""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _replace(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
