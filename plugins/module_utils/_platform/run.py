# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of one run (C(-e release_version=...)): read, checked, laid over the description.
Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.check import check
from ansible_collections.mainstay.platform.plugins.module_utils._platform.image import parse_image
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    Problem,
    shown,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.schema import (
    run_variables,
)

#: A survey or a pipeline sends these empty when nobody filled them in; that means "not given". An
#: empty version is refused instead: it comes from a variable of the pipeline that was not set, and
#: would deploy something else than was meant.
OPTIONAL_WHEN_EMPTY = (
    "release_replicas",
    "release_services",
    "release_strategy",
    "release_id",
    "approval_name",
    "approval_reason",
    "restore_target",
    "ops_confirm",
)
_PREFIXES = ("release_", "approval_", "restore_", "ops_")
#: Objects that may also come as their JSON text: what they hold by service, and an example.
_BY_SERVICE = {
    "release_versions": ("versions", '{"api":"2.4.1"}'),
    "release_replicas": ("numbers of replicas", '{"api":3}'),
}


@dataclass(frozen=True)
class Run:
    """What one run asks for. Empty means: as described."""

    version: Optional[str] = None
    versions: dict[str, str] = field(default_factory=dict)
    replicas: dict[str, int] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    strategy: Optional[str] = None
    release_id: Optional[str] = None
    restore_target: Optional[str] = None
    confirm: Optional[str] = None

    @property
    def touched(self) -> tuple[str, ...]:
        """The only services that the run may touch; empty means all of them."""
        if self.services or self.version:
            return self.services
        return tuple(dict.fromkeys([*self.versions, *self.replicas]))


def read_run(variables: dict[str, Any]) -> tuple[Run, list[Problem]]:
    """The run, and what is wrong with its form. Unknown names are not looked at here."""
    given = {name: variables[name] for name in run_variables() if name in variables}
    given = {
        name: value
        for name, value in given.items()
        if value is not None and not (value in ("", [], {}) and name in OPTIONAL_WHEN_EMPTY)
    }
    problems: list[Problem] = []
    for name in _BY_SERVICE:
        if isinstance(given.get(name), str):
            problems += _parse(given, name)
    if isinstance(given.get("release_services"), str):
        names = given["release_services"].split(",")
        given["release_services"] = [name.strip() for name in names if name.strip()]
    problems += check("run", given)
    bad = {re.split(r"[.\[]", problem.path)[0] for problem in problems}
    good = {name: value for name, value in given.items() if name not in bad}
    return (
        Run(
            version=good.get("release_version"),
            versions=dict(good.get("release_versions") or {}),
            replicas=dict(good.get("release_replicas") or {}),
            services=tuple(good.get("release_services") or ()),
            strategy=good.get("release_strategy"),
            release_id=good.get("release_id"),
            restore_target=good.get("restore_target"),
            confirm=good.get("ops_confirm"),
        ),
        problems,
    )


def _parse(given: dict[str, Any], name: str) -> Iterator[Problem]:
    """Replace the JSON text of C(name) by what it says; take it out when it says nothing."""
    text = given.pop(name)
    held, example = _BY_SERVICE[name]
    try:
        given[name] = json.loads(text)
    except ValueError:
        yield Problem(
            name,
            "empty" if not text else "neither an object nor the JSON text of one",
            shown(text),
            f"{held} by service, such as {example.replace(':', ': ')}",
            f"without blanks: -e '{name}={example}'",
        )


def unknown_names(names: Collection[str]) -> Iterator[Problem]:
    """Extra variables that look like ours and are not."""
    known = run_variables()
    for name in sorted(names):
        if not name.startswith(_PREFIXES) or name in known:
            continue
        hint = suggestion(name, known)
        yield Problem(
            name,
            "unknown variable of a run",
            name,
            ", ".join(known),
            hint,
            severity="error" if hint else "warning",
        )


def conflicts(
    run: Run,
    platform_id: str,
    services: Collection[str],
    stores: Collection[str],
) -> Iterator[Problem]:
    """What a run asks for against what is described, and against itself."""
    yield from _unknown_or_left_out(run, services, stores)
    for index, name in enumerate(run.services):
        if name not in services:
            yield _no_service(f"release_services[{index}]", name, services, stores)
        elif name in run.services[:index]:
            yield Problem(f"release_services[{index}]", "named twice", name, "each service once")
    if run.version and run.versions:
        yield Problem(
            "release_version",
            "given together with release_versions",
            run.version,
            "one of the two",
        )
    if run.release_id and (run.version or run.versions or run.replicas):
        yield Problem(
            "release_id",
            "given together with a version or replicas: going back and going forward in one run",
            run.release_id,
            "release_id for rollback.yml, versions and replicas for deploy.yml",
        )
    if run.confirm and not run.confirm.endswith(f"-{platform_id}"):
        yield Problem(
            "ops_confirm",
            "confirms something for another platform",
            run.confirm,
            f"<verb>-{platform_id}",
        )


def _unknown_or_left_out(
    run: Run, services: Collection[str], stores: Collection[str]
) -> Iterator[Problem]:
    for variable, names in (("release_versions", run.versions), ("release_replicas", run.replicas)):
        for name in names:
            if name not in services:
                yield _no_service(f"{variable}.{name}", name, services, stores)
            elif run.services and name not in run.services:
                yield Problem(
                    f"{variable}.{name}",
                    "for a service that release_services leaves out",
                    f"release_services: {', '.join(run.services)}",
                    f"{name} in both, or in neither",
                )


def _no_service(
    path: str, name: str, services: Collection[str], stores: Collection[str]
) -> Problem:
    if name in stores:
        hint = f"{name} is a store; its version stands in platform_stores.{name}.version"
    else:
        hint = suggestion(name, services)
    return Problem(path, "no such service", name, ", ".join(sorted(services)), hint)


def lay_over(variables: dict[str, Any], run: Run) -> dict[str, Any]:
    """The description with what this run asks for. Its versions win over digests."""
    services = dict(variables.get("platform_services") or {})
    for name, raw in services.items():
        version = _version_for(name, raw, run)
        if version and isinstance(raw, dict):
            services[name] = _with_version(raw, version)
        if name in run.replicas and isinstance(raw, dict):
            services[name] = {**services[name], "replicas": run.replicas[name]}
    laid = {**variables, "platform_services": services}
    if run.strategy:
        laid["platform_release"] = {
            **(variables.get("platform_release") or {}),
            "strategy": run.strategy,
        }
    return laid


def _version_for(name: str, raw: dict[str, Any], run: Run) -> Optional[str]:
    if name in run.versions:
        return run.versions[name]
    if run.version and not raw.get("pinned") and (not run.services or name in run.services):
        return run.version
    return None


def _with_version(raw: dict[str, Any], version: str) -> dict[str, Any]:
    kept = {key: value for key, value in raw.items() if key not in ("version", "digest")}
    kept["image"] = parse_image(raw["image"]).repository
    kept["digest" if version.startswith("sha256:") else "version"] = version
    return kept
