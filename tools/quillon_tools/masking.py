"""Private keys and access tokens in texts, masked before a model sees them.

The forms are those that the issuers document; what has no form of its own is not found.
"""

import re2  # type: ignore[import-untyped]  # the package has no types

# Kept short: each alternative begins with letters that make it rare.
_FORMS = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^\-]*?"
    r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s:]*",
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
    return _SECRETS.sub(MASK, text)  # type: ignore[attr-defined,no-any-return]  # no types
