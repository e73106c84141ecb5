# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster and as whom: everything that the C(kubernetes) client can read, and its pool.

Requests go over that pool directly. The classes of that client for each kind would cost more than
the requests themselves.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes import kubeconfig
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.client import (
    RestCluster,
)
from ansible_collections.mainstay.platform.plugins.module_utils._kubernetes.transport import (
    Transport,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

#: A stream of each watched kind is open beside the requests.
_STREAMS = 12


def connect(params: Mapping[str, Any]) -> RestCluster:
    """The cluster that the arguments name; nothing is asked yet."""
    parallel = max(1, int(params.get("parallel") or 4))
    size = parallel + _STREAMS
    if kubeconfig.plain(params, os.environ) is None:
        _library()

    def configure() -> tuple[Any, str, Mapping[str, str]]:
        # Read again each time: a token may be a new one.
        access = kubeconfig.plain(params, os.environ)
        if access is not None:
            headers = {"User-Agent": "mainstay", **kubeconfig.headers(access)}
            return kubeconfig.pool(access, size), access.host, headers
        library = _library()
        configuration = _configuration(library, params)
        configuration.connection_pool_maxsize = size
        configuration.retries = False
        client = library.client.ApiClient(configuration)
        # Asking for the headers runs an exec program again whose token has expired.
        headers = {"User-Agent": "mainstay"}
        for setting in configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[str(setting["key"])] = str(setting["value"])
        return client.rest_client.pool_manager, str(configuration.host), headers

    return RestCluster(Transport(configure, float(params.get("request_timeout") or 30.0)), parallel)


def _library() -> Any:
    """The C(kubernetes) client. It takes most of a second to import, which whoever has a plain
    kubeconfig does not pay for."""
    try:
        import kubernetes.client
        import kubernetes.config
    except ImportError as error:
        raise MainstayError(
            "the Python package kubernetes is missing where this module runs",
            subject="kubernetes",
            next_step="install it for the Python that Ansible uses there: pip install kubernetes",
        ) from error
    return kubernetes


def _configuration(library: Any, params: Mapping[str, Any]) -> Any:
    configuration = library.client.Configuration()
    if params.get("api_url"):
        configuration.host = str(params["api_url"]).rstrip("/")
        configuration.ssl_ca_cert = params.get("api_ca")
        if params.get("api_token"):
            configuration.api_key["authorization"] = f"Bearer {params['api_token']}"
        return configuration
    file = params.get("kubeconfig")
    try:
        if not file and _in_a_pod():
            library.config.load_incluster_config(client_configuration=configuration)
        else:
            library.config.load_kube_config(
                config_file=file,
                context=params.get("context"),
                client_configuration=configuration,
                persist_config=False,
            )
    except (library.config.ConfigException, OSError, ValueError, TypeError) as error:
        raise MainstayError(
            "no usable kubeconfig",
            subject=str(file or os.environ.get("KUBECONFIG") or "~/.kube/config"),
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
            expected="a file that kubectl can use, or a pod with a service account",
            next_step="set kubeconfig (and context), or KUBECONFIG",
        ) from error
    return configuration


def _in_a_pod() -> bool:
    named = os.environ.get("KUBECONFIG") or os.path.exists(os.path.expanduser("~/.kube/config"))
    return not named and bool(os.environ.get("KUBERNETES_SERVICE_HOST"))
