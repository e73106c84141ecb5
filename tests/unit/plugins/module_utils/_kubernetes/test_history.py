# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of releases."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import history
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.history import (
    DEPLOYED,
    FAILED,
    Summary,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def summary(number: int, outcome: str = DEPLOYED, manifests: str = "") -> Summary:
    return Summary(
        f"r{number}", outcome, f"2026-11-21T0{number}", manifests=manifests or str(number)
    )


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)))
def test_what_is_packed_is_unpacked(manifests: list[dict[str, str]]) -> None:
    assert history.unpack(history.pack(manifests), "r") == manifests


def test_a_large_release_is_cut_and_each_part_fits() -> None:
    noise = random.Random(1)
    manifests = [{"data": noise.randbytes(1_500_000).hex()}]
    pieces = history.pack(manifests)
    assert len(pieces) == 2
    assert all(len(p) < 1_000_000 for p in pieces)
    assert history.unpack(pieces, "r") == manifests
    secrets = history.secrets("p", "n", Summary("r1", parts=2), pieces)
    # Only the last that is written makes the record exist.
    assert [history.SUMMARY in s["metadata"]["annotations"] for s in secrets] == [False, True]
    assert [base64.b64decode(s["data"]["manifests"]) for s in reversed(secrets)] == pieces


def test_a_damaged_record_is_told() -> None:
    with pytest.raises(MainstayError, match="cannot be read"):
        history.unpack([b"x"], "release r1")
    with pytest.raises(MainstayError, match="cannot be read"):
        history.summary_of({"metadata": {"name": "x"}})


def test_the_summary_reads_as_it_was_written() -> None:
    (secret,) = history.secrets("p", "n", summary(1), [b"x"])
    assert history.summary_of(secret) == summary(1)


@pytest.mark.parametrize(
    "release_id", ["20261121T061500Z-1a2b3c", "Ünï", "a" * 300, "with space", "-x-"]
)
def test_names_of_records_are_names(release_id: str) -> None:
    from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import naming

    assert not naming.subdomain(history.record_name("shop-test", release_id, 3))
    (secret,) = history.secrets("p", "n", Summary(release_id), [b"x"])
    assert not naming.label_problems(secret["metadata"]["labels"])


def test_what_is_forgotten() -> None:
    all_of_them = [summary(1), summary(2, FAILED), summary(3), summary(4), summary(5, FAILED)]
    found = [s.release_id for s in history.outdated(all_of_them, 1, "r4")]
    assert found == ["r2", "r1"], "r4 is there, r3 stays to go back to, r5 is newer than both"
    assert history.outdated(all_of_them, 9, "r4") == []


@pytest.mark.parametrize(
    ("wanted", "found"), [("", "r3"), ("r1", "r1"), ("r4", "r4"), ("r2", None), ("r9", None)]
)
def test_where_a_rollback_goes(wanted: str, found: str | None) -> None:
    known = [summary(1), summary(2, FAILED), summary(3), summary(4), summary(5, manifests="4")]
    if found is None:
        with pytest.raises(MainstayError, match="no such release"):
            history.target(known, wanted, "r5", "4", "p")
    else:
        assert history.target(known, wanted, "r5", "4", "p").release_id == found
