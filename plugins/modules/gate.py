#!/usr/bin/python
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: A check that must hold before the next step of a release
version_added: "0.1.0"
author: Mainstay maintainers (@mainstay)
description:
  - Judges smoke checks, the edge's own figures for a new version, a PromQL expression or a program,
    and shows progress while it waits.
  - The task fails when the gate failed, and when it could not decide; RV(gate.outcome) tells them
    apart.
  - This is an action plugin; O(kind=http) and O(kind=edge) run a module on the target host.
options:
  name:
    description: What the gate is called in output and ledger.
    type: str
    required: true
  kind:
    description: What is judged.
    type: str
    choices: [http, edge, metric, command]
    required: true
  checks:
    description: For O(kind=http), the checks of M(mainstay.platform.release_smoke).
    type: list
    elements: dict
    default: []
  address:
    description: For O(kind=http), the address to connect to.
    type: str
    default: 127.0.0.1
  port:
    description: For O(kind=http), the port to connect to.
    type: int
    default: 443
  tls:
    description: For O(kind=http), whether the port speaks TLS.
    type: bool
    default: true
  ca:
    description: For O(kind=http), file of the certificate authority on the target host.
    type: str
  host:
    description: For O(kind=http), the host name to ask for.
    type: str
    default: localhost
  headers:
    description: For O(kind=http), headers of every request.
    type: dict
    default: {}
  platform:
    description: For O(kind=edge), name and stage of the platform.
    type: str
  release:
    description: For O(kind=edge), the release whose figures are judged.
    type: str
  upstreams:
    description: For O(kind=edge), the services; each has to hold.
    type: list
    elements: str
    default: []
  minimum_requests:
    description: For O(kind=edge), fewer answers than this are no data.
    type: int
    default: 20
  max_error_percent:
    description:
      - For O(kind=edge), largest share of failed requests. More failures than this forgives over
        O(minimum_requests) fail at once.
    type: float
    default: 1.0
  max_p95_seconds:
    description: For O(kind=edge), largest 95th percentile of the response time.
    type: float
    default: 1.0
  seconds:
    description: For O(kind=edge), shortest length of the gate.
    type: float
    default: 0.0
  wait:
    description: For O(kind=edge), how much longer to wait while there is too little data.
    type: float
    default: 0.0
  no_data:
    description: What too little data means, for O(kind=edge) and O(kind=metric).
    type: str
    choices: [pass, hold, fail]
    default: hold
  url:
    description: For O(kind=metric), where Prometheus is, as seen from the controller.
    type: str
  query:
    description: For O(kind=metric), the PromQL expression.
    type: str
  maximum:
    description: For O(kind=metric), largest allowed value.
    type: float
  minimum:
    description: For O(kind=metric), smallest allowed value.
    type: float
  minimum_samples:
    description: For O(kind=metric), fewer series than this are no data. NaN is no value.
    type: int
    default: 1
  command:
    description:
      - For O(kind=command), program and arguments, run on the controller. Status 0 passes, 75
        holds, any other fails.
    type: list
    elements: str
    default: []
  timeout:
    description: For O(kind=command), seconds after which the program is ended and the gate fails.
    type: float
    default: 60.0
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    description: Judges nothing and is skipped.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    platforms: posix
    support: full
    description: Linux hosts.
"""

EXAMPLES = r"""
- name: The front page answers
  mainstay.platform.gate:
    name: front page
    kind: http
    host: shop.example.com
    checks: [{path: /, contains: Welcome}]

- name: The canary does no harm for two minutes
  mainstay.platform.gate:
    name: canary 10 %
    kind: edge
    platform: shop-production
    release: 20261121T061500Z-1a2b3c
    upstreams: [api, web]
    seconds: 120
    max_error_percent: 0.5

- name: The queue does not grow
  mainstay.platform.gate:
    name: queue
    kind: metric
    url: http://prometheus.example.com:9090
    query: max(rabbitmq_queue_messages_ready)
    maximum: 1000

- name: Our own acceptance test
  mainstay.platform.gate:
    name: acceptance
    kind: command
    command: [./acceptance.sh, production]
    timeout: 300
"""

RETURN = r"""
gate:
  description: The verdict with what was seen and what was wanted.
  returned: unless in check mode
  type: dict
  contains:
    name:
      description: Name of the gate.
      type: str
      returned: always
    kind:
      description: Kind of the gate.
      type: str
      returned: always
    outcome:
      description: V(passed), V(failed) or V(held).
      type: str
      returned: always
    observed:
      description: What was seen.
      type: str
      returned: always
    expected:
      description: What was wanted.
      type: str
      returned: always
    samples:
      description: Requests, series or checks the verdict stands on.
      type: int
      returned: always
    seconds:
      description: Length of the gate.
      type: float
      returned: always
    evidence:
      description: Lines of failed checks, or the last ones of the program's output.
      type: list
      elements: str
      returned: always
  sample:
    name: canary 10 %
    kind: edge
    outcome: passed
    observed: "api: 0.0 % of 412 failed, p95 0.031 s"
    expected: at most 1 % failed and p95 at most 1 s over at least 20 requests
    samples: 412
    seconds: 120.4
    evidence: []
"""
