"""The way to the network on a microcontroller: Wi-Fi, or a W5500 or LAN8720 by wire. Not in the MQTT client.

Each of WAYS brings it up and keeps it up for ever. A computer with a network of its own (a
Raspberry Pi, a trial board) has none of these keys in its board.json and needs nothing.
"""

from firmware.clock import sleep_ms

CHECK_MS = 2000
JOIN_MS = 20000  # who has not let us in by then, or given an address, is asked anew

_lans = []  # the way that is used, for whoever wants to know its address


async def wifi(settings: dict):
    """Joins `{"ssid", "password"}` and joins again whenever the access point has lost us."""
    import network

    lan = network.WLAN(network.STA_IF)
    _lans.append(lan)
    while True:
        if not lan.isconnected():
            try:
                if not lan.active():
                    lan.active(True)
                    _stay_awake(lan)
                lan.disconnect()
                lan.connect(settings["ssid"], settings["password"] or None)
            except OSError as error:  # of a radio that does not start, too
                print("wifi:", error)
            if await _until(lan):
                print("wifi:", lan.ifconfig()[0])
        await sleep_ms(CHECK_MS)


async def _until(lan):
    """Waits for an address, not for ever; True: it is there."""
    for _ in range(JOIN_MS // CHECK_MS):
        if lan.isconnected():
            return True
        await sleep_ms(CHECK_MS)
    return lan.isconnected()


def _stay_awake(lan):
    try:
        lan.config(pm=lan.PM_NONE)  # power saving costs up to 200 ms a message
    except (AttributeError, ValueError, OSError):
        pass  # not every chip has it


async def w5500(settings: dict):
    """A W5500 on SPI: `{"spi", "sck", "mosi", "miso", "cs", "reset", "interrupt"}`; empty: as the image has them."""
    import network
    from machine import SPI, Pin

    pins = []
    if settings:
        wires = {key: Pin(settings[key]) for key in ("sck", "mosi", "miso")}
        pins = [SPI(settings["spi"], settings.get("baud", 2000000), **wires)]
        pins += [Pin(settings[key]) for key in ("cs", "reset", "interrupt")]
    try:
        lan = network.WIZNET5K(*pins)
    except TypeError:  # an older image takes no pin for interrupts
        lan = network.WIZNET5K(*pins[:3])
    _lans.append(lan)
    while True:
        if not lan.isconnected():
            try:
                if lan.active():
                    lan.ipconfig(dhcp4=True)  # ifconfig("dhcp") would stand still for 10 s
                else:
                    lan.active(True)  # asks for an address by itself
            except OSError as error:
                print("w5500:", error)
            await _until(lan)
        await sleep_ms(CHECK_MS)


async def lan8720(settings: dict):
    """A LAN8720 at an ESP32: `{"mdc", "mdio", "power", "clock", "address"}`. It asks for an address by itself."""
    import network
    from machine import Pin

    lan = network.LAN(
        mdc=Pin(settings["mdc"]), mdio=Pin(settings["mdio"]), power=Pin(settings["power"]),
        phy_type=network.PHY_LAN8720, phy_addr=settings["address"],
        ref_clk=Pin(settings["clock"]), ref_clk_mode=Pin.OUT,
    )  # fmt: skip
    _lans.append(lan)
    while True:
        try:
            if not lan.active():
                lan.active(True)
        except OSError as error:
            print("lan8720:", error)
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


WAYS = {"wifi": wifi, "w5500": w5500, "lan8720": lan8720}
