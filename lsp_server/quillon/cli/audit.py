"""`quillon audit`: what models called, who decided, and how it ended."""

import msgspec

from quillon.cli.output import Output, fail
from quillon.folders import audit_directory
from quillon_tools.audit import AuditLog, AuditRecord
from quillon_tools.calls import Failed
from quillon_tools.visible import visible

_LISTED = 6  # conversations


def show_audit(conversation: str | None, output: Output) -> int:
    """Print the calls of a conversation, or of the latest one."""
    log = AuditLog(audit_directory())
    known = log.conversations()
    if conversation is None and not known:
        output.notice(f"No model has called a tool yet; the log will be in {audit_directory()}.")
        return 0
    chosen = conversation or known[0]
    try:
        records = log.read(chosen)
    except (Failed, ValueError) as error:
        fail(f"{error}. Known conversations: {', '.join(known) or 'none'}.", json=output.json)
    table = output.table("time", "tool", "arguments", "decision", "by", "seconds", "outcome")
    for record in records:
        output.value(record)
        table.add_row(*_cells(record))
    output.line(f"Conversation {chosen}")
    output.show(table)
    others = len(known) - 1
    if conversation is None and others > 0:
        output.notice(
            f"{others} more: {', '.join(known[1 : _LISTED + 1])}{' …' if others > _LISTED else ''}"
        )
    return 0


def _cells(record: AuditRecord) -> tuple[str, ...]:
    arguments = msgspec.json.encode(record.arguments).decode()
    return (
        visible(record.time.replace("T", " ")[:19]),
        # Names and arguments are the model's.
        visible(record.tool),
        visible(arguments),
        record.decision,
        record.by,
        f"{record.seconds:.1f}",
        record.outcome,
    )
