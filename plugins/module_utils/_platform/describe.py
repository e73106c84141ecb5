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
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform import (
    build,
    build_kubernetes,
    build_policy,
    build_postgres,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform import (
    run as runs,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.check import (
    MISSING,
    check,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    Problem,
    did_you_mean,
    errors_of,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_kubernetes import (
    check_kubernetes,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_postgres import (
    check_postgres,
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
    check_postgres,
    check_release,
    check_secrets,
    check_kubernetes,
)
#: Stand in for a name that is missing, so that the rules can still look at the rest.
_STAND_INS = {
    "platform_name": "unnamed",
    "platform_stage": "production",
    "platform_domain": "unnamed.invalid",
    "platform_services": {},
}
#: Levels of a description: taking a key out can leave its object without something it needs, so
#: that the object goes too, and so on up to the variable.
_DEEPEST = 8
#: The same for keys whose absence means something of its own: a service without a port is a worker,
#: a cluster without a flavour is on premises.
_KEY_STAND_INS = {"port": 8080, "flavour": "eks"}


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
    unreadable = list(unreadable)
    problems = [*unreadable, *_unknown_variables(variables)]
    known = {name: variables[name] for name in platform_variables() if name in variables}
    problems += _not_reported(check("whole", known), problems)
    wanted, bad_run = runs.read_run(run)
    problems += [*bad_run, *runs.unknown_names(extra_names)]

    sound = _sound_part(known, problems)
    staged = apply_stage(sound, str(sound["platform_stage"]))
    staged.variables = runs.lay_over(staged.variables, wanted)
    platform = _build(staged.variables, wanted.touched)
    context = _context(platform, staged.variables, _named(known, unreadable), groups or {})
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
        for place in _places(problem):
            _take_out(sound, place)
    for _round in range(_DEEPEST):
        sound = {**_STAND_INS, **sound}
        rest = check("whole", sound)
        for problem in rest:
            _take_out(sound, problem.path.rpartition(".")[0] or problem.path)
        if not rest:
            break
    return sound


def _places(problem: Problem) -> Iterator[str]:
    """Where the mistake is, and where the misspelt key was most likely meant to be.

    Without a required key the whole object is of no use.
    """
    head, _dot, key = problem.path.rpartition(".")
    yield head if head and problem.message == MISSING else problem.path
    meant = did_you_mean(key or problem.path, re.findall(r"mean ([^?]+)\?", problem.hint))
    if meant:
        yield f"{head}.{meant}" if head else meant


def _take_out(value: Any, path: str) -> None:
    """Remove the dictionary entry at C(path), or the one that holds the list it points into."""
    head = path.partition("[")[0]
    # The name of a registry has dots of its own.
    parts = ["platform_registries"] if head.startswith("platform_registries.") else head.split(".")
    for part in parts[:-1]:
        if not isinstance(value, dict) or part not in value:
            return
        value = value[part]
    if isinstance(value, dict):
        value.pop(parts[-1], None)
        if parts[-1] in _KEY_STAND_INS:
            value[parts[-1]] = _KEY_STAND_INS[parts[-1]]


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
        repositories=tuple(
            build_postgres.repository(name, raw)
            for name, raw in (variables.get("platform_repositories") or {}).items()
        ),
        registries=tuple(
            build.registry(server, raw)
            for server, raw in (variables.get("platform_registries") or {}).items()
        ),
        edge=build_policy.edge(variables.get("platform_edge") or {}),
        release=build_policy.release(variables.get("platform_release") or {}),
        kubernetes=build_kubernetes.kubernetes(variables.get("platform_kubernetes")),
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


def _named(known: dict[str, Any], unreadable: Iterable[Problem]) -> dict[str, Any]:
    """C(known) with the names of entries whose value could not be resolved."""
    named = dict(known)
    for problem in unreadable:
        variable, _dot, rest = problem.path.partition(".")
        name = rest.partition(".")[0]
        if name and isinstance(named.get(variable, {}), dict):
            named[variable] = {name: None, **named.get(variable, {})}
    return named


def _names(known: dict[str, Any], variable: str) -> frozenset[str]:
    value = known.get(variable)
    return frozenset(str(key) for key in value) if isinstance(value, dict) else frozenset()


def _ruled(context: Context, staged: Staged) -> Iterator[Problem]:
    for rule in RULES:
        for problem in rule(context):
            yield Problem(**{**problem.as_dict(), "path": staged.written_at(problem.path)})


def _not_reported(candidates: Iterable[Problem], reported: list[Problem]) -> list[Problem]:
    """Those that do not speak about a part that already has a problem of its own."""
    places = [place for problem in reported for place in _places(problem)]
    return [c for c in candidates if not any(_related(c.path, place) for place in places)]


def _related(path: str, other: str) -> bool:
    shorter, longer = sorted((path, other), key=len)
    return longer == shorter or longer.startswith((shorter + ".", shorter + "["))
