"""Pictures of walls are drawn beside the event loop, once for all who ask, and leave a core to the floor."""

from __future__ import annotations

import asyncio
import threading
import time

from gateway.web.pictures import Pictures

from .test_page import Served, plan, png


def test_walls_are_drawn_beside_the_loop_one_at_a_time_and_each_once_for_all_who_ask() -> None:
    begun = threading.Semaphore(0)
    go_on = threading.Event()
    drawn: list[bytes] = []

    class Slow(Served):
        def draw(self, picture: bytes) -> bytes:
            begun.release()
            assert go_on.wait(20)
            drawn.append(picture)
            return picture

    served = Slow(plan())
    served.pictures = {"wall-0": png("red"), "wall-1": png("green")}
    answers: list[bytes] = []
    asking = [threading.Thread(target=lambda wall=wall: answers.append(served.get(f"/walls/{wall}.png")[2]))
              for wall in ("wall-0", "wall-1") * 4]  # fmt: skip
    try:
        for thread in asking:
            thread.start()
        assert begun.acquire(timeout=10)
        for _ in range(8):
            assert served.get("/healthz")[0] == 200, "the loop goes on while one is drawn"
        assert not begun.acquire(blocking=False), "and only one is"
        go_on.set()
        for thread in asking:
            thread.join(10)
        assert sorted(answers) == sorted([png("red"), png("green")] * 4)
        assert sorted(drawn) == sorted([png("red"), png("green")])
    finally:
        go_on.set()
        served.stop()


def test_all_walls_together_take_a_quarter_of_a_core() -> None:
    """Forty pictures of 5 ms each, asked for at once: drawn one after the other, with rests between."""

    def draw(number: int) -> bytes:
        end_s = time.thread_time() + 0.005
        while time.thread_time() < end_s:
            pass
        return b"%d" % number

    async def run() -> float:
        pictures = Pictures(int, draw)
        begun_s = time.monotonic()
        drawn = await asyncio.gather(*(pictures.of(str(number)) for number in range(40)))
        assert [picture and picture.png for picture in drawn] == [b"%d" % number for number in range(40)]
        return time.monotonic() - begun_s

    assert asyncio.run(run()) > 39 * 0.005 * 4
