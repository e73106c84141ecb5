# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the edge's view."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.filter.nginx_site import FilterModule
from ansible_collections.mainstay.platform.plugins.module_utils._platform.codec import encode
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Edge,
    Maintenance,
    Platform,
)

FILTERS = FilterModule().filters()
PLATFORM = encode(
    Platform(
        "shop",
        "production",
        "shop.test",
        edge=Edge(maintenance=Maintenance(bypass_secret="bypass")),
    )
)


@pytest.mark.parametrize(
    ("version", "http2"),
    [
        pytest.param("1.22.1", "ssl http2", id="debian-12"),
        pytest.param("1.26.3", "http2 on", id="debian-13"),
        pytest.param("1.26.3-3+deb13u1", "http2 on", id="version-of-the-package"),
    ],
)
def test_site_takes_the_version_as_text(version: str, http2: str) -> None:
    """As a command prints it."""
    assert http2 in FILTERS["nginx_site"](PLATFORM, version)["mainstay/servers.conf"]


def test_a_version_that_is_none() -> None:
    """Guessing would write a configuration that Nginx refuses."""
    with pytest.raises(AnsibleFilterError, match="not a version"):
        FILTERS["nginx_site"](PLATFORM, "unknown")


def test_secrets_are_looked_up_by_their_name() -> None:
    """A missing value lets nobody pass."""
    files = FILTERS["nginx_secret_files"]
    assert "hush" in files(PLATFORM, {"bypass": "hush"})["mainstay/bypass.conf"]
    assert files(PLATFORM, {"other": "hush"}) == files(PLATFORM)


def test_certificates() -> None:
    """One directory a platform."""
    directory = FILTERS["nginx_certificate_directory"](PLATFORM)
    assert directory == "/etc/ssl/mainstay/shop-production"


def test_what_is_not_a_platform_is_refused() -> None:
    """With the words of the decoder."""
    with pytest.raises(AnsibleFilterError, match="unknown key"):
        FILTERS["nginx_site"]({**PLATFORM, "more": 1}, "1.26.3")
