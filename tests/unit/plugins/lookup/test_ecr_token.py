# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup with the real boto3, against a server on loopback that answers as AWS does."""

from __future__ import annotations

import base64
import http.server
import json
import os
import pathlib
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from ansible.errors import AnsibleLookupError
from unit.support_description import ANSIBLE, environment, result_of

from ansible_collections.mainstay.platform.plugins.lookup import ecr_token

SERVER = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


class Aws(http.server.BaseHTTPRequestHandler):
    """Answers GetAuthorizationToken."""

    asked: ClassVar[list[dict[str, Any]]] = []
    status = 200
    token = base64.b64encode(b"AWS:fresh-token").decode()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"target": self.headers["X-Amz-Target"], **body})
        answer: dict[str, Any] = {"authorizationData": [{"authorizationToken": self.token}]}
        if self.status != 200:
            answer = {"__type": "AccessDeniedException", "message": "not yours"}
        data = json.dumps(answer).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Aws]]:
    """The server, where boto3 finds it; credentials are examples."""
    ecr_token.ask.cache_clear()

    class Fresh(Aws):
        asked: ClassVar[list[dict[str, Any]]] = []

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fresh) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield Fresh
        server.shutdown()


def look(home: pathlib.Path, *servers: str) -> subprocess.CompletedProcess[str]:
    """What a playbook gets, through ansible itself."""
    names = ", ".join(f"'{server}'" for server in servers)
    found = "query('mainstay.platform.ecr_token', " + names + ")"
    own = {key: value for key, value in os.environ.items() if key.startswith("AWS_")}
    return subprocess.run(
        [str(ANSIBLE), "localhost", "-m", "debug", "-a", f"msg={{{{ {found} }}}}"],
        cwd=home,
        env=environment(home, own),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_password_of_the_token_comes_back_and_is_asked_for_once(
    aws: type[Aws], tmp_path: pathlib.Path
) -> None:
    done = look(tmp_path, SERVER, SERVER)
    assert result_of(done)["msg"] == ["fresh-token", "fresh-token"]
    assert [asked["registryIds"] for asked in aws.asked] == [["123456789012"]]
    assert aws.asked[0]["target"].endswith("GetAuthorizationToken")


def test_one_wrong_registry_and_nothing_is_asked(aws: type[Aws], tmp_path: pathlib.Path) -> None:
    done = look(tmp_path, SERVER, "ghcr.io")
    assert done.returncode != 0
    assert "'ghcr.io' is no registry of Amazon ECR" in done.stdout + done.stderr
    assert aws.asked == []


def test_a_refusal_names_account_region_and_right(aws: type[Aws]) -> None:
    aws.status = 400
    pattern = r"123456789012 in eu-central-1.*not yours.*ecr:GetAuthorizationToken"
    with pytest.raises(AnsibleLookupError, match=pattern):
        ecr_token.ask("123456789012", "eu-central-1", 10)


def test_the_parts_of_a_name() -> None:
    assert ecr_token.parts(SERVER) == ("123456789012", "eu-central-1")


@pytest.mark.parametrize(
    "server",
    ["1234.dkr.ecr.eu-central-1.amazonaws.com", f"https://{SERVER}", f"{SERVER}.evil.example"],
)
def test_another_name_is_refused(server: str) -> None:
    with pytest.raises(AnsibleLookupError, match="is no registry of Amazon ECR"):
        ecr_token.parts(server)


@pytest.mark.parametrize(
    "token", ["%%%", base64.b64encode(b"AWS:").decode(), base64.b64encode(b"me:x").decode()]
)
def test_an_answer_without_password_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(AnsibleLookupError, match="holds no password") as caught:
        ecr_token.password_in(token)
    assert token not in str(caught.value)
