# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server accepts as names, labels and annotations. Pure.

The rules are those of RFC 1123 as Kubernetes applies them, so that a wrong name is told before
anything is changed, with all others. Each check returns what is wrong, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ANNOTATIONS = 256 * 1024


def label(text: Any) -> str:
    """A name of one part: a namespace, a service."""
    if not isinstance(text, str):
        return f"found {type(text).__name__}, expected a text"
    if len(text) > 63:
        return f"{len(text)} characters, expected at most 63"
    if not _LABEL.fullmatch(text):
        return f"found {text!r}, expected small letters, digits and hyphens within"
    return ""


def subdomain(text: Any) -> str:
    """A name of parts with dots between: most objects."""
    if not isinstance(text, str) or not text:
        return f"found {text!r}, expected a name"
    if len(text) > 253:
        return f"{len(text)} characters, expected at most 253"
    # Roles and their bindings may have colons in their names.
    if not all(_LABEL.fullmatch(part) for part in re.split(r"[.:]", text)):
        return f"found {text!r}, expected small letters, digits, hyphens and dots within"
    return ""


def qualified(text: Any) -> str:
    """The name of a label or an annotation: an optional domain, a slash, a name."""
    if not isinstance(text, str):
        return f"[{text!r}]: the name is no text"
    domain, slash, name = text.rpartition("/")
    if slash and subdomain(domain):
        return f"[{text}]: the part before the slash is no domain"
    if not name or len(name) > 63 or not _QUALIFIED.fullmatch(name):
        return f"[{text}]: expected at most 63 letters, digits, and -_. within"
    return ""


def label_problems(found: Any) -> list[str]:
    """Labels with their values."""
    if found is None:
        return []
    if not isinstance(found, Mapping):
        return [f": found {type(found).__name__}, expected a mapping"]
    wrong = [text for text in (qualified(name) for name in found) if text]
    for name, value in found.items():
        if not isinstance(value, str):
            wrong.append(f"[{name}]: found {type(value).__name__}, expected a text")
        elif len(value) > 63:
            wrong.append(f"[{name}]: {len(value)} characters, expected at most 63")
        elif value and not _QUALIFIED.fullmatch(value):
            wrong.append(f"[{name}]: found {value!r}, expected letters, digits, and -_. within")
    return wrong


def annotation_problems(found: Any) -> list[str]:
    """Annotations with their values."""
    if found is None:
        return []
    if not isinstance(found, Mapping):
        return [f": found {type(found).__name__}, expected a mapping"]
    wrong = [text for text in (qualified(name) for name in found) if text]
    for name, value in found.items():
        if not isinstance(value, str):
            wrong.append(f"[{name}]: found {type(value).__name__}, expected a text")
    size = sum(len(str(k)) + len(str(v)) for k, v in found.items())
    if size > _ANNOTATIONS:
        wrong.append(f": {size} bytes, expected at most {_ANNOTATIONS}")
    return wrong


def data_key(text: Any) -> str:
    """The name of a value in a ConfigMap or a Secret."""
    if not isinstance(text, str) or len(text) > 253 or not _DATA_KEY.fullmatch(text):
        return f"{text!r} is no name of a value; expected letters, digits, and -_. only"
    return ""
