"""People at desks: they hear the phone, lift the handset, talk, hang up, and take a break now and then."""

from __future__ import annotations

import asyncio
import random

import floorplan
from floorplan import Simulator
from simulator.hands import Hands

RING_ON_S, RING_OFF_S = 1.0, 4.0  # Norway: one second of ringing, four of silence
BLINK_S = 0.5  # the lamp of a headset base while it rings: so long on, so long off


class Person:
    """Whoever sits at one desk today. Verbs are what a camera would see; without hands, nobody looks."""

    def __init__(self, desk: str, extension: str, place: floorplan.BoardInput | None, hands: Hands | None,
                 device: str = ""):  # fmt: skip
        self.desk = desk
        self.extension = extension
        self.device = device  # of the desk, where seats are not fixed
        self.queue = ""  # the one that is served, by its name at the PBX; empty: none yet
        self.busy = False  # ringing, talking, writing something down, or on a break
        self.break_due = False
        self.away = False  # from a desk that the phone system takes for staffed
        self._place = place
        self._hands = hands
        self._ringing: asyncio.Task[None] | None = None
        self.put_on()

    def ring(self) -> None:
        """The line starts to ring, in the country's rhythm, and the headset's lamp to blink."""
        self.quiet()
        if self._hands:
            self._ringing = asyncio.create_task(self._ring())

    def quiet(self) -> None:
        """The line stops ringing, and the lamp blinking."""
        if self._ringing:
            self._ringing.cancel()
            self._ringing = None
            self._headset("pin", made=False)  # at once: a call may light it in the same moment

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
                await self._blink(RING_ON_S)
                self._phone("ring", made=False)
                await self._blink(RING_OFF_S)
        finally:
            self._phone("ring", made=False)

    async def _blink(self, seconds: float) -> None:
        for _ in range(round(seconds / BLINK_S / 2)):
            self._headset("pin", made=True)
            await asyncio.sleep(BLINK_S)
            self._headset("pin", made=False)
            await asyncio.sleep(BLINK_S)

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
            active = getattr(part, f"{key}_active", None) or part.active
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

    def forgets_to_pause(self) -> bool:
        """Whether a break is taken without telling the phone system."""
        share = self._mean.forgotten_pauses
        return share > 0 and self._dice.random() < share

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
