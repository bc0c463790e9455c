"""Messages on walls: which one shows when, how it is set, who may send it, and that it ends by itself."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

import floorplan
from firmware import contract, scene, scene_load, values
from firmware.panels import colours
from floorplan import CONDITION_FIGURES, SiteError
from gateway.book import Book
from gateway.days import Calendar
from gateway.floor import Floor
from gateway.messages import (
    KINDS,
    LEASE_S,
    MINUTES_MOST,
    RENEW_S,
    STANDING_MOST,
    Messages,
    NotSent,
    warned,
    warnings,
)
from gateway.people.rights import Who
from gateway.store import Batch, KeptMessage, Store
from gateway.web import messages_http
from tests.house import DIRECT, Ear, House
from wallboard import numbers
from wallboard.compile import compile
from wallboard.message import AIM_BYTES, BYTES_MOST, TOPIC, Composed, MessageTooLong, compose
from wallboard.picture import read_ppm
from wallboard.type import strip_of

OSLO = ZoneInfo("Europe/Oslo")
SIZES = [(32, 8), (64, 16), (64, 32), (96, 16), (128, 32), (128, 64), (64, 64), (192, 32), (256, 64)]
WITH_BANDS = [(64, 64), (128, 64), (256, 64), (192, 96), (256, 160)]


def oslo(text: str, fold: int = 0) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=OSLO, fold=fold).timestamp()


def site(*messages: dict[str, Any], walls: list[dict[str, Any]] | None = None, **of_site: Any) -> floorplan.Plan:
    tables = {
        "site": {"id": "skien", "time_zone": "Europe/Oslo", "hours": ["mon-fri 08:00-20:00"], **of_site},
        "queue": [{"id": "polski", "name": "Polski", "pbx": "pl"}],
        "board": [{"id": "b"}],
        "wall": [
            {"id": "north", "board": "b", "panel": {"kind": "memory"}, "pages": [{"queue": "polski"}], **wall}
            for wall in walls or [{}]
        ],
        "message": messages,
    }
    return floorplan.check(tables, "test", Path("/nowhere"))


class Told:
    """The messages of a site, its clocks and its figures being in our hands."""

    def __init__(self, plan: floorplan.Plan, at: str = "2026-11-20T12:05") -> None:
        self.plan = plan
        self.now_s, self.wall_s = 5000.0, oslo(at)
        self.known = True
        self.figures: dict[tuple[str, str], int | None] = {}
        bands = {wall.id: compile(wall, plan).band for wall in plan.wall}
        self.messages = Messages(
            plan, bands, lambda *name: self.figures.get(name), lambda: self.now_s,
            lambda: self.wall_s if self.known else None,
        )  # fmt: skip
        self.changes = 0
        self.composed()

    def composed(self) -> None:
        """All texts that can be shown now are composed, as a thread of the gateway does it meanwhile."""
        asyncio.run(self.messages.compose_all())

    def later(self, seconds: float, step_s: float = 0.5) -> None:
        """Time goes by, looked at as the gateway does."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            step = min(step_s, end_s - self.now_s)
            self.now_s += step
            self.wall_s += step
            self.look()

    def look(self) -> None:
        self.changes += len(self.messages.due())

    def text(self, wall: str = "north") -> str | None:
        self.look()
        self.composed()
        self.look()
        showing = self.messages.showing[wall]
        return showing.text if showing else None

    def left_s(self, wall: str = "north") -> float:
        fields = self.messages.fields(wall, "00000000")
        assert fields
        return float(fields["until_s"]) - self.now_s


# ---- which one ----


def test_the_highest_kind_shows_and_when_it_ends_the_next() -> None:
    told = Told(site(
        {"kind": "default", "text": "Welcome"},
        {"kind": "condition", "when": "polski.waiting >= 10", "for_s": 0, "hold_s": 0, "text": "All hands"},
        {"kind": "scheduled", "at": ["fri 12:00-13:00"], "text": "Lunch"},
        {"kind": "business-hour", "when": "open", "text": "Open"},
    ))  # fmt: skip
    told.figures["polski", "waiting"] = 10
    assert told.text() == "Open"
    told.messages.send("Fire drill", ["north"], 500)
    assert told.text() == "Fire drill"
    told.later(500 * 60, step_s=20)  # 20:25: closed, lunch is over
    assert told.text() == "All hands"
    told.figures["polski", "waiting"] = 9
    assert told.text() == "Welcome"


def test_without_a_message_there_is_none() -> None:
    told = Told(site())
    assert told.text() is None
    assert told.messages.fields("north", "00000000") is None
    assert told.messages.now("north") is None


def test_of_one_kind_the_newest_shows_and_taken_back_the_one_before() -> None:
    told = Told(site())
    first = told.messages.send("First", [], 60)
    told.later(2)
    second = told.messages.send("Second", [], 10)
    assert told.text() == "Second"
    told.messages.take_back(second.id)
    assert told.text() == "First"
    assert told.messages.take_back(first.id) and not told.messages.take_back(first.id)
    assert told.text() is None


def test_of_two_windows_the_one_that_began_last_shows_after_a_restart_too() -> None:
    plan = site(
        {"kind": "scheduled", "at": ["fri 12:30-12:45"], "text": "Short"},
        {"kind": "scheduled", "at": ["fri 12:00-14:00"], "text": "Long"},
    )
    told = Told(plan, "2026-11-20T12:05")
    assert told.text() == "Long"
    told.later(30 * 60, step_s=20)
    assert told.text() == "Short"
    assert Told(plan, "2026-11-20T12:40").text() == "Short"
    told.later(15 * 60, step_s=20)
    assert told.text() == "Long"


def test_days_and_open_hours_begin_at_the_same_moment_however_often_the_gateway_is_started() -> None:
    """Of each two the one that began last shows, whichever stands last in the file, and long after they began."""
    days = {"kind": "scheduled", "to_day": dt.date(2026, 12, 30)}
    late, early, ever = (
        {**days, "from_day": dt.date(2026, 11, 22), "text": "From the 22nd"},
        {**days, "from_day": dt.date(2026, 11, 10), "text": "From the 10th"},
        {**days, "text": "Ever"},
    )
    closed = {"kind": "scheduled", "at": ["thu 12:00-20:00", "fri-wed 00:00-24:00"], "text": "But thursdays"}
    for rows, at, shows in (
        ((late, early), "2026-11-29T12:00", "From the 22nd"),
        ((early, ever), "2026-11-29T12:00", "From the 10th"),
        ((early, closed), "2026-11-18T12:00", "But thursdays"),  # since friday, five days ago
        ((closed, late), "2026-11-26T11:00", "From the 22nd"),  # thursday: not yet
        ((late, {**closed, "from_day": dt.date(2026, 11, 24)}), "2026-11-25T12:00", "But thursdays"),
    ):
        told = Told(site(*rows), "2026-11-09T12:00")
        told.later(oslo(at) - told.wall_s, step_s=900)
        assert told.text() == Told(site(*rows), at).text() == shows, (rows, at)


def test_a_message_is_for_its_walls() -> None:
    told = Told(site({"kind": "default", "text": "South", "walls": ["south"]}, walls=[{}, {"id": "south"}]))
    assert told.text("north") is None
    assert told.text("south") == "South"
    told.messages.send("North", ["north"], 15)
    assert (told.text("north"), told.text("south")) == ("North", "South")
    told.messages.send("Both", [], 15)
    assert (told.text("north"), told.text("south")) == ("Both", "Both")


def test_a_message_that_a_wall_has_no_room_for_leaves_it_the_next_one() -> None:
    small = {"id": "south", "panel": {"kind": "memory", "size": [32, 8]}}
    plan = site({"kind": "default", "text": "Hi"}, walls=[{}, small])
    told = Told(plan)
    long = "W" * 200
    with pytest.raises(MessageTooLong):
        compose(long * 3, (32, 8), None, True)
    told.messages.send(long, [], 15)
    assert told.text("south") == long, "200 of the widest letters still pass"


# ---- by the clock ----


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-11-20T07:59:59", False), ("2026-11-20T08:00", True), ("2026-11-20T19:59:59", True),
        ("2026-11-20T20:00", False), ("2026-11-21T12:00", False),
        ("2026-03-30T07:59:59", False), ("2026-03-30T08:00", True),  # the day after summer time began
    ],
)  # fmt: skip
def test_business_hours_are_those_of_the_site_in_its_zone(at: str, open_: bool) -> None:
    plan = site(
        {"kind": "business-hour", "when": "open", "text": "Open"},
        {"kind": "business-hour", "when": "closed", "text": "Closed"},
    )
    assert Told(plan, at).text() == ("Open" if open_ else "Closed")


def test_a_window_ends_on_the_wall_when_it_ends_on_the_clock() -> None:
    told = Told(site({"kind": "scheduled", "at": ["fri 12:00-12:15"], "text": "Lunch"}), "2026-11-20T12:11:30")
    assert told.text() == "Lunch"
    assert told.left_s() == 210
    told.later(209)
    assert told.text() == "Lunch"
    told.later(1)
    assert told.text() is None


def test_an_hour_that_is_there_twice_shows_its_message_twice_as_long() -> None:
    """02:00-03:00 on the night summer time ends is two hours."""
    plan = site({"kind": "scheduled", "at": ["sun 02:00-03:00"], "text": "Night"})
    assert Told(plan, "2026-10-25T01:59:59").text() is None
    told = Told(plan, "2026-10-25T02:00")
    told.later(2 * 3600 - 1, step_s=30)
    assert told.text() == "Night"
    told.later(1)
    assert told.text() is None


def test_days_are_whole_from_midnight_to_midnight() -> None:
    days = {"from_day": dt.date(2026, 12, 24), "to_day": dt.date(2026, 12, 26)}
    plan = site({"kind": "scheduled", "text": "Closed for Christmas", **days}, hours=[], day_begins="04:00")
    for at, shows in (("2026-12-23T23:59:59", False), ("2026-12-24T00:00", True), ("2026-12-26T23:59:59", True),
                      ("2026-12-27T00:00", False)):  # fmt: skip
        assert (Told(plan, at).text() is not None) == shows, at
    within = site({"kind": "scheduled", "text": "Short day", "at": ["mon-sun 12:00-13:00"], **days})
    assert Told(within, "2026-12-25T11:59:59").text() is None
    assert Told(within, "2026-12-25T12:00").text() == "Short day"
    assert Told(within, "2026-12-27T12:00").text() is None


def test_who_does_not_know_the_time_shows_nothing_by_the_clock() -> None:
    told = Told(site(
        {"kind": "business-hour", "when": "open", "text": "Open"}, {"kind": "default", "text": "Welcome"}
    ))  # fmt: skip
    told.known = False
    assert told.text() == "Welcome"
    told.known = True
    assert told.text() == "Open"


# ---- by a figure ----


def condition(**more: Any) -> Told:
    return Told(site({"kind": "condition", "when": "polski.waiting >= 10", "text": "All hands", **more}))


def test_a_condition_holds_for_a_while_before_its_message_comes_and_goes() -> None:
    told = condition(for_s=5, hold_s=20)
    told.figures["polski", "waiting"] = 12
    told.look()
    told.later(4.5)
    assert told.text() is None
    told.later(0.5)
    assert told.text() == "All hands"
    told.figures["polski", "waiting"] = 3
    told.look()
    told.later(19.5)
    assert told.text() == "All hands"
    told.later(0.5)
    assert told.text() is None


def test_a_figure_that_flickers_brings_no_message_and_takes_none_away() -> None:
    told = condition(for_s=5, hold_s=20)
    for n in range(60):
        told.figures["polski", "waiting"] = 10 if n % 2 else 9
        told.later(3)
        assert told.text() is None
    told.figures["polski", "waiting"] = 10
    told.later(6)
    before = told.changes
    for n in range(20):
        told.figures["polski", "waiting"] = 9 if n % 4 else 10
        told.later(3)
        assert told.text() == "All hands"
    assert told.changes == before


def test_an_unknown_figure_holds_nothing() -> None:
    told = condition(for_s=0, hold_s=10)
    told.figures["polski", "waiting"] = 12
    assert told.text() == "All hands"
    told.figures["polski", "waiting"] = None
    told.look()
    told.later(10)
    assert told.text() is None


@pytest.mark.parametrize(
    ("sign", "below", "same", "above"),
    [(">=", 0, 1, 1), ("<=", 1, 1, 0), (">", 0, 0, 1), ("<", 1, 0, 0), ("=", 0, 1, 0)],
)
def test_each_comparison_is_what_it_says(sign: str, below: int, same: int, above: int) -> None:
    for number, holds in ((9, below), (10, same), (11, above)):
        told = condition(when=f"polski.free {sign} 10", for_s=0)
        told.figures["polski", "free"] = number
        assert (told.text() is not None) == bool(holds), number


def test_conditions_go_by_the_numbers_that_walls_draw() -> None:
    assert CONDITION_FIGURES == numbers.PER_QUEUE


# ---- how long ----


def test_what_has_no_end_is_told_for_a_while_and_told_again_while_it_holds() -> None:
    told = Told(site({"kind": "default", "text": "Welcome"}))
    assert told.text() == "Welcome"
    identity = told.messages.now("north")
    for _ in range(40):
        told.later(100, step_s=5)
        assert RENEW_S - 6 < told.left_s() <= LEASE_S <= 3600
        assert told.messages.now("north") == identity, "the wall goes on where it was"
    assert told.changes < 1 + 4000 / (LEASE_S - RENEW_S) + 1


def test_a_supervisors_message_ends_after_its_minutes() -> None:
    told = Told(site())
    told.messages.send("Meeting", [], 15)
    assert told.text() == "Meeting"
    assert told.left_s() == 15 * 60
    told.later(15 * 60 - 1, step_s=5)
    assert told.text() == "Meeting"
    told.later(1)
    assert told.text() is None
    assert told.messages.standing() == []


def test_what_cannot_be_sent_says_why() -> None:
    told = Told(site())
    for text, walls, minutes, kind in (
        ("", [], 15, "text"), (" \n ", [], 15, "text"), ("x" * 201, [], 15, "long"), ("a\x07b", [], 15, "text"),
        ("a\ud800b", [], 15, "text"), ("Hi", ["nort"], 15, "wall"), ("Hi", [], 0, "minutes"),
        ("Hi", [], MINUTES_MOST + 1, "minutes"),
    ):  # fmt: skip
        with pytest.raises(NotSent) as no:
            told.messages.send(text, walls, minutes)
        assert no.value.kind == kind, (text, str(no.value))
    with pytest.raises(NotSent, match="did you mean 'north'"):
        told.messages.send("Hi", ["nort"], 15)
    for n in range(STANDING_MOST):
        told.messages.send(f"Message {n}", [], 15)
    with pytest.raises(NotSent) as full:
        told.messages.send("One more", [], 15)
    assert full.value.kind == "many"


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\ufeff", "\u00ad", "\u2063 \u200d"])
def test_a_text_of_which_nothing_would_shine_is_not_sent_and_its_author_is_told(sign: str) -> None:
    for messages in ("page", "band"):
        wall = {"panel": {"kind": "memory", "size": [128, 64]}, "messages": messages}
        told = Told(site({"kind": "default", "text": sign}, walls=[wall]))
        with pytest.raises(NotSent, match="nothing of the text can be seen") as no:
            told.messages.send(sign, [], 15)
        assert no.value.kind == "text"
        assert told.text() is None
        said = warnings(told.plan, {"north": compile(told.plan.wall[0], told.plan).band})
        assert said == ["[[message]] 1: nothing of the text can be seen: write it anew, in letters (wall north)"]
    assert told.messages.send(f"{sign}.{sign}", [], 15), "one dot can be seen"


# ---- languages and the site file ----


def test_a_walls_languages_choose_the_texts_and_order_them() -> None:
    texts = {"nb": "Stengt", "ar": "مغلق", "pl": "Zamknięte"}
    walls: list[dict[str, Any]] = [
        {"languages": ["pl", "nb"]}, {"id": "arabic", "languages": ["ar", "sv"]},
        {"id": "swedish", "languages": ["sv"]}, {"id": "plain"},
    ]  # fmt: skip
    told = Told(site({"kind": "default", "texts": texts, "text": "Closed"}, walls=walls))
    assert told.text("north") == "Zamknięte · Stengt"
    assert told.text("arabic") == "مغلق"
    assert told.text("swedish") == told.text("plain") == "Closed"
    assert Told(site({"kind": "default", "texts": texts})).text() == "Stengt · مغلق · Zamknięte"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"kind": "default"}, "a message has text ="),
        ({"kind": "default", "text": ""}, "a message is not empty"),
        ({"kind": "default", "text": "x" * 201}, "at most 200 letters; this has 201"),
        ({"kind": "default", "text": "x", "when": "open"}, 'when is for a message of kind "business-hour"'),
        ({"kind": "default", "text": "x", "walls": ["nroth"]}, "no such [[wall]]; did you mean 'north'?"),
        ({"kind": "business-hour", "text": "x"}, 'has when = "open" or when = "closed"'),
        ({"kind": "scheduled", "text": "x"}, 'has at = ["mon-fri 08:00-09:00"]'),
        ({"kind": "scheduled", "text": "x", "at": ["friday"]}, "times of the week are written as"),
        ({"kind": "scheduled", "text": "x", "from_day": "soon"}, "from_day: is a day: 2026-12-24"),
        ({"kind": "scheduled", "text": "x", "from_day": "2026-12-24", "to_day": "2026-12-23"}, "to_day is before"),
        ({"kind": "condition", "text": "x", "when": "polski.waiting is 10"}, "polski.waiting >= 10"),
        ({"kind": "condition", "text": "x", "when": "polsk.waiting > 9"}, "did you mean 'polski'?"),
        ({"kind": "condition", "text": "x", "when": "polski.waiting > 9", "at": ["fri 12:00-13:00"]}, "at is for"),
        ({"kind": "sheduled", "text": "x"}, "did you mean 'scheduled'?"),
    ],
)  # fmt: skip
def test_a_wrong_message_in_the_site_file_is_said_with_what_to_write(message: dict[str, Any], words: str) -> None:
    with pytest.raises(SiteError) as wrong:
        site(message)
    assert words in str(wrong.value)


def test_the_example_in_the_docs_is_a_site_file() -> None:
    page = (Path(floorplan.__file__).parent / "docs" / "messages.md").read_text(encoding="utf-8")
    plan = site(*tomllib.loads(page.split("```toml\n")[1].split("```")[0])["message"])
    assert {message.kind for message in plan.message} | {"priority"} == set(KINDS)
    assert all(f"`{kind}`" in page for kind in KINDS)


def test_business_hours_need_hours() -> None:
    with pytest.raises(SiteError, match=r"\[site\] hours = "):
        site({"kind": "business-hour", "when": "closed", "text": "x"}, hours=[])


def test_what_its_author_should_know_is_said_with_the_walls() -> None:
    walls: list[dict[str, Any]] = [{}, {"id": "south", "panel": {"kind": "memory", "size": [128, 64]}}]
    plan = site({"kind": "default", "text": "\U00013000"}, {"kind": "default", "text": "word " * 39}, walls=walls)
    said = warnings(plan, {})
    assert "[[message]] 1: no letter for \U00013000: shown as a box (wall north, south)" in said
    assert any("[[message]] 2: it takes" in line and "shorten it" in line for line in said)


# ---- how it is set ----

WORDS = st.lists(
    st.sampled_from([
        "Møte", "kl. 14:00", "Zebranie", "Ședință", "susirinkimas", "Совещание", "اجتماع", "الساعة", "14", "W" * 30,
    ]),
    min_size=1, max_size=12,
).map(" ".join).filter(lambda text: len(text) <= 200)  # fmt: skip


def loaded(composed: Composed, size: tuple[int, int]) -> scene.Message:
    return scene_load.load_message(composed.fields("00000000", 0), *size, 0)


PLACES = st.tuples(st.sampled_from(SIZES), st.just("page")) | st.tuples(st.sampled_from(WITH_BANDS), st.just("band"))


@settings(max_examples=60, deadline=None)
@given(text=WORDS, place=PLACES, priority=st.booleans())
def test_any_text_fits_a_board_and_stays_in_its_place(
    text: str, place: tuple[tuple[int, int], str], priority: bool
) -> None:
    """Whatever is written: a board can load it, no light of a band's lies outside it, and none is cut off."""
    size, messages = place
    w, h = size
    wall = {"panel": {"kind": "memory", "size": list(size)}, "messages": messages}
    plan = site(walls=[wall])
    compiled = compile(plan.wall[0], plan)
    assert bool(compiled.band) == (messages == "band")
    composed = compose(text, size, compiled.band, priority)
    bytes_ = len(contract.encode(TOPIC, composed.fields("00000000", 1)))
    assert bytes_ <= AIM_BYTES or (bytes_ <= BYTES_MOST and max(row[1] for row in composed.strips) <= 9)
    assert composed.place == ("band" if compiled.band else "priority" if priority else "page")
    message = loaded(composed, size)
    top, rows = compiled.band or (0, h)
    for op in message.ops:
        assert top <= op.y and op.y + op.h <= top + rows
        if isinstance(op, scene.Label):
            assert op.x >= 0 and op.x + op.w <= w
    if compiled.band:
        shown = scene_load.load(dict(compiled.message), w, h)
        nobody = values.Numbers(shown.of, 100, [12] * 512, [2] * 512)
        without, with_ = scene.Picture(w, h), scene.Picture(w, h)
        for tick_ms in range(0, 9000, 1300):
            scene.draw(without, shown, nobody, 100_000, tick_ms, None)
            scene.draw(with_, shown, nobody, 100_000, tick_ms, None, message)
            for y in range(h):
                if not top <= y < top + rows:
                    assert with_.row(y) == without.row(y), f"row {y} of {size}: a message lies over a figure"


def words_of(composed: Composed, words: list[str]) -> list[str]:
    """The words that strips show in their order, found by setting them anew; ends where one shows something else."""
    found = 0
    for strip in composed.strips:
        lines = ((n, height) for n in range(len(words), found, -1) for height in range(7, 64))
        said = (n for n, height in lines if travels(" ".join(words[found:n]), height) == strip)
        found = next(said, found)
    return words[:found]


@cache
def travels(text: str, height: int) -> tuple[int, int, str]:
    strip = strip_of(text, height)
    return strip.w, strip.h, base64.b64encode(strip.bits).decode()


@pytest.mark.parametrize("size", SIZES)
def test_every_word_is_there_standing_or_in_one_line_that_moves(size: tuple[int, int]) -> None:
    for text in ("Closed", "Fire drill at 14:00", "one two three four five six seven", "اجتماع الفريق الساعة"):
        composed = compose(text, size, None, False)
        assert not composed.missing
        assert words_of(composed, text.split()) == text.split()
        movers = [op for op in composed.ops if op[0] == "m"]
        assert bool(movers) == (composed.passes_s is not None)
        for _, _, _, _, px_s in movers:
            assert len(composed.strips) == 1
            assert (px_s < 0) == ("ا" in text), "Arabic runs to the right"


def test_large_letters_are_chosen_before_small_ones_and_standing_before_moving() -> None:
    texts = ("Stop", "Stop the line now", "a b c d e " * 14)
    heights = [compose(text, (128, 64), None, False).strips[0][1] for text in texts]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1]
    assert compose("Fire drill at 14:00", (128, 64), None, False).passes_s is None
    assert compose("a much longer message that small walls have no room for", (64, 16), None, False).passes_s


def test_a_priority_message_has_a_shape_of_its_own() -> None:
    plain, urgent = (compose("Fire drill", (128, 64), None, priority) for priority in (False, True))
    assert urgent.place == "priority" and plain.place == "page"
    assert [op for op in urgent.ops if op[0] == "f" and op[-1] == scene.AMBER]
    assert not [op for op in plain.ops if op[0] == "f"]


def test_a_letter_nobody_has_and_a_text_that_takes_long_are_told() -> None:
    assert [row.kind for row in warned(compose("\U00013000 hi", (64, 32), None, True))] == ["missing"]
    assert "slow" in [row.kind for row in warned(compose("word " * 39, (64, 32), None, True))]
    assert warned(compose("Fire drill", (64, 32), None, True)) == []


# ---- on the event loop ----


class Composing:
    """Who composes: real compose, every call of it noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[str] = []
        self.threads: set[int] = set()
        self.at_once = self.most_at_once = 0
        monkeypatch.setattr("gateway.messages.compose", self)

    def __call__(self, text: str, *rest: Any) -> Composed:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.texts.append(text)
        self.threads.add(threading.get_ident())
        try:
            return compose(text, *rest)
        finally:
            self.at_once -= 1


async def until(told: Told, check: Callable[[], bool]) -> None:
    """Looks as the gateway does, until something is so."""
    async with asyncio.timeout(30):
        while not check():
            told.look()
            await asyncio.sleep(0.01)


def test_a_text_is_composed_once_in_one_thread_and_never_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart, when one is taken back, when one ends: nothing is composed then, not even what all forgot."""
    walls: list[dict[str, Any]] = [
        {"id": f"w{n}", "panel": {"kind": "memory", "size": list(size)}} for n, size in enumerate(SIZES)
    ]
    rows = [
        {"kind": "condition", "when": "polski.waiting >= 10", "for_s": 0, "hold_s": 0, "text": f"All {n}"}
        for n in range(4)
    ]
    told = Told(site({"kind": "default", "text": "Welcome"}, *rows, walls=walls))
    told.messages = Messages(
        told.plan, {}, lambda *name: told.figures.get(name), lambda: told.now_s, lambda: told.wall_s, told.look
    )
    composing = Composing(monkeypatch)
    kept = [KeptMessage(f"0a0b0c0{n}", f"Kept {n}", (), told.wall_s - 60, told.wall_s + 600) for n in range(2)]
    told.messages.remember(kept)

    def shows() -> set[str | None]:
        return {showing.text if showing else None for showing in told.messages.showing.values()}

    async def main() -> None:
        compose.cache_clear()
        told.look()
        assert shows() == {None}, "not before it is composed"
        running = asyncio.create_task(told.messages.run())
        await until(told, lambda: shows() == {"Kept 1"} and len(composing.texts) == len(SIZES) * 7)
        compose.cache_clear()
        for id, then in (("0a0b0c01", "Kept 0"), ("0a0b0c00", "Welcome")):
            told.messages.take_back(id)
            assert shows() == {then}
        for n in range(6):
            told.figures["polski", "waiting"] = 12 * (n % 2)
            told.look()
            assert shows() == {"Welcome" if n % 2 == 0 else "All 3"}
        running.cancel()

    asyncio.run(main())
    assert len(composing.texts) == len(SIZES) * 7 and composing.most_at_once == 1
    assert threading.get_ident() not in composing.threads


class Asked:
    """The addresses of messages, asked on an event loop without a network."""

    def __init__(self, told: Told, kept: Callable[[], Awaitable[bool]] | None = None) -> None:
        scenes = {wall.id: compile(wall, told.plan).message for wall in told.plan.wall}

        async def at_once() -> bool:
            return True

        self.who: Who | None = None
        self.app = FastAPI()
        router = messages_http.routes(told.messages, lambda: (scenes, None, told.now_s), kept or at_once)
        self.app.include_router(router)

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers}
        scope |= {"query_string": b"", "state": {"who": self.who}}
        parts: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(part: Any) -> None:
            parts.append(part)

        await self.app(scope, receive, send)
        text = b"".join(part.get("body", b"") for part in parts[1:])
        return parts[0]["status"], json.loads(text) if text else None


def test_looking_and_sending_are_drawn_one_after_the_other_and_only_so_many_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(site())
    composing = Composing(monkeypatch)

    async def main() -> list[int]:
        asked = Asked(told)
        looks = [asked("POST", "/api/messages/preview", {"text": f"Look {n}"}) for n in range(8)]
        sends = [asked("POST", "/api/messages", {"text": f"Send {n}", "minutes": 5}) for n in range(4)]
        return [status for status, _ in await asyncio.gather(*looks, *sends)]

    statuses = asyncio.run(main())
    assert statuses == [200] * 2 + [429] * 6 + [201] * 4, "of one who looks two, and that stops no sending"
    assert composing.most_at_once == 1 and threading.get_ident() not in composing.threads


def test_who_looks_at_messages_without_end_stops_nobody_else() -> None:
    told = Told(site())

    async def main() -> None:
        asked = Asked(told)
        asked.who = Who("person", "busy", "supervisor")
        answers = [(await asked("POST", "/api/messages/preview", {"text": ""}))[0] for _ in range(40)]
        assert 429 in answers
        good = {"text": "Fire drill", "minutes": 5}
        assert (await asked("POST", "/api/messages", good))[0] == 201, "looking takes nothing of sending"
        asked.who = Who("person", "lead", "supervisor")
        assert (await asked("POST", "/api/messages/preview", {"text": "Fire drill"}))[0] == 200
        assert (await asked("POST", "/api/messages", good))[0] == 201

    asyncio.run(main())


def test_whatever_others_ask_for_a_message_can_be_taken_back() -> None:
    told = Told(site())
    sent = told.messages.send("Wrong", [], 15)

    async def main() -> None:
        asked = Asked(told)
        answers = {(await asked("POST", "/api/messages/preview", {"text": ""}))[0] for _ in range(40)}
        assert answers == {422, 429}
        for _ in range(40):
            assert (await asked("DELETE", "/api/messages/0a0b0c0d"))[0] == 404
        assert (await asked("DELETE", f"/api/messages/{sent.id}")) == (204, None)

    asyncio.run(main())


def test_an_unseen_text_is_refused_in_words_when_looked_at_and_when_sent() -> None:
    told_of = Told(site())

    async def main() -> None:
        asked = Asked(told_of)
        for path, more in (("/api/messages/preview", {}), ("/api/messages", {"minutes": 5})):
            status, told = await asked("POST", path, {"text": "\u202e", **more})
            assert (status, told["kind"]) == (422, "text") and "letters" in told["words"]

    asyncio.run(main())


# ---- kept over a restart ----


class Keep:
    quarters_days = days_days = 400


def test_what_supervisors_send_is_kept_and_nothing_of_who_sent_it(tmp_path: Path) -> None:
    plan = site()
    plan = plan.model_copy(update={"history": floorplan.History(path=tmp_path / "kept.db")})

    def started(told: Told) -> Book:
        book = Book(plan, Floor(plan, told.now_s, keep=True), lambda: told.now_s, lambda: told.wall_s)
        told.messages.remember(book.kept_messages())
        book.messages = told.messages.take_changes
        return book

    first = Told(plan)
    book = started(first)
    first.messages.send("Meeting", ["north"], 15)
    gone = first.messages.send("Wrong", [], 30)
    first.messages.take_back(gone.id)
    first.messages.send("Soon over", [], 2)
    asyncio.run(book.commit())
    asyncio.run(book.close())

    then = Told(plan)
    then.now_s, then.wall_s = 90_000.0, first.wall_s + 300  # another machine's clock; five minutes later
    then.known = False
    book = started(then)
    assert then.text() is None, "nobody knows yet how long ago that was"
    then.known = True
    assert then.text() == "Meeting"
    assert then.left_s() == 600
    assert [sent.text for sent in then.messages.standing()] == ["Meeting"]
    then.later(600, step_s=5)
    assert then.text() is None
    asyncio.run(book.commit())
    assert book.store and book.store.messages() == [], "what is over is not kept"
    asyncio.run(book.close())


def test_a_file_that_can_be_read_only_later_gives_its_messages_back_and_loses_none(tmp_path: Path) -> None:
    plan = site()
    path, file = tmp_path / "kept.db", tmp_path / "real.db"
    plan = plan.model_copy(update={"history": floorplan.History(path=path)})
    told = Told(plan)
    store = Store(file, Calendar("Europe/Oslo"), plan.history)
    store.commit(Batch(messages=[KeptMessage("0a0b0c0d", "Fire drill", (), told.wall_s - 60, told.wall_s + 600)]))
    store.close()
    path.write_text("a shopping list")
    book = Book(plan, Floor(plan, told.now_s, keep=True), lambda: told.now_s, lambda: told.wall_s)
    told.messages.remember(book.kept_messages())
    book.messages, book.found_messages = told.messages.take_changes, told.messages.remember
    assert book.state.state == "failed"
    told.messages.send("Meeting", [], 15)
    asyncio.run(book.commit())
    assert told.text() == "Meeting"

    file.replace(path)
    for _ in range(3):  # opened; held against the clock; kept
        asyncio.run(book.commit())
    assert book.state.state == "kept" and book.store
    assert [row.text for row in book.store.messages()] == ["Fire drill"], "nothing of it is lost before it is read"
    told.look()
    assert [sent.text for sent in told.messages.standing()] == ["Fire drill", "Meeting"]
    asyncio.run(book.commit())
    assert [row.text for row in book.store.messages()] == ["Fire drill", "Meeting"]
    asyncio.run(book.close())


def test_what_was_answered_is_in_the_file_and_where_it_cannot_be_the_answer_says_so(tmp_path: Path) -> None:
    """Whenever the power goes, a message sent stands again then, and one taken back does not."""
    plan = site()
    plan = plan.model_copy(update={"history": floorplan.History(path=tmp_path / "kept.db")})
    told = Told(plan)
    book = Book(plan, Floor(plan, told.now_s, keep=True), lambda: told.now_s, lambda: told.wall_s)
    book.messages = told.messages.take_changes
    asked = Asked(told, book.kept)

    async def main() -> None:
        running = asyncio.create_task(book.run())
        store = book.store
        assert store
        _, first = await asked("POST", "/api/messages", {"text": "Wrong", "minutes": 5})
        assert first["kept"] and [row.text for row in store.messages()] == ["Wrong"]
        told.later(1)
        _, then = await asked("POST", "/api/messages", {"text": "Right", "minutes": 5})
        assert then["kept"] and [row.text for row in store.messages()] == ["Wrong", "Right"]
        assert await asked("DELETE", f"/api/messages/{first['id']}") == (204, None)
        assert [row.text for row in store.messages()] == ["Right"]

        store._db.execute("PRAGMA query_only = 1")  # what a disk remounted read-only does
        status, unkept = await asked("POST", "/api/messages", {"text": "Unkept", "minutes": 5})
        assert (status, unkept["text"], unkept["kept"]) == (201, "Unkept", False)
        book.stir()
        running.cancel()
        failing = asyncio.create_task(book.run())  # a gateway tries again in five seconds only
        status, words = await asked("DELETE", f"/api/messages/{then['id']}")
        assert (status, words["kind"]) == (200, "unkept") and "bring it back" in words["words"]
        failing.cancel()
        assert [sent.text for sent in told.messages.standing()] == ["Unkept"]

    asyncio.run(main())
    asyncio.run(book.close())


def test_the_file_keeps_a_text_and_its_times_only(tmp_path: Path) -> None:
    calendar = Calendar("Europe/Oslo")
    store = Store(tmp_path / "kept.db", calendar, Keep())
    row = KeptMessage("0a0b0c0d", "Møte · اجتماع", ("north", "south"), 1000.0, 2000.0)
    store.commit(Batch(messages=[row]))
    store.commit(Batch())  # nothing new is no reason to forget
    assert store.messages() == [row]
    assert row._fields == ("id", "text", "walls", "from_s", "until_s")
    store.forget(3000.0)
    assert store.messages() == []
    store.close()


# ---- the whole house: real broker, gateway, walls on MicroPython ----


def ask(house: House, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    sent = {"Content-Type": "application/json", **house.login}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(house.web + path, data, sent, method=method)
    try:
        with DIRECT.open(request, timeout=20) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text) if text else None


def banded(tables: dict[str, Any]) -> None:
    north, south = tables["wall"]
    north["dwell_s"] = 2
    south["messages"] = "band"
    tables["message"] = [{"kind": "default", "text": "Hei", "walls": ["south"]}]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path, banded) as house:
        yield house


@pytest.fixture
def ear(house: House) -> Iterator[Ear]:
    ear = Ear(house.broker)
    yield ear
    ear.close()


def expected(house: House, ear: Ear, wall: str, composed: Composed | None) -> set[bytes]:
    """What a wall may show of its pages and a message, drawn here from what the broker has."""
    row = next(row for row in house.plan.wall if row.id == wall)
    w, h = row.panel.size
    shown = scene_load.load(ear.latest[f"board/{row.board}/panel/0/scene"], w, h)
    told = values.read(ear.latest["values"])
    message = loaded(composed, (w, h)) if composed else None
    picture = scene.Picture(w, h)
    pictures = set()
    for tick_ms in range(0, shown.dwell_ms * (len(shown.pages) + 2) * 2, 500):
        scene.draw(picture, shown, told, told.at_s * 1000, tick_ms, None, message)
        pictures.add(colours.rgb(bytes(picture.pixels)))
    return pictures


def lights(house: House, wall: str) -> bytes:
    picture = house.picture(wall)
    return read_ppm(picture).rgb if picture else b""


def test_a_message_shows_on_real_walls_beside_whole_figures_and_ends_with_the_gateway_killed(
    house: House, ear: Ear
) -> None:
    """One from before the restart with seconds to go, one that is sent, one of the site file."""
    path = house.plan.history.path
    assert path
    for board in house.plan.board:
        house.start_board(board.id)
    store = Store(path, Calendar(house.plan.site.time_zone), house.plan.history)
    begun_s = time.time()
    short = KeptMessage("0a0b0c0d", "Fire drill", (), begun_s - 60, begun_s + 20)
    store.commit(Batch(messages=[short], at_s=begun_s))
    store.close()
    house.start_gateway()
    house.wait("walls have figures", lambda: all(
        ear.latest.get(f"board/wall-{wall}/panel/0/shown", {}).get("fresh") for wall in ("north", "south")
    ))  # fmt: skip
    by_id = {}
    for wall in house.plan.wall:
        band = compile(wall, house.plan).band
        assert bool(band) == (wall.id == "south")
        by_id[wall.id] = {
            text: compose(text, wall.panel.size, band, priority)
            for text, priority in (("Fire drill", True), ("Stop", True), ("Hei", False))
        }

    def tells(wall: str) -> str | None:
        shown = ear.latest.get(f"board/wall-{wall}/panel/0/shown", {}).get("message")
        texts = [text for text, composed in by_id[wall].items() if composed.id == shown]
        return texts[0] if texts else shown

    house.wait("it is remembered", lambda: tells("north") == tells("south") == "Fire drill")
    house.wait("south: every figure and the message", lambda: lights(house, "south") in expected(
        house, ear, "south", by_id["south"]["Fire drill"]))  # fmt: skip
    own_page = expected(house, ear, "north", by_id["north"]["Fire drill"]) - expected(house, ear, "north", None)
    house.wait("north: a page of its own", lambda: lights(house, "north") in own_page)

    status, sent = ask(house, "POST", "/api/messages", {"text": "Stop", "walls": ["north"], "minutes": 1})
    assert (status, sent["text"], sent["walls"], sent["left_s"]) == (201, "Stop", ["north"], 60)
    house.wait("the newer one shows", lambda: (tells("north"), tells("south")) == ("Stop", "Fire drill"))
    status, standing = ask(house, "GET", "/api/messages")
    rows = [(row["text"], row["on"]) for row in standing["standing"]]
    assert rows == [("Fire drill", ["south"]), ("Stop", ["north"])]
    assert ask(house, "DELETE", f"/api/messages/{sent['id']}") == (204, None)
    house.wait("taken back, the one before", lambda: tells("north") == "Fire drill")

    house.kill("gateway")
    assert tells("north") == tells("south") == "Fire drill"
    house.wait("it ends by itself", lambda: tells("north") is None and tells("south") is None, 30)
    ended_s = time.time() - short.until_s
    assert -1.5 < ended_s < 3.5, f"it ended {ended_s:.1f} s after its time"


def patiently(house: House, *asked: Any, **headers: str) -> tuple[int, Any]:
    """The answer once one may ask again."""
    answers: list[tuple[int, Any]] = []

    def answered() -> bool:
        answers.append(ask(house, *asked, **headers))
        return answers[-1][0] != 429

    house.wait("they may ask", answered, 10)
    return answers[-1]


def test_what_is_posted_is_checked(house: House, ear: Ear) -> None:
    house.start_gateway()
    house.wait("the page is there", lambda: house.get("/api/messages")[0] == 200, 30)
    good = {"text": "Fire drill", "walls": ["north"], "minutes": 15}
    for change, kind in (
        ({"text": ""}, "text"), ({"text": 5}, "text"), ({"text": "x" * 300}, "long"), ({"text": "x" * 5000}, "long"),
        ({"walls": ["nort"]}, "wall"), ({"walls": "north"}, "wall"), ({"minutes": 0}, "minutes"),
        ({"minutes": 721}, "minutes"), ({"minutes": True}, "minutes"), ({"minutes": 1.5}, "minutes"),
        ({"who": "me"}, "body"),
    ):  # fmt: skip
        status, told = patiently(house, "POST", "/api/messages", good | change)
        assert (status, told["kind"]) == (422, kind), (change, told)
    status, told = patiently(house, "POST", "/api/messages", {"text": "x", "walls": []})
    assert (status, told["kind"]) == (422, "minutes"), "there is always an end"
    for body in (b"", b"[]", b'{"text": "\\ud800", "minutes": 5}', b"\xff"):
        assert patiently(house, "POST", "/api/messages", body)[0] == 422, body
    assert patiently(house, "POST", "/api/messages", b"x" * 40_000)[0] == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert patiently(house, "POST", "/api/messages", good, Content_Type=kind)[0] == 415
    assert patiently(house, "GET", "/api/messages")[1]["standing"] == []
    assert "Fire drill" not in json.dumps(list(ear.latest.values()))
    assert patiently(house, "DELETE", "/api/messages/0a0b0c0d")[0] == 404
    assert patiently(house, "POST", "/api/messages", good)[0] == 201

    status, preview = patiently(house, "POST", "/api/messages/preview", {"text": "\U00013000 hi", "walls": []})
    assert status == 200 and [look["walls"] for look in preview["looks"]] == [["north"], ["south"]]
    assert all(look["png"] and look["can"] and look["warnings"][0]["kind"] == "missing" for look in preview["looks"])
    assert [row["text"] for row in patiently(house, "GET", "/api/messages")[1]["standing"]] == ["Fire drill"]
    assert patiently(house, "POST", "/api/messages/preview", {"text": "hi"})[0] == 200
    assert 429 in {ask(house, "POST", "/api/messages/preview", {"text": "hi"})[0] for _ in range(60)}
