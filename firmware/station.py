"""A board at work: reads its pins, draws its panels, keeps its link. MicroPython and CPython.

pins → Inputs → Readings → Link                a desk
Link → Values, scene → scene.draw → panel    a wall
"""

import asyncio
import gc
from random import randrange

from firmware.clock import forget, now_ms, sleep_ms
from firmware.link import Link

LOOK_MS = 200  # so often it is looked whether a part has ended, or somebody asked how this board is
ROLL_CALL_MS = 500  # a new gateway hears who is there spread over so long, readings follow more slowly


class Station:
    """One board. `hello` is who it is; `pins` may be None; `panels` are its lights."""

    talk = None  # with `debug` what else runs, firmware/debug.py; a slot in the object would make its table grow

    def __init__(self, settings: dict, hello: dict, pins, panels: list):
        self.pins = pins
        self.inputs = None
        self._ways = [(name, settings[name]) for name in ("wifi", "w5500", "lan8720") if name in settings]
        self.wall = None
        if settings["inputs"]:
            from firmware import inputs

            self.inputs = inputs.Inputs(settings["inputs"], pins, settings["times"])
        self.link = Link(settings, hello, self._hear, self.inputs)
        if panels:
            from firmware.wall import Wall

            self.wall = Wall(panels, self.link, settings, pins)

    async def run(self) -> None:
        """Everything at once, until cancelled; an error in any part ends the others."""
        jobs = self.link.jobs()
        if self.inputs:
            jobs.append(self.inputs.run(self.link.readings.changed))
        elif self.pins:
            jobs.append(self.pins.run())
        if self.wall:
            jobs.append(self.wall.run())
        for name, settings in self._ways:
            from firmware import net

            jobs.append(net.WAYS[name](settings))
        if self.talk:
            jobs.append(self.talk())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            while True:
                self._tell()
                await self._look_after(tasks)
        except asyncio.CancelledError:
            if self.wall:
                self.wall.begin_anew()  # somebody wanted it to end
            raise
        finally:
            for task in tasks:
                task.cancel()
            if self.wall:
                self.wall.dark()

    async def _look_after(self, tasks):
        """Until it is time to tell its health again; `gather` and a wait with an end take 2 KB of a board."""
        until_ms = now_ms() + self.link.hello["health_s"] * 1000
        while now_ms() < until_ms and not self.link.asked:
            await sleep_ms(LOOK_MS)
            for task in tasks:
                if task.done():
                    await task  # it raises what ended it
        self.link.asked = False
        await sleep_ms(randrange(ROLL_CALL_MS))

    def _tell(self):
        gc.collect()
        health = {
            "boot": self.link.boot,
            "heap_free": gc.mem_free() if hasattr(gc, "mem_free") else None,
            "wifi_dbm": self.signal_dbm(),
            "uptime_s": now_ms() // 1000,
            "reconnects": max(0, self.link.reconnects),
            "dropped": self.link.readings.dropped() if self.inputs else 0,
            "lag_ms": 0,
        }
        if self.inputs:
            health.update(self.inputs.health())
        self.link.state("board/+/health", (self.link.board,), health)

    def signal_dbm(self):
        if not self._ways or self._ways[0][0] != "wifi":
            return None
        from firmware import net

        return net.signal_dbm()

    def _hear(self, pattern, ids, fields):
        if pattern == "board/+/command":
            from firmware import commands

            commands.obey(self, fields)
            forget("commands")
        elif self.wall:
            self.wall.hear(pattern, ids, fields)
