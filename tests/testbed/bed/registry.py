# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image registry: TLS from the CA of the bed, one user with a password."""

from __future__ import annotations

import concurrent.futures
import json

from . import hosts, images, keys, push, samples, stores
from .settings import (
    CA_CERTIFICATE,
    IMAGE,
    NETWORK,
    REGISTRY_ADDRESS,
    REGISTRY_CONTAINER,
    REGISTRY_HOST,
    REGISTRY_PASSWORD,
    REGISTRY_PORT,
    REGISTRY_USER,
    STATE,
)
from .shell import await_that, docker, run

FILES = STATE / "registry"
VOLUME = f"{NETWORK}-registry"
TIMEOUT = 30.0


def ensure() -> str:
    """Bring the registry up; return what was done: present, started or created.

    One that does not run is made anew over its images: the files of its certificate may be gone.
    """
    images.ensure("registry")
    now = hosts.state(REGISTRY_CONTAINER)
    strange = hosts.strange(REGISTRY_CONTAINER)
    running = now == "running" and hosts.reachable(REGISTRY_ADDRESS, REGISTRY_PORT)
    if running and not strange:
        return "present"
    if now:
        remove(data=False)
    _create()
    docker("start", REGISTRY_CONTAINER)
    await_up()
    return "started" if now and not strange else "created"


def await_up() -> None:
    """Wait until the registry accepts connections."""
    await_that(
        f"the registry at {REGISTRY_ADDRESS}:{REGISTRY_PORT}",
        lambda: hosts.reachable(REGISTRY_ADDRESS, REGISTRY_PORT),
        TIMEOUT,
    )


def _create() -> None:
    (FILES / "htpasswd").write_text(_htpasswd(), encoding="utf-8")
    # JSON is YAML.
    (FILES / "config.yml").write_text(json.dumps(configuration(), indent=2), encoding="utf-8")
    words = ["create", "--name", REGISTRY_CONTAINER, "--hostname", "registry"]
    words += hosts.labels()
    words += ["--network", NETWORK, "--ip", REGISTRY_ADDRESS, "--network-alias", REGISTRY_HOST]
    words += ["--volume", f"{FILES}:/etc/bed:ro", "--volume", f"{VOLUME}:/var/lib/docker-registry"]
    docker(*words, f"{IMAGE}:registry", "docker-registry", "serve", "/etc/bed/config.yml")


def configuration() -> dict[str, object]:
    """The configuration of the registry program."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": "/var/lib/docker-registry"},
            "delete": {"enabled": True},
        },
        "auth": {"htpasswd": {"realm": "bed", "path": "/etc/bed/htpasswd"}},
        "http": {
            "addr": f":{REGISTRY_PORT}",
            "secret": keys.REGISTRY_KEY.name,
            "tls": {
                "certificate": f"/etc/bed/{keys.REGISTRY_CERTIFICATE.name}",
                "key": f"/etc/bed/{keys.REGISTRY_KEY.name}",
            },
        },
    }


def _htpasswd() -> str:
    """The registry knows bcrypt only; the C library of the tree makes it, by Perl's crypt."""
    password = REGISTRY_PASSWORD.read_text(encoding="utf-8")
    script = 'my $p = <STDIN>; print crypt($p, q($2b$05$) . "bed." x 5 . "be");'
    hashed = docker("run", "--rm", "-i", f"{IMAGE}:registry", "perl", "-e", script, stdin=password)
    return f"{REGISTRY_USER}:{hashed}\n"


def remove(data: bool) -> None:
    """Remove the registry; its images only when asked."""
    docker("rm", "--force", REGISTRY_CONTAINER)
    if data:
        docker("volume", "rm", "--force", VOLUME)


def connect() -> push.Registry:
    """A connection with the rights of the bed's user."""
    password = REGISTRY_PASSWORD.read_text(encoding="utf-8")
    return push.Registry(REGISTRY_ADDRESS, REGISTRY_PORT, CA_CERTIFICATE, REGISTRY_USER, password)


def publish() -> int:
    """Put the images of the sample services and of the stores in; how many there are."""
    architecture = run(["go", "env", "GOARCH"]).strip()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        services = pool.submit(lambda: samples.publish(connect(), architecture))
        jobs = [
            pool.submit(stores.publish, store, connect(), architecture) for store in stores.STORES
        ]
        return services.result() + len([job.result() for job in jobs])
