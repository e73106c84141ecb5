# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password for Amazon's image registry, fresh at each run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ecr_token
author: Mainstay maintainers (@mainstay)
version_added: "0.1.0"
short_description: Password for a registry of Amazon ECR, valid for 12 hours
description:
  - Asks AWS for an authorization token with the credentials of the controller (environment,
    profile, or the role of the machine), which need C(ecr:GetAuthorizationToken), and returns the
    password in it.
  - The user name that belongs to it is always V(AWS).
  - A run asks once for each registry, however many hosts use it.
requirements:
  - boto3
options:
  _terms:
    description: Registries as image names have them, C(<account>.dkr.ecr.<region>.amazonaws.com).
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds for the connection and for the answer, each.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: A description whose registry is at Amazon
  ansible.builtin.set_fact:
    platform_registries:
      123456789012.dkr.ecr.eu-central-1.amazonaws.com:
        kind: ecr
        password: ecr_token
    platform_secrets:
      ecr_token: "{{ lookup('mainstay.platform.ecr_token', server) }}"
  vars:
    server: 123456789012.dkr.ecr.eu-central-1.amazonaws.com

- name: Another account, with a longer time-out
  ansible.builtin.set_fact:
    password: "{{ lookup('mainstay.platform.ecr_token', server, timeout=30) }}"
  vars:
    server: 210987654321.dkr.ecr.us-east-1.amazonaws.com
  no_log: true

- name: Log in to two registries
  community.docker.docker_login:
    registry_url: "{{ item.0 }}"
    username: AWS
    password: "{{ item.1 }}"
  loop: "{{ servers | zip(query('mainstay.platform.ecr_token', *servers)) }}"
  no_log: true
"""

RETURN = r"""
_raw:
  description: One password for each registry.
  type: list
  elements: str
"""

import base64
import binascii
import functools
import re
from typing import Any, Optional

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as error:
    MISSING: Optional[ImportError] = error
else:
    MISSING = None

SERVER = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
)


def parts(server: str) -> tuple[str, str]:
    """Account and region in the name of a registry."""
    found = SERVER.fullmatch(server)
    if found is None:
        raise AnsibleLookupError(
            f"ecr_token: {server!r} is no registry of Amazon ECR; expected "
            "<account of 12 digits>.dkr.ecr.<region>.amazonaws.com"
        )
    return found["account"], found["region"]


def password_in(token: str) -> str:
    """The password of a token, which is C(AWS:password) in base64."""
    try:
        user, separator, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, separator, password = "", "", ""
    if user != "AWS" or not separator or not password:
        raise AnsibleLookupError("ecr_token: the answer of AWS holds no password for the user AWS")
    return password


@functools.cache
def ask(account: str, region: str, timeout: int) -> str:
    """The token of one registry, asked for once in a run."""
    limits = Config(
        connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 3}
    )
    try:
        client = boto3.client("ecr", region_name=region, config=limits)
        answer = client.get_authorization_token(registryIds=[account])
        return str(answer["authorizationData"][0]["authorizationToken"])
    except (BotoCoreError, ClientError, LookupError) as error:
        raise AnsibleLookupError(
            f"ecr_token: AWS gave no token for account {account} in {region}: {error}. "
            "Check the AWS credentials of the controller and their right ecr:GetAuthorizationToken."
        ) from error


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(
        self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any
    ) -> list[str]:
        """One password for each registry."""
        if MISSING is not None:
            raise AnsibleLookupError(
                "ecr_token: the Python package boto3 is missing on the controller; "
                f"install it beside ansible-core: pip install boto3 ({MISSING})"
            )
        self.set_options(var_options=variables, direct=kwargs)
        known = [parts(server) for server in terms]
        timeout = int(self.get_option("timeout"))
        return [password_in(ask(account, region, timeout)) for account, region in known]
