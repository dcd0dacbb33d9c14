"""Problems that other tools found in a document, as the editor told them."""

from typing import Literal

import msgspec

from quillon.text import Span

Severity = Literal["error", "warning", "information", "hint"]


class Diagnostic(msgspec.Struct, frozen=True):
    """One problem. `span` is of the text it was reported for; lines and `column` count from 0.

    `column` is in code points where the text was known, else as the editor counts.
    """

    span: Span
    first_line: int
    last_line: int
    message: str
    severity: Severity = "error"
    source: str = ""
    code: str = ""
    column: int = 0
