"""Private keys and access tokens in texts, masked before a model sees them.

The forms are those that the issuers document; what has no form of its own is not found.
"""

from typing import Any

import re2  # type: ignore[import-untyped]  # the package has no types

from quillon_tools.textfile import whole

# Kept short: each alternative begins with letters that make it rare.
_FORMS = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^\-]*?"
    r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
    # A key that is cut off, or whose lines stand after `-`, `+`, numbers or names of files.
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\\]*\s*"
    r"(?:[^\n]{0,300}?(?:[A-Za-z0-9+/=\\]{24,}|Proc-Type: [^\n]{1,40}|DEK-Info: [^\n]{1,80})"
    r"[^\n]{0,2}(?:\n|\z)|(?:[^\n]{0,300}?\d[:)\-]|[+\-])?[ \r\t]*\n)*"
    r"(?:[^\n]{0,300}?[A-Za-z0-9+/]{1,24}={1,2}\s*\n|[A-Za-z0-9+/]{1,24}(?:\n|\z))?"
    r"(?:[^\n]{0,300}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bASIA[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{60,}\b",
    r"\bglpat-[A-Za-z0-9_\-]{20,}\b",
    r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}",
    r"\bAIza[0-9A-Za-z_\-]{35}\b",
    r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_\-]{32,}\b",
    r"\bsk_live_[0-9a-zA-Z]{20,}\b",
    r"\brk_live_[0-9a-zA-Z]{20,}\b",
    r"\bnpm_[A-Za-z0-9]{36}\b",
    r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{50,}",
    r"\bhf_[A-Za-z0-9]{30,}\b",
    r"\bya29\.[A-Za-z0-9_\-]{20,}",
    r"\bhooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    r"\bxapp-\d-[A-Za-z0-9\-]{20,}",
    r"\bAccountKey=[A-Za-z0-9+/]{40,}={0,2}",
    r"\bdop_v1_[a-f0-9]{64}\b",
    r"\bdckr_pat_[A-Za-z0-9_\-]{20,}",
    r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b",
    r"\bgl(?:rt|dt|ft|soat|cbt)-[A-Za-z0-9_\-]{20,}",
    r"\bhvs\.[A-Za-z0-9_\-]{20,}",
    r"\bgsk_[A-Za-z0-9]{40,}\b",
    r"\bAGE-SECRET-KEY-1[A-Z0-9]{50,}\b",
    r"(?i:aws_?secret_?access_?key)[\"']?\s{0,3}[=:]\s{0,3}[\"']?[A-Za-z0-9/+]{40}",
    r"\bSG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}\b",
    r"\beyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}",
    r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,200}@",
)
MASK = "[secret removed]"


def _compile(forms: tuple[str, ...]) -> object:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return re2.compile("|".join(f"(?:{form})" for form in forms), options)


_SECRETS = _compile(_FORMS)


def masked(text: str) -> str:
    """The text with each secret replaced by `MASK`."""
    return _SECRETS.sub(MASK, whole(text))  # type: ignore[attr-defined,no-any-return]  # no types


def masked_lines(text: str) -> str:
    """As `masked`, with as many lines as before: for texts of which a part will be shown.

    A part of a secret has no form by which it could be found afterwards.
    """

    def mask(match: Any) -> str:
        ends = "".join(char for char in match[0] if char in "\r\n")
        return f"{MASK}{ends}"

    return _SECRETS.sub(mask, whole(text))  # type: ignore[attr-defined,no-any-return]  # no types


def masked_values(value: Any) -> Any:
    """A JSON value with the secrets in its strings masked, the names included."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked_values(key): masked_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked_values(item) for item in value]
    return value
