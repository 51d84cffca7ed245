"""What must not be read in a log, whoever wrote it there: found by how it looks."""

import re

HIDDEN = "[redacted]"

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A private key, also where its line breaks are written as \n, and one that was cut off.
    (
        re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.S),
        HIDDEN,
    ),
    # The prefix of an API key finds its row, and lets nobody in.
    (re.compile(r"\b(lgk_[0-9A-Za-z]{1,16})_[0-9A-Za-z]+"), rf"\1_{HIDDEN}"),
    # A header as a header, as a dict's repr and as JSON; with or without a scheme.
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|x-api-key|set-cookie|cookie)"
            r"""(\\?["']?\s*[:=,]\s*(?:b(?=["']))?\\?["']?)[^"'\r\n\\]+"""
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[0-9a-z._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # The last @ before the host's name ends the password.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/]+@", re.I), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            r"(?i)\b(password|passwd|passphrase|client_secret|secret_key|access_token)"
            r"""(\\?["']?\s*[:=]\s*\\?["']?)[^\s"'&,;\\]+"""
        ),
        rf"\1\2{HIDDEN}",
    ),
)


def redacted(text: str) -> str:
    """The text with everything that looks like a secret taken out."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
