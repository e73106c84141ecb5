# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The S3 server: versitygw with TLS from the CA of the bed, versions and Object Lock."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import tempfile
import threading

from . import hosts, images
from .settings import (
    IMAGE,
    NETWORK,
    S3_ACCESS_KEY,
    S3_ADDRESS,
    S3_BUCKET,
    S3_CONTAINER,
    S3_HOST,
    S3_PORT,
    S3_REGION,
    S3_SECRET_KEY,
    S3_WRITER_ACCESS_KEY,
    S3_WRITER_SECRET_KEY,
    STATE,
)
from .shell import BedError, await_that, docker, run

MODULE = "github.com/versity/versitygw/cmd/versitygw"
VERSION = "v1.8.0"
VOLUME = f"{NETWORK}-s3"
FILES = STATE / "s3"
TIMEOUT = 30.0
_building = threading.Lock()


def cache() -> pathlib.Path:
    """Where programs are kept that take long to build, outside the tree."""
    home = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("MAINSTAY_CACHE") or pathlib.Path(home) / "mainstay")


def program() -> pathlib.Path:
    """Path of the server, built when it is not there (about a minute)."""
    binary = cache() / f"versitygw-{VERSION}"
    with _building:
        if not binary.exists():
            cache().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache()) as folder:
                settings = {"GOBIN": folder, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
                try:
                    run(["go", "install", f"{MODULE}@{VERSION}"], environment=settings)
                except BedError as error:
                    raise BedError(f"{error}\nThe S3 server needs Go and its modules.") from None
                shutil.move(pathlib.Path(folder) / "versitygw", binary)
    return binary


def ensure() -> str:
    """Bring the server and its bucket up; return what was done: present, started or created.

    One that does not run is made anew over its objects: the files of its certificate may be gone.
    """
    binary = program()
    images.ensure("debian13-bare")
    if hosts.strange(S3_CONTAINER):
        remove()
    now = hosts.state(S3_CONTAINER)
    if now == "running" and hosts.reachable(S3_ADDRESS, S3_PORT):
        _writer()
        return "present"
    if now:
        docker("rm", "--force", S3_CONTAINER)
    _create(binary)
    docker("start", S3_CONTAINER)
    await_up()
    if not now:
        request("PUT", S3_BUCKET, "x-amz-bucket-object-lock-enabled: true")
    _writer()
    return "started" if now else "created"


def writer_policy(user: str, bucket: str) -> str:
    """What the keys of a writer of backups may do: nothing to a version or to the bucket."""
    objects = ("PutObject", "GetObject", "GetObjectVersion", "DeleteObject")
    of_bucket = ("ListBucket", "ListBucketVersions", "GetBucketVersioning")
    of_bucket += ("GetBucketObjectLockConfiguration", "GetLifecycleConfiguration")
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": [user]},
            "Action": [f"s3:{action}" for action in actions],
            "Resource": f"arn:aws:s3:::{bucket}{inner}",
        }
        for actions, inner in ((objects, "/*"), (of_bucket, ""))
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps(document, separators=(",", ":"))


def _writer() -> None:
    """The user that inventories have the keys of."""
    access = S3_WRITER_ACCESS_KEY.read_text(encoding="utf-8")
    secret = S3_WRITER_SECRET_KEY.read_text(encoding="utf-8")
    account = f"<Account><Access>{access}</Access><Secret>{secret}</Secret><Role>user</Role>"
    try:
        request("PATCH", "create-user", body=f"{account}</Account>")
    except BedError as error:
        if "409" not in str(error) and "Exists" not in str(error):
            raise
    request("PUT", f"{S3_BUCKET}?policy", body=writer_policy(access, S3_BUCKET))


def await_up() -> None:
    """Wait until the server accepts connections."""
    await_that(
        f"the S3 server at {S3_ADDRESS}:{S3_PORT}",
        lambda: hosts.reachable(S3_ADDRESS, S3_PORT),
        TIMEOUT,
    )


def _create(binary: pathlib.Path) -> None:
    secrets = FILES / "environment"
    secrets.touch(mode=0o600)
    secrets.write_text(
        f"ROOT_ACCESS_KEY={S3_ACCESS_KEY.read_text(encoding='utf-8')}\n"
        f"ROOT_SECRET_KEY={S3_SECRET_KEY.read_text(encoding='utf-8')}\n",
        encoding="utf-8",
    )
    words = ["create", "--name", S3_CONTAINER, "--hostname", "s3", "--env-file", str(secrets)]
    words += hosts.labels()
    words += ["--network", NETWORK, "--ip", S3_ADDRESS, "--network-alias", S3_HOST]
    words += ["--volume", f"{FILES}:/etc/bed:ro", "--volume", f"{VOLUME}:/srv"]
    words += ["--volume", f"{binary}:/usr/local/bin/versitygw:ro", f"{IMAGE}:debian13-bare"]
    start = "mkdir -p /srv/data /srv/versions /srv/users; exec versitygw"
    start += (
        f" --port :{S3_PORT} --cert /etc/bed/tls.crt --key /etc/bed/tls.key --region {S3_REGION}"
    )
    start += " --iam-dir /srv/users posix --versioning-dir /srv/versions /srv/data"
    docker(*words, "sh", "-c", start)


def request(method: str, path: str, *headers: str, body: str = "") -> str:
    """One signed request, sent from inside the server's container; its answer's body."""
    access = S3_ACCESS_KEY.read_text(encoding="utf-8")
    secret = S3_SECRET_KEY.read_text(encoding="utf-8")
    lines = [f'user = "{access}:{secret}"', f'aws-sigv4 = "aws:amz:{S3_REGION}:s3"']
    lines += [f'url = "https://{S3_HOST}/{path}"', f'resolve = "{S3_HOST}:443:127.0.0.1"']
    lines += [f'request = "{method}"', "fail-with-body", "silent", "show-error", "max-time = 30"]
    lines += [f'header = "{header}"' for header in headers]
    lines += ["insecure"] + ([f"data = {body}"] if body else [])
    words = ["exec", "-i", S3_CONTAINER, "curl", "--config", "-"]
    return docker(*words, stdin="\n".join(lines) + "\n")


def remove() -> None:
    """Remove the server with everything in it."""
    docker("rm", "--force", S3_CONTAINER)
    docker("volume", "rm", "--force", VOLUME)
