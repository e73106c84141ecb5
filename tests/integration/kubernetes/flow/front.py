# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ingress controller would do on a cluster that has none: send by path to Services.

    front.py PORT NAMESPACE /prefix=SERVICE:PORT ...

The longest prefix of a connection's first request decides; bytes go through as they come. Addresses
of Services are asked from the API with kubectl, once they are there.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import subprocess
import sys

Backends = dict[str, tuple[str, int]]


@functools.cache
def _address(namespace: str, service: str) -> str:
    found = subprocess.run(
        ["kubectl", "get", "service", service, "-n", namespace, "-o", "jsonpath={.spec.clusterIP}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    if not found.stdout:
        raise OSError(found.stderr)
    return found.stdout


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(Exception):
        writer.close()


async def _serve(
    namespace: str, backends: Backends, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        head = await reader.readuntil(b"\r\n")
        path = head.split(b" ")[1].decode()
        prefix = max((p for p in backends if path.startswith(p)), key=len)
        service, port = backends[prefix]
        address = _address(namespace, service)
        behind, before = await asyncio.open_connection(address, port)
    except (OSError, ValueError, IndexError, asyncio.IncompleteReadError):
        writer.close()
        return
    before.write(head)
    await asyncio.gather(_pipe(reader, before), _pipe(behind, writer))


async def main(arguments: list[str]) -> None:
    """Until it is ended."""
    backends: Backends = {}
    for text in arguments[2:]:
        prefix, _equals, address = text.partition("=")
        host, _colon, port = address.rpartition(":")
        backends[prefix] = (host, int(port))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(arguments[1], backends, reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", int(arguments[0]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
