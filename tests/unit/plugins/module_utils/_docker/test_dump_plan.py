# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about dumps of a store in Docker."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._docker import dump_plan
from ansible_collections.mainstay.platform.plugins.module_utils._docker.dump_plan import (
    Database,
    Dump,
    Record,
)
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)
from ansible_collections.mainstay.platform.plugins.module_utils._postgres.retention import Policy

DAY = 86400.0
BEGAN = 1767225600.0  # 2026-01-01T00:00:00Z
RUN = "20260105T101112"


def dump(number: int, **more: Any) -> Dump:
    """The dump of day C(number), whole."""
    moment = datetime.fromtimestamp(BEGAN + number * DAY, timezone.utc)
    made = Dump(
        label=f"{moment:%Y%m%dT%H%M%SZ}",
        platform="shop-test",
        store="db",
        sequence=number,
        started=BEGAN + number * DAY,
        stopped=BEGAN + number * DAY + 60,
        version="15.4",
        image="postgres:15",
        databases={"shop": Database(entries=9, tables=2, size=1000)},
        files={"shop.dump": "0" * 64},
        size=500,
        verified=BEGAN + number * DAY + 90,
        whole=True,
    )
    return replace(made, **more)


LISTING = """\
;
; Archive created at 2026-01-01
215; 1259 16386 TABLE public orders keeper
216; 1259 16390 TABLE DATA x keeper
217; 1259 16391 SEQUENCE public orders_id_seq keeper
3320; 0 16386 TABLE DATA public orders keeper
3100; 0 0 TABLE ATTACH public part keeper
"""


def test_tables_are_told_from_their_data_and_from_a_schema_called_data() -> None:
    assert dump_plan.tables_in(LISTING) == (5, 2)


def test_what_is_written_is_read_again() -> None:
    made = dump(3)
    assert dump_plan.read(made.as_dict(), "x") == made


@pytest.mark.parametrize(
    "broken",
    [
        *(None, [], {}),
        {**dump(1).as_dict(), "label": "../x"},
        {**dump(1).as_dict(), "files": {}},
        {**dump(1).as_dict(), "more": 1},
        {**dump(1).as_dict(), "databases": {"a": {}}},
    ],
)
def test_a_description_that_is_none_is_told_with_its_path(broken: Any) -> None:
    with pytest.raises(MainstayError, match=r"/x/dump\.json: the description of a dump"):
        dump_plan.read(broken, "/x/dump.json")


def test_a_label_is_never_given_twice() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    first = dump_plan.label_of(moment, [])
    second = dump_plan.label_of(moment, [first])
    assert (first, second) == ("20260102T030405Z", "20260102T030405Z-2")
    assert dump_plan.label_of(moment, [first, second]) == "20260102T030405Z-3"
    assert dump_plan.LABEL.match(second)


@pytest.mark.parametrize(
    ("wanted", "known", "told"),
    [
        (["shop", "shoop"], ["shop"], "shoop"),
        ([], ["shop", "a/b"], "a/b"),
        ([], ["x" * 37], "x" * 37),
        ([], [], "all"),
    ],
)
def test_databases_that_cannot_be_dumped(wanted: list[str], known: list[str], told: str) -> None:
    with pytest.raises(MainstayError) as caught:
        dump_plan.databases_to_dump(wanted, known)
    assert caught.value.subject == told


def test_the_newest_whole_dump_is_the_latest_whatever_the_clock_said() -> None:
    # The clock was set back before the third one was taken; the fourth is damaged.
    dumps = [dump(1), dump(2), replace(dump(0), sequence=3), replace(dump(4), whole=False)]
    assert dump_plan.choose(dumps, "latest") == dumps[2]
    assert dump_plan.choose(dumps, dumps[3].label) == dumps[3]
    # The clock is behind the last one, and then ahead of it.
    assert dump_plan.sequence_of(dumps, now=3.0) == 5
    assert dump_plan.sequence_of(dumps, now=BEGAN) == int(BEGAN)
    for label in ("20200101T000000Z", "newest"):
        with pytest.raises(MainstayError, match="no such dump"):
            dump_plan.choose(dumps, label)
    with pytest.raises(MainstayError, match="no such dump"):
        dump_plan.choose(dumps[3:], "latest")


def test_retention_keeps_days_and_weeks_of_whole_dumps_only() -> None:
    dumps = [dump(number) for number in range(1, 61)]
    dumps[40] = replace(dumps[40], whole=False)
    dumps[41] = replace(dumps[41], verified=None, whole=None)
    plan = dump_plan.plan_retention(dumps, Policy(7, 4, 0, 0, 2, 0))
    whole = [item for item in dumps if item.whole]
    assert {item.label for item in whole[-7:]} <= set(plan.kept)
    assert len([label for label in plan.kept if label not in {d.label for d in whole}]) == 1
    assert dumps[41].label in plan.kept  # nobody has read it yet
    assert len(plan.expired) == 60 - len(plan.kept)


def test_the_last_whole_dump_stays_whatever_the_policy() -> None:
    dumps = [dump(1), replace(dump(2), whole=False), replace(dump(3), whole=False)]
    plan = dump_plan.plan_retention(dumps, Policy(0, 0, 0, 0, 1, 0))
    assert dumps[0].label in plan.kept


def plan(**more: Any) -> dump_plan.Restore:
    """The plan of a restore that could be done."""
    given: dict[str, Any] = {
        "dump": dump(1),
        "database": "shop",
        "stamp_of_run": RUN,
        "existing": ["postgres", "shop"],
        "free": 10_000,
        "version": "15.4",
    }
    return dump_plan.plan_restore(**{**given, **more})


def test_a_restore_never_uses_the_name_of_what_serves() -> None:
    found = plan()
    assert (found.fresh, found.old) == ("shop__new_20260105t101112", "shop__old_20260105t101112")
    assert found.actions[-1].endswith(f"the data of now stays as {found.old}")
    longest = "x" * 36
    large = replace(dump(1), databases={longest: Database(1, 1, 1)})
    assert len(plan(dump=large, database=longest).fresh) <= dump_plan.LONGEST_NAME


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"database": "shoop"}, "no database shoop, but shop"),
        ({"free": 1999}, "1999 bytes are free"),
        ({"version": "14.9"}, "the server is 14.9, older than 15.4"),
        ({"existing": ["shop", "shop__old_20260105t101112"]}, "is there already"),
    ],
)
def test_a_restore_that_cannot_be_done_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(MainstayError) as caught:
        plan(**given)
    assert told in caught.value.found
    assert caught.value.next_step == "nothing was changed"


def test_all_problems_of_a_restore_are_told_at_once() -> None:
    with pytest.raises(MainstayError) as caught:
        plan(free=1, version="9.6")
    assert caught.value.found.count(";") == 1


GLOBALS = """\
CREATE ROLE keeper;
ALTER ROLE keeper WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$x';
CREATE ROLE "odd ""name";
ALTER ROLE "odd ""name" WITH NOLOGIN;
GRANT keeper TO "odd ""name";
"""


def test_only_roles_that_the_server_lacks_are_made() -> None:
    names, statements = dump_plan.missing_roles(GLOBALS, ["keeper"])
    assert names == ['odd "name']
    assert statements == GLOBALS.splitlines()[2:4]
    assert dump_plan.missing_roles(GLOBALS, ["keeper", 'odd "name']) == ([], [])


def test_properties_of_the_database_are_those_of_the_new_one_only() -> None:
    script = """\
ALTER DATABASE shop OWNER TO keeper;
ALTER DATABASE shop SET search_path TO 'a', 'shop';
GRANT CONNECT ON DATABASE shop TO reader;
ALTER DATABASE shopping SET x TO 'y';
DROP DATABASE shop;
ALTER TABLE public.orders OWNER TO keeper;
"""
    assert dump_plan.properties(script, "shop", "fresh") == [
        'ALTER DATABASE "fresh" OWNER TO keeper;',
        "ALTER DATABASE \"fresh\" SET search_path TO 'a', 'shop';",
        'GRANT CONNECT ON DATABASE "fresh" TO reader;',
    ]


RECORD = Record("l", "shop", "shop__new_1", "shop__old_1", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("existing", "drop", "opened"),
    [
        ({"shop": True, "shop__new_1": True}, ["shop__new_1"], []),
        ({"shop": False, "shop__new_1": True}, ["shop__new_1"], ["shop"]),
        ({"shop": True, "shop__old_1": False}, [], ["shop__old_1"]),
        ({"shop": True, "shop__old_1": True}, [], []),
        ({"other": False}, [], []),
    ],
    ids=["restoring", "closed", "exchanged", "done", "another"],
)
def test_what_a_killed_restore_left(
    existing: dict[str, bool], drop: list[str], opened: list[str]
) -> None:
    assert dump_plan.heal([RECORD], existing) == (drop, opened)


def test_only_the_newest_restore_is_healed_and_undone() -> None:
    older = replace(RECORD, fresh="shop__new_0", old="shop__old_0")
    assert dump_plan.heal([older, RECORD], {"shop__new_0": True}) == ([], [])
    assert dump_plan.to_undo([older, RECORD], ["shop__old_0", "shop__old_1"]) == RECORD
    assert dump_plan.to_undo([older, RECORD], ["shop__old_0"]) == older


@pytest.mark.parametrize("given", [{"floor": 0}, {"daily": -1, "weekly": -2}])
def test_a_policy_that_is_none_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(MainstayError, match="retention"):
        dump_plan.policy_of(given)


SCRIPT = r"""--
-- PostgreSQL database dump; it's a comment with a quote
--
\restrict abc'def
SET standard_conforming_strings = on;
/* more; of it */ CREATE DATABASE shop WITH TEMPLATE = template0;
\connect shop
ALTER DATABASE shop SET "my.note" TO E'one\\
ALTER DATABASE shop WITH CONNECTION LIMIT 3;
it''s';
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $_$ ; '
GRANT ALL ON DATABASE shop TO burglar;
$_$;
GRANT CONNECT ON DATABASE shop TO "a;b";
ALTER ROLE keeper IN DATABASE shop SET statement_timeout TO '7s'
"""


def test_statements_are_told_from_what_only_looks_like_them() -> None:
    found = dump_plan.properties(SCRIPT, "shop", "fresh")
    assert [text.splitlines()[0] for text in found] == [
        """ALTER DATABASE "fresh" SET "my.note" TO E'one\\\\""",
        """GRANT CONNECT ON DATABASE "fresh" TO "a;b";""",
        """ALTER ROLE keeper IN DATABASE "fresh" SET statement_timeout TO '7s';""",
    ]
    assert dump_plan.split(SCRIPT)[0] == "SET standard_conforming_strings = on"
    assert len(dump_plan.split(SCRIPT)) == 6


@pytest.mark.parametrize("script", ["select 'a", 'select "a', "/* a", "select $a$ $b$;'"])
def test_a_script_with_a_quote_that_never_ends_is_refused(script: str) -> None:
    with pytest.raises(MainstayError, match="cannot be read"):
        dump_plan.split(script)


def test_roles_come_from_statements_and_never_from_their_settings() -> None:
    text = """CREATE ROLE keeper;
ALTER ROLE keeper SET "my.note" TO 'x
CREATE ROLE burglar SUPERUSER;';
CREATE ROLE "a;b"; ALTER ROLE known WITH LOGIN;
"""
    names, statements = dump_plan.missing_roles(text, ["known"])
    assert names == ["keeper", "a;b"]
    assert len(statements) == 3


def test_databases_put_aside_are_not_dumped_unless_asked_for() -> None:
    known = ["shop", "shop__old_20260105t101112"]
    assert dump_plan.databases_to_dump([], known, known[1:]) == ["shop"]
    assert dump_plan.databases_to_dump(known[1:], known, known[1:]) == known[1:]


def test_trials_are_known_by_the_dumps_they_were_of() -> None:
    made = dump(1)
    left = dump_plan.trial_name("shop", made.label)
    assert len(dump_plan.trial_name("x" * 36, f"{made.label}-2")) <= dump_plan.LONGEST_NAME
    assert dump_plan.trials([made], ["shop", left, "shop__check_mine"]) == [left]
