"""Which licences a source may have to be trained on, read from package metadata.

Permissive licences only: what they ask for (naming the source and its licence) is done by the
list written beside the model. Anything unknown, copyleft or missing is refused.
"""

import re
from collections.abc import Iterable

_PERMISSIVE = (
    ("apache-2.0", r"apache"),
    ("mit", r"\bmit\b|\bexpat\b|mit-0|mit-cmu"),
    ("bsd", r"\bbsd\b|bsd[-_ ]?[0-9]|\b0bsd\b"),
    ("isc", r"\bisc\b"),
    ("psf-2.0", r"\bpsf\b|python software foundation|python-2\.0"),
    ("unlicense", r"unlicense|public domain|\bcc0\b"),
    ("zlib", r"\bzlib\b"),
    ("blueoak", r"blueoak"),
    ("hpnd", r"\bhpnd\b"),
)
_REFUSED = re.compile(
    r"gpl|general public|mozilla|\bmpl\b|mpl-|eclipse|\bepl\b|\bcddl\b|sspl|busl|business source|"
    r"modified|elastic|commons clause|non-?commercial|proprietary|cc[- ]by|eupl|artistic|"
    r"server side",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\s+or\s+", re.IGNORECASE)
# Longer texts are whole licences, whose first lines name them.
_NAMED_WITHIN = 200


def permissive_licence(statements: Iterable[str]) -> str | None:
    """The permissive licence that the first telling statement names, or None to refuse.

    `statements` come in order of authority: the SPDX expression, the classifiers, the free text.
    In `A OR B` one permissive side is enough; anywhere else a copyleft name refuses the source.
    """
    for statement in statements:
        head = statement.strip()[:_NAMED_WITHIN]
        if not head or head.upper() == "UNKNOWN":
            continue
        for alternative in _ALTERNATIVE.split(head):
            licence = _named(alternative)
            if licence is not None:
                return licence
        return None
    return None


def _named(text: str) -> str | None:
    if _REFUSED.search(text):
        return None
    for name, pattern in _PERMISSIVE:
        if re.search(pattern, text, re.IGNORECASE):
            return name
    return None
