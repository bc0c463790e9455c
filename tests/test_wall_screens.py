"""What many browsers cost: an event is made once for all who hear it, and not at all for nobody."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.web import wall_page
from gateway.web.wall_page import Screens

from .test_scene import fields_of
from .test_wall_page import plan


async def next_of(stream: Any, count: int) -> list[bytes]:
    return [await asyncio.wait_for(anext(stream), 5) for _ in range(count)]


def test_an_event_is_made_once_for_all_and_not_at_all_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = [1000.0]
    monkeypatch.setattr(wall_page, "time", SimpleNamespace(monotonic=lambda: clock_s[0]))

    async def run() -> None:
        asked: list[str] = []
        seen: list[str] = []
        site = plan()
        parts = {"scene": fields_of([]), "light": {"percent": 100}, "message": None}

        def should(wall: str) -> dict[str, Any]:
            asked.append(wall)
            return dict(parts)

        beat = {"boot": "b1", "now_s": 7, "values_seq": 1}
        screens = Screens(site, should, lambda: beat, seen.append)
        screens.say("values", {"this": "would be refused by the contract if anybody made it"})
        screens.look("north")
        assert asked == [], "nobody watches"
        words = {"boot": "b1", "of": "abcd", "seq": 1, "n": "0"}
        screens.say("values", words)
        one, two, other = screens.listen("north", "1"), screens.listen("north", "2"), screens.listen("south", "3")
        whole = [(await next_of(stream, 1))[0] for stream in (one, two, other)]
        assert [re.findall(rb"event: (\w+)", part) for part in whole] == [
            [b"wall", b"scene", b"light", b"message", b"values", b"beat"]
        ] * 3
        assert (screens.watching("north"), screens.watching("south"), seen) == (0, 0, []), "nobody said so"
        for wall, screen in (("north", "1"), ("north", "2"), ("south", "3"), ("south", "1"), ("south", "")):
            screens.seen(wall, screen)
        assert (screens.watching("north"), screens.watching("south"), seen) == (2, 1, ["north", "north", "south"])
        clock_s[0] += wall_page.SEEN_S
        screens.seen("north", "2")
        screens.say("beat", beat)
        clock_s[0] += 0.1
        screens.say("beat", beat)
        assert (screens.watching("north"), screens.watching("south"), seen[3:]) == (1, 0, ["north", "south"])
        for stream in (one, two, other):
            assert all(event.startswith(b"event: beat\n") for event in await next_of(stream, 2))

        asked.clear()
        for seq in range(2, 30):
            screens.say("values", {**words, "seq": seq})
        events = [(await next_of(stream, 1))[0] for stream in (one, two, other)]
        assert events[0] is events[1] is events[2], "one event, made once"
        assert b'"seq":' in events[0].replace(b" ", b"") and b"29" in events[0], "the last of what came together"
        assert asked == [], "a value costs nothing by wall"

        parts["light"] = {"percent": 5}
        screens.look("north")
        light = [(await next_of(stream, 1))[0] for stream in (one, two)]
        assert light[0] is light[1] and light[0].startswith(b"event: light\n")
        screens.look("north")
        screens.say("beat", beat)
        assert [(await next_of(stream, 1))[0][:12] for stream in (one, other)] == [b"event: beat\n"] * 2

        for _ in range(3 * wall_page.EVENTS_WAITING):  # `two` does not read, and starts over with all there is
            screens.say("beat", beat)
        assert (await next_of(two, 1))[0].startswith(b"event: wall\n")

        screens.say("gateway", {"state": "ready", "boot": "b1"})
        screens.close()
        assert b'"lost"' in (await next_of(one, 1))[0]
        with pytest.raises(StopAsyncIteration):
            await anext(one)
        await two.aclose()
        await other.aclose()
        assert [screens.watching(wall) for wall in ("north", "south")] == [0, 0]
        assert screens.full()

    asyncio.run(run())
