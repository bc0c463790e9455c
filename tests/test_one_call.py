"""One call, from the caller to the wall and the page, on real parts: broker, gateway, MicroPython boards, AMI."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import values
from tests.house import Ear, House
from tests.proxy import proxy
from wallboard.picture import read_ppm


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path) as house:
        house.start_all()
        yield house


@pytest.fixture
def ear(house: House) -> Iterator[Ear]:
    ear = Ear(house.broker)
    yield ear
    ear.close()


def status(house: House, desk: str) -> str:
    return str(house.now(f"desk/{desk}").get("status"))


def is_old(picture: bytes) -> bool:
    """Whether a picture has the dashed frame of figures that nobody stands behind: its first row shows it."""
    if not picture:
        return False
    frame = read_ppm(picture)
    lit = [x for x in range(frame.w) if frame.rgb[3 * x : 3 * x + 3] == b"\xff\xff\xff"]
    return len(lit) >= 8 and all(x % 8 < 4 or x == frame.w - 1 for x in lit)


def changes(ear: Ear, start: int) -> list[dict[str, Any]]:
    """Readings of a1's phone from the given one on, as a reader of `seq` takes them.

    What was sent again over a new connection (the same seq) and what only says a state again are left out.
    """
    found: list[dict[str, Any]] = []
    top = 0
    for reading in ear.all("board/row-a/input/0/phone")[start:]:
        if reading["seq"] <= top:
            continue
        top = reading["seq"]
        if reading["state"] != (found[-1]["state"] if found else "idle"):
            found.append(reading)
    return found


def test_a_caller_rings_at_a_desk_is_answered_and_hangs_up(house: House, ear: Ear) -> None:
    house.wait("the walls have proved figures", lambda: house.now("wall/south").get("fresh"))
    before = {wall: house.picture(wall) for wall in ("north", "south")}

    call = house.pbx.join("norsk")
    house.wait("one waits", lambda: house.now("queue/norsk").get("waiting") == 1)
    house.wait("values say so", lambda: "values" in ear.latest and values.read(ear.latest["values"]).values[0] == 1)
    seq = ear.latest["values"]["seq"]
    house.wait("both draw it", lambda: all(house.picture(wall) != old for wall, old in before.items()))
    house.wait(
        "both say so", lambda: all(house.now(f"wall/{wall}").get("values_seq", 0) >= seq for wall in before)
    )

    house.pbx.ring(call, "Local/1001@agents")
    house.pin("row-a", "GP3", 0)
    house.wait("a1 rings", lambda: house.now("desk/a1").get("phone") == "ringing")
    assert status(house, "a1") == "ringing"
    assert house.now("queue/norsk")["ringing"] == 1

    house.pin("row-a", "GP3", 1)
    house.pin("row-a", "GP2", 0)
    house.pbx.answer(call)
    house.wait("a1 talks", lambda: status(house, "a1") == "talking")
    assert house.now("desk/a1")["reason"] == "the handset is lifted"
    house.wait("nobody waits", lambda: house.now("queue/norsk").get("waiting") == 0)
    assert house.now("queue/norsk")["answered"] == 1
    assert house.now("queue/norsk")["talking"] == 1

    house.pbx.hang_up(call)
    house.pin("row-a", "GP2", 1)
    house.wait("a1 is free", lambda: status(house, "a1") == "free")
    said = "board/row-a/input/0/phone"  # the gateway may have heard the last of it before us
    house.wait("it is all said", lambda: [
        reading["state"] for reading in ear.all(said)
    ][-3:] == ["ringing", "talking", "idle"])  # fmt: skip
    assert not [topic for topic, _, retained in ear.heard if retained and topic.endswith("/command")]


def test_a_call_that_rings_at_an_empty_desk_is_told_until_somebody_takes_it(house: House, ear: Ear) -> None:
    house.pin("row-a", "GP5", 0)  # the headset lies in its cradle
    house.wait("it is docked", lambda: house.now("desk/a1").get("docked"))
    call = house.pbx.join("norsk")
    house.pbx.ring(call, "Local/1001@agents")
    took_s = house.wait("it is found", lambda: house.now("finding/a1").get("kind") == "empty-desk-rings", 15)
    assert took_s > 7.5  # two rings are nobody's fault

    def heard() -> object:
        return ear.latest.get("desk/a1/finding", {}).get("kind")

    house.wait("it is heard on MQTT, too", lambda: heard() == "empty-desk-rings")
    finding = ear.latest["desk/a1/finding"]
    assert finding["desk"] == "the handset is on its hook, the headset is in no call, the headset lies in its cradle"
    assert finding["pbx"] == "a call rings there"
    house.wait("it is counted", lambda: house.now("floor")["findings"] == 1)
    house.pin("row-a", "GP5", 1)
    house.pin("row-a", "GP2", 0)
    house.pbx.answer(call)
    house.wait("it is taken back", lambda: not house.now("finding/a1"), 5)
    house.wait("on MQTT, too", lambda: heard() is None)
    assert {topic for topic, fields, _ in ear.heard if fields.get("kind") == "empty-desk-rings"} == {"desk/a1/finding"}


def test_a_call_that_is_given_up_is_counted_as_that(house: House) -> None:
    call = house.pbx.join("polski")
    house.wait("one waits", lambda: house.now("queue/polski").get("waiting") == 1)
    house.pbx.hang_up(call)
    house.wait("none waits", lambda: house.now("queue/polski").get("waiting") == 0)
    house.wait("abandoned", lambda: house.now("queue/polski").get("abandoned") == 1)
    assert house.now("queue/polski")["answered"] == 0


def test_a_board_whose_link_is_cut_is_lost_and_delivers_in_order_what_it_missed(tmp_path: Path) -> None:
    keepalive_s = 4
    with House(tmp_path) as house, proxy(house.broker.host, house.broker.port) as link:
        assert house.plan.broker and house.plan.broker.keepalive_s == keepalive_s
        house.start_board("row-a", broker_port=link.port)
        house.start_gateway()
        house.wait("a1 is free", lambda: status(house, "a1") == "free", 30)
        ear = Ear(house.broker)
        house.wait("row-a said hello", lambda: "board/row-a/hello" in ear.latest)
        boot = ear.latest["board/row-a/hello"]["boot"]

        link.silence()
        took_s = house.wait("a1 is lost", lambda: status(house, "a1") == "lost", 3 * keepalive_s)
        assert took_s <= 1.5 * keepalive_s
        log = tmp_path / "row-a.log"
        house.wait("the board notices it too", lambda: "link down" in log.read_text(), 1.5 * keepalive_s)
        for _ in range(3):
            house.pin("row-a", "GP2", 0)
            time.sleep(0.1)  # a hand's time: longer than the contact bounces
            house.pin("row-a", "GP2", 1)
            time.sleep(0.4)  # longer than the longest flash
        before = len(ear.all("board/row-a/input/0/phone"))

        link.mend()
        house.wait("all six came", lambda: len(changes(ear, before)) >= 6, 30)
        house.wait("a1 is free again", lambda: status(house, "a1") == "free")
        missed = changes(ear, before)
        assert house.now("desk/a1")["missed"] == 0
        ear.close()
    assert [reading["state"] for reading in missed] == ["talking", "idle"] * 3
    assert {reading["boot"] for reading in missed} == {boot}
    seqs = [reading["seq"] for reading in missed]
    assert seqs == sorted(seqs)
    ages_ms = [reading["age_ms"] for reading in missed]
    assert ages_ms == sorted(ages_ms, reverse=True)
    assert ages_ms[0] > 1500


def test_a_killed_board_returns_with_a_new_boot_and_its_present_state(house: House, ear: Ear) -> None:
    house.pin("row-a", "GP2", 0)
    house.wait("a1 talks", lambda: status(house, "a1") == "talking")
    boot = ear.latest["board/row-a/hello"]["boot"]
    house.kill("row-a")
    house.wait("a1 is lost", lambda: status(house, "a1") == "lost", 5)
    assert "row-a" in house.now("desk/a1")["reason"]
    assert status(house, "b1") == "free"
    house.start_board("row-a")
    house.wait("a1 is free", lambda: status(house, "a1") == "free")
    assert ear.latest["board/row-a/hello"]["boot"] != boot
    assert house.now("desk/a1")["missed"] == 0


def test_walls_say_that_figures_are_old_and_stop_ticking(house: House, ear: Ear) -> None:
    house.pbx.join("norsk")
    house.wait("a wait ticks", lambda: house.now("queue/norsk").get("waiting") == 1)
    house.wait("south is fresh", lambda: house.now("wall/south").get("fresh"))
    walls = ("north", "south")

    def all_old() -> bool:
        return all(is_old(house.picture(wall)) for wall in walls)

    def all_fresh() -> bool:
        return not any(is_old(house.picture(wall)) for wall in walls)

    def say_old() -> bool:
        shown = [ear.latest[f"board/wall-{wall}/panel/0/shown"] for wall in walls]
        return not any(row["fresh"] for row in shown)

    assert all_fresh()
    house.kill("gateway")
    house.wait("both walls show that they are old", all_old, 20)
    house.wait("and say so", say_old, 5)

    ear.latest.clear()
    house.start_gateway()
    house.wait("both are fresh again", all_fresh, 20)
    house.wait("the page hears it", lambda: all(house.now(f"wall/{wall}").get("fresh") for wall in walls), 20)

    house.broker.kill()
    house.wait("both show that they are old", all_old, 20)
    before = {wall: house.picture(wall) for wall in walls}
    house.wait(
        "both tell another age", lambda: all(house.picture(wall) != text for wall, text in before.items()), 5
    )

    house.broker.start()
    house.wait("both are fresh again", all_fresh, 30)
    house.wait("the page hears it", lambda: all(house.now(f"wall/{wall}").get("fresh") for wall in walls), 30)


def test_a_retained_value_is_old_until_a_beat_proves_it(house: House, ear: Ear) -> None:
    house.wait("north is fresh", lambda: house.now("wall/north").get("fresh"))
    house.kill("gateway")
    house.kill("wall-north")
    ear.latest.clear()
    house.start_board("wall-north")

    def shown() -> dict[str, Any]:
        return ear.latest.get("board/wall-north/panel/0/shown", {})

    house.wait(  # what the killed one said last may still come: that was fresh
        "it has scene and values from the broker, and they are old",
        lambda: shown().get("scene") and shown().get("values_seq") and shown()["fresh"] is False,
    )
    assert shown()["age_s"] is None  # never proved: it cannot know its age
    house.wait("it shows that", lambda: is_old(house.picture("north")))
    house.start_gateway()
    house.wait("a beat proves it", lambda: shown().get("fresh"), 20)
    house.wait("it shows that", lambda: not is_old(house.picture("north")))


def test_a_message_that_breaks_the_contract_stops_nothing(house: House, ear: Ear) -> None:
    rubbish = [
        ("board/row-a/input/0/phone", b"{"),
        ("board/row-a/input/0/phone", b'{"state":"flying","seq":1,"boot":"x","age_ms":0}'),
        ("board/row-a/state", b"\xff\xfe"),
        ("board/row-a/input/99/phone", b'{"state":"idle","seq":1,"boot":"x","age_ms":0}'),
        ("board/nobody/state", b'{"state":"ready","boot":"x"}'),
    ]
    for topic, payload in rubbish:
        ear.say(topic, payload)
    house.wait("they are counted", lambda: house.now("floor").get("refused") == 3)
    house.pin("row-b", "GP2", 0)
    house.wait("b1 talks all the same", lambda: status(house, "b1") == "talking")


def test_a_board_obeys_commands_and_answers_but_never_a_stored_one(house: House, ear: Ear) -> None:
    ear.say("board/row-a/command", b'{"id":"one","do":"raw","seconds":2}')
    house.wait("an answer", lambda: ear.latest.get("board/row-a/answer", {}).get("id") == "one")
    assert ear.latest["board/row-a/answer"]["done"] is True
    house.pin("row-a", "GP2", 0)
    house.wait("raw pins", lambda: ear.latest.get("board/row-a/raw", {}).get("pins", {}).get("GP2") == 0)

    ear.say("board/row-a/command", b'{"id":"two","do":"restart"}')
    house.wait("an answer", lambda: ear.latest.get("board/row-a/answer", {}).get("id") == "two")
    assert ear.latest["board/row-a/answer"]["done"] is False  # a program cannot reset its computer

    before = house.picture("north")
    ear.say("board/wall-north/command", b'{"id":"three","do":"test","seconds":1}')
    house.wait("the test picture", lambda: house.picture("north") != before)

    ear.say("board/row-b/command", b'{"id":"stored","do":"raw"}', retain=True)
    house.wait("it is answered while the board is there", lambda: "board/row-b/answer" in ear.latest)
    del ear.latest["board/row-b/answer"]
    house.kill("row-b")
    house.start_board("row-b")
    house.wait("row-b is back", lambda: house.now("board/row-b").get("uptime_s") == 0)
    house.pin("row-b", "GP2", 0)
    house.wait("b1 talks", lambda: status(house, "b1") == "talking")
    assert "board/row-b/answer" not in ear.latest
