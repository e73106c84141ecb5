# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a bucket how it is protected, and bringing back what was deleted from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Optional, TypeVar
from urllib.parse import quote

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import bucket as pure
from ansible_collections.mainstay.platform.plugins.module_utils._postgres import protection
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.bucket import Request
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.objects import (
    BucketReader,
    ObjectStore,
)

#: Tried to be removed, so that nothing of value ever is.
PROBE = "mainstay-probe"
_BYPASS = {"x-amz-bypass-governance-retention": "true"}
_NONE = ("NoSuchLifecycleConfiguration", "ObjectLockConfigurationNotFoundError")
#: Later than any version.
_END = datetime.max.replace(tzinfo=timezone.utc)
Answer = TypeVar("Answer")


def observe(store: ObjectStore, *, check: bool) -> protection.Observed:
    """See L(protection.Observed). Nothing is tried with C(check)."""
    versions = _ask(store, "versioning", _has_versions, False)
    no_rules: tuple[protection.Rule, ...] = ()
    return protection.Observed(
        versions=versions,
        locked_days=_ask(store, "object-lock", protection.locked_days_of, 0.0),
        rules=_ask(store, "lifecycle", protection.rules_of, no_rules),
        deletes=bool(versions) and not check and deletes_versions(store),
    )


def _has_versions(document: bytes) -> bool:
    return pure.plain(document).findtext("Status") == "Enabled"


def _ask(
    store: ObjectStore, what: str, read: Callable[[bytes], Answer], none: Answer
) -> Optional[Answer]:
    """A setting of the bucket: C(none) when it has none, None when it does not tell."""
    status, _headers, body = store.answer(Request("GET", query={what: ""}))
    if status == 200:
        return read(body)
    return none if pure.refusal(body)[0] in _NONE else None


def deletes_versions(store: ObjectStore) -> bool:
    """Whether the keys remove a version, tried on an object of our own that is written once."""
    key = store.bucket.key(PROBE)
    status, headers, _body = store.call(Request("HEAD", key), missing=True)
    if status == 404:
        headers = store.call(Request("PUT", key, body=b"nothing of value\n"))[1]
    version = headers.get("x-amz-version-id", "")
    tries = ({}, _BYPASS) if version else ()
    return any(
        store.answer(Request("DELETE", key, {"versionId": version}, headers=more))[0] == 204
        for more in tries
    )


def no_versions(subject: str) -> MainstayError:
    """The error for a repository that has no past."""
    return MainstayError(
        "only a bucket keeps what was deleted",
        subject=subject,
        expected="a repository of kind s3 whose bucket has versions",
        next_step="choose another repository of the store",
    )


def revive(store: ObjectStore, moment: datetime, *, check: bool) -> list[str]:
    """Make what was in the repository at C(moment) its present content; the paths of what changes.

    Needs no right to remove anything: the version of then is copied over what is there now, and
    what came later stays as an older version.
    """
    below = store.bucket.key("").rstrip("/") + "/"
    prefix = below if below != "/" else ""
    found = BucketReader(store).history(prefix)
    then, today = pure.as_of(found, moment), pure.as_of(found, _END)
    if not then:
        raise MainstayError(
            "nothing was in the repository at that moment",
            subject=f"{store.bucket.name}/{prefix}",
            found=f"no object at {moment.isoformat()}",
            expected="a moment at which there were backups",
        )
    changed = sorted(k for k in then if k not in today or today[k].tag != then[k].tag)
    for key in [] if check else changed:
        source = f"/{store.bucket.name}/{key}?versionId={then[key].version}"
        headers = {"x-amz-copy-source": quote(source, safe="/?=-_.~")}
        store.call(Request("PUT", key, headers=headers))
    return [store.bucket.inner(key) for key in changed]
