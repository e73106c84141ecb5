# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sealed opens with its key, whole, in its place, and in no other way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import backup_seal
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.backup_seal import (
    PIECE,
    keys_of,
    seal,
    unseal,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

KEYS = keys_of("correct horse battery", b"0" * 16)
OTHER = keys_of("correct horse batterz", b"0" * 16)


def _sealed(data: bytes, name: str = "a/objects.json") -> bytes:
    return b"".join(seal(KEYS, name, [data]))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 3 * PIECE // 2).flatmap(
        lambda size: st.tuples(st.just(size), st.integers(1, PIECE + 9))
    )
)
def test_what_is_sealed_opens_however_it_is_cut(sizes: tuple[int, int]) -> None:
    size, step = sizes
    data = bytes(i % 251 for i in range(997)) * (size // 997 + 1)
    data = data[:size]
    sealed = _sealed(data)
    pieces = [sealed[i : i + step] for i in range(0, len(sealed), step)]
    assert b"".join(unseal(KEYS, "a/objects.json", pieces)) == data


def test_nothing_of_it_can_be_read() -> None:
    assert b"canary" not in _sealed(b"canary" * 100)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda s: s[:-1], "does not open", id="a byte short"),
        pytest.param(lambda s: s[: 15 + PIECE + 16], "ends too early|does not open", id="a piece"),
        pytest.param(lambda s: s[:10], "ends too early", id="its head only"),
        pytest.param(lambda s: b"", "ends too early", id="empty"),
        pytest.param(lambda s: s[:500] + bytes([s[500] ^ 1]) + s[501:], "piece 1", id="a bit"),
        pytest.param(lambda s: b"X" + s[1:], "first bytes", id="not sealed"),
        pytest.param(lambda s: s + b"more", "does not open", id="longer"),
    ],
)
def test_anything_else_is_refused_with_the_name(change: object, says: str) -> None:
    sealed = _sealed(b"x" * (PIECE + 100))
    with pytest.raises(MainstayError, match=says) as caught:
        list(unseal(KEYS, "a/objects.json", [change(sealed)]))  # type: ignore[operator]
    assert caught.value.subject == "a/objects.json"


def test_a_wrong_key_opens_nothing() -> None:
    with pytest.raises(MainstayError, match="cannot be opened"):
        list(unseal(OTHER, "a/objects.json", [_sealed(b"data")]))


def test_an_object_in_the_place_of_another_does_not_open() -> None:
    with pytest.raises(MainstayError, match="cannot be opened"):
        list(unseal(KEYS, "b/objects.json", [_sealed(b"data")]))


def test_pieces_cannot_change_places() -> None:
    sealed = _sealed(b"a" * PIECE + b"b" * PIECE + b"c")
    head, size = len(backup_seal.MAGIC) + 7, PIECE + 16
    first, second, rest = (
        sealed[head : head + size],
        sealed[head + size : head + 2 * size],
        sealed[head + 2 * size :],
    )
    with pytest.raises(MainstayError, match="piece 1"):
        list(unseal(KEYS, "a/objects.json", [sealed[:head] + second + first + rest]))


def test_two_seals_of_the_same_differ() -> None:
    assert _sealed(b"data") != _sealed(b"data")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("short", "5 characters"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "different"),
        ("0123456789abcdef", ""),
    ],
)
def test_a_key_must_be_worth_it(key: str, says: str) -> None:
    assert says in backup_seal.key_problem(key) if says else not backup_seal.key_problem(key)
