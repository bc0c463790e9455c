"""Makes the phone and the headset of an input: needed once, and forgotten by a microcontroller afterwards."""

from firmware.inputs import never


def of_phones(times: dict) -> dict:
    """What phones ask of a line's times, without the rest of board.json: its texts take 400 bytes of a board."""
    return {name: times[name] for name in ("hangup_ms", "burst_ms", "ring_gap_ms")}


def opened(what: str, part: dict, pins, times: dict) -> tuple:
    """(device, by what, with what it is read) of a phone or a headset in board.json, for `inputs.sample`."""
    by = part["by"]
    active = part.get("active", "low")
    if by == "usb":
        from firmware.usb_headset import UsbHeadset

        return UsbHeadset(pins.usb(part["port"])), by, None, None
    if what == "headset":
        from firmware.headset import Headset

        lamp = contact(pins, part.get("pin"), active)
        dock = contact(pins, part.get("dock"), part.get("dock_active", active))
        return Headset("pin" in part, "dock" in part), by, lamp, dock
    from firmware.phone import Phone

    phone = Phone(times, part.get("hangup_ms"))
    if by == "line":
        from firmware.line import Line

        return phone, by, pins.millivolts(part["pin"]), Line(part.get("divider", 100))
    hook = contact(pins, part["pin"], active)
    ring = contact(pins, part.get("ring"), part.get("ring_active", active))
    return phone, by, hook, ring


def contact(pins, name, active):
    return pins.contact(name, active == "low") if name else never
