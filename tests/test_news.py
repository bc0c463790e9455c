"""The news: who hears what changed, once, in order, and within bounds."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.web import news as gateway_news
from gateway.web.news import News


def read(event: bytes) -> tuple[str, int, dict[str, Any]]:
    """(name, id, documents without their time) of one event."""
    assert event.endswith(b"\n\n")
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    documents = json.loads(fields["data"])
    for doc in documents.values():
        if doc is not None:
            assert doc.pop("said_ms") <= int(fields["id"])
    return fields.get("event", "message"), int(fields["id"]), documents


async def heard(line: AsyncIterator[bytes]) -> dict[str, Any]:
    return read(await asyncio.wait_for(anext(line), 10))[2]


def test_first_the_whole_then_what_changed_joined_by_turns_and_encoded_once() -> None:
    async def run() -> None:
        news = News()
        news.say("desk/a1", {"status": "free"})
        one, other = news.listen(), news.listen()
        for line in (one, other):
            name, _, documents = read(await anext(line))
            assert (name, documents) == ("whole", {"desk/a1": {"status": "free"}})
        news.say("desk/a1", {"status": "ringing"})
        news.say("desk/a1", {"status": "talking"})
        news.say("desk/a2", {"status": "free"})
        news.forget("desk/a2")
        news.say("floor", {"free": 1})
        first, second = await anext(one), await anext(other)
        assert first is second
        assert read(first)[2] == {"desk/a1": {"status": "talking"}, "desk/a2": None, "floor": {"free": 1}}
        news.say("floor", {"free": 1})  # nothing new: nobody hears of it
        news.forget("desk/a9")
        news.say("floor", {"free": 2})
        assert await heard(one) == {"floor": {"free": 2}}
        assert news.events == 2

    asyncio.run(run())


def test_a_document_changed_in_place_is_heard_and_one_that_is_not_json_is_refused() -> None:
    async def run() -> None:
        news = News()
        doc = {"waiting": 1}
        news.say("queue/polski", doc)
        line = news.listen()
        await anext(line)
        doc["waiting"] = 2
        news.say("queue/polski", doc)
        assert await heard(line) == {"queue/polski": {"waiting": 2}}
        with pytest.raises(TypeError):
            news.say("queue/polski", {"waiting": object()})
        with pytest.raises(ValueError):
            news.say("queue/polski", {"waiting": float("nan")})
        assert news.said == {"queue/polski": {"waiting": 2}}

    asyncio.run(run())


def test_a_slow_listener_is_bounded_and_given_the_whole_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_news, "APART_S", 0)

    async def run() -> None:
        news = News()
        slow, quick = news.listen(), news.listen()
        await anext(slow)
        await anext(quick)
        heard_by_quick: dict[str, Any] = {}
        for number in range(3 * gateway_news.EVENTS_WAITING):
            news.say("floor", {"number": number})
            news.say(f"desk/a{number % 7}", {"number": number})
            if number == 5:
                news.forget("desk/a2")
            heard_by_quick |= await heard(quick)
            assert max(line.qsize() for line in news._lines) <= gateway_news.EVENTS_WAITING
        assert news.resyncs >= 1
        name, _, documents = read(await anext(slow))
        assert (name, documents) == ("whole", news.said)
        assert heard_by_quick == news.said
        news.say("floor", {"number": -1})
        assert await heard(slow) == {"floor": {"number": -1}}

    asyncio.run(run())


def test_the_busiest_floor_is_joined_into_few_events() -> None:
    async def run() -> None:
        news = News()
        line = news.listen()
        await anext(line)
        begun_s = asyncio.get_running_loop().time()
        for number in range(300):
            news.say(f"desk/a{number % 50}", {"number": number})
            await asyncio.sleep(1 / 600)
        took_s = asyncio.get_running_loop().time() - begun_s
        assert news.events <= took_s / gateway_news.APART_S + 2
        seen: dict[str, Any] = {}
        while seen.get("desk/a49") != {"number": 299}:
            seen |= await heard(line)
        assert seen == news.said

    asyncio.run(run())


def test_a_beat_comes_without_news_and_closing_ends_every_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_news, "BEAT_S", 0.1)

    async def run() -> None:
        news = News()
        line = news.listen()
        _, first, _ = read(await anext(line))
        times = [read(await asyncio.wait_for(anext(line), 10)) for _ in range(3)]
        assert [documents for _, _, documents in times] == [{}, {}, {}]
        beats = [first, *(id for _, id, _ in times)]
        assert all(60 <= later - earlier < 1000 for earlier, later in itertools.pairwise(beats))
        news.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(line), 10)
        assert news.listeners == 0
        assert news.full()

    asyncio.run(run())
