# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker.context import redacted
from ansible_collections.mainstay.platform.plugins.module_utils._docker.evidence import (
    explain,
    failure,
)


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("manifest for x not found: manifest unknown", "does not exist"),
        ("Get https://r/v2/: unauthorized: authentication required", "refused the login"),
        ("dial tcp 10.0.0.1:5000: connect: connection refused", "cannot be reached"),
        ("dial tcp: lookup r: no such host", "name is not known"),
        ("write /var/lib/docker/tmp: no space left on device", "no space left"),
        ("Bind for 10.0.0.1:20000 failed: port is already allocated", "port is taken"),
        ("x509: certificate signed by unknown authority", "not trusted"),
        ("something new", "failed"),
    ],
)
def test_messages_are_explained(message: str, meaning: str) -> None:
    error = explain(message, "image", "pulling the image")
    assert meaning in str(error)
    assert message in error.found


@pytest.mark.parametrize(
    ("state", "host", "expected"),
    [
        ({"Status": "exited", "ExitCode": 3}, {}, "exit code 3"),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, {}, "out of memory"),
        ({"Status": "exited", "ExitCode": 137}, {"Memory": 32 << 20}, "limit is 32 MiB"),
        (
            {"Running": True, "Health": {"Log": [{"ExitCode": 1, "Output": "no database"}]}},
            {},
            "health check: exit 1: no database",
        ),
    ],
)
def test_a_failure_says_why(state: dict[str, Any], host: dict[str, Any], expected: str) -> None:
    error = failure("api-1", "exited", {"State": state, "HostConfig": host}, ["line"] * 50)
    assert expected in error.found
    assert len(error.evidence) == 20


def test_secret_values_are_not_shown() -> None:
    error = failure("api-1", "exited", {}, ["token is canary-value"], probe="got canary-value")
    assert "canary-value" not in str(redacted(error, ["canary-value"]))
