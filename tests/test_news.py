"""The news: who hears what changed, once, in order, and within bounds."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
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
            assert doc.pop("said_ms") <= at_ms(event)
    return fields.get("event", "message"), at_ms(event), documents


def id_of(event: bytes) -> str:
    return event.decode().split("id: ", 1)[1].split("\n", 1)[0]


def at_ms(event: bytes) -> int:
    """When it was made, on the gateway's clock."""
    return int(id_of(event).split("-")[1])


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


async def a_little_later() -> None:
    """What is said in the same millisecond as an event was made is said again to who comes back: not here."""
    await asyncio.sleep(0.002)


async def came_back(news: News, after: str) -> tuple[str, dict[str, Any]]:
    """(name, documents) of the first event that a listener hears who comes back with that id."""
    name, _, documents = read(await anext(news.listen(after)))
    return name, documents


def test_who_comes_back_hears_what_was_said_and_forgotten_since_and_nothing_else() -> None:
    async def run() -> None:
        news = News()
        for n in range(3):
            news.say(f"desk/a{n}", {"n": n})
        await a_little_later()
        last = id_of(await anext(news.listen()))
        await a_little_later()
        news.say("desk/a1", {"n": 7})
        news.forget("desk/a2")
        news.say("desk/new", {"n": 8})
        news.say("desk/brief", {"n": 9})
        news.forget("desk/brief")
        since = {"desk/a1": {"n": 7}, "desk/new": {"n": 8}, "desk/a2": None, "desk/brief": None}
        assert await came_back(news, last) == ("message", since)
        news.say("desk/a2", {"n": 2})  # there again: no more forgotten
        since = {"desk/a1": {"n": 7}, "desk/new": {"n": 8}, "desk/a2": {"n": 2}, "desk/brief": None}
        assert await came_back(news, last) == ("message", since)

        # And then it hears what all hear.
        line = news.listen(last)
        later = id_of(await anext(line))
        news.say("floor", {"free": 1})
        assert (await heard(line))["floor"] == {"free": 1}
        assert (await came_back(news, later))[1].keys() >= {"floor"}

    asyncio.run(run())


def test_one_change_of_many_costs_the_one_who_comes_back_no_more_than_that() -> None:
    async def run() -> None:
        news = News()
        for n in range(465):
            news.say(f"desk/a{n}", {"status": "free", "reason": "the handset is on its hook"})
        await a_little_later()
        whole = await anext(news.listen())
        await a_little_later()
        news.say("desk/a7", {"status": "talking", "reason": "the handset is lifted"})
        since = await anext(news.listen(id_of(whole)))
        assert len(since) < 200 < 20_000 < len(whole)

    asyncio.run(run())


def test_what_cannot_be_gone_on_from_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_news, "FORGOTTEN_MOST", 3)

    async def run() -> None:
        news, other = News(), News()
        news.say("desk/a1", {"n": 1})
        last = id_of(await anext(news.listen()))
        boot, at = last.split("-")
        foreign = id_of(await anext(other.listen()))
        ahead = f"{boot}-{int(at) + 1_000_000}"
        for after in ("", "-", boot, f"{boot}-", f"{boot}--1", f"{boot}-²", at, foreign, ahead, "x" * 10_000,
                      f"{boot}-{'9' * 5000}", "\r\n\0"):  # fmt: skip
            assert (await came_back(news, after))[0] == "whole", after[:80]
        await a_little_later()
        for n in range(3):
            news.say(f"alarm/{n}", {})
            news.forget(f"alarm/{n}")
        assert (await came_back(news, last))[0] == "message"
        news.say("alarm/3", {})
        news.forget("alarm/3")  # one more than is kept: who was away for so long has to be told all
        assert await came_back(news, last) == ("whole", {"desk/a1": {"n": 1}})
        assert len(news._forgotten_ms) == 3

    asyncio.run(run())


def test_pages_that_come_and_go_at_any_time_know_what_there_is() -> None:
    """Whatever is said and forgotten, whenever somebody leaves and comes back: he has it as it is."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def run() -> None:
        news = News()
        known: list[dict[str, Any]] = [{} for _ in range(4)]
        lasts = ["" for _ in known]
        for _ in range(300):
            for _ in range(chance.randrange(4)):
                path = f"desk/a{chance.randrange(12)}"
                if chance.random() < 0.3:
                    news.forget(path)
                else:
                    news.say(path, {"n": chance.randrange(5)})
            if chance.random() < 0.3:
                await asyncio.sleep(0.001)
            who = chance.randrange(len(known))
            event = await anext(news.listen(lasts[who]))
            name, _, documents = read(event)
            lasts[who] = id_of(event)
            known[who] = {} if name == "whole" else known[who]
            known[who] |= documents
            assert {path: doc for path, doc in known[who].items() if doc is not None} == news.said

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
