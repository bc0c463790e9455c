"""What a reload hands over, part by part, and what it must not: the real parts of a gateway, without a network."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import floorplan
from firmware import contract
from floorplan import Plan
from gateway import reload, service, store
from gateway.book import Book
from gateway.floor import Floor
from gateway.messages import Messages
from gateway.people.people import People
from gateway.phones.phones import Phones
from gateway.queues import events
from gateway.queues.push import PushError
from gateway.reload import Again, Reloads, take_up
from gateway.seldom import Seldom
from gateway.service import Gateway
from gateway.walls import Walls
from gateway.web.boards_http import Answer
from tests.brokers import free_port
from tests.pythons import ROOT
from wallboard.message import compose

Tables = dict[str, Any]


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    for name in ("ami", "chat"):
        (tmp_path / name).write_text(f"sixteen letters of {name}")
        (tmp_path / name).chmod(0o600)
    return {
        "site": {"id": "x", "clock": "trusted"}, "phones": {"secret_file": "ami"},
        "history": {"path": str(tmp_path / "history.db")}, "people": {"path": str(tmp_path / "people.db")},
        "source": [{"id": "chat", "secret_file": "chat"}],
        "pbx": {"asterisk": {"host": "127.0.0.1", "port": 9, "user": "u", "secret_file": "ami"}},
        "queue": [{"id": "q", "name": "Q", "pbx": "q"}, {"id": "c", "name": "C", "source": "chat"}],
        "wall": [{"id": name, "panel": {"kind": "browser"}, "pages": [{"queue": "q"}]} for name in ("one", "two")],
    }  # fmt: skip


def plan_of(tables: Tables) -> Plan:
    folder = Path(tables["history"]["path"]).parent if "history" in tables else ROOT
    return floorplan.check(tables, "test", folder)


# Messages ----


def messages_of(plan: Plan) -> Messages:
    return Messages(plan, {}, lambda *_: 0, lambda: 1000.0, lambda: 1.8e9)


def test_messages_of_the_site_file_go_on_without_being_composed_again(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []

    def counted(text: str, *rest: Any) -> Any:
        texts.append(text)
        return compose(text, *rest)

    monkeypatch.setattr("gateway.messages.compose", counted)
    tables["message"] = [{"kind": "default", "texts": {"nb": "Hei", "sv": "Hej"}}]
    before = messages_of(plan_of(tables))
    tables["message"].insert(0, {"kind": "default", "text": "Else"})
    after = messages_of(plan_of(tables))

    async def main() -> None:
        await before.compose_all()
        texts.clear()
        await after.prepare(before)

    asyncio.run(main())
    after.take_over(before)
    assert set(texts) == {"Else"}
    after.due()
    assert {row["text"] for row in after.document()["others"]} == {"Hei · Hej"}  # of the same kind, the last one


def test_what_a_supervisor_has_sent_stays_on_the_walls_that_there_are(tables: Tables) -> None:
    before = messages_of(plan_of(tables))
    gone = before.send("Only there", ["two"], 5)
    both = before.send("Both", ["one", "two"], 5)
    late = before.send("Taken back meanwhile", [], 5)
    tables["wall"].pop()
    after = messages_of(plan_of(tables))

    async def main() -> None:
        await after.prepare(before)
        before.take_back(late.id)
        before.send("Sent meanwhile", ["two"], 5)
        everywhere = before.send("Everywhere", [], 5)
        after.take_over(before)
        now = before.send("Its request was on its way", ["two"], 5)  # by a page of the floor before
        await after.compose_all()
        after.due()
        assert after.showing["one"] and after.showing["one"].text == "Everywhere"
        assert {row["id"]: row["walls"] for row in after.document()["standing"]} == {
            both.id: ["one"], everywhere.id: [], now.id: ["two"],
        }  # fmt: skip
        assert not {gone.id, late.id} & after._composed.keys()

    asyncio.run(main())


# Desks and walls ----


def ready(floor: Floor, board: str, boot: str, now_s: float) -> None:
    floor.hear_board("board/+/hello", (board,), {"boot": boot}, False, now_s)
    floor.hear_board("board/+/state", (board,), {"state": "ready", "boot": boot}, False, now_s)


def read(floor: Floor, board: str, boot: str, *states: str, retained: bool = False) -> None:
    for number, state in enumerate(states):
        said = {"boot": boot, "seq": number + 1, "state": state}
        floor.hear_board("board/+/input/+/phone", (board, str(number)), said, retained, 3.0)


def statuses(floor: Floor) -> list[str]:
    return [floor.status[desk][0] for desk in floor.desks]


def test_a_desk_in_a_call_of_its_ip_phone_stays_in_it_wherever_its_headset_is_plugged_in(tables: Tables) -> None:
    places = [{"desk": "d1", "headset": {"by": "contact", "pin": "GP4"}},
              {"desk": "d2", "phone": {"by": "contact", "pin": "GP2"}}]  # fmt: skip
    tables["desk"] = [{"id": "d1", "phone": {"by": "url", "vendor": "snom", "mac": "000413aabbcc"}}, {"id": "d2"}]
    tables["board"] = [{"id": "b", "definition": "pico-w", "inputs": places}]
    floor = Floor(plan_of(tables), 0.0)
    floor.hear_broker("", 0.0)
    ready(floor, "b", "1", 1.0)
    Phones(floor.plan, floor.hear_phone, lambda: 2.0).hear("000413aabbcc", "off_hook", 2.0)
    tables["board"][0]["inputs"] = places[::-1]
    after = Floor(plan_of(tables), 3.0)
    after.take_over(floor, 3.0)
    assert after.status["d1"][0] == "talking"


ROWS = [{"desk": f"a{n}", "phone": {"by": "contact", "pin": pin}} for n, pin in ((1, "GP2"), (2, "GP6"), (3, "GP10"))]


def rows(tables: Tables, places: list[Tables]) -> Plan:
    tables["desk"] = [{"id": place["desk"]} for place in places]
    tables["board"] = [{"id": "r", "definition": "pico-w", "inputs": places}]
    return plan_of(tables)


def after(before: Floor, plan: Plan) -> Floor:
    floor = Floor(plan, 2.0)
    floor.take_over(before, 2.0)
    return floor


def test_a_board_that_is_not_told_yet_gives_nobody_the_readings_of_another_desk(tables: Tables) -> None:
    floor = Floor(rows(tables, ROWS), 0.0)
    floor.hear_broker("", 0.0)
    ready(floor, "r", "1", 1.0)
    read(floor, "r", "1", "idle", "talking", "idle")

    shifted = after(floor, rows(tables, ROWS[1:]))
    read(shifted, "r", "1", "idle", "talking", "idle", retained=True)
    read(shifted, "r", "0", "idle", "talking", retained=True)  # of a start before: left at the broker
    assert statuses(shifted) == ["unknown", "unknown"]
    assert shifted.status["a3"][1] == "board r is not told yet what it reads here"

    again = after(shifted, rows(tables, ROWS[1:]))  # another reload tells no board
    read(again, "r", "1", "idle", "talking", retained=True)
    assert statuses(again) == ["unknown", "unknown"]

    back = after(again, rows(tables, ROWS))
    read(back, "r", "1", "idle", "talking", "idle", retained=True)
    assert statuses(back) == ["free", "talking", "free"]

    other = after(back, rows(tables, [ROWS[0], ROWS[2]]))
    assert statuses(other) == ["free", "unknown"]
    wired = after(other, rows(tables, [ROWS[0], {**ROWS[1], "desk": "a3"}]))  # as the board reads it
    read(wired, "r", "1", "idle", "talking", retained=True)
    assert statuses(wired) == ["free", "talking"]

    ready(again, "r", "2", 2.0)
    read(again, "r", "2", "talking", "idle")
    assert statuses(again) == ["talking", "free"]


def test_a_desk_whose_place_was_its_own_is_read_as_before(tables: Tables) -> None:
    floor = Floor(rows(tables, ROWS), 0.0)
    floor.hear_broker("", 0.0)
    ready(floor, "r", "1", 1.0)
    read(floor, "r", "1", "idle", "talking", "idle")
    wired = [{"desk": "a1", "phone": {"by": "contact", "pin": "GP14"}}, *ROWS[1:]]
    assert statuses(after(floor, rows(tables, wired))) == ["free", "talking", "free"]
    named = [{**ROWS[0], "desk": "a2"}, {**ROWS[1], "desk": "a1"}, ROWS[2]]  # two change places
    swapped = after(floor, rows(tables, named))
    read(swapped, "r", "1", "idle", "talking", "idle", retained=True)
    assert statuses(swapped) == ["free", "talking", "free"]
    assert [swapped.status[desk][0] for desk in ("a1", "a2")] == ["talking", "free"]


def test_a_wall_that_is_another_panel_is_unknown_until_its_board_is_told(tables: Tables) -> None:
    shown = {"scene": None, "message": None, "values_seq": None, "fresh": True, "age_s": 0, "percent": 100,
             "trouble": None}  # fmt: skip
    tables["board"] = [{"id": "b", "definition": "raspberry-pi"}]
    tables["wall"] = [{"id": name, "board": "b", "panel": {"kind": "file", "path": f"/tmp/{name}.png"},
                       "pages": [{"queue": "q"}]} for name in ("w1", "w2")]  # fmt: skip
    before = plan_of(tables)
    tables["wall"].pop(0)
    plan = plan_of(tables)
    assert ("change", "wall 'w2': is panel 0 of board b in place of 1") in reload.difference(before, plan).lines
    floor = Floor(before, 0.0)
    floor.hear_broker("", 0.0)
    ready(floor, "b", "1", 1.0)
    moved, walls = after(floor, plan), Walls(plan)

    def says() -> Tables:
        said = {**shown, "scene": walls.scenes["w2"].message["id"]}
        moved.hear_board("board/+/panel/+/shown", ("b", "0"), said, False, 3.0)
        return walls.verdict("w2", moved, 3.0)

    told = says()
    assert (told["fresh"], told["shown"], told["wrong"]) == (False, None, None)
    assert told["reason"] == "board b is not told yet what it draws here"
    ready(moved, "b", "2", 3.0)
    assert says()["fresh"] is True


# The whole gateway ----


@pytest.fixture
def gateway(tables: Tables) -> Iterator[Gateway]:
    plan = plan_of(tables)
    with People(plan.people) as people:
        made: list[Gateway] = []

        async def make() -> None:
            made.append(Gateway(plan))

        asyncio.run(make())
        made[0].people = people
        made[0].page.app = made[0].app(plan, made[0].pushes, made[0].phones, made[0].messages)
        yield made[0]


def test_a_reload_that_breaks_is_answered_and_leaves_all_as_it_was(
    gateway: Gateway, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("two")

    monkeypatch.setattr(Walls, "take_over", broken)
    site = Path(tables["history"]["path"]).with_name("site.toml")
    site.write_text("")
    tables["queue"].pop(0)
    for wall in tables["wall"]:
        wall["pages"] = [{"queue": "c"}]
    floor = gateway.floor
    reloads = Reloads(gateway, Again(site, lambda _: plan_of(tables)))
    lines, done, _ = asyncio.run(reloads._do("reload", None))
    assert not done and lines == [("wrong", "a fault of the gateway's own: its log says where")]
    assert gateway.floor is floor and gateway.asterisk
    joins = {"Event": "QueueCallerJoin", "Uniqueid": "1", "Queue": "q"}
    assert gateway.asterisk.adapter.event(joins, 1.0), "the link serves the queue on"
    asyncio.run(gateway.book.close())


def said(event: str, *calls: str) -> object:
    return {"events": [{"event": event, "call": call} for call in calls]}


def test_what_an_input_said_before_its_wires_were_others_is_no_word_of_the_desk_there_now(tables: Tables) -> None:
    def with_input(desk: str, pin: str) -> Plan:
        place = {"desk": desk, "phone": {"by": "contact", "pin": pin, "ring": "GP3"}}
        return plan_of(tables | {"desk": [{"id": "d1"}, {"id": "d2"}], "board": [{"id": "b", "inputs": [place]}]})

    async def main() -> None:
        gateway = Gateway(with_input("d1", "GP2"))
        gateway.people = people

        async def obeys(board: str, command: dict[str, Any], name: str) -> Answer:
            return Answer(done=True, words="")

        gateway.checks._ask = obeys

        def hear(boot: str, retained: bool, state: str) -> None:
            hello = {"boot": boot, "definition": "simulated", "firmware": "f", "python": "p", "inputs": "phone",
                     "panels": "", "health_s": 30, "restart": "pwron"}  # fmt: skip
            phone = {"seq": 1, "boot": boot, "age_ms": 0, "state": state, "why": None}
            for pattern, number, fields in (("board/+/hello", (), hello), ("board/+/input/+/phone", ("0",), phone)):
                gateway._hear(contract.topic("x", pattern, "b", *number), contract.encode(pattern, fields), retained)

        async def said() -> list[tuple[str, str]]:
            begun = await gateway.checks.begin(gateway.plan, "b")
            begun._leave()
            return [(row["desk"], row["words"]) for row in begun._all()["said"]]

        hear("aaaaaaaa", False, "talking")
        assert await said() == [("d1", "talking")]
        await take_up(gateway, with_input("d2", "GP2"))
        assert await said() == [("d2", "talking")], "whose desk it is, no board knows: it reads what it did"
        await take_up(gateway, with_input("d2", "GP9"))
        assert await said() == []
        hear("aaaaaaaa", True, "talking")  # which still stands at the broker, and is asked for anew
        assert await said() == []
        hear("bbbbbbbb", False, "idle")
        assert await said() == [("d2", "idle")]

    with People(plan_of(tables).people) as people:
        asyncio.run(main())


def test_who_tells_while_the_floor_changes_is_counted_once(gateway: Gateway, tables: Tables) -> None:
    """A request that began before holds on to the source it found."""
    async def main() -> None:
        before = gateway.pushes["chat"]
        before.hear("c", said("joined", "0"))
        tables["queue"].append({"id": "new", "name": "New", "source": "chat"})
        await take_up(gateway, plan_of(tables))
        gateway.pushes["chat"].hear("c", said("joined", "1"))
        before.hear("c", said("joined", "2"))
        figures = gateway.floor.queues["c"].figures
        assert (figures.waiting, figures.count("joined")) == (3, 3)
        gateway.pushes["chat"].hear("c", said("abandoned", "0", "1", "2"))
        assert (figures.waiting, figures.count("abandoned")) == (0, 3)
        await gateway.book.close()

    asyncio.run(main())


def test_a_source_that_goes_with_its_queue_leaves_nobody_waiting(gateway: Gateway, tables: Tables) -> None:
    async def main() -> None:
        told = gateway.pushes["chat"]
        told.hear("c", said("joined", "1", "2"))
        await gateway.book.commit()
        opened = gateway.book.store
        assert opened and len(opened.waiting()) == 2
        queues, sources = tables["queue"], tables["source"]
        await take_up(gateway, plan_of(tables | {"queue": queues[:1], "source": []}))
        await gateway.book.commit()
        assert opened.waiting() == []
        with pytest.raises(PushError, match="not one of 'chat'"):
            told.hear("c", said("joined", "3"))  # its request was on its way
        await take_up(gateway, plan_of(tables | {"queue": queues, "source": sources}))
        figures = gateway.floor.queues["c"].figures
        assert gateway.floor.sources["chat"] != ""
        gateway.pushes["chat"].hear("c", said("joined", "4"))
        await gateway.book.commit()
        assert gateway.floor.sources["chat"] == ""
        assert (figures.waiting, figures.count("joined"), figures.count("vanished")) == (1, 3, 2)
        assert [row[1] for row in opened.waiting()] == [told._number - 1] and told._number % 2**32 > 3
        await gateway.book.close()

    asyncio.run(main())


# The book ----


def queue_at(tables: Tables, source: str) -> Plan:
    sources = [{"id": name, "secret_file": "chat"} for name in ("a", "b")]
    more = {"source": sources, "queue": [{"id": "c", "name": "C", "source": source}], "wall": []}
    return plan_of({**tables, **more, "pbx": {}})


def join(floor: Floor, source: str, *calls: int) -> None:
    told: list[events.Event] = [events.Waiting("c", ()), events.Back()]
    told += [events.Joined("c", n, 10.0, b"k") for n in calls]
    for event in told:
        floor.hear_source(source, event, 10.0)


def test_a_queue_that_comes_from_elsewhere_keeps_its_day_whatever_is_committed_meanwhile(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        floor, new = Floor(queue_at(tables, "a"), 10.0, keep=True), Floor(queue_at(tables, "b"), 10.0, keep=True)
        floor.hear_broker("", 10.0)
        book = Book(floor.plan, floor, lambda: 10.0)
        join(floor, "a", 1, 2, 3)
        await book.commit()
        join(floor, "a", 4, 5)
        async with book.day_of(["c"]) as kept:
            committing = asyncio.create_task(book.commit())
            for _ in range(20):  # enough for a commit that waits for nobody
                await asyncio.sleep(0.001)
            new.take_over(floor, 10.0)
            book.follow(new.plan, new, kept)
        await committing
        join(new, "b")
        assert new.queues["c"].figures.count("joined") == 5
        assert book.store and book.day and book.store.day("c", book.day).joined == 5
        await book.close()

    asyncio.run(main())


def test_what_a_queue_counted_before_the_clock_was_believed_is_kept_when_it_goes(tables: Tables) -> None:
    async def main() -> None:
        wall_s = [0.0]  # 1970: that cannot be
        floor, new = Floor(queue_at(tables, "a"), 10.0, keep=True), Floor(queue_at(tables, "b"), 10.0, keep=True)
        floor.hear_broker("", 10.0)
        now_s = [10.0]
        book = Book(floor.plan, floor, lambda: now_s[0], lambda: wall_s[0])
        assert book.state.state == "waits"
        join(floor, "a", 1, 2, 3)
        async with book.day_of(["c"]) as kept:
            new.take_over(floor, 10.0)
            book.follow(new.plan, new, kept)
        join(new, "b", 4)
        wall_s[0], now_s[0] = time.time(), 20.0
        await book.commit()
        assert new.queues["c"].figures.count("joined") == 4
        assert book.store and book.day and book.store.day("c", book.day).joined == 4
        await book.close()

    asyncio.run(main())


def test_who_waited_in_a_queue_that_went_while_no_gateway_ran_is_not_found_again(tables: Tables) -> None:
    async def main() -> None:
        plan = queue_at(tables, "a")
        floor = Floor(plan, 10.0, keep=True)
        book = Book(plan, floor, lambda: 10.0)
        join(floor, "a", 1)
        await book.close()
        other = plan_of({**tables, "queue": tables["queue"][:1]})
        book = Book(other, Floor(other, 10.0, keep=True), lambda: 10.0)
        await book.close()
        with_it = store.Store(Path(tables["history"]["path"]), book.calendar, plan.history, 0.0)
        assert with_it.waiting() == []
        with_it.close()

    asyncio.run(main())


# SIGHUP ----


def test_a_hang_up_while_the_gateway_starts_is_a_reload_as_soon_as_it_runs(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Early(Seldom):  # the first thing that is made
        def __init__(self) -> None:
            os.kill(os.getpid(), signal.SIGHUP)
            super().__init__()

    read: list[Plan] = []

    def again(running: Plan) -> Plan:
        read.append(running)
        os.kill(os.getpid(), signal.SIGTERM)
        return running

    monkeypatch.setattr(service, "Seldom", Early)
    plan = plan_of(tables | {"broker": {"host": "127.0.0.1", "port": free_port()}})
    (site := Path(tables["history"]["path"]).with_name("site.toml")).write_text("")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # or one that nobody hears would end all tests
    late = threading.Timer(10, os.kill, (os.getpid(), signal.SIGTERM))
    late.start()
    try:
        service.serve(plan, "127.0.0.1", free_port(), Again(site, again))
    finally:
        late.cancel()
        signal.signal(signal.SIGHUP, before)
    assert read
