# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No filter lets an error of ours through as a traceback."""

from __future__ import annotations

import importlib
import pathlib

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.plugin_utils import filters

ROOT = pathlib.Path(__file__).resolve().parents[4]
PLUGINS = sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.py"))


def fail(platform: object) -> None:
    raise MainstayError("broken", subject="x", next_step="mend it")


def test_an_error_of_ours_becomes_one_of_ansible() -> None:
    with pytest.raises(AnsibleFilterError, match=r"broken[\s\S]*mend it"):
        filters.as_filters({"fail": fail})["fail"]({})


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_filter_has_its_errors_turned(plugin: str) -> None:
    module = importlib.import_module(
        f"ansible_collections.mainstay.platform.plugins.filter.{plugin}"
    )
    found = module.FilterModule().filters()
    assert found
    for name, function in found.items():
        assert function.__code__ is filters.as_filter(fail).__code__, name
