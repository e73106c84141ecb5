# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(platform_*) variables to a Platform, or to the list of all that is wrong with them. Pure.

describe -> validate -> Platform: the schema first, then the rules on everything the schema left
standing. A part with a mistake is taken out before the rules look, and what they say about that
part is dropped, so that each mistake is reported once.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Optional, Union

from ansible_collections.mainstay.platform.plugins.module_utils._platform import (
    build,
    build_policy,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform import (
    run as runs,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.check import check
from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    Problem,
    did_you_mean,
    errors_of,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_release import (
    check_release,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_secrets import (
    check_secrets,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_services import (
    check_services,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_state import (
    check_state,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_traffic import (
    check_traffic,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.schema import (
    platform_variables,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.stages import (
    Staged,
    apply_stage,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform

RULES: tuple[Callable[[Context], Iterator[Problem]], ...] = (
    check_services,
    check_traffic,
    check_state,
    check_release,
    check_secrets,
)
#: Stand in for a name that is missing, so that the rules can still look at the rest.
_STAND_INS = {
    "platform_name": "unnamed",
    "platform_stage": "production",
    "platform_domain": "unnamed.invalid",
}


def describe(
    variables: dict[str, Any],
    run: dict[str, Any],
    groups: Optional[dict[str, list[str]]] = None,
    extra_names: Collection[str] = (),
    unreadable: Iterable[Problem] = (),
) -> tuple[Optional[Platform], list[Problem]]:
    """The platform (nothing when there is an error) and all problems, warnings among them.

    C(variables) are the C(platform_*) variables, C(run) those of this run, both with templates
    resolved; C(groups) the hosts by inventory group (none: not checked); C(extra_names) the names
    of all extra variables, for misspelt ones; C(unreadable) problems that came up while templates
    were resolved.
    """
    problems = [*unreadable, *_unknown_variables(variables)]
    known = {name: variables[name] for name in platform_variables() if name in variables}
    problems += _not_reported(check("whole", known), problems)
    wanted, bad_run = runs.read_run(run)
    problems += [*bad_run, *runs.unknown_names(extra_names)]

    sound = _sound_part(known, problems)
    staged = apply_stage(sound, str(sound["platform_stage"]))
    staged.variables = runs.lay_over(staged.variables, wanted)
    platform = _build(staged.variables, wanted.services)
    context = _context(platform, staged.variables, known, groups or {})
    problems += runs.conflicts(
        wanted, platform.id, sorted(context.service_names), sorted(context.store_names)
    )
    problems += _not_reported(_ruled(context, staged), problems)
    problems = list(dict.fromkeys(problems))
    return (None if errors_of(problems) else platform), problems


def _unknown_variables(variables: dict[str, Any]) -> Iterator[Problem]:
    known = platform_variables()
    for name in variables:
        if name.startswith("platform_") and name not in known:
            yield Problem(
                name,
                "unknown variable",
                name,
                ", ".join(known),
                suggestion(name, [other for other in known if other not in variables]),
            )


def _sound_part(known: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """A copy without the parts that have problems, with stand-ins for missing names."""
    sound = {
        name: copy.deepcopy(value) for name, value in known.items() if name != "platform_secrets"
    }
    if isinstance(known.get("platform_secrets"), dict):
        sound["platform_secrets"] = dict(known["platform_secrets"])
    for problem in problems:
        _take_out(sound, _parts(problem))
    for name, stand_in in _STAND_INS.items():
        sound.setdefault(name, stand_in)
    for name in ("platform_services", "platform_stores"):
        entries = sound.get(name)
        required = "image" if name == "platform_services" else "kind"
        if isinstance(entries, dict):
            sound[name] = {k: v for k, v in entries.items() if required in v}
    return sound


def _parts(problem: Problem) -> list[str]:
    """The keys from the top down to the dictionary entry that has the problem."""
    head = problem.path.partition("[")[0]
    known = ("platform_registries.",)  # a registry's name has dots of its own
    if head.startswith(known):
        return ["platform_registries"]
    parts = head.split(".")
    missing = problem.message == "missing" and len(parts) > 1
    return parts[:-1] if missing else parts


def _take_out(value: Union[dict[str, Any], Any], parts: list[str]) -> None:
    for part in parts[:-1]:
        if not isinstance(value, dict) or part not in value:
            return
        value = value[part]
    if isinstance(value, dict):
        value.pop(parts[-1], None)


def _build(variables: dict[str, Any], selected: tuple[str, ...]) -> Platform:
    services = variables.get("platform_services") or {}
    stores = variables.get("platform_stores") or {}
    return Platform(
        name=variables["platform_name"],
        stage=variables["platform_stage"],
        domain=variables["platform_domain"],
        runtime=variables.get("platform_runtime", Platform.runtime),
        services=tuple(build.service(n, raw, variables) for n, raw in services.items()),
        stores=tuple(build.store(n, raw, variables) for n, raw in stores.items()),
        registries=tuple(
            build.registry(server, raw)
            for server, raw in (variables.get("platform_registries") or {}).items()
        ),
        edge=build_policy.edge(variables.get("platform_edge") or {}),
        release=build_policy.release(variables.get("platform_release") or {}),
        secret_names=tuple(sorted(variables.get("platform_secrets") or {})),
        selected=selected,
    )


def _context(
    platform: Platform,
    variables: dict[str, Any],
    known: dict[str, Any],
    groups: dict[str, list[str]],
) -> Context:
    return Context(
        platform=platform,
        variables=variables,
        secrets={k: str(v) for k, v in (variables.get("platform_secrets") or {}).items()},
        secret_names=_names(known, "platform_secrets"),
        service_names=_names(known, "platform_services"),
        store_names=_names(known, "platform_stores"),
        groups=groups,
    )


def _names(known: dict[str, Any], variable: str) -> frozenset[str]:
    value = known.get(variable)
    return frozenset(str(key) for key in value) if isinstance(value, dict) else frozenset()


def _ruled(context: Context, staged: Staged) -> Iterator[Problem]:
    for rule in RULES:
        for problem in rule(context):
            yield Problem(**{**problem.as_dict(), "path": staged.written_at(problem.path)})


def _not_reported(candidates: Iterable[Problem], reported: list[Problem]) -> list[Problem]:
    """Those that do not speak about a part that already has a problem of its own."""
    places = [problem.path for problem in reported]
    for problem in reported:
        head, _dot, key = problem.path.rpartition(".")
        meant = did_you_mean(key or problem.path, re.findall(r"mean ([^?]+)\?", problem.hint))
        if meant:
            places.append(f"{head}.{meant}" if head else meant)
    return [c for c in candidates if not any(_related(c.path, place) for place in places)]


def _related(path: str, other: str) -> bool:
    shorter, longer = sorted((path, other), key=len)
    return longer == shorter or longer.startswith((shorter + ".", shorter + "["))
