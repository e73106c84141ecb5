# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strength of secrets: what counts as 256 bits, what is a placeholder."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._platform.material import (
    JWT_BYTES,
    is_placeholder,
    key_bytes,
)

RANDOM = bytes(range(7, 7 + 32))


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (RANDOM.hex(), 32),
        (RANDOM.hex().upper(), 32),
        (RANDOM[:16].hex(), 16),
        (base64.b64encode(RANDOM).decode(), 32),
        (base64.urlsafe_b64encode(RANDOM).decode().rstrip("="), 32),
        (base64.b64encode(RANDOM[:31]).decode(), 31),
        ("abcdefghijklmnopqrstuvwxyzABCDEF", 24),
        ("correct horse battery staple, and more", 38),
        ("", 0),
    ],
)
def test_key_bytes(text: str, held: int) -> None:
    assert key_bytes(text) == held


def test_thirty_two_bytes_are_256_bits() -> None:
    assert JWT_BYTES * 8 == 256


@pytest.mark.parametrize(
    "text",
    [
        "changeme",
        "Change-Me-Please",
        "admin",
        "your-secret-key",
        "<strong-random-key>",
        "dev_secret",
        "example-token",
        "xxxxxxxx",
        "password",
        "12345678",
        "postgres",
        "super-secret-key",
    ],
)
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", [RANDOM.hex(), "Zk3vTq8wLm2xRb6nYc4d", "yourself-7Hq2"])
def test_real_secrets(text: str) -> None:
    assert not is_placeholder(text)
