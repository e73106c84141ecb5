# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How strong a secret is, as far as its text can say. Pure."""

from __future__ import annotations

import base64
import binascii
import re

#: HS256 wants a key of at least its output (RFC 7518, section 3.2): 256 bits.
JWT_BYTES = 32

_PLACEHOLDERS = re.compile(
    r"^(changeme.*|change[-_ ]me.*|change[-_ ]?it|replace[-_ ]?me.*|todo|tbd|fixme|x{3,}|\*+|\.{3,}"
    r"|your[-_ ].*|my[-_ ]?(secret|password|key).*|<.*>|.*(placeholder|example).*|insert[-_ ].*"
    r"|admin|administrator|root|user|guest|test(ing)?|demo|dev|default|none|null|secret|password"
    r"|passw0rd|postgres|redis|mongo|rabbitmq|grafana|letmein|qwerty.*|12345.*|abc123"
    r"|(dev|staging|prod|production|test|demo|super|jwt|my)[-_ ]?(secret|password|key|token)"
    r"([-_ ]?key)?)$",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """True for values that stand for "put yours here", and for well-known defaults."""
    return bool(_PLACEHOLDERS.match(value.strip()))


def key_bytes(value: str) -> int:
    """Bytes of key material that C(value) can hold at most.

    Hexadecimal digits hold half a byte each, base64 (either alphabet, padded or not) three
    quarters, other text its UTF-8 bytes. Text that could be two of these counts as the one that
    holds less: a program may decode it, and a person may have made it with C(openssl rand -hex).
    """
    text = value.strip()
    held = len(text.encode("utf-8"))
    if re.fullmatch(r"[0-9a-fA-F]+", text):
        return len(text) // 2
    if re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", text):
        decoded = _base64_length(text)
        return held if decoded is None else decoded
    return held


def _base64_length(text: str) -> int | None:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return len(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def variety(value: str) -> int:
    """How many different characters there are."""
    return len(set(value))
