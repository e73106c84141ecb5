# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of releases: everything to bring one back, small enough for the cluster. Pure.

A record is one Secret, or several when it is large, because manifests hold Secrets. It is
compressed; what lists need to know stands in its annotations.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import naming
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.objects import Manifest
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.ownership import (
    PLATFORM,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

TYPE = "mainstay.platform/release"
RELEASE = "mainstay.platform/release"
PART = "mainstay.platform/part"
SUMMARY = "mainstay.platform/summary"
#: Bytes in one Secret; the API server takes 1 MiB.
CHUNK = 900_000
APPLYING, DEPLOYED, FAILED, APPLIED = "applying", "deployed", "failed", "applied"


@dataclass(frozen=True)
class Summary:
    """What a list of releases shows. Times are of the machine that ran the release."""

    release_id: str
    outcome: str = APPLYING
    started: str = ""
    finished: str = ""
    previous: str = ""
    rolled_back_to: str = ""
    manifests: str = ""
    objects: int = 0
    parts: int = 1
    images: dict[str, dict[str, str]] = field(default_factory=dict)
    failure: str = ""


def record_name(platform: str, release_id: str, part: int = 0) -> str:
    """Name of a Secret of a record."""
    readable = f"mainstay-{platform}-{release_id}".lower()
    if naming.subdomain(readable) or len(readable) > 240:
        hashed = hashlib.sha256(readable.encode("utf-8")).hexdigest()[:16]
        readable = f"mainstay-release-{hashed}"
    return readable + (f"-{part}" if part else "")


def pack(manifests: Sequence[Manifest]) -> list[bytes]:
    """The manifests, compressed, in pieces."""
    text = json.dumps(list(manifests), sort_keys=True, separators=(",", ":"))
    packed = gzip.compress(text.encode("utf-8"), compresslevel=6, mtime=0)
    return [packed[i : i + CHUNK] for i in range(0, len(packed), CHUNK)]


def unpack(pieces: Sequence[bytes], subject: str) -> list[Manifest]:
    """The manifests of L(pack)."""
    try:
        found = json.loads(gzip.decompress(b"".join(pieces)))
    except (OSError, EOFError, ValueError) as error:
        raise MainstayError(
            "the record of the release cannot be read",
            subject=subject,
            found=type(error).__name__,
            expected="the compressed manifests that Mainstay wrote",
            next_step="choose another release: k8s_release_info lists them",
        ) from error
    manifests: list[Manifest] = found
    return manifests


def annotation(summary: Summary) -> str:
    """The summary as it stands on the first Secret."""
    return json.dumps(vars(summary), sort_keys=True, separators=(",", ":"))


def secrets(
    platform: str, namespace: str, summary: Summary, pieces: Sequence[bytes]
) -> list[Manifest]:
    """The Secrets of a record; the first one last: a record is there whole or not at all."""
    found = []
    for number in reversed(range(len(pieces))):
        annotations = {SUMMARY: annotation(summary)} if number == 0 else {}
        found.append(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": TYPE,
                "metadata": {
                    "name": record_name(platform, summary.release_id, number),
                    "namespace": namespace,
                    "labels": {
                        PLATFORM: platform,
                        RELEASE: _label(summary.release_id),
                        PART: str(number),
                    },
                    "annotations": annotations,
                },
                "data": {"manifests": base64.b64encode(pieces[number]).decode("ascii")},
            }
        )
    return found


def _label(release_id: str) -> str:
    wrong = naming.label_problems({"x": release_id})
    return hashlib.sha256(release_id.encode("utf-8")).hexdigest()[:32] if wrong else release_id


def summary_of(secret: Mapping[str, Any]) -> Summary:
    """The summary of the first Secret of a record."""
    metadata = secret.get("metadata") or {}
    text = (metadata.get("annotations") or {}).get(SUMMARY, "")
    try:
        data = json.loads(text)
        return Summary(**{k: v for k, v in data.items() if k in Summary.__dataclass_fields__})
    except (ValueError, TypeError, AttributeError) as error:
        raise MainstayError(
            "the record of the release cannot be read",
            subject=f"Secret {metadata.get('name')}",
            found="no summary",
            expected=f"the annotation {SUMMARY}",
        ) from error


def outdated(summaries: Sequence[Summary], retain: int, current: str) -> list[Summary]:
    """Records that go: beyond the newest C(retain) deployed ones before the current one.

    Releases that failed are kept as long as one that was deployed before them is.
    """
    newest = sorted(summaries, key=lambda s: (s.started, s.release_id), reverse=True)
    kept, found = 0, []
    for summary in newest:
        if summary.release_id == current:
            continue
        if kept >= retain:
            found.append(summary)
        elif summary.outcome in (DEPLOYED, APPLIED):
            kept += 1
    return found


def target(
    summaries: Sequence[Summary], wanted: str, current: str, manifests: str, platform: str
) -> Summary:
    """The release to go back to: the one that is named, or the newest deployed one that differs."""
    deployed = [s for s in summaries if s.outcome in (DEPLOYED, APPLIED)]
    newest = sorted(deployed, key=lambda s: (s.started, s.release_id), reverse=True)
    for summary in newest:
        if wanted and summary.release_id == wanted:
            return summary
        differs = summary.release_id != current and summary.manifests != manifests
        if not wanted and differs:
            return summary
    raise MainstayError(
        "there is no such release to go back to",
        subject=f"platform {platform}",
        found=", ".join(s.release_id for s in newest[:10]) or "no deployed release on record",
        expected=wanted or "a deployed release that differs from what is there",
        next_step="k8s_release_info lists the releases that can be brought back",
    )
