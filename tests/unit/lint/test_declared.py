# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata that lags behind the tree is found."""

from __future__ import annotations

import pytest
from lint import declared


@pytest.mark.parametrize(
    ("group", "modules", "count"),
    [
        pytest.param(["a", "b"], ["b", "a"], 0, id="equal"),
        pytest.param(["a"], ["a", "b"], 1, id="module not in the group"),
        pytest.param(["a", "b"], ["a"], 1, id="group names no module"),
    ],
)
def test_action_group(group: list[str], modules: list[str], count: int) -> None:
    assert len(declared.group_problems(group, modules)) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("- community.crypto.x509_certificate:\n", {"community.crypto"}, id="module"),
        pytest.param("    - role: acme.web.server\n", {"acme.web"}, id="role"),
        pytest.param(
            "x: \"{{ lookup('amazon.aws.secret', 'a') }}\"\n", {"amazon.aws"}, id="lookup"
        ),
        pytest.param('x: "{{ y | ansible.utils.ipaddr }}"\n', {"ansible.utils"}, id="filter"),
        pytest.param("when:\n  - found.stat.exists\n", set(), id="condition"),
        pytest.param("- ansible.builtin.copy:\n- mainstay.platform.gate:\n", set(), id="ours"),
    ],
)
def test_used_collections(text: str, expected: set[str]) -> None:
    assert declared.used_collections(text) == expected


@pytest.mark.parametrize(
    ("used", "dependencies", "requirements", "count"),
    [
        pytest.param({"a.b": "x.yml"}, {"a.b": ">=1"}, {"a.b": ">=1"}, 0, id="all named"),
        pytest.param({"a.b": "x.yml"}, {}, {}, 1, id="used but not named"),
        pytest.param({}, {"a.b": ">=1"}, {"a.b": ">=2"}, 1, id="two versions"),
        pytest.param({}, {"a.b": ">=1"}, {}, 1, id="dependency not in requirements"),
    ],
)
def test_dependencies(
    used: dict[str, str], dependencies: dict[str, str], requirements: dict[str, str], count: int
) -> None:
    assert len(declared.dependency_problems(used, dependencies, requirements)) == count
