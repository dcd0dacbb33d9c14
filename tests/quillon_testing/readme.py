"""The generated sections of README.md: `make docs` writes them, a test compares."""

import re
from pathlib import Path
from typing import Any

import msgspec

from quillon.settings import Settings

README = Path(__file__).parent.parent.parent / "README.md"


def settings_table() -> str:
    """Every setting with its default and meaning, as a Markdown table."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for group in msgspec.structs.fields(Settings):
        if isinstance(group.type, type) and issubclass(group.type, msgspec.Struct):
            rows += (
                _row(f"{group.encode_name}.{field.encode_name}", field, group.default)
                for field in msgspec.structs.fields(group.type)
            )
        else:
            rows.append(_row(group.encode_name, group, Settings()))
    return "\n".join(rows)


def _row(name: str, field: Any, owner: object) -> str:
    value = msgspec.json.encode(getattr(owner, field.name)).decode()
    shown = "" if value == "null" else f"`{value}`"
    meaning = msgspec.json.schema(field.type).get("description", "").replace("|", "\\|")
    return f"| `{name}` | {shown} | {meaning} |"


def with_sections(text: str) -> str:
    """The README with its generated sections as they should be."""
    return re.sub(
        r"(<!-- settings -->\n).*?(<!-- /settings -->)",
        lambda match: f"{match[1]}{settings_table()}\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    README.write_text(with_sections(README.read_text("utf-8")), "utf-8")
