# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of tests/lint fail when what they guard drifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lint import role_defaults

DEFAULTS = "---\n# Members that take traffic at once.\nedge_members: 3\n"
SPEC = """---
argument_specs:
  main:
    options:
      edge_members:
        type: int
        default: 3
      edge_name:
        type: str
        required: true
"""


def role(root: Path, defaults: str = DEFAULTS, spec: str = SPEC) -> Path:
    """A role called edge below C(root)."""
    path = root / "edge"
    (path / "defaults").mkdir(parents=True)
    (path / "meta").mkdir()
    (path / "defaults" / "main.yml").write_text(defaults, encoding="utf-8")
    (path / "meta" / "argument_specs.yml").write_text(spec, encoding="utf-8")
    return path


def test_equal_values_pass(tmp_path: Path) -> None:
    role(tmp_path)
    assert role_defaults.main([str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("defaults", "spec", "expected"),
    [
        pytest.param(DEFAULTS.replace("3", "4"), SPEC, "4 in defaults, 3 in the spec", id="value"),
        pytest.param(DEFAULTS.replace("3", "'3'"), SPEC, "'3' in defaults, 3 in", id="type"),
        pytest.param("---\n", SPEC, "default 3 only in the specification", id="no default"),
        pytest.param(
            DEFAULTS, SPEC.replace("        default: 3\n", ""), "3 only in defaults", id="no spec"
        ),
        pytest.param(
            DEFAULTS + "# More.\nedge_more: 1\n", SPEC, "edge_more: not in the", id="unknown"
        ),
        pytest.param(DEFAULTS + "edge_name: x\n", SPEC, "edge_name: no comment", id="no comment"),
    ],
)
def test_drift_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], defaults: str, spec: str, expected: str
) -> None:
    role(tmp_path, defaults, spec)
    assert role_defaults.main([str(tmp_path)]) == 1
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "spec", "problems"),
    [
        pytest.param("dict", {}, [], id="said by the description"),
        pytest.param(
            "dict",
            {"default": "{{ platform }}"},
            ["a: its default is a template: only the description can say it"],
            id="text where a mapping is due",
        ),
        pytest.param("str", {"default": "{{ platform }}"}, [], id="text"),
        pytest.param(
            "str", {}, ["a: default '{{ platform }}' only in defaults"], id="text left out"
        ),
    ],
)
def test_a_template_stands_where_it_can(
    kind: str, spec: dict[str, Any], problems: list[str]
) -> None:
    specification = {"argument_specs": {"main": {"options": {"a": {"type": kind, **spec}}}}}
    assert role_defaults.differences({"a": "{{ platform }}"}, specification) == problems


def test_a_role_without_a_specification_is_found(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    assert role_defaults.main([str(tmp_path)]) == 1


def test_entry_points_must_agree() -> None:
    spec: dict[str, Any] = {
        "argument_specs": {
            "main": {"options": {"a": {"default": 1}}},
            "stage": {"options": {"a": {"default": 2}}},
        }
    }
    assert role_defaults.differences({"a": 1}, spec) == [
        "a: entry point stage has another default than the others"
    ]
