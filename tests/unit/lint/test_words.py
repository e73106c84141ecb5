# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ties to one machine or network are found, ordinary text is not."""

from __future__ import annotations

import pytest
from lint import words


# Put together here so that the check finds nothing in this file.
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://py" + "pi.org/simple", id="Python packages"),
        pytest.param("http://deb.deb" + "ian.org/debian", id="Debian packages"),
        pytest.param("cd /wo" + "rk/main", id="checkout of one machine"),
        pytest.param("see require" + "ments.md", id="paper that is not here"),
        pytest.param("--index-" + "url https://example.com", id="address in a lock file"),
    ],
)
def test_refused(text: str) -> None:
    assert len(words.problems("file", text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ghcr.io/example/api", id="image registry of a platform"),
        pytest.param("{{ root }}/work/tree", id="relative to a variable"),
        pytest.param("the session affinity of this session cookie", id="session of a user"),
    ],
)
def test_accepted(text: str) -> None:
    assert words.problems("file", text) == []
