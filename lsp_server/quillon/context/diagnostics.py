"""Problems that other tools found in a document, as the editor told them."""

from typing import Literal

import msgspec

from quillon.text import Span

Severity = Literal["error", "warning", "information", "hint"]


class Diagnostic(msgspec.Struct, frozen=True):
    """One problem. `span` is of the text it was reported for; lines count from 0."""

    span: Span
    first_line: int
    last_line: int
    message: str
    severity: Severity = "error"
    source: str = ""
    code: str = ""
