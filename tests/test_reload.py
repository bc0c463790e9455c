"""`callfloor reload` on a floor that runs: real boards, a real broker, a phone system with people on the line."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

import floorplan
from callfloor import app
from firmware import contract
from floorplan import Plan, SiteError
from gateway import reload
from gateway.floor import ASTERISK, Floor
from gateway.people.people import People
from gateway.phones.phones import Phones
from gateway.queues import events
from gateway.queues.push import Push
from tests.house import EXAMPLE, Ear, House

Tables = dict[str, Any]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def here(*args: object) -> Done:
    """`callfloor` in this process, which is quicker."""
    done = CliRunner().invoke(app, [*map(str, args)])
    wrong = done.exception
    return Done(done.exit_code, done.stdout, "" if wrong is None or isinstance(wrong, SystemExit) else str(wrong))


def changed(house: House, change: Callable[[Tables], None]) -> None:
    """Writes the house's site file anew."""
    tables = json.loads(house.site.read_text())
    change(tables)
    house.site.write_text(json.dumps(tables))


def swap(one: str, other: str) -> Callable[[Tables], None]:
    """Two desks change places: each is read where the other was."""

    def change(tables: Tables) -> None:
        for board in tables["board"]:
            for place in board["inputs"]:
                place["desk"] = {one: other, other: one}.get(place["desk"], place["desk"])

    return change


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    def small(tables: Tables) -> None:
        tables["wall"] = []
        tables["board"] = tables["board"][:2]

    with House(tmp_path_factory.mktemp("house"), small) as house:
        house.pbx.add_queue("svenska")
        house.start_all()
        yield house


def test_five_reloads_under_load_lose_no_call(house: House) -> None:
    ear = Ear(house.broker)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    house.wait("both queues are known", lambda: all(
        house.now(f"queue/{name}").get("waiting") == 0 for name in ("norsk", "polski")
    ))  # fmt: skip
    pbx, books = house.pbx, house.pbx.pbx.counts
    longest = pbx.join("norsk")
    house.wait("the headsets' lamps have been watched for long enough", lambda: all(
        house.now(f"desk/{desk.id}").get("rings") is False for desk in house.plan.desk
    ))  # fmt: skip
    said = {desk.id: house.get("/api/now")[1][f"desk/{desk.id}"] for desk in house.plan.desk}
    waiting = [pbx.join("polski") for _ in range(4)]
    talks = pbx.join("norsk")
    pbx.ring(talks, "Local/1002@agents")
    pbx.answer(talks)
    house.wait("who waits is known", lambda: house.now("queue/polski")["waiting"] == 4)
    house.wait("who talks is known", lambda: house.now("queue/norsk")["answered"] == 1)
    house.wait("a wait that began anew would be a shorter one", lambda: house.now("queue/norsk")["oldest_wait_s"])
    links = set(house.pbx.pbx.manager.listeners)
    ear.heard.clear()

    def new_queue(tables: Tables) -> None:
        tables["queue"].append({"id": "svenska", "name": "Svenska", "pbx": "svenska"})

    def new_wall(tables: Tables) -> None:
        tables["wall"] = [{"id": "lobby", "panel": {"kind": "browser"}, "pages": [{"queue": "polski"}]}]

    def other_target(tables: Tables) -> None:
        tables["queue"][1]["target"] = {"within_s": 30, "share": 0.9}
        tables["wall"][0]["pages"].append({"queue": "svenska"})

    house.pin("row-a", "GP10", 0)  # a3 is lifted
    house.wait("a3 talks", lambda: house.now("desk/a3")["status"] == "talking")
    for number, change in enumerate((swap("a3", "b1"), new_queue, new_wall, other_target, swap("a3", "b1"))):
        changed(house, change)
        with load(house, rng, waiting):
            done = here("reload", house.site, "--yes")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        if number == 0:
            assert "desk a3 moves from board row-a input 2 to board row-b input 0" in done.stdout
            house.wait("b1 talks, which is lifted there now", lambda: house.now("desk/b1")["status"] == "talking", 2)
            house.wait("a3 is free", lambda: house.now("desk/a3")["status"] == "free", 2)
    house.wait("a3 talks again", lambda: house.now("desk/a3")["status"] == "talking", 2)
    house.wait("the new queue is known", lambda: house.now("queue/svenska").get("waiting") == 0, 2)

    house.wait("who waits", lambda: house.now("queue/polski")["waiting"] == len(waiting))
    told = house.now("queue/polski")
    assert (told["joined"], told["answered"], told["abandoned"]) == (
        books["polski"].joined, books["polski"].answered, books["polski"].abandoned,
    )  # fmt: skip
    assert told["joined"] == told["answered"] + told["abandoned"] + told["waiting"] > 20
    assert told["vanished"] == told["left"] == 0
    assert house.get("/api/plan")[1]["queues"][1]["red_from_s"] == 30
    waits = [row["oldest_wait_s"] for row in ear.all("queue/norsk/now")]
    assert waits == sorted(waits) and waits[-1] > 1, waits  # nobody's wait began anew
    assert house.pbx.state(longest) == "waiting"
    assert set(house.pbx.pbx.manager.listeners) == links != set()  # the link to the phone system stayed
    for desk in ("a2", "a4", "b2", "b3", "b4"):
        assert not ear.all(f"desk/{desk}/now"), desk
        assert house.get("/api/now")[1][f"desk/{desk}"]["age_ms"] > said[desk]["age_ms"]
    assert [row["boot"] for row in ear.all("gateway/state")] == []
    ear.close()


@contextlib.contextmanager
def load(house: House, rng: random.Random, waiting: list[int]) -> Iterator[None]:
    """People call, give up and are answered all the while."""
    ends = threading.Event()

    def live() -> None:
        pbx = house.pbx
        while not ends.wait(rng.uniform(0.002, 0.02)):
            waiting.append(pbx.join("polski"))
            if len(waiting) > 3:
                pbx.hang_up(waiting.pop(rng.randrange(len(waiting))))
            if len(waiting) > 2 and "Local/1001@agents" in pbx.idle_members("polski"):
                call = waiting.pop(0)
                pbx.ring(call, "Local/1001@agents")
                pbx.answer(call)
                pbx.hang_up(call)

    caller = threading.Thread(target=live)
    caller.start()
    try:
        yield
    finally:
        ends.set()
        caller.join(5)


def test_only_looking_changes_nothing_and_a_wrong_file_neither(house: House) -> None:
    before = house.site.read_text()
    plan = house.get("/api/plan")
    assert here("reload", house.site).stdout == "nothing to do: the floor runs by this file as it is\n"

    def change(tables: Tables) -> None:
        tables["queue"][0]["name"] = "Norsk 2"
        tables["broker"]["port"] += 1
        tables["board"][0]["inputs"][0]["phone"]["pin"] = "GP20"

    changed(house, change)
    there = ("--mqtt", f"{house.broker.host}:{house.broker.port}")
    done = here("reload", house.site, "--dry-run", *there)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "changes at once:", "  queue 'norsk': name changed",
        f"  desk {json.loads(before)['board'][0]['inputs'][0]['desk']} is wired otherwise at board row-a input 0",
        "what boards are to be told; until then what was another's place is unknown, the rest as before:",
        "  board row-a is to be told: `callfloor board provision`, or `board json` for a Raspberry Pi",
        "needs a restart, and stays as it was until then:", "  [broker] port: where the broker is and who we are there",
    ]  # fmt: skip
    told = json.loads(here("reload", house.site, "--json", "--dry-run", *there).stdout)
    assert told["change"][0] == "queue 'norsk': name changed" and told["done"] is False
    nobody = here("reload", house.site, *there)
    assert nobody.returncode == 1 and "--yes does it" in nobody.stderr

    house.site.write_text(before.replace('"GP2"', '"GP6"', 1))
    done = here("reload", house.site, "--yes")
    assert done.returncode == 1 and "pin GP6 is used twice" in done.stderr

    other = house.folder / "other.json"
    other.write_text(before.replace("Norsk", "Nynorsk"))
    house.site.write_text(before)
    done = here("reload", other, "--yes")
    assert done.returncode == 1 and f"the gateway runs by another file, {house.site}" in done.stderr
    assert house.get("/api/plan") == plan


def test_a_file_that_only_the_gateway_finds_wrong(house: House) -> None:
    before = house.site.read_text()

    def change(tables: Tables) -> None:
        tables["site"]["seating"] = "login"
        for desk in tables["desk"]:
            desk.pop("extension", None)

    changed(house, change)
    done = here("reload", house.site, "--yes")
    house.site.write_text(before)
    assert done.returncode == 1
    assert "seating is \"login\" now: that needs a restart" in done.stderr and "nothing was changed" in done.stderr


def test_sighup_does_it_too_and_somebody_can_read_who_did(house: House) -> None:
    before = house.site.read_text()
    changed(house, lambda tables: tables["site"].update(name="Elsewhere"))
    house.processes["gateway"].send_signal(signal.SIGHUP)
    house.wait("the page has another name", lambda: house.get("/api/plan")[1]["site"]["name"] == "Elsewhere")
    assert house.now("plan")["digest"]  # what tells pages to read it anew
    house.site.write_text(before)
    assert here("reload", house.site, "--yes").returncode == 0
    assert house.get("/api/plan")[1]["site"]["name"] != "Elsewhere"
    with People(house.plan.people) as people:
        def noted() -> list[tuple[str, str]]:
            return [(row.who.split()[0], row.what) for row in people.audit() if row.did == "floor-reloaded"]

        both = [("console", "1 changes"), ("nobody", "1 changes, by SIGHUP")]
        house.wait("both are noted", lambda: noted()[:2] == both)


def test_a_desk_that_goes_is_nowhere_any_more_and_one_that_comes_is(house: House) -> None:
    before = house.site.read_text()
    ear = Ear(house.broker)
    house.wait("b4 stands at the broker", lambda: ear.latest.get("desk/b4/now"))

    def change(tables: Tables) -> None:
        tables["desk"] = [desk for desk in tables["desk"] if desk["id"] != "b4"] + [{"id": "c1", "name": "C1"}]
        tables["board"][1]["inputs"][3]["desk"] = "c1"

    changed(house, change)
    early = here("desk", "forget", "--all", "--site", house.site)
    assert early.returncode == 1 and f"`callfloor reload {house.site}` first" in early.stderr
    assert ear.latest["desk/b4/now"]
    assert here("reload", house.site, "--yes").returncode == 0
    house.wait("b4 is cleared", lambda: ear.latest["desk/b4/now"] == {} and ear.latest["desk/b4/finding"] == {}, 2)
    house.wait("c1 is read", lambda: house.now("desk/c1").get("status") == "free", 2)
    assert "desk/b4" not in house.get("/api/now")[1]
    assert here("desk", "forget", "--all", "--site", house.site).stdout == "nothing is left at the broker\n"
    assert [desk["id"] for desk in house.get("/api/plan")[1]["desks"]][-2:] == ["b3", "c1"]
    house.site.write_text(before)
    assert here("reload", house.site, "--yes").returncode == 0
    house.wait("b4 is back", lambda: house.now("desk/b4").get("status") == "free", 2)
    ear.close()


def test_what_a_wall_draws_is_sent_and_taken_back(house: House) -> None:
    before = house.site.read_text()
    ear = Ear(house.broker)
    topic = "board/row-a/panel/0/scene"

    def hang(*queues: str) -> None:
        wall = {"id": "north", "board": "row-a", "panel": {"kind": "memory", "size": [64, 16]}}
        house.site.write_text(before)
        changed(house, lambda tables: tables["wall"].append(wall | {"pages": [{"queue": name} for name in queues]}))
        assert here("reload", house.site, "--yes").returncode == 0

    hang("norsk")
    house.wait("a scene", lambda: ear.latest.get(topic), 2)
    first = ear.latest[topic]["id"]
    hang("norsk", "polski")
    house.wait("another scene", lambda: ear.latest[topic].get("id") not in (first, None), 2)
    house.site.write_text(before)
    assert here("reload", house.site, "--yes").returncode == 0
    house.wait("nothing to draw", lambda: ear.latest[topic] == {}, 2)
    house.wait("no wall any more", lambda: ear.latest["wall/north/now"] == {}, 2)
    ear.close()


def test_what_boards_alone_are_told_is_taken_up_too(house: House) -> None:
    before = house.site.read_text()
    (house.site.parent / "wifi").write_text("not much of a secret\n")
    wifi = {"ssid": "floor", "secret_file": "wifi"}
    changed(house, lambda tables: tables["board"][0].update(wifi=wifi))
    told = here("reload", house.site, "--yes")
    assert told.returncode == 0 and "board row-a is to be told" in told.stdout and "done" in told.stdout
    assert "nothing to do" in here("reload", house.site).stdout
    house.site.write_text(before)
    assert here("reload", house.site, "--yes").returncode == 0


def test_a_command_that_is_none_or_was_kept_changes_nothing(house: House) -> None:
    ear = Ear(house.broker)
    count = len(ear.all("gateway/answer"))
    for payload in (b"", b"x", b'{"id": "1", "do": "stop"}', b'{"id": "1"}'):
        ear.say("gateway/command", payload)
    ear.say("gateway/command", b'{"id": "7", "do": "look"}')
    house.wait("an answer", lambda: len(ear.all("gateway/answer")) > count)
    assert [row["id"] for row in ear.all("gateway/answer")[count:]] == ["7"]
    ear.close()


def test_a_table_of_desks_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('desks = "/dev/null"\n[site]\nid = "x"\n')  # as /dev/zero, which has no end, and as a pipe
    with pytest.raises(SiteError, match=r"/dev/null: cannot be read .it is no plain file"):
        reload.digest_of(site)
    site.write_text('desks = "desks.csv"\n[site]\nid = "x"\n')
    digests = set()
    for table in ("id\na1", "id\na2"):
        (tmp_path / "desks.csv").write_text(table)
        digests.add(reload.digest_of(site))
    assert len(digests) == 2


def example(change: Callable[[Tables], None] = lambda tables: None) -> Plan:
    tables = floorplan.tables_in(EXAMPLE)
    change(tables)
    return floorplan.check(tables, "example", EXAMPLE.parent)


WORDS: list[tuple[Callable[[Tables], object], list[tuple[str, str]]]] = [
    (lambda t: t["wall"][0].update(pages=[{"queue": "norsk"}]), [("change", "wall 'north': pages changed")]),
    (lambda t: t["wall"][0].update(board="wall-south"), [
        ("change", "wall 'north': moves from board wall-north to wall-south"),
        ("change", "wall 'south': is panel 1 of board wall-south in place of 0"),
        ("board", "board wall-north is to be told: `callfloor board provision`, or `board json` for a Raspberry Pi"),
        ("board", "board wall-south is to be told: `callfloor board provision`, or `board json` for a Raspberry Pi"),
    ]),
    (lambda t: t["desk"][0].update(name="Window", extension="PJSIP/7"), [
        ("change", "desk a1 name was A1 and is Window; extension was Local/1001@agents and is PJSIP/7"),
    ]),
    (lambda t: t["queue"][1].update(pbx="polen"), [
        ("change", "queue 'polski': comes from the phone system's 'polen' in place of the phone system's 'polski': who "
                   "waits there is another one"),
    ]),
    (lambda t: t.update(page={"url": "https://floor.example"}), [
        ("restart", "[page] url: the page's certificate and its proxies"),
    ]),
    (lambda t: t["site"].update(time_zone="Europe/Riga", hours=["mon-fri 08:00-20:00"]), [
        ("restart", "[site] time_zone"), ("change", "[site] changed: hours"),
    ]),
    (lambda t: t.update(alarms={"long_wait_s": 30, "off": ["service-level"]}), [
        ("change", "[alarms] changed: long_wait_s, off"),
    ]),
    (lambda t: t.update(room=[{"name": "North", "at": [0, 0], "size": [8, 3]}]), [
        ("change", "rooms changed: there were 0, and are 1"),
    ]),
    (lambda t: t.update(message=[{"kind": "default", "text": "Hei"}]), [
        ("change", "messages of the site file changed: there were 0, and are 1"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "lines"), WORDS, ids=[str(number) for number in range(len(WORDS))])
def test_what_differs_is_said_in_words(change: Callable[[Tables], None], lines: list[tuple[str, str]]) -> None:
    assert reload.difference(example(), example(change)).lines == lines


def test_every_part_of_a_site_file_is_looked_at() -> None:
    """A key that is new in the site file has its line here, or its change would be taken for none."""
    rows = {"queue", "desk", "room", "board", "wall", "source", "message", "simulator"}
    rows |= {"site", "truth", "alarms", "phones"}
    assert set(Plan.model_fields) == rows | set(reload.RESTART)


def test_a_long_answer_comes_in_parts_that_fit() -> None:
    for letter in "xø😀":
        words = reload._fitting(letter * 2000)
        assert len(words) > 100
        contract.encode(reload.ANSWER, {
            "id": "x" * 16, "done": True, "part": 9999, "last": False, "file": "å" * 200, "digest": "0" * 16,
            "rows": [["restart", words]] * reload.ROWS,
        })  # fmt: skip


def test_what_lives_in_other_parts_is_handed_over() -> None:
    """IP phones, sources that push, members who log in at devices, levels: the same floor under another plan."""
    tables: Tables = {
        "site": {"id": "x", "seating": "login"}, "phones": {"secret_file": "none"},
        "source": [{"id": "chat", "secret_file": "none"}],
        "queue": [{"id": "q", "name": "Q", "pbx": "q"}, {"id": "c", "name": "C", "source": "chat"}],
        "desk": [{"id": "d1", "device": "PJSIP/1", "phone": {"by": "url", "vendor": "snom", "mac": "000413aabbcc"}},
                 {"id": "d2", "device": "PJSIP/2"}],
        "pbx": {"asterisk": {"host": "h", "user": "u", "secret_file": "none"}},
    }  # fmt: skip
    plan = floorplan.check(tables, "x", EXAMPLE.parent)
    tables["queue"].append({"id": "new", "name": "New", "source": "chat"})
    tables["desk"][1]["device"] = "PJSIP/3"
    after = floorplan.check(tables, "x", EXAMPLE.parent)
    floor = Floor(plan, 0.0)
    floor.hear_broker("", 0.0)
    event: events.Event
    for event in (events.Waiting("q", ()), events.Back(), events.Joined("q", 1, 5.0, b""),
                  events.Member("q", "Agent/7", "idle", False, "PJSIP/1"),
                  events.Member("q", "Agent/8", "busy", False, "PJSIP/2")):  # fmt: skip
        floor.hear_source(ASTERISK, event, 10.0)
    phones = Phones(plan, floor.hear_phone, lambda: 10.0)
    phones.hear("000413aabbcc", "off_hook", 10.0)
    heard: list[events.Event] = []
    push = Push(plan.source[0], {"c"}, heard.append, lambda: 10.0)
    push.hear("c", {"events": [{"event": "joined", "call": "1"}]})
    for event in heard:
        floor.hear_source("chat", event, 10.0)
    assert floor.status["d1"][0] == floor.status["d2"][0] == "talking"

    new = Floor(after, 20.0)
    new.take_over(floor, 20.0)
    told = Phones(after, new.hear_phone, lambda: 20.0)
    told.take_over(phones)
    push.follow(after.source[0], {"c", "new"})
    assert new.status["d1"] == floor.status["d1"]
    assert new.status["d2"][1] != floor.status["d2"][1]  # nobody is known at its new device
    assert (new.queues["q"].figures.oldest_since_s, new.queues["q"].counts) == (5.0, floor.queues["q"].counts)
    assert new.queues["c"].figures.waiting == 1
    assert new.queues["new"].figures.reason == "nothing has been heard of this queue yet"
    told.hear("000413aabbcc", "on_hook", 21.0)
    assert new.status["d1"][0] == "free"
    heard.clear()
    push.hear("c", {"events": [{"event": "joined", "call": "1"}, {"event": "answered", "call": "1"}]})
    assert [type(event) for event in heard] == [events.Answered]  # known: joined already
    push.hear("new", {"events": [{"event": "joined", "call": "1"}]})
    for event in heard:
        new.hear_source("chat", event, 22.0)
    assert new.queues["new"].figures.waiting == 1
    assert new.queues["c"].figures.waiting == 0
