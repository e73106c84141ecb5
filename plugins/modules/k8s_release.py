#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a whole release to a Kubernetes cluster, or back to an earlier one, in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_release
short_description: Bring a whole release to Kubernetes, or back to an earlier one
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - One task is the whole release. It validates all manifests, plans, applies in order of
    dependency, waits by watching until everything is ready, removes what is no longer described,
    and keeps a record in the cluster from which any release can be brought back.
  - Objects are applied on the server, with the field manager C(mainstay), over connections that
    stay open. One that is as described costs one request.
  - A failure is told as soon as it is certain, with the reason, the exit code, the events and the
    last lines of the container.
  - Only objects that this platform applied are ever removed. They carry the labels of an ApplySet,
    whose parent is the ConfigMap V(mainstay-<platform>) in O(namespace).
  - Values of Secrets are in no result and no difference.
extends_documentation_fragment:
  - mainstay.platform.kubernetes_auth
requirements:
  - kubernetes (Python package, 24.2 or newer) where the module runs
attributes:
  check_mode:
    description: Every difference is tried as a dry run by the API server; nothing is kept.
    support: full
  diff_mode:
    description: Shows what the manifests say, without what the server adds; Secrets are masked.
    support: full
options:
  platform:
    description: Id of the platform, V(<name>-<stage>). It owns what it applies.
    type: str
    required: true
  release_id:
    description: Id of this release. Required unless O(state=planned).
    type: str
  namespace:
    description:
      - Namespace of the records, and of manifests that name none.
      - It may be one of O(manifests); then it is created first.
    type: str
    required: true
  state:
    description:
      - V(present) makes the cluster what O(manifests) say.
      - V(rolled_back) makes it what the record of O(to) says, with its ConfigMaps and Secrets.
        Jobs of that release are not run again.
      - V(planned) only returns the plan, tried as a dry run by the API server.
    type: str
    choices: [present, rolled_back, planned]
    default: present
  manifests:
    description: The objects of the release, in any order.
    type: list
    elements: dict
    default: []
  to:
    description:
      - With O(state=rolled_back), the release to go back to; without it, the newest deployed one
        that differs from what is there.
    type: str
  plan:
    description: Hash of a plan. A plan that comes out differently is refused before any change.
    type: str
  fence:
    description:
      - Counter of the lock. A run with a lower counter than the cluster has seen is refused.
    type: int
    default: 0
  force:
    description: Take fields over that another field manager owns.
    type: bool
    default: false
  adopt:
    description: Take over objects that exist and belong to no platform.
    type: bool
    default: false
  prune:
    description: Remove objects of this platform that are no longer described.
    type: bool
    default: true
  prune_kinds:
    description: Kinds that are removed although they hold what cannot be made again.
    type: list
    elements: str
    choices: [CustomResourceDefinition, Namespace, PersistentVolume, PersistentVolumeClaim]
    default: []
  keep_warm:
    description:
      - Seconds for which Deployments of the release before, with the ConfigMaps and Secrets of that
        release, stay although they are no longer described, so that going back is a flip.
      - Then the cluster itself removes them; nothing has to be run. Going back within that time
        keeps them, and so does any release that describes them again. Needs O(prune=true).
      - It is done with a Job that makes no pod and owns what goes with it. To keep what is warm by
        hand, remove that Job with C(kubectl delete job --cascade=orphan).
    type: float
    default: 0.0
  wait:
    description: Wait until everything is ready; without it the release only counts as applied.
    type: bool
    default: true
  wait_kinds:
    description: Kinds whose readiness is awaited.
    type: list
    elements: str
    choices:
      - CustomResourceDefinition
      - DaemonSet
      - Deployment
      - Gateway
      - HTTPRoute
      - HorizontalPodAutoscaler
      - Ingress
      - Job
      - PersistentVolumeClaim
      - Pod
      - Service
      - StatefulSet
    default: [CustomResourceDefinition, DaemonSet, Deployment, Job, Pod, StatefulSet]
  wait_conditions:
    description:
      - Kinds of custom resources with the condition that makes each ready, as in
        V(Certificate=Ready).
    type: list
    elements: str
    default: []
  timeout:
    description: Longest time for the whole task, in seconds.
    type: float
    default: 300.0
  verdict:
    description: When an object that is not ready counts as failed.
    type: dict
    default: {}
    suboptions:
      crashes:
        description: Ends of a container with an error, one after the other.
        type: int
        default: 3
      image_grace:
        description: Seconds that an image may fail to be pulled.
        type: float
        default: 15.0
      config_grace:
        description: Seconds that a container may fail to be made, as when its Secret is not there.
        type: float
        default: 5.0
      schedule_grace:
        description: Seconds that a pod may find no node; a cluster that adds nodes needs more.
        type: float
        default: 30.0
      admission_grace:
        description: Seconds that pods may be refused by a quota or an admission rule.
        type: float
        default: 5.0
      probe_grace:
        description:
          - Seconds that a running container may be unready beyond what its own startup and
            readiness probes allow.
        type: float
        default: 60.0
  retain:
    description: Earlier deployed releases that stay on record.
    type: int
    default: 10
  parallel:
    description: Requests at the same time.
    type: int
    default: 16
seealso:
  - module: mainstay.platform.k8s_release_info
  - module: mainstay.platform.docker_release
notes:
  - The order is namespaces and definitions, quotas and access rights, configuration, volumes,
    services, stateful sets, jobs, workloads, routes, autoscaling. The annotation
    C(mainstay.platform/wave) with a number puts an object elsewhere.
  - Waves up to the jobs must be ready before workloads are touched.
"""

EXAMPLES = r"""
- name: Bring the release to the cluster
  mainstay.platform.k8s_release:
    platform: shop-production
    release_id: 20261121T061500Z-1a2b3c
    namespace: shop
    manifests: "{{ platform | mainstay.platform.kubernetes_manifests }}"
    fence: 7
  register: release

- name: Show what would change, and keep the hash
  mainstay.platform.k8s_release:
    platform: shop-production
    namespace: shop
    state: planned
    manifests: "{{ manifests }}"
  register: planned

- name: Do exactly that
  mainstay.platform.k8s_release:
    platform: shop-production
    release_id: 20261121T061500Z-1a2b3c
    namespace: shop
    manifests: "{{ manifests }}"
    plan: "{{ planned.release.plan }}"

- name: Go back, with the configuration of that release
  mainstay.platform.k8s_release:
    platform: shop-production
    release_id: 20261121T070000Z-9d8e7f
    namespace: shop
    state: rolled_back
    to: 20261121T061500Z-1a2b3c

- name: Leave the pods of the release before for ten minutes, then let the cluster remove them
  mainstay.platform.k8s_release:
    platform: shop-production
    release_id: 20261121T061500Z-1a2b3c
    namespace: shop
    manifests: "{{ manifests }}"
    keep_warm: 600

- name: Allow a cluster that starts nodes five minutes
  mainstay.platform.k8s_release:
    platform: shop-production
    release_id: 20261121T080000Z-4e5f6a
    namespace: shop
    manifests: "{{ manifests }}"
    timeout: 900
    verdict:
      schedule_grace: 300
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode.
  type: list
  elements: str
  returned: always
  sample: ["create Deployment shop/api", "remove ConfigMap shop/api-9c1b7d"]
duration:
  description: Seconds the task took.
  type: float
  returned: always
  sample: 3.418
release:
  description: What the cluster holds for this platform now.
  type: dict
  returned: always
  contains:
    release_id:
      description: The release; the one on record when nothing had to change.
      type: str
      sample: 20261121T061500Z-1a2b3c
    outcome:
      description: V(deployed), V(applied) (without waiting), V(planned) or V(unchanged).
      type: str
      sample: deployed
    previous:
      description: The release before, or nothing.
      type: str
      sample: 20261120T090000Z-aa11bb
    plan:
      description: Hash of the plan, for O(plan).
      type: str
      sample: 5b0e1c0f6f0f4a1c
    images:
      description: Images by workload and container.
      type: dict
      sample: {"Deployment shop/api": {"api": "registry.example.com/api@sha256:5f1c..."}}
    counts:
      description: How many objects were created, changed, unchanged and removed; all requests.
      type: dict
      sample: {"created": 2, "changed": 1, "unchanged": 17, "removed": 0, "requests": 27}
    ready:
      description: Seconds from the first change until each object that was awaited was ready.
      type: dict
      sample: {"Deployment shop/api": 2.71}
    warm:
      description: What stays for O(keep_warm) seconds.
      type: list
      elements: str
      sample: ["Deployment shop/api", "ConfigMap shop/api-9c1b7d"]
    warnings:
      description: What the API server warned of.
      type: list
      elements: str
      sample: []
error:
  description: What failed, as data.
  type: dict
  returned: failure
  sample:
    what: the container ends again and again
    subject: Deployment shop/api
    found: exit code 3
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import engine
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.arguments import (
    AUTH,
    RELEASE,
    invocation,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.connect import connect
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={**AUTH, **RELEASE},
        supports_check_mode=True,
        no_log=True,  # nothing goes to the system's log: manifests hold Secrets
        required_if=[
            ("state", "present", ["release_id"]),
            ("state", "rolled_back", ["release_id"]),
        ],
    )
    shown = invocation(module.params)
    try:
        with connect(module.params) as client:
            result = engine.release(
                module.params,
                client,
                check=module.check_mode,
                diff=module._diff,  # noqa: SLF001 - Ansible has no other name for it
            )
    except MainstayError as error:
        module.fail_json(msg=str(error), error=error.as_dict(), invocation=shown)
    module.exit_json(**result.as_dict(), invocation=shown)


if __name__ == "__main__":
    main()
