# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation against the schema: every error of the library as one of our problems. Pure."""

from __future__ import annotations

import ipaddress
import math
import re
import shlex
from collections.abc import Iterator
from typing import Any, Optional

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    Problem,
    did_you_mean,
    shown,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.schema import load_schema

try:
    import jsonschema
except ImportError:  # pragma: no cover - the action says what to install
    jsonschema = None  # type: ignore[assignment,unused-ignore]

#: Message of a required key that is not there.
MISSING = "missing"
_SECRET_PART = re.compile(
    r"(^|[._])(secrets?|passwords?|passwd|passphrase|tokens?|credentials?|access_key|secret_key"
    r"|replication)([.\[_]|$)|(^|[._])(env|headers)[.\[]"
)
#: No place of the schema is deeper; what holds itself (an alias of YAML) has no end.
_DEEPEST = 20
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a dictionary",
}


def check(part: str, value: Any) -> list[Problem]:
    """All problems of C(value) against C($defs/<part>), with the paths of an inventory."""
    if jsonschema is None:
        raise MainstayError(
            "the Python library jsonschema is missing on the controller",
            subject="mainstay.platform.platform",
            expected="jsonschema 4 or newer beside ansible-core",
            next_step="pip install 'jsonschema>=4.17' with the Python that runs ansible",
        )
    formats = jsonschema.FormatChecker(formats=())
    formats.checks("words", raises=ValueError)(_is_words)
    formats.checks("cidr", raises=ValueError)(_is_network)
    validator = jsonschema.Draft202012Validator(_part(part), format_checker=formats)
    found: dict[tuple[str, str], Problem] = {}
    for error in validator.iter_errors(value):
        for problem in _problems(error, ()):
            found.setdefault((problem.path, problem.message), problem)
    for problem in _not_finite(value, ()):
        found.setdefault((problem.path, problem.message), problem)
    return list(found.values())


def _not_finite(value: Any, path: tuple[Any, ...]) -> Iterator[Problem]:
    """Numbers that the schema takes for numbers, and that no comparison is ever true for."""
    if len(path) > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_finite(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(dotted(path), "not a finite number", str(value), "a number")


def _is_words(value: Any) -> bool:
    """The format of a command: C(shlex) raises where a quote is left open."""
    return not isinstance(value, str) or bool(shlex.split(value))


def _is_network(value: Any) -> bool:
    """The format of a network: C(ip_network) raises where bits of a host are set."""
    return not isinstance(value, str) or bool(ipaddress.ip_network(value))


def _part(name: str) -> dict[str, Any]:
    schema = load_schema()
    if name != "whole":
        return {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
    # Misspelt variables are reported with their own words by describe().
    kept = {key: value for key, value in schema.items() if key != "propertyNames"}
    return {**kept, "required": schema["$defs"]["whole"]["required"]}


def dotted(path: Any) -> str:
    """C(("platform_services", "api", "routes", 0)) as C(platform_services.api.routes[0])."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def is_secret_path(path: str) -> bool:
    """True where the value is a secret, or where somebody may have written one by mistake.

    The name of a secret is wanted in C(password: db_password); what fails the check there may well
    be the password itself. Variables and headers carry credentials under any name.
    """
    return bool(_SECRET_PART.search(path))


def _problems(error: Any, before: tuple[Any, ...]) -> list[Problem]:
    path = (*before, *error.relative_path)
    if error.validator == "anyOf" and error.context:
        branches = _plausible(error)
        if branches is not None:
            return [p for inner in branches for p in _problems(inner, path)]
    if error.validator == "additionalProperties":
        return _unknown_keys(error, path)
    if error.validator == "required":
        return [_missing(error, path)]
    if "propertyNames" in error.absolute_schema_path:
        return [_bad_name(error, path)]
    return [_bad_value(error, path)]


def _plausible(error: Any) -> Optional[list[Any]]:
    """The errors of the one alternative that has the type of the value, if there is exactly one."""
    by_branch: dict[int, list[Any]] = {}
    for inner in error.context:
        by_branch.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [
        errors
        for errors in by_branch.values()
        if not any(e.validator == "type" and not e.relative_path for e in errors)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _unknown_keys(error: Any, path: tuple[Any, ...]) -> list[Problem]:
    known = list(error.schema.get("properties", {}))
    return [
        Problem(
            path=dotted((*path, key)),
            message="unknown key",
            found=str(key),
            allowed=", ".join(known),
            hint=suggestion(str(key), [name for name in known if name not in error.instance]),
        )
        for key in error.instance
        if key not in known
    ]


def _missing(error: Any, path: tuple[Any, ...]) -> Problem:
    key = next(name for name in error.validator_value if repr(name) in error.message)
    named = [k for k in error.instance if did_you_mean(str(k), [key])]
    return Problem(
        path=dotted((*path, key)),
        message=MISSING,
        found="nothing" if not named else f"{named[0]}",
        allowed=_description(key, error),
        hint=f"add {dotted((*path, key))}" if not named else f"rename {named[0]} to {key}",
    )


def _description(key: str, error: Any) -> str:
    schema: dict[str, Any] = error.schema
    properties: dict[str, Any] = schema.get("properties", {})
    text = properties.get(key, {}).get("description", "")
    return str(text)


def _bad_name(error: Any, path: tuple[Any, ...]) -> Problem:
    return Problem(
        path=dotted((*path, error.instance)),
        message="not a valid name",
        found=shown(error.instance),
        allowed=str(error.schema.get("x-allowed", error.message)),
    )


def _bad_value(error: Any, path: tuple[Any, ...]) -> Problem:
    where = dotted(path)
    value = error.instance
    secret = is_secret_path(where)
    return Problem(
        path=where,
        message=_sentence(error),
        found=f"{_type_of(value)} (not shown)" if secret else _found(value),
        allowed=_allowed(error),
        hint="" if secret else _hint(error),
    )


def _found(value: Any) -> str:
    """C(value) in words: of what holds other values only the names, which are no secrets."""
    if isinstance(value, dict):
        return shown(f"a dictionary of {', '.join(str(key) for key in value) or 'nothing'}")
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return shown(value)


def _sentence(error: Any) -> str:
    if error.validator == "type":
        return f"{_type_of(error.instance)} where it must be {_type_names(error.validator_value)}"
    if error.instance == "":
        return "empty"
    plain = {
        "enum": "not one of the allowed values",
        "minimum": "too small",
        "exclusiveMinimum": "too small",
        "maximum": "too large",
        "minLength": "too short",
        "minItems": "empty",
        "minProperties": "empty",
        "uniqueItems": "holds the same value twice",
        "pattern": "not of the expected form",
    }
    return plain.get(error.validator, "not of an allowed form")


def _allowed(error: Any) -> str:
    schema = error.schema
    if error.validator == "enum":
        return ", ".join(str(value) for value in error.validator_value)
    if "x-allowed" in schema:
        return str(schema["x-allowed"])
    if error.validator in ("minimum", "minLength", "minItems", "minProperties"):
        return f"at least {error.validator_value}"
    if error.validator == "exclusiveMinimum":
        return f"more than {error.validator_value}"
    if error.validator == "maximum":
        return f"at most {error.validator_value}"
    if error.validator == "type":
        return _type_names(error.validator_value)
    alternatives = [str(_resolved(part).get("x-allowed", "")) for part in schema.get("anyOf", [])]
    return " or ".join(text for text in alternatives if text) or str(schema.get("pattern", ""))


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    name = str(part.get("$ref", "")).rpartition("/")[2]
    resolved: dict[str, Any] = load_schema()["$defs"].get(name, part)
    return resolved


def _hint(error: Any) -> str:
    value = error.instance
    if error.validator == "enum":
        return suggestion(str(value), [str(v) for v in error.validator_value])
    if error.validator == "pattern" and str(error.validator_value).startswith("^/"):
        if "://" in value:
            return "give the path alone"
        return f"did you mean /{value}?" if re.match(r"[A-Za-z0-9_-]", value) else ""
    wants_text = error.validator == "type" and "string" in _as_list(error.validator_value)
    return "put it in quotes" if wants_text and isinstance(value, (int, float)) else ""


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _type_names(value: Any) -> str:
    return " or ".join(_TYPES.get(name, name) for name in _as_list(value))


def _type_of(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds = (
        (str, "text"),
        (int, "a whole number"),
        (float, "a number"),
        (dict, "a dictionary"),
        ((list, tuple), "a list"),
    )
    found: Optional[str] = next((name for kind, name in kinds if isinstance(value, kind)), None)
    return found or f"a value of type {type(value).__name__}"
