"""A wall's loop on either Python, its news and its pictures in a journal: `wall_driver.py SCENE.json SECONDS`.

Values come at odd moments meanwhile. It prints a line of JSON: for each picture [when it was drawn for, when it
was shown, columns that are lit], by the board's own milliseconds.
"""

import asyncio
import json
import sys
from random import randrange

from firmware import scene, wall
from firmware.clock import now_ms, sleep_ms

journal: list = []  # type: ignore[type-arg]
drawn_for = [0]
draw = scene.draw


def draw_and_note(picture, turns, numbers, clock_ms, tick_ms, age_s, message=None):  # type: ignore[no-untyped-def]
    drawn_for[0] = tick_ms
    draw(picture, turns, numbers, clock_ms, tick_ms, age_s, message)


class Panel:
    width, height = 64, 8

    def show(self, picture, percent=100):  # type: ignore[no-untyped-def]
        row = picture.row(7)
        journal.append([drawn_for[0], now_ms(), [x for x in range(64) if row[x] == scene.RED]])


class Link:
    board = "b"
    on_refused = None
    on_topic = None
    payload = b""

    def __init__(self) -> None:
        self.client = self

    def topic(self, *parts: str) -> str:
        return ""

    def subscribe(self, topic: str, qos: int) -> None:
        pass

    def state(self, pattern: str, ids: tuple, fields: dict) -> None:  # type: ignore[type-arg]
        pass


async def run(fields: dict, seconds: int) -> None:  # type: ignore[type-arg]
    scene.draw = draw_and_note
    board = wall.Wall([Panel()], Link(), {"panels": [{}]}, None)
    board.hear("board/+/panel/+/scene", ("b", "0"), fields)
    task = asyncio.create_task(board.run())
    seq = 0
    while now_ms() < seconds * 1000:
        seq += 1
        board.hear("values", (), {"boot": "b1", "of": "abcd", "seq": seq, "n": "0 " + str(seq % 10)})
        board.hear("beat", (), {"boot": "b1", "now_s": now_ms() // 1000, "values_seq": seq})
        await sleep_ms(randrange(1, 120))
    task.cancel()
    print(json.dumps(journal))


with open(sys.argv[1]) as file:
    told = json.loads(file.read())
asyncio.run(run(told, int(sys.argv[2])))
