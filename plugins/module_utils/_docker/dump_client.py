# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands inside a store's container, with data from and to files, each with a time-out."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Optional, Protocol, Union

from ansible_collections.mainstay.platform.plugins.module_utils._docker.client import SdkClient
from ansible_collections.mainstay.platform.plugins.module_utils._docker.spec import STORE
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)


@dataclass(frozen=True)
class Running:
    """The container of a store: its name, the image it was made from, its kind."""

    name: str
    image: str


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class StoreClient(Protocol):
    """The calls that dumping needs; a fake of this is all that a test stands in for."""

    def store(self, platform: str, name: str) -> Optional[Running]:
        """The running container of a store of a platform; nothing when there is none."""

    def run(
        self,
        container: str,
        argv: Sequence[str],
        limit: float,
        *,
        data: bytes = b"",
        source: str = "",
        target: str = "",
    ) -> Ended:
        """A command inside the container; its input is C(data) or the file C(source), its output
        goes into the file C(target) when there is one. Over C(limit) seconds it is an error."""


class CliClient:
    """L(StoreClient): finds containers with the SDK, streams through the C(docker) program."""

    def __init__(self) -> None:
        program = shutil.which("docker")
        if program is None:
            raise MainstayError(
                "the docker program is missing on this host",
                subject="docker",
                expected="Docker's command line in the PATH",
                next_step="apply the role docker_host",
            )
        self._program = program

    def store(self, platform: str, name: str) -> Optional[Running]:
        """See L(StoreClient)."""
        fitting = [
            item
            for item in SdkClient().containers()
            if (item.platform, item.service, item.kind) == (platform, name, STORE) and item.running
        ]
        return Running(fitting[0].name, fitting[0].image) if fitting else None

    def run(
        self,
        container: str,
        argv: Sequence[str],
        limit: float,
        *,
        data: bytes = b"",
        source: str = "",
        target: str = "",
    ) -> Ended:
        """See L(StoreClient)."""
        words = [self._program, "exec", "-i", container, *argv]
        with contextlib.ExitStack() as stack:
            given: dict[str, Any] = {"input": data}
            if source:
                given = {"stdin": stack.enter_context(open(source, "rb"))}
            out: Union[int, IO[bytes]] = subprocess.PIPE
            if target:
                out = stack.enter_context(_private(target))
            try:
                # AnsibleModule.run_command would keep the bytes of a dump in memory.
                # pylint: disable-next=ansible-bad-function
                done = subprocess.run(
                    words,
                    stdout=out,
                    stderr=subprocess.PIPE,
                    timeout=limit,
                    check=False,
                    **given,
                )
            except subprocess.TimeoutExpired:
                raise MainstayError(
                    f"a command in the container did not end within {limit:.0f} s",
                    subject=f"{container}: {argv[0]}",
                    next_step="look at the server's load and locks, or allow more time",
                ) from None
            if target:
                _synced(target)
        text = [(part or b"").decode("utf-8", "replace") for part in (done.stdout, done.stderr)]
        return Ended(done.returncode, text[0], text[1])


def _private(path: str) -> IO[bytes]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")


def _synced(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
