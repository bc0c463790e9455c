"""The way to the network on a microcontroller: Wi-Fi or a wired W5500. Not in the MQTT client.

Each of WAYS brings it up and keeps it up for ever. A computer with a network of its own (a
Raspberry Pi, a trial board) has none of these keys in its board.json and needs nothing.
"""

from firmware.clock import sleep_ms

CHECK_MS = 2000
JOIN_MS = 20000  # an access point that has not let us in by then is asked anew

_lans = []  # the way that is used, for whoever wants to know its address


async def wifi(settings: dict):
    """Joins `{"ssid", "password"}` and joins again whenever the access point has lost us."""
    import network

    lan = network.WLAN(network.STA_IF)
    _lans.append(lan)
    lan.active(True)
    try:
        lan.config(pm=lan.PM_NONE)  # power saving costs up to 200 ms a message
    except (AttributeError, ValueError, OSError):
        pass  # not every chip has it
    while True:
        if not lan.isconnected():
            try:
                lan.disconnect()
                lan.connect(settings["ssid"], settings["password"] or None)
            except OSError as error:
                print("wifi:", error)
            for _ in range(JOIN_MS // CHECK_MS):
                if lan.isconnected():
                    print("wifi:", lan.ifconfig()[0])
                    break
                await sleep_ms(CHECK_MS)
        await sleep_ms(CHECK_MS)


async def w5500(settings: dict):
    """A W5500 on SPI, as on the W5500-EVB-Pico: pins and bus from `settings`."""
    import network
    from machine import SPI, Pin

    lan = network.WIZNET5K(
        SPI(settings.get("spi", 0), settings.get("baud", 2000000), mosi=Pin(19), miso=Pin(16), sck=Pin(18)),
        Pin(settings.get("cs", 17)),
        Pin(settings.get("reset", 20)),
    )
    _lans.append(lan)
    lan.active(True)
    while True:
        if not lan.isconnected():
            try:
                lan.ifconfig("dhcp")
            except OSError as error:
                print("w5500:", error)
        await sleep_ms(CHECK_MS)


def address():
    """This chip's address; None while it has none. Raises ImportError on a computer."""
    import network  # noqa: F401

    for lan in _lans:
        if lan.isconnected():
            return lan.ifconfig()[0]
    return None


def signal_dbm():
    """How loud the access point is; None while there is none, or the chip does not say."""
    import network

    try:
        return max(-127, min(0, network.WLAN(network.STA_IF).status("rssi")))
    except (ValueError, OSError):
        return None


WAYS = {"wifi": wifi, "w5500": w5500}
