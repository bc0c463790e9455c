"""People at desks: they hear the phone, lift the handset, talk, hang up, and take a break now and then."""

from __future__ import annotations

import asyncio
import random

import floorplan
from simulator.hands import Hands

RING_ON_S, RING_OFF_S = 1.0, 4.0  # Norway: one second of ringing, four of silence


class Person:
    """Whoever sits at one desk today. Verbs are what a camera would see."""

    def __init__(self, place: floorplan.BoardInput, extension: str, hands: Hands) -> None:
        self.desk = place.desk
        self.extension = extension
        self.here = True
        self._place = place
        self._hands = hands
        self._ringing: asyncio.Task[None] | None = None
        self.put_on()

    def ring(self) -> None:
        """The line starts to ring, in the country's rhythm."""
        self.quiet()
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
        self.here = True
        self._headset("dock", made=False)

    def dock(self) -> None:
        """The headset goes back: its person has left the desk."""
        self.here = False
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
        self._touch(self._place.phone, key, made)

    def _headset(self, key: str, made: bool) -> None:
        self._touch(self._place.headset, key, made)

    def _touch(
        self, part: floorplan.PhoneInput | floorplan.HeadsetInput | None, key: str, made: bool
    ) -> None:
        pin = getattr(part, key, None)
        if part and pin:
            self._hands.set(pin, int(made != (part.active == "low")))


class Habits:
    """How long things take, drawn from one seed so that a day can be lived again."""

    def __init__(self, simulator: floorplan.Simulator, seed: int) -> None:
        self.dice = random.Random(seed)
        self._mean = simulator

    def next_call_s(self) -> float:
        """Until the next caller of a queue: arrivals are a Poisson process."""
        return self.dice.expovariate(self._mean.calls_per_minute / 60)

    def patience_s(self) -> float:
        """Until a waiting caller gives up."""
        return self.dice.expovariate(1 / self._mean.patience_s)

    def react_s(self) -> float:
        """From the first ring to the hand on the handset: nobody is quicker than half the mean."""
        return self._mean.react_s * (0.5 + self.dice.expovariate(2))

    def talk_s(self) -> float:
        """A conversation."""
        return max(1.0, self.dice.expovariate(1 / self._mean.talk_s))

    def wrap_up_s(self) -> float:
        """Between two conversations."""
        return self.dice.uniform(0.5, 2.0)

    def leaves(self) -> bool:
        """Whether this call was the last one before a break."""
        return self.dice.random() < 0.06

    def break_s(self) -> float:
        """Coffee."""
        return self.dice.uniform(8, 25)

    def misses_it(self) -> bool:
        """Whether a ringing phone is let ring."""
        return self.dice.random() < 0.03
