"""Who sits where, in a house without fixed seats: a member of a queue belongs to the desk of its device.

Pure: what the phone system says of members goes in, ties come out. Where it is not plain who sits at
a desk, nobody is tied to it: two members at one device, or one member at two devices, have no tie at
all until one of them is gone. A wrong tie would be worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping

from floorplan import device_key


class Seats:
    """`desks`: the device of each desk, as in the site file → its id."""

    def __init__(self, desks: Mapping[str, str]) -> None:
        self._desk = {device_key(device): desk for device, desk in desks.items()}
        self._device = {desk: device for device, desk in self._desk.items()}
        self._at: dict[str, dict[str, str]] = {}  # member → queue → its device there
        self._here: dict[str, set[str]] = {device: set() for device in self._desk}  # device → members

    def sit(self, member: str, queue: str, device: str) -> set[str]:
        """A member of a queue is at a device; empty: the member is a device itself.

        Returns the desks of which it may now be said otherwise who sits there.
        """
        at = self._at.setdefault(member, {})
        before = set(at.values())
        at[queue] = device_key(device or member)
        return self._moved(member, before, set(at.values()))

    def leave(self, member: str, queue: str) -> set[str]:
        """Somebody is no longer a member of a queue; returns desks as `sit` does."""
        at = self._at.get(member, {})
        before = set(at.values())
        at.pop(queue, None)
        if not at:
            self._at.pop(member, None)
        return self._moved(member, before, set(at.values()))

    def who(self, desk: str) -> str | None:
        """The one member at a desk; None where there is none, or it is not plain which."""
        here = self._here.get(self._device.get(desk, ""), set())
        if len(here) != 1:
            return None
        (member,) = here
        return member if len(set(self._at[member].values())) == 1 else None

    def crowded(self, desk: str) -> bool:
        """Somebody is at a desk, and it is not plain who."""
        return self.who(desk) is None and bool(self._here.get(self._device.get(desk, "")))

    def _moved(self, member: str, before: set[str], after: set[str]) -> set[str]:
        if before == after:
            return set()
        for device in (before - after) & self._here.keys():
            self._here[device].discard(member)
        for device in (after - before) & self._here.keys():
            self._here[device].add(member)
        touched = (before | after) & self._here.keys()
        return {self._desk[device] for device in touched}
