# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the Go programs of the bed, once per state of their source."""

from __future__ import annotations

import hashlib
import pathlib
import threading

from .settings import STATE, TESTBED
from .shell import BedError, run

SOURCE = TESTBED / "programs"
BINARIES = STATE / "bin"
_building = threading.Lock()


def source_digest(name: str) -> str:
    """Hash of the program's source, of the packages beside it, and of the compiler's version."""
    files = sorted(
        path
        for folder in ("websocket", name)
        for path in (SOURCE / folder).glob("*.go")
        if not path.name.endswith("_test.go")
    )
    content = hashlib.sha256(run(["go", "env", "GOVERSION", "GOARCH"]).encode())
    for path in [*files, SOURCE / "go.mod"]:
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:16]


def ensure(name: str) -> pathlib.Path:
    """Path of the binary, built unless the present one is of this very source."""
    with _building:
        binary, stamp = BINARIES / name, BINARIES / f".{name}.digest"
        wanted = source_digest(name)
        if binary.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return binary
        BINARIES.mkdir(parents=True, exist_ok=True)
        try:
            options = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(binary)]
            run(
                ["go", "build", *options, f"./{name}"],
                # The same binary from the same source: images keep their digests.
                environment={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""},
                directory=SOURCE,
            )
        except BedError as error:
            raise BedError(
                f"{error}\nThe bed needs Go 1.19 or newer (package golang-go)."
            ) from None
        stamp.write_text(wanted, encoding="utf-8")
        return binary
