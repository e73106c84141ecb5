# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands up, down, status and fault."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Callable

from . import disks, faults, hosts, keys, objects, programs, registry
from .settings import (
    DEMO,
    HOSTS,
    REGISTRY,
    REGISTRY_ADDRESS,
    S3_ADDRESS,
    S3_BUCKET,
    S3_HOST,
    SERVERS,
    SSH_CONFIG,
    STATE,
)
from .shell import PROGRAMS, BedError, require, run

_print_lock = threading.Lock()
_HEARTBEAT = 8.0


def say(text: str) -> None:
    """Print a whole line, from any thread."""
    with _print_lock:
        print(text, flush=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One command changes the bed at a time; a second one waits."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _each(jobs: dict[str, Callable[[], str]]) -> None:
    """Do all jobs at once; report each as it ends; fail with all that failed."""
    started = time.monotonic()
    failures: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, len(jobs))) as pool:
        running = {pool.submit(job): name for name, job in jobs.items()}
        waiting = set(running)
        while waiting:
            done, waiting = concurrent.futures.wait(
                waiting, timeout=_HEARTBEAT, return_when=concurrent.futures.FIRST_COMPLETED
            )
            seconds = time.monotonic() - started
            if not done:
                names = ", ".join(sorted(running[future] for future in waiting))
                say(f"  … {seconds:4.0f} s, still working on: {names}")
            for future in done:
                name, error = running[future], future.exception()
                if error is None:
                    say(f"  {name:<10} {future.result():<28} {seconds:6.1f} s")
                elif isinstance(error, BedError):
                    failures.append(f"{name}: {error}")
                else:
                    raise error
    if failures:
        raise BedError("\n".join(failures))


def up(arguments: Sequence[str]) -> None:
    """Bring hosts up."""
    parser = argparse.ArgumentParser(prog="tests/testbed/up", description=up.__doc__)
    parser.add_argument("host", nargs="*", help=f"default: {', '.join(DEMO)}")
    parser.add_argument("--no-images", action="store_true", help="leave the registry as it is")
    options = parser.parse_args(arguments)
    names = known(options.host or DEMO)
    require(PROGRAMS)
    with alone():
        keys.ensure()
        hosts.network()
        jobs: dict[str, Callable[[], str]] = {}
        for name in names:
            if name == "registry":
                jobs[name] = _up_registry(options.no_images)
            else:
                jobs[name] = _up_objects if name == "s3" else _up_host(name)
        _each(jobs)
    say(f"Connect with: ssh -F {SSH_CONFIG.relative_to(STATE.parents[1])} {names[0]}")


def known(names: Sequence[str]) -> list[str]:
    """The names in order, each once; BedError for one that is not of the bed."""
    for name in names:
        if name not in HOSTS and name not in SERVERS:
            raise BedError(f"Found host {name}, expected one of {', '.join([*HOSTS, *SERVERS])}.")
    return list(dict.fromkeys(names))


def _up_host(name: str) -> Callable[[], str]:
    return lambda: f"{HOSTS[name].address:<14} {hosts.ensure(HOSTS[name])}"


def _up_registry(bare: bool) -> Callable[[], str]:
    def job() -> str:
        done = registry.ensure()
        if not bare:
            done += f", {registry.publish()} images"
        return f"{REGISTRY_ADDRESS:<14} {done}"

    return job


def _up_objects() -> str:
    return f"{S3_ADDRESS:<14} {objects.ensure()}"


def down(arguments: Sequence[str]) -> None:
    """Remove hosts with everything on them; images and keys stay for the next time."""
    parser = argparse.ArgumentParser(prog="tests/testbed/down", description=down.__doc__)
    parser.add_argument("host", nargs="*", help="default: what this checkout brought up")
    parser.add_argument("--purge", action="store_true", help="forget pushed images as well")
    options = parser.parse_args(arguments)
    names = known(options.host or [*HOSTS, *SERVERS])
    with alone():
        jobs: dict[str, Callable[[], str]] = {}
        for name in names:
            container = SERVERS.get(name) or HOSTS[name].container
            if not options.host and hosts.foreign(container):
                say(f"  {name:<10} another checkout made it: it stays unless it is named")
            elif hosts.state(container) or options.purge:
                jobs[name] = _down(name, options.purge)
        _each(jobs)
        if not options.host:
            hosts.remove_network()


def _down(name: str, purge: bool) -> Callable[[], str]:
    def job() -> str:
        if name == "registry":
            registry.remove(data=purge)
        elif name == "s3":
            objects.remove()
        else:
            hosts.remove(HOSTS[name])
        return "removed"

    return job


def status(arguments: Sequence[str]) -> None:
    """Show what is up."""
    argparse.ArgumentParser(prog="tests/testbed/status", description=status.__doc__).parse_args(
        arguments
    )
    for host in HOSTS.values():
        now = hosts.state(host.container) or "absent"
        notes = []
        if now == "running":
            notes.append("SSH answers" if hosts.reachable(host.address) else "unreachable")
            notes += ["disk limited"] if disks.limited(host.name) else []
            notes += ["made from an older recipe"] if hosts.outdated(host) else []
        say(f"{host.name:<9} {host.address:<14} {host.image:<14} {now:<9} {', '.join(notes)}")
    for name, address, what in (
        ("registry", REGISTRY_ADDRESS, REGISTRY),
        ("s3", S3_ADDRESS, f"{S3_HOST}/{S3_BUCKET}"),
    ):
        say(f"{name:<9} {address:<14} {what:<14} {hosts.state(SERVERS[name]) or 'absent'}")


def fault(arguments: Sequence[str]) -> None:
    """Make something break, or whole again."""
    parser = argparse.ArgumentParser(prog="tests/testbed/fault", description=fault.__doc__)
    parser.add_argument("host", help="name of a host, or registry")
    parser.add_argument("fault", choices=[*faults.HOST_FAULTS, *faults.REGISTRY_FAULTS])
    options = parser.parse_args(arguments)
    faults.inflict(options.host, options.fault)


def program(name: str) -> str:
    """Path of a program of the bed, built when needed; failures are sentences, not traces."""
    try:
        return str(programs.ensure(name))
    except BedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def main(command: Callable[[Sequence[str]], None]) -> None:
    """Run one command; failures are sentences, not traces."""
    try:
        run(["docker", "version"])
        command(sys.argv[1:])
    except BrokenPipeError:
        # The reader has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except BedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        raise SystemExit(1) from None
