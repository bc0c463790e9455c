"""The wires of a board tried live from the page: real boards, whose pins change, over a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boards.bench import wiring
from gateway import board_check
from gateway.board_check import Check, Checks, NotChecked
from gateway.people.people import People
from gateway.web.boards_http import Answer
from tests.house import DIRECT, Ear, House
from tests.someone import headers, token
from tests.test_board_health import plan


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as house:
        house.start_gateway()
        for board in ("row-a", "wall-north"):
            house.start_board(board)
        house.wait("the boards are there", lambda: all(
            house.now(f"board/{board}").get("uptime_s") is not None for board in ("row-a", "wall-north")
        ), 40)  # fmt: skip
        yield house


class Stream:
    """What somebody hears who tries wires: events, each once."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.heard: list[tuple[str, Any]] = []

    def until(self, kind: str, **has: Any) -> Any:
        """The next event of this kind with these fields among its own."""
        for line in self.answer:
            if line.startswith(b"event: "):
                self.heard.append((line[7:].decode().strip(), json.loads(self.answer.readline()[6:])))
                name, fields = self.heard[-1]
                if name == kind and {key: fields.get(key) for key in has} == has:
                    return fields
        raise AssertionError(f"no {kind} {has}; {self.heard}")


@contextlib.contextmanager
def tried(house: House, board: str = "row-a", asked: str = "", role: str = "technician") -> Iterator[Stream]:
    request = urllib.request.Request(f"{house.web}/api/boards/{board}/check{asked}",
                                     headers=headers(token(house.plan, role)))  # fmt: skip
    with DIRECT.open(request, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def refused(house: House, board: str, asked: str = "", role: str = "technician") -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error, tried(house, board, asked, role):
        pass
    with error.value:
        return error.value.code, json.load(error.value)["kind"]


def pattern(found: list[dict[str, Any]], desk: str, what: str) -> str:
    return next(str(row["pattern"]) for row in found if (row["desk"], row["what"]) == (desk, what))


def test_pins_that_change_are_seen_and_what_the_board_says_and_what_it_means(house: House) -> None:
    with tried(house) as stream:
        first = stream.until("all")
        assert (first["board"], first["for_s"]) == ("row-a", 60)
        assert [wire["pin"] for wire in first["wires"][:4]] == ["GP2", "GP3", "GP4", "GP5"]
        assert first["levels"]["GP2"] == [1, 0]
        assert {"desk": "a1", "what": "phone", "fields": {"state": "idle"}, "words": "idle"} in first["said"]
        assert pattern(first["found"], "a1", "hook") == "unseen"

        assert refused(house, "row-a") == (409, "busy"), "one at a time"
        house.pin("row-a", "GP2", 0)
        assert stream.until("said", desk="a1", what="phone")["fields"] == {"state": "talking"}
        assert stream.until("levels")["levels"] == {"GP2": [0, 1]}
        assert pattern(stream.until("found")["found"], "a1", "hook") == "changed"
        house.pin("row-a", "GP18", 0)  # where a wire may sit by mistake
        assert stream.until("levels")["levels"] == {"GP18": [0, 1]}
        house.pin("row-a", "GP2", 1)
        assert stream.until("said", desk="a1", what="phone")["fields"] == {"state": "idle"}
    with People(house.plan.people) as people:
        told = people.audit(limit=1)[0]
    assert (told.did, told.what) == ("board-commanded", "row-a: check")


def test_it_ends_when_whoever_asked_leaves_and_the_board_tells_no_more(house: House) -> None:
    ear = Ear(house.broker)
    try:
        with tried(house, asked="?desk=a2") as stream:
            first = stream.until("all")
            assert {wire["desk"] for wire in first["wires"]} == {"a2"}
            assert {row["desk"] for row in first["said"]} == {"a2"}
            house.wait("its levels", lambda: ear.all("board/row-a/raw"))
            recording = ear.all("board/row-a/raw")[-1]["id"]
        house.wait("the board is told to end", lambda: any(
            row["do"] == "raw" and row["seconds"] == 1 for row in ear.all("board/row-a/command")
        ))  # fmt: skip
        house.wait("it has ended", lambda: ear.all("board/row-a/raw")[-1]["last"])
        assert ear.all("board/row-a/raw")[-1]["id"] != recording
        assert not any(row["last"] for row in ear.all("board/row-a/raw") if row["id"] == recording)
        with tried(house) as stream:  # and at once somebody else may
            stream.until("all")
    finally:
        ear.close()


def test_it_ends_when_the_bench_tries_the_same_board(house: House) -> None:
    ear = Ear(house.broker)
    try:
        with tried(house) as stream:
            stream.until("all")
            said = {"id": "bench", "do": "raw", "seconds": 1, "pins": "GP2"}
            ear.say("board/row-a/command", json.dumps(said).encode())
            assert stream.until("end") == {"why": "taken"}
        assert refused(house, "row-a") == (409, "busy"), "the bench is not disturbed"
        house.wait("the bench is done", lambda: any(
            row["last"] for row in ear.all("board/row-a/raw") if row["id"] == "bench"
        ))  # fmt: skip
    finally:
        ear.close()


def test_what_cannot_be_tried_is_refused_in_words(house: House) -> None:
    assert refused(house, "row-z") == (404, "gone")
    assert refused(house, "row-a", "?desk=b1") == (404, "gone")
    assert refused(house, "wall-north") == (409, "wires")
    assert refused(house, "row-a", role="supervisor") == (403, "right")


def test_the_details_of_a_board_are_for_all_who_see_the_page(house: House) -> None:
    request = urllib.request.Request(f"{house.web}/api/boards/row-a", headers=headers(token(house.plan, "viewer")))
    with DIRECT.open(request, timeout=20) as answer:
        told = json.load(answer)
    assert (told["state"], told["wrong"], told["definition"], told["restart"]) == ("ready", [], "simulated", "started")
    assert told["current"] is True
    assert told["firmware"] in told["ours"]
    assert told["desks"][0]["wires"][0] == {"what": "hook", "pin": "GP2"}
    assert house.get("/api/boards/row-z")[0] == 404


def test_a_board_that_dies_meanwhile_is_said_to_be_lost(house: House) -> None:
    with tried(house) as stream:
        stream.until("all")
        house.kill("row-a")
        assert stream.until("end") == {"why": "lost"}


# Without a board ------------------------------------------------------------------------


class Bench:
    """Checks whose board is a list of commands; each is obeyed unless `refuses` says why not."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []
        self.refuses: list[str] = []
        self.checks = Checks(self.ask, self.say, lambda board, number: True)

    async def ask(self, board: str, command: dict[str, Any], name: str) -> Answer:
        self.commands.append({**command, "id": name})
        words = self.refuses.pop(0) if self.refuses else ""
        return Answer(done=not words, words=words or "for 60 s")

    def say(self, board: str, command: dict[str, Any]) -> bool:
        self.commands.append(command)
        return True

    def tell(self, ms: int, pins: dict[str, int | None], rows: tuple[int | None, ...] = (), last: bool = False) -> None:
        fields = {"id": self.commands[0]["id"], "boot": "aaaaaaaa", "ms": ms, "until_ms": ms + 200,
                  "pins": pins, "rows": list(rows), "last": last, "said": []}  # fmt: skip
        self.checks.hear("board/+/raw", ("b",), fields, False)


async def events(check: Check, most: int) -> list[tuple[str, Any]]:
    heard = []
    stream = check.listen()
    async for event in stream:
        kind, data = event.decode().strip().split("\n")
        heard.append((kind[7:], json.loads(data[6:])))
        if len(heard) == most:
            break
    await stream.aclose()
    return heard


def test_whoever_is_too_slow_gets_all_there_is_in_place_of_what_was_missed() -> None:
    async def run() -> None:
        bench = Bench()
        begun = await bench.checks.begin(plan(), "b")
        for number in range(3 * board_check.EVENTS_WAITING):
            bench.tell(number * 200, {"GP2": number % 2, "GP3": 1})
        bench.tell(60_000, {"GP2": 0, "GP3": 1}, last=True)
        heard = await events(begun, 1000)
        assert heard[0][0] == "all"
        assert len(heard) <= board_check.EVENTS_WAITING
        assert heard[0][1]["levels"]["GP2"] == [0, 3 * board_check.EVENTS_WAITING]
        assert heard[-1] == ("end", {"why": "over"})
        assert pattern(heard[-2][1]["found"], "a1", "hook") == "changed"

    asyncio.run(run())


def test_a_board_with_older_firmware_is_asked_for_less() -> None:
    async def run() -> None:
        bench = Bench()
        bench.refuses = ["nothing reads + here", "so many pins are more than a message holds: name some"]
        begun = await bench.checks.begin(plan(), "b")
        assert [command["pins"] for command in bench.commands][1:] == [None, "GP2 GP3"]
        bench.tell(0, {"GP2": None})
        found = (await events(begun, 1))[0][1]["found"]
        assert [row["pattern"] for row in found] == ["unread", "not-read"]
        assert bench.commands[-1]["seconds"] == 1
        bench.refuses = ["no", "no", "a pin cannot be read (ADC0): name the others"]
        with pytest.raises(NotChecked, match="ADC0"):
            await bench.checks.begin(plan(), "b")

    asyncio.run(run())


def test_a_board_that_reads_none_of_the_wires_is_said_to_go_by_another_file() -> None:
    async def run() -> None:
        bench = Bench()
        begun = await bench.checks.begin(plan(), "b")
        bench.tell(0, {"GP9": 1})
        bench.tell(200, {"GP9": 1}, (250, 0, 0))
        found = (await events(begun, 1))[0][1]["found"]
        assert [row["pattern"] for row in found] == ["not-read", "not-read"]

    asyncio.run(run())
    interview = wiring.Interview("b", [], [], [], {})
    interview.begin()  # no step: nothing is tried, and nothing breaks


def test_no_more_than_some_boards_at_once_and_none_when_the_gateway_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        bench = Bench()
        monkeypatch.setattr(board_check, "AT_ONCE", 1)
        begun = await bench.checks.begin(plan(), "b")
        with pytest.raises(NotChecked, match="already"):
            await bench.checks.begin(plan(), "another")
        bench.tell(0, {"GP2": 1, "GP3": 1})
        bench.checks.close()
        assert [kind for kind, _ in await events(begun, 1000)][-1] == "end"
        with pytest.raises(NotChecked):
            await bench.checks.begin(plan(), "b")

    asyncio.run(run())


def test_a_board_that_is_silent_is_lost_and_the_will_of_an_earlier_start_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        bench = Bench()
        begun = await bench.checks.begin(plan(), "b")
        bench.tell(0, {"GP2": 1, "GP3": 1})
        bench.checks.hear("board/+/state", ("b",), {"state": "lost", "boot": "bbbbbbbb"}, False)
        monkeypatch.setattr(board_check, "SILENT_S", 0.1)
        assert [kind for kind, _ in await events(begun, 2)] == ["all", "end"]
        assert begun.why == "lost"

    asyncio.run(asyncio.wait_for(run(), 5))


def test_one_that_nobody_ever_hears_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        bench = Bench()
        monkeypatch.setattr(board_check, "UNHEARD_S", 0.01 - board_check.FOR_S)
        await bench.checks.begin(plan(), "b")
        with pytest.raises(NotChecked):
            await bench.checks.begin(plan(), "b")
        while True:
            with contextlib.suppress(NotChecked):
                await bench.checks.begin(plan(), "b")
                return
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(run(), 5))


def test_the_page_has_words_for_all_that_is_found_when_nobody_is_asked() -> None:
    words = Path(board_check.__file__).parent / "web" / "static" / "words"
    page = (words / "board_words_en.js").read_text(encoding="utf-8")
    assert all(f'"{name}": {{' in page or f" {name}: {{" in page for name in WATCHED)


# Patterns that `Interview.watched` can find, and what stands beside it.
WATCHED = ("ok", "changed", "unseen", "by-usb", "not-read", "unread", "chatters", "dead", "full", "not-said")
