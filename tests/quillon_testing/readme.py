"""What of the documents is generated: `make docs` writes it, a test compares."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from quillon.settings import Settings
from quillon_testing.protocol_page import PAGE, page

ROOT = Path(__file__).parent.parent.parent
CHINESE = ROOT / "vscode-extension" / "package.nls.zh-cn.json"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")


def settings_table(chinese: dict[str, str] | None = None) -> str:
    """Every setting, its default and meaning, as a Markdown table; Chinese with such texts."""
    head = "| setting | default | meaning |" if chinese is None else "| 设置 | 默认值 | 含义 |"
    rows = [head, "|---|---|---|"]
    for group in msgspec.structs.fields(Settings):
        if isinstance(group.type, type) and issubclass(group.type, msgspec.Struct):
            rows += (
                _row(f"{group.encode_name}.{field.encode_name}", field, group.default, chinese)
                for field in msgspec.structs.fields(group.type)
            )
        else:
            rows.append(_row(group.encode_name, group, Settings(), chinese))
    return "\n".join(rows)


def _row(name: str, field: Any, owner: object, chinese: dict[str, str] | None) -> str:
    value = msgspec.json.encode(getattr(owner, field.name)).decode()
    shown = "" if value == "null" else f"`{value}`"
    meaning = msgspec.json.schema(field.type).get("description", "")
    if chinese is not None:
        meaning = chinese[f"settings.{name}"]
    meaning = meaning.replace("|", "\\|")
    return f"| `{name}` | {shown} | {meaning} |"


def with_sections(readme: Path) -> str:
    """A README with its generated sections as they should be."""
    chinese = json.loads(CHINESE.read_text("utf-8")) if "zh-CN" in readme.name else None
    return re.sub(
        r"(<!-- settings -->\n).*?(<!-- /settings -->)",
        lambda match: f"{match[1]}{settings_table(chinese)}\n{match[2]}",
        readme.read_text("utf-8"),
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    for readme in READMES:
        readme.write_text(with_sections(readme), "utf-8")
    PAGE.write_text(page(), "utf-8")
