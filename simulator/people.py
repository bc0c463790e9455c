"""People at desks: they hear the phone, lift the handset, talk, hang up, and take a break now and then."""

from __future__ import annotations

import asyncio
import random

import floorplan
from floorplan import Simulator
from simulator.hands import Hands

RING_ON_S, RING_OFF_S = 1.0, 4.0  # Norway: one second of ringing, four of silence


class Person:
    """Whoever sits at one desk today. Verbs are what a camera would see; without hands, nobody looks."""

    def __init__(self, desk: str, extension: str, place: floorplan.BoardInput | None, hands: Hands | None):
        self.desk = desk
        self.extension = extension
        self.queue = ""  # the one that is served, by its name at the PBX; empty: none yet
        self.busy = False  # ringing, talking, writing something down, or on a break
        self.break_due = False
        self._place = place
        self._hands = hands
        self._ringing: asyncio.Task[None] | None = None
        self.put_on()

    def ring(self) -> None:
        """The line starts to ring, in the country's rhythm."""
        self.quiet()
        if self._hands:
            self._ringing = asyncio.create_task(self._ring())

    def quiet(self) -> None:
        """The line stops ringing."""
        if self._ringing:
            self._ringing.cancel()
            self._ringing = None

    def lift(self) -> None:
        """Handset up; the headset's lamp goes on."""
        self.quiet()
        self._phone("pin", made=True)
        self._headset("pin", made=True)

    def put_down(self) -> None:
        """Handset down; the lamp goes out."""
        self._phone("pin", made=False)
        self._headset("pin", made=False)

    def put_on(self) -> None:
        """The headset leaves its cradle."""
        self._headset("dock", made=False)

    def dock(self) -> None:
        """The headset goes back: its person has left the desk."""
        self._headset("dock", made=True)

    async def _ring(self) -> None:
        try:
            while True:
                self._phone("ring", made=True)
                await asyncio.sleep(RING_ON_S)
                self._phone("ring", made=False)
                await asyncio.sleep(RING_OFF_S)
        finally:
            self._phone("ring", made=False)

    def _phone(self, key: str, made: bool) -> None:
        if self._hands and self._place:
            self._touch(self._hands, self._place.phone, key, made)

    def _headset(self, key: str, made: bool) -> None:
        if self._hands and self._place:
            self._touch(self._hands, self._place.headset, key, made)

    def _touch(self, hands: Hands, part: floorplan.PhoneInput | floorplan.HeadsetInput | None,
               key: str, made: bool) -> None:  # fmt: skip
        pin = getattr(part, key, None)
        if part and pin:
            active = (getattr(part, "dock_active", None) if key == "dock" else None) or part.active
            hands.set(pin, int(made != (active == "low")))


class Habits:
    """How long things take and what people choose, in one queue."""

    def __init__(self, settings: Simulator, dice: random.Random) -> None:
        self.timeout_s = settings.timeout_s or float("inf")  # when the queue gives a caller up
        self._mean = settings
        self._dice = dice

    def patience_s(self) -> float:
        """Until a waiting caller gives up."""
        return self._around(self._mean.patience_s)

    def presses_a_key(self) -> bool:
        """Whether who waits no longer presses a key, in place of hanging up."""
        return self._dice.random() < self._mean.keys

    def react_s(self) -> float:
        """From the first ring to the hand on the handset: nobody is quicker than half the mean."""
        return self._mean.react_s * (0.5 + self._dice.expovariate(2))

    def misses_it(self) -> bool:
        """Whether a ringing phone is let ring."""
        return self._dice.random() < self._mean.ring_no_answer

    def talk_s(self) -> float:
        """A conversation."""
        return max(1.0, self._around(self._mean.talk_s))

    def passes_it_on(self) -> bool:
        """Whether an answered call goes on to another queue."""
        return self._dice.random() < self._mean.transfers

    def wrap_up_s(self) -> float:
        """Between two conversations."""
        return self._mean.wrap_up_s * self._dice.uniform(0.4, 1.6)

    def next_break_s(self) -> float:
        """From one break to the wish for the next."""
        return self._around(3600 / self._mean.pauses_per_hour if self._mean.pauses_per_hour else float("inf"))

    def break_s(self) -> float:
        """Coffee."""
        return self._around(self._mean.pause_s)

    def _around(self, mean_s: float) -> float:
        """Exponential, so that what is still to come does not hang on what has been."""
        return mean_s * self._dice.expovariate(1)
