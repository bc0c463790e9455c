"""What is said of a queue stays within the contract, whatever its source says, and holds up nobody."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import floorplan
from firmware import contract
from gateway import export
from gateway.queues import events
from gateway.queues.push import PushError
from gateway.queues.totals import COUNTED
from gateway.service import Gateway
from gateway.store import Batch

START_S = 200_000.0


class House:
    """A gateway that serves nothing, its clock in our hands. To be used on an event loop."""

    def __init__(self, folder: Path) -> None:
        (folder / "token").write_text("a token of sixteen letters")
        self.now_s = START_S
        self.gateway = Gateway(floorplan.check({
            "site": {"id": "house"},
            "source": [{"id": "web", "secret_file": "token"}],
            "queue": [{"id": "norsk", "name": "Norsk", "pbx": "norsk"}, {"id": "chat", "name": "C", "source": "web"}],
        }, "test", folder), lambda: self.now_s)  # fmt: skip
        self.hear(events.Waiting("norsk", ()))
        self.hear(events.Back())

    def hear(self, event: events.Event) -> None:
        self.gateway._hear_source("asterisk", event)

    def push(self, **figures: Any) -> None:
        self.gateway.pushes["web"].hear("chat", {"figures": {"waiting": 0, **figures}})

    def later(self, seconds: float) -> None:
        for _ in range(int(seconds // 10)):
            self.now_s += 10.0
            for queue in self.gateway.floor.queues.values():
                queue.figures.tick(self.now_s)

    def said(self, queue: str) -> dict[str, Any]:
        """What is said of a queue now."""
        self.gateway._say_changes()
        return self.gateway.news.said[f"queue/{queue}"]


@pytest.fixture
def on_a_loop(tmp_path: Path) -> Iterator[Callable[[Callable[[House], None]], None]]:
    """Runs something with a house on an event loop."""

    def run(what: Callable[[House], None]) -> None:
        async def main() -> None:
            house = House(tmp_path)
            try:
                what(house)
            finally:
                assert house.gateway.book.store
                house.gateway.book.store.close()

        asyncio.run(main())

    yield run


def test_a_call_hung_up_at_once_is_no_length_to_reckon_with(on_a_loop: Callable[..., None]) -> None:
    """Asterisk's TalkTime is in whole seconds: 0 is an everyday word."""

    def check(house: House) -> None:
        house.hear(events.Joined("norsk", 1, house.now_s, b"k"))
        house.hear(events.Answered("norsk", 1, house.now_s, "SIP/1"))
        house.hear(events.Completed("norsk", 1, house.now_s, 0.0))
        house.later(400)
        house.hear(events.Joined("norsk", 2, house.now_s, b"l"))
        said = house.said("norsk")
        assert (said["waiting"], said["joined"], said["aht_s"], said["desks_needed"]) == (1, 2, 0, None)

    on_a_loop(check)


def test_a_source_that_contradicts_itself_is_unknown_where_it_does(on_a_loop: Callable[..., None]) -> None:
    def check(house: House) -> None:
        house.push(joined=0, answered=100, answered_within=0, answered_wait_s=0, completed=0, talk_s=0)
        house.later(400)
        house.push(
            joined=10**9, answered=101, answered_within=50, answered_wait_s=1e12, completed=1, talk_s=3600
        )
        said = house.said("chat")
        assert (said["joined"], said["answered"], said["aht_s"]) == (10**9, 1, 3600)
        assert said["service_level_pct"] is said["asa_s"] is said["desks_needed"] is None

    on_a_loop(check)


def test_the_beat_goes_on_whatever_a_queue_holds(on_a_loop: Callable[..., None]) -> None:
    """The gateway ends with its beat; and as what was counted is kept, it would again after each start."""

    def check(house: House) -> None:
        house.push(joined=0)
        for number in range(4):
            house.push(joined=10**9, run=f"{number}")
        house.gateway._say_beat()
        house.gateway._say_known()
        assert house.said("chat")["joined"] is None

    on_a_loop(check)


COUNT = st.one_of(st.integers(0, 10), st.integers(0, 10**9))
FIGURES = st.fixed_dictionaries(
    {"waiting": st.integers(0, 100_000)},
    optional={
        name: st.floats(0, 86_400)
        if name == "longest_wait_s"
        else st.floats(0, 1e12)
        if name.endswith("_s")
        else COUNT
        for name in COUNTED
        if name not in ("vanished", "handling_s", "available_s", "seen_s")
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(FIGURES, st.floats(0, 2000)), max_size=8))
def test_whatever_a_source_says_of_its_figures_can_be_said(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[dict[str, Any], float]]
) -> None:
    async def main() -> None:
        house = House(tmp_path_factory.mktemp("house"))
        heard = None
        for figures, seconds in said:
            try:
                house.push(**figures)
                heard = figures
            except PushError:
                pass  # more answered within than answered: refused
            house.later(seconds)
            now = house.said("chat")
            contract.encode("queue/+/now", now)
            assert now.get("waiting") == (heard["waiting"] if heard else None)
        assert house.gateway.book.store
        house.gateway.book.store.close()

    asyncio.run(main())


def test_thousands_of_calls_a_minute_leave_time_for_others(on_a_loop: Callable[..., None]) -> None:
    """100 calls a second of five minutes each are 30,000 erlang: no floor, but no reason to stall either."""

    def check(house: House) -> None:
        for number in range(10_000):
            house.hear(events.Joined("norsk", number, house.now_s, b"%d" % number))
            house.hear(events.Answered("norsk", number, house.now_s, "SIP/1"))
            house.hear(events.Completed("norsk", number, house.now_s, 900.0))
        house.later(300)
        began_s = time.process_time()
        for number in range(600):
            house.now_s += 1 / 600
            house.hear(events.Joined("norsk", number, house.now_s, b""))
            house.gateway._say_changes()
        assert time.process_time() - began_s < 0.6

    on_a_loop(check)


def test_desks_needed_follows_the_last_half_hour(on_a_loop: Callable[..., None]) -> None:
    def check(house: House) -> None:
        for number in range(300):
            house.hear(events.Joined("norsk", number, house.now_s, b""))
            house.hear(events.Answered("norsk", number, house.now_s, "SIP/1"))
            house.hear(events.Completed("norsk", number, house.now_s, 60.0))
            house.later(10)
        needed = house.said("norsk")["desks_needed"]
        assert 8 <= needed <= 10  # 6 erlang
        for number in range(1000, 1300):
            house.hear(events.Joined("norsk", number, house.now_s, b""))
        house.later(20)
        house.hear(events.Joined("norsk", 5000, house.now_s, b""))
        assert house.said("norsk")["desks_needed"] > needed + 5

    on_a_loop(check)


def test_the_first_minutes_are_as_long_as_they_were(on_a_loop: Callable[..., None]) -> None:
    """The source came back at the end of a minute: that minute has not been seen."""

    def check(house: House) -> None:
        figures = house.gateway.floor.queues["norsk"].figures
        house.hear(events.Away("gone"))
        house.now_s = START_S // 60 * 60 + 59.0
        house.hear(events.Back())
        began_s = house.now_s
        for number in range(30):
            house.later(10)
            house.hear(events.Joined("norsk", number, house.now_s, b""))
            house.hear(events.Answered("norsk", number, house.now_s, "SIP/1"))
            house.hear(events.Completed("norsk", number, house.now_s, 60.0))
        recent = figures.recent(house.now_s)
        assert recent and recent[0] == pytest.approx(30 / (house.now_s - began_s))

    on_a_loop(check)


def test_a_year_of_quarters_is_sent_in_pieces(on_a_loop: Callable[..., None], tmp_path: Path) -> None:
    """A line at a time would be a thread's turn each, 35,000 a queue and year."""

    def check(house: House) -> None:
        store = house.gateway.book.store
        assert store
        batch = Batch(at_s=1_800_000_000.0)
        for number in range(4 * 24 * 30):
            batch.counts["norsk", 1_790_000_100 + number * 900] = {"joined": number}
        store.commit(batch)
        pieces = list(house.gateway.history(by="quarter"))
        assert house.gateway.plan.history.path
        assert "".join(pieces) == "".join(export.rows(house.gateway.plan.history.path, house.gateway.plan))
        assert len(pieces) < 50 and max(map(len, pieces)) < 200_000

    on_a_loop(check)
