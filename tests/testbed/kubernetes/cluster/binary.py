# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one binary of Kubernetes, built once for each state of its source."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib

from bed.shell import BedError, run

from .settings import BIN, CACHE, PROGRAMS, SOURCE, VERSION

#: Seconds; it takes 5 minutes on 2 cores that do nothing else.
_LONGEST = 2400.0


def digest() -> str:
    """What decides the binary: its source with the hashes of all modules, and the compiler."""
    content = hashlib.sha256(run(["go", "env", "GOVERSION", "GOARCH"]).encode())
    for name in ("go.mod", "go.sum", "main.go"):
        content.update((SOURCE / name).read_bytes())
    return content.hexdigest()[:16]


def ensure() -> bool:
    """Build unless the cache has it, and link it under every name; True when it was built."""
    CACHE.mkdir(parents=True, exist_ok=True)
    binary = CACHE / f"kubernetes-{VERSION}-{digest()}"
    with (CACHE / "kubernetes.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        built = not binary.exists()
        if built:
            _build(binary)
    BIN.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        link = BIN / name
        if link.is_symlink() and link.readlink() == binary:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(binary)
    return built


def _build(binary: pathlib.Path) -> None:
    major, minor = VERSION[1:].split(".")[:2]
    package = "k8s.io/component-base/version"
    values = {"gitVersion": VERSION, "gitMajor": major, "gitMinor": minor}
    stamps = " ".join(f"-X {package}.{name}={value}" for name, value in values.items())
    half_done = binary.with_suffix(f".{os.getpid()}")
    jobs = str(max(1, (os.cpu_count() or 2) // 2))
    options = ["-trimpath", "-buildvcs=false", f"-ldflags=-s -w {stamps}", "-p", jobs]
    try:
        run(
            # Behind everything else on the machine: five minutes are long for whoever waits there.
            ["nice", "-n", "19", "go", "build", *options, "-o", str(half_done), "."],
            environment={"CGO_ENABLED": "0", "GOFLAGS": ""},
            directory=SOURCE,
            timeout=_LONGEST,
        )
        half_done.rename(binary)
    except BedError as error:
        raise BedError(f"{error}\nThe cluster needs Go 1.24 or newer.") from None
    finally:
        half_done.unlink(missing_ok=True)
