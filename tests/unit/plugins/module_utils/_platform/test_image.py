# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image references."""

from __future__ import annotations

from typing import Optional

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import (
    ImageName,
    parse_image,
)

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "default", "name", "registry"),
    [
        ("nginx", None, ImageName("nginx"), "docker.io"),
        ("shop/api:1.2", None, ImageName("shop/api", "1.2"), "docker.io"),
        ("shop/api:1.2", "ghcr.io/acme", ImageName("ghcr.io/acme/shop/api", "1.2"), "ghcr.io"),
        ("quay.example/a/b", "ghcr.io", ImageName("quay.example/a/b"), "quay.example"),
        ("host:5000/a", "ghcr.io", ImageName("host:5000/a"), "host:5000"),
        ("host:5000/a:1", None, ImageName("host:5000/a", "1"), "host:5000"),
        ("localhost/a", "ghcr.io", ImageName("localhost/a"), "localhost"),
        (f"a/b@{DIGEST}", None, ImageName("a/b", None, DIGEST), "docker.io"),
        (f"a/b:2@{DIGEST}", None, ImageName("a/b", "2", DIGEST), "docker.io"),
    ],
)
def test_parse(text: str, default: Optional[str], name: ImageName, registry: str) -> None:
    parsed = parse_image(text, default)
    assert parsed == name
    assert parsed.registry == registry
