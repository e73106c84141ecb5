# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON document -> one self-contained page: no script, no request, nothing but this file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._report import sections
from ansible_collections.mainstay.platform.plugins.module_utils._report.markup import (
    Markup,
    el,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.style import CSS
from ansible_collections.mainstay.platform.plugins.module_utils._report.words import heading


def _policy() -> str:
    """Only the style sheet of this page may take effect, known by its hash."""
    digest = base64.b64encode(hashlib.sha256(CSS.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def render(document: Mapping[str, Any]) -> str:
    """The page of C(document), the result of L(document.document)."""
    words, _family = heading(document["outcome"])
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy()),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="robots", content="noindex"),
        el("link", rel="icon", href="data:,"),
        el("title", f"{words}: {document['playbook']} {document['started']}"),
        el("style", Markup(CSS)),
    )
    parts = (
        sections.facts,
        sections.truth,
        sections.failures,
        sections.release,
        sections.picture,
        sections.gates,
        sections.proof,
        sections.slowest,
        sections.hosts,
    )
    main = el("main", [part(document) for part in parts])
    body = el("body", sections.banner(document), main)
    return "<!doctype html>\n" + el("html", head, body, lang="en") + "\n"
