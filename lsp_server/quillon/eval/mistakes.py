"""Questions of the task `bugs` that come with Quillon: short functions, wrong and right."""

import tomllib
from pathlib import Path

from quillon.eval.dialogues import Dialogue
from quillon.prompt.messages import Message

_FILE = Path(__file__).parent / "data" / "bugs.toml"
_CLEAN = "I see no mistake."


def bug_dialogues() -> list[Dialogue]:
    """A dialogue for each function; wrong ones have their line in backticks in the answer."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    found = []
    for number, row in enumerate(data["function"]):
        code = row["code"].strip("\n")
        asked = data["asked"][number % len(data["asked"])]
        line = row.get("line")
        answer = f"`{line}`: {row['named'][0]}" if line else _CLEAN
        found.append(
            Dialogue(
                id=f"bug {number + 1}",
                kind="bug",
                messages=(
                    Message(role="user", content=f"{asked}\n```python\n{code}\n```"),
                    Message(role="assistant", content=answer),
                ),
                accepted=tuple(row.get("named", ())),
            )
        )
    return found
