# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about secrets: references, clear text in fields that are shown, weak values. Pure.

No value of a secret ever appears in a problem; only its length or what is weak about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._platform.context import Context
from ansible_collections.mainstay.platform.plugins.module_utils._platform.material import (
    JWT_BYTES,
    is_placeholder,
    key_bytes,
    variety,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.placeholders import (
    FORMS,
    PLATFORM_FIELDS,
    STORE_FIELDS,
    Reference,
    references,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.problems import (
    WARNING,
    Problem,
    suggestion,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.rules_postgres import (
    named_secrets,
)

_CREDENTIAL = re.compile(r"(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIAL)")
#: Names that speak about a credential without being one: lifetimes, places, identifiers.
_ABOUT = re.compile(
    r"(EXPIR|TTL|TIMEOUT|ROTATION|MAX_AGE|LIFETIME|LENGTH|SIZE|ROUNDS|PUBLIC|ISSUER|HEADER|PREFIX"
    r"|ALGORITHM|KEYCLOAK|KEYSPACE|KEEP|MONKEY|HASH_TAG"
    r"|_(FILE|PATH|DIR|URL|URI|ID|NAME|ENABLED|TYPE|COUNT|LIMIT)$)"
)
#: One letter of the scheme is enough, and looking for all of it takes a square of the length.
_URL_PASSWORD = re.compile(r"[a-zA-Z0-9+.-]://[^/\s:@]*:([^/\s@]+)@")
_URL_SECRET = re.compile(r"://[^/\s@]*\$\{secret:([a-z0-9_]+)\}[^/\s@]*@")
#: Bytes of C(NAME=value) that Linux hands to a program: MAX_ARG_STRLEN is 32 pages, with the end.
LONGEST_VARIABLE = 32 * 4096 - 1
#: Shorter values are found in other text by accident.
_COMPARED = 6


def check_secrets(context: Context) -> Iterator[Problem]:
    """All rules of this file."""
    yield from _values(context)
    yield from _uses(context)
    yield from _environments(context)
    yield from _copies(context)
    yield from _unused(context)


def _values(context: Context) -> Iterator[Problem]:
    tokens = {
        use.secret for _where, use in _all_uses(context) if "jwt" in f"{use.env} {use.file}".lower()
    }
    for name, value in sorted(context.secrets.items()):
        path = f"platform_secrets.{name}"
        if is_placeholder(value):
            yield Problem(
                path,
                "a placeholder or a well-known default, not a secret",
                f"{len(value)} characters (not shown)",
                "a value made by a generator, such as openssl rand -base64 48",
            )
        elif "jwt" in name or name in tokens:
            yield from _jwt(path, value)
        if value != value.strip():
            yield Problem(
                path,
                "begins or ends with blanks or a line end, which programs take as part of it",
                f"{len(value)} characters (not shown)",
                "the value alone",
                severity=WARNING,
            )


def _jwt(path: str, value: str) -> Iterator[Problem]:
    held = key_bytes(value)
    if held < JWT_BYTES or variety(value) < 8:
        yield Problem(
            path,
            "too weak to sign tokens",
            f"{held * 8} bits of material"
            if held < JWT_BYTES
            else "fewer than 8 different characters",
            f"at least {JWT_BYTES * 8} bits: {JWT_BYTES} random bytes, in hexadecimal or base64",
            "openssl rand -base64 48",
        )


def _all_uses(context: Context) -> Iterator[tuple[str, Any]]:
    for service in context.platform.services:
        for index, use in enumerate(service.secrets):
            yield f"platform_services.{service.name}.secrets[{index}]", use


def _named(context: Context) -> Iterator[tuple[str, str]]:
    """(path, name of a secret) of every reference outside of environments."""
    for where, use in _all_uses(context):
        yield where, use.secret
    for store in context.platform.stores:
        if store.password:
            yield f"platform_stores.{store.name}.password", store.password
        if store.kubernetes.cluster_secret:
            path = f"platform_stores.{store.name}.kubernetes.cluster_secret"
            yield path, store.kubernetes.cluster_secret
    yield from named_secrets(context)
    for registry in context.platform.registries:
        if registry.password:
            yield f"platform_registries.{registry.server}.password", registry.password
    bypass = context.platform.edge.maintenance.bypass_secret
    if bypass:
        yield "platform_edge.maintenance.bypass_secret", bypass


def _uses(context: Context) -> Iterator[Problem]:
    for where, name in _named(context):
        if name not in context.secret_names:
            yield _unknown(where, "secret", name, context.secret_names)
    for service in context.platform.services:
        taken: dict[str, str] = {}
        for index, use in enumerate(service.secrets):
            where = f"platform_services.{service.name}.secrets[{index}]"
            for target in filter(None, (use.file and f"/run/secrets/{use.file}", use.env)):
                other = taken.get(target) or (
                    f"platform_services.{service.name}.env.{target}"
                    if target in service.env
                    else ""
                )
                if other:
                    yield Problem(where, "given twice", f"{target}, also by {other}", "once")
                taken[target] = where


def _environments(context: Context) -> Iterator[Problem]:
    shared = context.variables.get("platform_env") or {}
    for key, value in shared.items():
        yield from _variable(context, f"platform_env.{key}", key, str(value))
    for service in context.platform.services:
        own = context.raw_service(service.name).get("env") or {}
        for key, value in own.items():
            yield from _variable(
                context, f"platform_services.{service.name}.env.{key}", key, str(value)
            )


def _variable(context: Context, path: str, key: str, value: str) -> Iterator[Problem]:
    size = len(f"{key}={value}".encode())
    if size > LONGEST_VARIABLE:
        yield Problem(
            path,
            "is too long for a variable: no program could be started with it",
            f"{size} bytes with its name",
            f"at most {LONGEST_VARIABLE} bytes",
            "give it as a file, by an entry of secrets or a volume",
        )
        return
    name = key.upper()
    literal = value and "${" not in value and value.lower() not in ("true", "false")
    passwords = _URL_PASSWORD.findall(value)
    if literal and _CREDENTIAL.search(name) and not _ABOUT.search(name):
        yield _clear_text(path, "looks like a credential in clear text")
    elif any("${" not in password for password in passwords):
        yield _clear_text(path, "a URL with a password in clear text")
    for reference in references(value):
        yield from _reference(context, path, reference)
    for match in _URL_SECRET.finditer(value):
        secret = context.secrets.get(match.group(1), "")
        if not re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=%-]*", secret):
            yield Problem(
                path,
                f"secret {match.group(1)} holds characters that end a URL's password early",
                "a character such as / @ : # ? (not shown)",
                "letters, digits, - . _ ~, or percent-encoded",
            )


def _clear_text(path: str, message: str) -> Problem:
    return Problem(
        path,
        message,
        "a value (not shown)",
        "${secret:NAME} with the value in platform_secrets, or an entry of secrets",
        "this field is shown in plans, differences and reports",
    )


def _reference(context: Context, path: str, reference: Reference) -> Iterator[Problem]:
    kind, name, attribute = reference.kind, reference.name, reference.attribute
    if kind == "secret" and not attribute:
        if name not in context.secret_names:
            yield _unknown(path, "secret", name, context.secret_names)
    elif kind == "store" and attribute:
        yield from _store_reference(context, path, reference)
    elif kind == "platform" and not attribute and name in PLATFORM_FIELDS:
        return
    else:
        yield Problem(path, "a placeholder that nothing resolves", reference.text, FORMS)


def _store_reference(context: Context, path: str, reference: Reference) -> Iterator[Problem]:
    name, attribute = reference.name, reference.attribute
    if name not in context.store_names:
        yield _unknown(path, "store", name, context.store_names)
    elif attribute not in STORE_FIELDS:
        yield Problem(
            path,
            "a store has no such part",
            reference.text,
            ", ".join(STORE_FIELDS),
            suggestion(attribute, STORE_FIELDS),
        )
    elif attribute in ("database", "username") and not context.raw_store(name).get(attribute):
        yield Problem(
            path,
            f"store {name} has no {attribute}",
            reference.text,
            f"platform_stores.{name}.{attribute}",
        )


def _unknown(path: str, kind: str, name: str, known: frozenset[str]) -> Problem:
    variable = f"platform_{kind}s"
    hint = suggestion(name, known)
    # What is near to no name may be the secret itself, written where its name belongs.
    hidden = kind == "secret" and not hint
    return Problem(
        path,
        f"no such {kind}",
        "text (not shown)" if hidden else name,
        ", ".join(sorted(known)) or f"an entry of {variable} (there is none)",
        hint or f"add it to {variable}",
    )


def _copies(context: Context) -> Iterator[Problem]:
    compared = {
        n: v for n, v in context.secrets.items() if len(v) >= _COMPARED and not is_placeholder(v)
    }
    for variable, value in context.variables.items():
        if variable == "platform_secrets":
            continue
        for path, text in _texts(value, variable):
            for name, secret in compared.items():
                if secret in text:
                    yield _clear_text(path, f"holds the value of secret {name}")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")


def _unused(context: Context) -> Iterator[Problem]:
    used = {name for _where, name in _named(context)}
    for service in context.platform.services:
        for value in service.env.values():
            used.update(r.name for r in references(value) if r.kind == "secret")
    for name in sorted(context.secret_names - used):
        yield Problem(
            f"platform_secrets.{name}", "used by nothing", "no reference", "", severity=WARNING
        )
