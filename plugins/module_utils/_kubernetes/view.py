# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the platform to all its Kubernetes objects, in the order in which they are made. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Optional

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.policies import (
    network_policies,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_common import (
    Manifest,
    ordered,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_config import (
    configuration,
    pull_secret,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_extras import (
    backup_schedule,
    monitors,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_jobs import (
    store_jobs,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_namespace import (
    namespace_objects,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_routes import (
    routes,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_services import (
    Tracks,
    migration_job,
    service_objects,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.view_stores import (
    store_objects,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import Platform


def manifests(
    platform: Platform, secrets: Mapping[str, str], tracks: Optional[Tracks] = None
) -> list[Manifest]:
    """Everything but migrations, which a release runs once; see L(migrations)."""
    tracks = tracks or Tracks()
    logins = pull_secret(platform, secrets)
    login_name = logins["metadata"]["name"] if logins else None
    found = namespace_objects(platform) + network_policies(platform)
    found += [logins] if logins else []
    for store in platform.stores:
        if store.mode == "kubernetes":
            found += store_objects(platform, store, secrets, login_name)
        found += store_jobs(platform, store, secrets, login_name)
    for service in platform.services:
        found += service_objects(platform, service, secrets, login_name, tracks)
    found += routes(platform, tracks.weights) + monitors(platform) + backup_schedule(platform)
    return ordered(found)


def migrations(
    platform: Platform,
    secrets: Mapping[str, str],
    release_id: str,
    revert: bool = False,
    services: Optional[Collection[str]] = None,
) -> list[Manifest]:
    """The Jobs that migrate, or with C(revert) take a migration back, in one release.

    Those of C(services), or of all.
    """
    logins = pull_secret(platform, secrets)
    login_name = logins["metadata"]["name"] if logins else None
    found = []
    for service in platform.services:
        if services is not None and service.name not in services:
            continue
        configured = configuration(platform, service, secrets)
        job = migration_job(platform, service, configured, login_name, release_id, revert)
        found += [job] if job else []
    return ordered(found)
