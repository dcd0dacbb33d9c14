"""The audit log: what models called, who decided, and how it ended; JSON lines for people.

One file for each conversation, readable only by the user. Secrets are masked before they are
written.
"""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from quillon_tools.calls import Failed, Outcome
from quillon_tools.masking import masked, masked_values
from quillon_tools.textfile import whole
from quillon_tools.toolset import Audit, AuditEntry

MAX_ARGUMENTS = 20_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class AuditRecord(msgspec.Struct, frozen=True):
    """One line of the log. `time` is ISO 8601 in UTC, when the call ended."""

    time: str
    call_id: str
    tool: str
    arguments: Any
    decision: str
    by: str
    seconds: float
    outcome: Outcome


class AuditLog:
    """The logs in a folder, which is made when the first call is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def writer(self, conversation_id: str) -> Audit:
        """What writes the calls of one conversation.

        Raises:
            ValueError: The id is not made of letters, digits, `-` and `_`.
        """
        path = self._path(conversation_id)

        def write(entry: AuditEntry) -> None:
            line = msgspec.json.encode(_record(entry)) + b"\n"
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            file = os.open(path, flags, 0o600)
            try:
                os.write(file, line)
            finally:
                os.close(file)

        return write

    def conversations(self) -> list[str]:
        """The ids of the conversations that have a log, the latest first."""
        try:
            files = [path for path in self._folder.iterdir() if path.suffix == ".jsonl"]
            return [path.stem for path in sorted(files, key=_modified, reverse=True)]
        except OSError:
            return []

    def read(self, conversation_id: str) -> list[AuditRecord]:
        """The calls of a conversation, in order. Broken lines are left out.

        Raises:
            ValueError: The id is no id.
            Failed: There is no such log, or it cannot be read.
        """
        try:
            raw = self._path(conversation_id).read_bytes()
        except OSError as error:
            raise Failed(f"no audit log of {conversation_id}: {error.strerror}") from error
        records = []
        for line in raw.splitlines():
            try:
                records.append(msgspec.json.decode(line, type=AuditRecord))
            except msgspec.DecodeError:
                continue  # a line that was being written when the disk was full
        return records

    def _path(self, conversation_id: str) -> Path:
        if not _ID.fullmatch(conversation_id):
            raise ValueError(f"{conversation_id[:60]!r} is no id of a conversation")
        return self._folder / f"{conversation_id}.jsonl"


def _modified(path: Path) -> float:
    return path.stat().st_mtime


def _record(entry: AuditEntry) -> AuditRecord:
    return AuditRecord(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        call_id=whole(entry.call.id[:200]),
        tool=masked(whole(entry.call.name[:200])),
        arguments=_plain(entry.arguments),
        decision=entry.decision,
        by=entry.by,
        seconds=round(entry.seconds, 3),
        outcome=entry.outcome,
    )


def _plain(arguments: dict[str, Any]) -> Any:
    """The arguments without secrets, as JSON; as an excerpt where they are long or no JSON."""
    try:
        # Each string by itself: as JSON, a line feed before a secret would be a letter.
        text = whole(json.dumps(masked_values(arguments), ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return "arguments that are no JSON"
    if len(text) > MAX_ARGUMENTS:
        return f"{text[:MAX_ARGUMENTS]}..."
    return json.loads(text)
