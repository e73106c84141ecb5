# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the node: the bed's own Go programs, imported without a registry."""

from __future__ import annotations

import gzip
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from typing import Any

from bed import programs, push, samples, stores
from bed.shell import run

from .settings import CONTAINERD, NAMESPACE, PAUSE, STATE

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def ctr(*words: str) -> list[str]:
    """A command line for the node's containerd."""
    return ["ctr", "--address", str(CONTAINERD), "--namespace", NAMESPACE, *words]


def architecture() -> str:
    """The name that images use for the processor of this machine."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def present() -> set[str]:
    """Names of the images that the node has."""
    return set(run(ctr("images", "list", "-q")).split())


def ensure_pause() -> None:
    """The image whose container holds the network of a pod."""
    if PAUSE in present():
        return
    binary = programs.ensure("pause")
    layer = _layer({"pause": binary.read_bytes()})
    load({PAUSE: {"Entrypoint": ["/pause"], "User": "65535:65535"}}, layer)


def ensure_samples() -> int:
    """Every service of the sample platform in every version; how many images that are."""
    wanted = {
        f"mainstay.test/sample/{service}:{tag}": samples.settings(service, tag, special)
        for service in samples.PORTS
        for tag, special in samples.tags().items()
    }
    digest = STATE / "samples.digest"
    now = programs.source_digest("sample")
    known = digest.read_text(encoding="utf-8") if digest.exists() else ""
    if known != now or not set(wanted) <= present():
        load(wanted, samples.tree(programs.ensure("sample")))
        digest.write_text(now, encoding="utf-8")
    return len(wanted)


def load(wanted: Mapping[str, Mapping[str, Any]], tree: bytes) -> None:
    """Import images of one common layer; name -> configuration in Docker's words."""
    archive = STATE / "images.tar"
    layer = push.layer_of(tree)
    listed = []
    with tarfile.open(archive, "w") as stream:
        _add(stream, "layer.tar", tree)
        for name, settings in wanted.items():
            config, _manifest = push.image(layer, dict(settings), architecture())
            content = config.content
            assert isinstance(content, bytes)
            file = f"{config.digest.partition(':')[2]}.json"
            _add(stream, file, content)
            listed.append({"Config": file, "RepoTags": [name], "Layers": ["layer.tar"]})
        _add(stream, "manifest.json", json.dumps(listed).encode())
    try:
        run(ctr("images", "import", "--all-platforms", str(archive)))
    finally:
        archive.unlink(missing_ok=True)


def _layer(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            _add(archive, name, content, 0o755)
    return stream.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def ensure_store(kind: str, tag: str) -> str:
    """The image of a store of the Docker bed, imported here; its name."""
    store = next(s for s in stores.STORES if (s.repository, s.tag) == (kind, tag))
    name = f"mainstay.test/{kind}:{tag}"
    if name not in present():
        with gzip.open(stores.archive(store)) as tree:
            load({name: store.settings()}, tree.read())
    return name
