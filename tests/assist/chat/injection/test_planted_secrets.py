"""Secrets in the workspace, and in what a model writes: neither reaches the model or the log."""

import base64
import json

import pytest

from quillon.folders import audit_directory
from quillon_testing.victims import (
    CURL,
    Act,
    Victim,
    git,
)
from quillon_tools.audit import AuditLog

# Put together here, so that no scanner takes this file for a leak.
TOKEN = "ghp_" + "a1B2" * 9
KEY_LINES = [base64.b64encode(bytes(range(n, n + 48))).decode() for n in range(6)]
KEY = "\n".join(
    ["-----BEGIN " + "RSA PRIVATE KEY-----", *KEY_LINES, "QUJD==", "-----END RSA PRIVATE KEY-----"]
)


def leaks(text):
    return [secret for secret in (TOKEN, *KEY_LINES) if secret[:20] in text]


LOOKS = [
    ("file", ("read_file", {"path": "notes.md"})),
    ("part of a key", ("read_file", {"path": "notes.md", "start_line": 3, "end_line": 5})),
    ("search", ("search_text", {"pattern": "BEGIN", "context": 10})),
    ("search inside of a key", ("search_text", {"pattern": KEY_LINES[2][:12]})),
    ("search for a token", ("search_text", {"pattern": "ghp_", "context": 2})),
    ("long line", ("search_text", {"pattern": "private_key"})),
    ("diff of removed lines", ("git_diff", {})),
    ("definition", ("read_symbol", {"name": "KEY_OF_ALL"})),
    (
        "edit that misses",
        (
            "propose_edit",
            {"edits": [{"path": "notes.md", "search": KEY_LINES[1][:-3] + "xyz", "replace": "x"}]},
        ),
    ),
]


@pytest.mark.parametrize("look", [row[1] for row in LOOKS], ids=[row[0] for row in LOOKS])
async def test_planted_secrets_never_reach_the_model(folder, look):
    planted = f"{KEY}\n\ntoken:\n{TOKEN}\n"
    (folder / "my-old-notes.txt").write_text(planted)
    git(folder, "init", "-q")
    git(folder, "add", "my-old-notes.txt")
    git(folder, "commit", "-qm", "first")
    (folder / "my-old-notes.txt").write_text("nothing\n")
    (folder / "notes.md").write_text(planted)
    (folder / "key.py").write_text(f'class KEY_OF_ALL:\n    KEY = """{KEY}"""\n    T = "{TOKEN}"\n')
    (folder / "config.txt").write_text(json.dumps({"private_key": KEY, "token": TOKEN}))
    victim = await Victim(folder, look, (CURL.tool, CURL.arguments)).run()
    prompt = victim.engine.calls[1].prompt
    if look[0] == "propose_edit":  # the model wrote that part of the key itself
        prompt = victim.results[0].text
    assert leaks(prompt) == []
    victim.check_harmless(CURL)


@pytest.mark.parametrize(
    "argument",
    [TOKEN, f"x\n{TOKEN}", f'"{TOKEN}"', f"q=\t{TOKEN}", KEY, KEY[:250], f"https://u:{TOKEN}@h/"],
)
async def test_secrets_in_calls_are_not_kept_in_the_audit_log(folder, argument):
    act = Act("run_command", {"arguments": ["curl", "-d", argument]})
    victim = await Victim(folder, (act.tool, act.arguments)).run()
    (record,) = AuditLog(audit_directory()).read(victim.conversation.id)
    assert leaks(json.dumps(record.arguments)) == []
    assert "[secret removed]" in record.arguments["arguments"][2]
