# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform as the configuration of its edge.

What Nginx makes of it is tested with real ones in tests/integration/edge.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import routes, site
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.syntax import literal
from ansible_collections.mainstay.platform.plugins.module_utils._platform.types import (
    Edge,
    Maintenance,
    Platform,
    RateLimit,
    Route,
    Service,
    Tls,
)

BOOKWORM, TRIXIE = (1, 22, 1), (1, 26, 3)
EDGE = Edge(
    rate_limits=(RateLimit("general", 10.0, 20), RateLimit("api", 30.0, 0)),
    headers={"X-Frame-Options": "SAMEORIGIN", "X-Empty": ""},
    aliases=("www.shop.test",),
)
WEB = Service("web", "web", "1", port=4200, routes=(Route("/"),))
API = Service(
    "api",
    "api",
    "1",
    port=3000,
    routes=(
        Route("/api", rate_limit="api"),
        Route("/socket.io", websocket=True, read_timeout=3600.0),
        Route("/", host="admin.shop.test"),
    ),
)
JOBS = Service("jobs", "jobs", "1")


def platform(*services: Service, **edge: Any) -> Platform:
    """A platform with these services."""
    return Platform(
        "shop", "production", "shop.test", services=services, edge=replace(EDGE, **edge)
    )


def rendered(
    *services: Service, version: tuple[int, ...] = TRIXIE, ipv6: bool = False, **edge: Any
) -> dict[str, str]:
    """Its files."""
    return site.site(platform(*services, **edge), version, ipv6=ipv6)


def servers(files: dict[str, str]) -> dict[str, list[str]]:
    """Bodies of the servers by their names."""
    found: dict[str, list[str]] = {}
    for body in files["mainstay/servers.conf"].split("\nserver {\n")[1:]:
        name = re.search(r"server_name ([^;]+);", body)
        assert name
        found.setdefault(name.group(1), []).append(body)
    return found


def test_longer_prefixes_come_first_and_end_at_a_slash() -> None:
    """/api is not /apis."""
    plain, secure = servers(rendered(WEB, API))["shop.test www.shop.test"]
    assert re.findall(r"location (.+) \{", secure) == [
        "= /-/health",
        "= /-/mainstay-refused",
        "= /socket.io",
        "/socket.io/",
        "= /api",
        "/api/",
        "/",
    ]
    assert "return 308 https://$host$request_uri" in plain and "routes/" not in plain


def test_a_host_of_its_own_has_its_own_routes() -> None:
    """And nothing of the others; a name that nobody knows gets nothing."""
    found = servers(rendered(WEB, API))
    assert set(found) == {"_", "shop.test www.shop.test", "admin.shop.test"}
    assert "routes/api.admin.shop.test@.conf" in found["admin.shop.test"][1]
    assert "web" not in found["admin.shop.test"][1]
    assert all("return 421" in body and "routes/" not in body for body in found["_"])


def test_an_alias_with_a_route_of_its_own_keeps_the_common_ones() -> None:
    """The more special route of the same path wins."""
    own = replace(API, routes=(Route("/", host="www.shop.test"), Route("/api")))
    found = servers(rendered(WEB, own))
    assert "routes/api.www.shop.test@.conf" in found["www.shop.test"][1]
    assert "routes/api.api.conf" in found["www.shop.test"][1]
    assert "routes/web.conf" not in found["www.shop.test"][1]
    assert "routes/web.conf" in found["shop.test"][1]


@pytest.mark.parametrize(
    ("version", "listen"),
    [
        pytest.param(BOOKWORM, "listen 443 ssl http2;", id="parameter-before-1.25.1"),
        pytest.param((1, 25, 0), "listen 443 ssl http2;", id="still-in-1.25.0"),
        pytest.param(TRIXIE, "listen 443 ssl;\n    http2 on;", id="directive-since-1.25.1"),
    ],
)
def test_http2_is_written_as_this_nginx_reads_it(version: tuple[int, ...], listen: str) -> None:
    """The other form is an error, or a warning at each reload."""
    assert listen in servers(rendered(WEB, version=version))["shop.test www.shop.test"][1]


def test_a_reload_waits_for_idle_connections_where_nginx_can() -> None:
    """An unknown directive would keep Nginx from starting."""
    assert "keepalive_min_timeout 75s;" in rendered(WEB, version=(1, 27, 4))["mainstay/http.conf"]
    assert "keepalive_min_timeout" not in rendered(WEB, version=TRIXIE)["mainstay/http.conf"]


def test_without_tls_everything_is_plain() -> None:
    """For development."""
    files = rendered(WEB, tls=Tls(mode="off"))
    assert "ssl" not in files["mainstay/servers.conf"]
    assert "Strict-Transport-Security" not in files["mainstay/headers.conf"]
    assert "routes/web.conf" in servers(files)["shop.test www.shop.test"][0]


def test_without_a_redirect_both_ports_serve() -> None:
    """As the description says."""
    both = servers(rendered(WEB, tls=Tls(redirect=False)))["shop.test www.shop.test"]
    assert all("routes/web.conf" in body for body in both)


def test_a_redirect_names_another_port() -> None:
    """443 is left out."""
    files = rendered(WEB, https_port=8443)
    assert "return 308 https://$host:8443$request_uri" in files["mainstay/servers.conf"]


def test_ipv6_is_an_option() -> None:
    """A host without it could not bind."""
    assert "[::]" not in rendered(WEB)["mainstay/servers.conf"]
    assert "listen [::]:443 ssl;" in rendered(WEB, ipv6=True)["mainstay/servers.conf"]


def test_workers_and_services_without_routes_are_not_reachable() -> None:
    """No upstream, no location."""
    files = rendered(WEB, JOBS, replace(API, routes=()))
    assert "mainstay_web" in files["mainstay/upstreams.conf"]
    assert "mainstay_api" not in "".join(files.values())
    assert "mainstay_jobs" not in "".join(files.values())


def test_nobody_at_the_root_is_404() -> None:
    """Instead of files of the host."""
    assert "return 404" in servers(rendered(API))["shop.test www.shop.test"][1]
    assert "return 404" not in servers(rendered(WEB))["shop.test www.shop.test"][1]


def test_limits_by_route() -> None:
    """The one called general holds for routes that name none."""
    files = rendered(WEB, API)
    assert "zone=mainstay_rate_api;" in files["mainstay/routes/api.api.conf"]
    assert "zone=mainstay_rate_general burst=20 nodelay;" in files["mainstay/routes/web.conf"]
    assert "rate=30r/s" in files["mainstay/http.conf"]
    none = rendered(WEB, rate_limits=())
    assert "limit_req " not in none["mainstay/routes/web.conf"]


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        pytest.param(10.0, "10r/s", id="whole"),
        pytest.param(100 / 60, "100r/m", id="a-hundred-a-minute"),
        pytest.param(0.5, "30r/m", id="half"),
        pytest.param(0.001, "1r/m", id="less-than-nginx-can"),
    ],
)
def test_rates(per_second: float, text: str) -> None:
    """Nginx takes whole numbers only."""
    assert routes.rate(per_second) == text


def test_a_websocket_is_upgraded_and_may_be_silent() -> None:
    """Other routes keep connections to programs alive instead."""
    files = rendered(API)
    route = files["mainstay/routes/api.socket_2eio.conf"]
    assert "include mainstay/proxy_websocket.conf;" in route
    assert "proxy_read_timeout 3600s;" in route
    assert "Upgrade $http_upgrade" in files["mainstay/proxy_websocket.conf"]
    assert 'Connection "";' in files["mainstay/proxy.conf"]
    assert "Upgrade" not in files["mainstay/proxy.conf"]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        pytest.param("/api", 'rewrite "^/api/*(.*)$" /$1 break;', id="prefix"),
        pytest.param("/a.b/", r'rewrite "^/a\.b/*(.*)$" /$1 break;', id="dot-is-a-dot"),
        pytest.param("/", "", id="nothing-to-strip"),
    ],
)
def test_a_prefix_is_taken_off(path: str, rule: str) -> None:
    """Before the program sees the request."""
    service = replace(API, routes=(Route(path, strip_prefix=True),))
    content = "".join(c for p, c in rendered(service).items() if "/routes/" in p)
    assert rule in content
    assert ("rewrite" in content) == bool(rule)


def test_a_cache_knows_no_persons() -> None:
    """An answer for one client must not reach another."""
    service = replace(WEB, routes=(Route("/", cache=0.5),))
    files = rendered(service)
    route = files["mainstay/routes/web.conf"]
    personal = (
        "$http_authorization $http_cookie $http_x_mainstay_preview $http_x_maintenance_bypass;"
    )
    assert f"proxy_no_cache {personal}" in route and f"proxy_cache_bypass {personal}" in route
    assert "proxy_cache_valid 200 301 1s;" in route
    assert "proxy_cache_path" in files["mainstay/http.conf"]
    assert "proxy_cache" not in rendered(WEB)["mainstay/http.conf"]


def test_a_cache_does_not_answer_while_maintenance_is_on() -> None:
    """Other routes are refused when a member is chosen, which costs nothing extra."""
    cached = rendered(replace(WEB, routes=(Route("/", cache=9.0),)))
    order = cached["mainstay/routes/web.conf"]
    assert 0 < order.index('refusal("web")') < order.index("proxy_cache mainstay")
    assert "refusal" not in rendered(WEB)["mainstay/routes/web.conf"]


def test_headers_are_the_edges() -> None:
    """An empty one is not sent; what the edge sends, a program does not send again."""
    files = rendered(WEB, tls=Tls(hsts_seconds=60))
    headers = files["mainstay/headers.conf"]
    assert 'add_header X-Frame-Options "SAMEORIGIN" always;' in headers
    assert '"max-age=60; includeSubDomains"' in headers
    assert "X-Empty" not in headers
    assert "proxy_hide_header X-Frame-Options;" in files["mainstay/servers.conf"]


def test_a_location_with_a_header_of_its_own_repeats_the_others() -> None:
    """Nginx inherits none of them then."""
    for files in (rendered(WEB, API), rendered(WEB, tls=Tls(mode="off"))):
        flat = re.sub(r"\w+_by_lua_block[^{]*\{[^}]*\}", "", files["mainstay/servers.conf"])
        found = re.findall(r"location [^{]+\{([^}]*)\}", flat)
        assert any("add_header" in body for body in found)
        for body in found:
            assert "add_header" not in body or "include mainstay/headers.conf" in body


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("nosniff", '"nosniff"', id="plain"),
        pytest.param('a "b" \\ c', '"a \\"b\\" \\\\ c"', id="quotes"),
        pytest.param("$host", '"${mainstay_dollar}host"', id="no-variable"),
        pytest.param("a; b {", '"a; b {"', id="no-end-of-the-directive"),
    ],
)
def test_values_stay_values(value: str, written: str) -> None:
    """A description must not be able to write configuration."""
    assert literal(value) == written


def test_the_pages_are_escaped() -> None:
    """A title is text."""
    files = rendered(WEB, maintenance=Maintenance(title="<b>A & B</b>"))
    page = files["mainstay/pages/maintenance.html"]
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page and "<b>" not in page


def test_the_bypass_secret_is_in_a_file_of_its_own() -> None:
    """Compared whole, letter by letter; without a value nobody passes by the header."""
    spec = platform(WEB, maintenance=Maintenance(bypass_secret="key"))
    secret = site.secret_files(spec, 'a.b"c\\')["mainstay/bypass.conf"]
    assert r'"~^a\\.b\"c\\\\$" 1;' in secret
    assert "map $http_x_maintenance_bypass $mainstay_bypass_key {" in secret
    assert " 1;" not in site.secret_files(spec, None)["mainstay/bypass.conf"]
    assert 'a.b"c' not in "".join(site.site(spec, TRIXIE).values())


def test_addresses_may_pass_too() -> None:
    """Offices and monitors."""
    files = rendered(WEB, maintenance=Maintenance(bypass_addresses=("10.0.0.0/8",)))
    assert "10.0.0.0/8 1;" in files["mainstay/http.conf"]


def test_the_checks_of_a_release_are_neither_refused_nor_counted() -> None:
    """They come from the edge itself; a prober with 10 requests a second is over many a limit."""
    http = rendered(WEB, rate_limits=(RateLimit("general", 1.0, 5),))["mainstay/http.conf"]
    assert re.search(r"geo \$mainstay_own \{\s+default 0;\s+127\.0\.0\.0/8 1;\s+::1 1;", http)
    assert re.search(r"map \$mainstay_own \$mainstay_counted \{[^}]+ 1 \"\";", http)
    assert re.search(r"geo \$mainstay_bypass_address \{[^}]+127\.0\.0\.0/8 1;", http)
    assert "limit_req_zone $mainstay_counted zone=mainstay_rate_general" in http


def test_the_state_is_that_of_the_platform() -> None:
    """Where the module writes, Nginx reads at its start."""
    assert 'state = "/var/lib/mainstay/shop-production"' in rendered(WEB)["mainstay/http.conf"]


def test_every_file_that_is_included_is_there() -> None:
    """Or ends in a pattern, which may match nothing."""
    files = {**rendered(WEB, API), **site.secret_files(platform(WEB, API), None)}
    included = set(re.findall(r"include ([^;*]+);", "".join(files.values())))
    assert included - set(files) == {"mime.types"}


def test_the_access_log_is_json_without_queries() -> None:
    """A query may hold a token."""
    log = rendered(WEB)["mainstay/http.conf"]
    line = re.search(r"log_format mainstay escape=json '(.+)';", log)
    assert line and "$request_uri" not in line.group(1) and "$args" not in line.group(1)
    assert '"release":"$mainstay_release"' in line.group(1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("api", "/a/b", None), ("api", "/a-b", None), id="dash-and-slash"),
        pytest.param(("api", "/a/b", None), ("api", "/a/b/", None), id="slash-at-the-end"),
        pytest.param(("api", "/a_b", None), ("api", "/a-b", None), id="underline"),
        pytest.param(("api", "/_2d", None), ("api", "/-", None), id="what-stands-for-a-dash"),
        pytest.param(("a-b", "/c", None), ("a", "/b/c", None), id="dash-in-a-service"),
        pytest.param(("api", "/", None), ("api", "/root", None), id="root"),
        pytest.param(("api", "/x", "shop.test"), ("api", "/shop.test@x", None), id="host"),
        pytest.param(("api", "/caf\u00e9", None), ("api", "/caf\u00e8", None), id="accents"),
    ],
)
def test_every_route_has_a_file_of_its_own(
    one: tuple[str, str, Any], other: tuple[str, str, Any]
) -> None:
    files = {
        routes.ServiceRoute(service, Route(path, host=host)).file
        for service, path, host in (one, other)
    }
    assert len(files) == 2
    assert all(re.fullmatch(r"mainstay/routes/[A-Za-z0-9._@-]+\.conf", file) for file in files)
