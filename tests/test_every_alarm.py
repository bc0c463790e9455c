"""Every kind of alarm, made to happen by hand in a real house, and seen in a real browser by somebody at the page."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from firmware import contract
from gateway.alarms.kinds import KINDS
from gateway.days import Calendar
from gateway.store import Batch, Store

from .house import Ear, House

AT_ONCE = {
    "long_wait_s": 0, "service_level_s": 0, "least_calls": 1, "queue_unknown_s": 0, "board_lost_s": 0,
    "source_away_s": 0, "broker_away_s": 0, "clock_unset_s": 0, "history_failed_s": 0, "hold_s": 0,
}  # fmt: skip
SOON = {
    "empty_desk_rings_s": 2, "available_but_docked_s": 10, "off_hook_no_call_s": 5, "lifted_nothing_at_pbx_s": 5,
    "call_nothing_lifted_s": 3, "board_lost_under_busy_desk_s": 2, "hold_s": 0,
}  # fmt: skip
# As simulator/example.toml wires row-a and row-b: of each desk the hook, the headset's contact, its cradle.
A1_DOCK, A2_DOCK, A3_HOOK, A4_HEADSET, B2_HOOK = "GP5", "GP9", "GP10", "GP16", "GP6"
DOWN = 0  # a pin drawn to ground says that it is so
A1, B1, B2 = "Local/1001@agents", "Local/1005@agents", "Local/1006@agents"


def alarming(tables: dict[str, Any]) -> None:
    tables["alarms"], tables["truth"] = AT_ONCE, SOON
    tables["queue"].append({"id": "nobody", "name": "Nobody's", "pbx": "nobody"})
    for queue in tables["queue"]:
        queue["target"] = {"within_s": 1, "share": 0.8}


@contextlib.contextmanager
def written_by_another(path: Path) -> Iterator[None]:
    """Another gateway writes in the file of totals."""
    lock = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def totals_of_tomorrow(house: House) -> Path:
    """A file of totals as one whose computer's clock is a day slow now."""
    path = house.plan.history.path
    assert path
    store = Store(path, Calendar("Europe/Oslo"), house.plan.history)
    store.commit(Batch(at_s=time.time() + 86_400))
    store.close()
    return path


def another_scene(house: House) -> None:
    """Somebody else tells the wall north what to show."""
    ear = Ear(house.broker)
    try:
        topic = "board/wall-north/panel/0/scene"
        house.wait("the gateway has told north", lambda: topic in ear.latest)
        house.wait("north shows it", lambda: house.now("wall/north").get("shown") == ear.latest[topic]["id"])
        other = {**ear.latest[topic], "id": "deadbeef", "dwell_ms": 9000}
        ear.say(topic, contract.encode("board/+/panel/+/scene", other), retain=True)
        house.wait("north shows another", lambda: house.now("wall/north").get("wrong") == "scene")
    finally:
        ear.close()


def call_at(house: House, queue: str, extension: str) -> None:
    """A caller who is answered there, after longer than is promised."""
    call = house.pbx.join(queue)
    house.wait("the caller waits too long", lambda: (house.now(f"queue/{queue}").get("oldest_wait_s") or 0) >= 2)
    assert house.pbx.ring(call, extension) and house.pbx.answer(call)


def stop_phone_system(house: House) -> None:
    asyncio.run_coroutine_threadsafe(house.pbx.pbx.close(), house.pbx._loop).result(5)


def of_kind(page: Page, kind: str) -> Locator:
    return page.locator(f"#alarms-open [data-kind={kind}]")


def sees(page: Page, kind: str, name: str, text: str | re.Pattern[str]) -> str:
    """Waits until the page tells of it, of whom, and what; the kind."""
    here = of_kind(page, kind)
    expect(here).to_have_attribute("data-level", KINDS[kind].level, timeout=15_000)
    expect(here).to_contain_text(name)
    expect(here).to_contain_text(text)
    return kind


def test_every_alarm_is_seen_and_the_page_lives_on_when_the_gateway_is_killed(browser: Browser, tmp_path: Path) -> None:
    seen = set()
    with House(tmp_path, alarming) as house, contextlib.ExitStack() as held:
        house.pbx.pbx._queues.pop("nobody")  # the site file has it, and the phone system does not
        held.enter_context(written_by_another(totals_of_tomorrow(house)))
        house.start_all()
        context = browser.new_context(viewport={"width": 1920, "height": 1080}, extra_http_headers=house.login)
        page = context.new_page()
        page.goto(house.web)
        seen.add(sees(page, "history-failed", "", "another gateway"))
        held.close()

        seen.add(sees(page, "queue-unknown", "Nobody's", "has no queue 'nobody'"))

        # What takes longest begins first.
        house.pin("row-a", A2_DOCK, DOWN)
        another_scene(house)
        house.pin("row-a", A3_HOOK, DOWN)
        house.pin("row-a", A4_HEADSET, DOWN)
        house.pin("row-a", A1_DOCK, DOWN)
        assert house.pbx.ring(house.pbx.join("norsk"), A1)
        seen.add(sees(page, "long-wait", "Norsk", "0:01 is the limit; 1 waiting"))
        call_at(house, "polski", B1)
        seen.add(sees(page, "service-level", "Polski", "0% in 1 s today, and 80% is the target; 1 calls"))
        seen.add(sees(page, "empty-desk-rings", "A1", "Nobody is there for this call"))
        seen.add(sees(page, "call-nothing-lifted", "B1", "nothing is lifted"))
        seen.add(sees(page, "off-hook-no-call", "A3", "there is no call at the phone system"))
        seen.add(sees(page, "lifted-nothing-at-pbx", "A4", "the phone system knows of no call"))
        seen.add(sees(page, "clock-unset", "", "but totals are kept until"))
        expect(of_kind(page, "history-failed")).to_have_count(0)
        seen.add(sees(page, "available-but-docked", "A2", "Pause the desk or log it out"))
        seen.add(sees(page, "wall-wrong", "North", "The wall shows another scene than it should"))

        house.pin("row-b", B2_HOOK, DOWN)
        call_at(house, "polski", B2)
        house.wait("b2 talks", lambda: house.now("desk/b2").get("status") == "talking")
        house.kill("row-b")
        seen.add(sees(page, "board-lost", "row-b", "cut off or without power"))
        sees(page, "board-lost", "row-b", "in a call there, unseen: 2")

        page.get_by_role("button", name=re.compile("^Acknowledge: row-b")).click()
        page.get_by_role("textbox").fill("a fuse, mended at noon")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#alarms-seen")).to_contain_text("a fuse, mended at noon")
        expect(of_kind(page, "board-lost")).to_have_count(0)

        stop_phone_system(house)
        seen.add(sees(page, "source-away", "", "The phone system is away"))
        house.broker.kill()
        seen.add(sees(page, "broker-away", "", "Look whether the broker runs"))
        assert seen == set(KINDS) - {"board-lost-under-busy-desk"}, "it is told with its board"

        house.kill("gateway")
        expect(page.locator("#old")).to_contain_text("The gateway does not answer")
        expect(page).to_have_title(re.compile("^OLD"))
        house.broker.start()
        house.start_gateway()
        expect(page.locator("body")).to_have_attribute("data-news", "live", timeout=15_000)
        sees(page, "source-away", "", "The phone system is away")
        expect(of_kind(page, "broker-away")).to_have_count(0)
        expect(page.locator("#alarms-seen-part")).to_be_hidden()  # they were in memory alone
        context.close()
