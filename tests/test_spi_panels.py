"""Panels at a bus: what is sent to them is decoded by models of their chips, and gives the picture back.

Each order of the modules and lights and each way they can stand, on both Pythons.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from firmware import panels, scene, test_picture
from firmware.panels import bus, max7219
from firmware.start import StartError
from tests import decoders, pythons
from tests.decoders import CHAINS, Grid
from wallboard import drivers
from wallboard.drivers import spi

ROOT = Path(__file__).parent.parent
SEED = random.SystemRandom().randrange(10**6)
PIXELS = (0, 1, 2, 3, 4, 9, 10, 11, 12)
TURNS = [(turn, mirrored) for turn in (0, 90, 180, 270) for mirrored in (False, True)]

# How long of 255 red, green and blue are on, by pixel, worked out by hand: (part / 255) ** 2.2 * 255, the parts of
# the dim ones 35 % of it, and 1 where it would be less.
DUTIES = {
    0: (0, 0, 0),
    1: (255, 255, 255),
    2: (0, 149, 255),
    3: (255, 133, 0),
    4: (255, 0, 4),
    9: (25, 25, 25),
    10: (0, 15, 25),
    11: (25, 13, 0),
    12: (25, 0, 1),
}


def shown(
    python: str, folder: Path, entries: list[dict[str, Any]], *pictures: bytes, path: tuple[Path, ...] = ()
) -> list[tuple[int, int, list[bytes]]]:
    """What goes over the bus of each panel when it shows those pictures."""
    for number, entry in enumerate(entries):
        entry["bus"] = f"file:{folder / str(number)}.spi"
    (folder / "entries").write_text(json.dumps(entries))
    files = []
    for number, pixels in enumerate(pictures):
        files.append(folder / f"pixels{number}")
        files[-1].write_bytes(pixels)
    driver = str(ROOT / "tests" / "panels_driver.py")
    pythons.run(python, driver, str(folder / "entries"), *map(str, files), within_s=60)
    return [decoders.transfers(folder / f"{number}.spi") for number in range(len(entries))]


def any_pixels(count: int, among: tuple[int, ...]) -> bytes:
    print("seed", SEED)
    return bytes(random.Random(SEED).choices(among, k=count))


def rows_of(pixels: bytes, w: int) -> Grid:
    return [list(pixels[at : at + w]) for at in range(0, len(pixels), w)]


def text(lights: Grid) -> str:
    return "\n".join("".join(".#"[bool(light)] for light in row) for row in lights)


def drawn(rows: str) -> str:
    return "\n".join(line.strip() for line in rows.strip().splitlines())


class Wire:
    """A bus whose transfers go straight into a chain of models."""

    def __init__(self, chain: decoders.Chain) -> None:
        self.chain = chain
        self.sent: list[bytes] = []
        self.broken = False

    def send(self, data: bytes | bytearray) -> None:
        if self.broken:
            raise OSError("away")
        self.sent.append(bytes(data))
        self.chain.take(bytes(data))


def low_wall(columns: int = 4, rows: int = 1) -> tuple[Any, Wire, scene.Picture]:
    """A panel of MAX7219, its modules, and a picture for it."""
    wire = Wire(decoders.Chain(columns, rows, CHAINS[0], 0, False))
    panel = max7219.Max7219Panel({"modules": [columns, rows]}, wire)
    return panel, wire, scene.Picture(8 * columns, 8 * rows)


# MAX7219 ----------------------------------------------------------------------------


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_a_chain_shows_the_picture_however_it_hangs_and_stands(
    python: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if python == "micropython":
        request.getfixturevalue("micropython")
    ways = list(itertools.product(CHAINS, TURNS))
    entries = [
        {"kind": "max7219", "modules": [3, 2], "chain": chain, "turn": turn, "mirrored": mirrored}
        for chain, (turn, mirrored) in ways
    ]
    pixels = any_pixels(24 * 16, (0, 1))
    for (hz, phase, sent), (chain, (turn, mirrored)) in zip(
        shown(python, tmp_path, entries, pixels), ways, strict=True
    ):
        modules = decoders.Chain(3, 2, chain, turn, mirrored)
        for data in sent:
            modules.take(data)
        assert modules.lights() == rows_of(pixels, 24), f"{python}: {chain}, {turn}, {mirrored}"
        assert (hz <= 10_000_000, phase) == (True, 0)


@pytest.mark.parametrize("modules", [(1, 1), (8, 1), (1, 4), (64, 1), (16, 8)])
def test_a_chain_may_be_of_any_length(modules: tuple[int, int]) -> None:
    panel, wire, picture = low_wall(*modules)
    assert (panel.width, panel.height) == (8 * modules[0], 8 * modules[1])
    pixels = any_pixels(panel.width * panel.height, (0, 1))
    picture.pixels[:] = pixels
    panel.show(picture)
    assert wire.chain.lights() == rows_of(pixels, panel.width)
    assert {len(data) for data in wire.sent} == {2 * modules[0] * modules[1]}


def test_a_chain_that_was_dark_lights_up_with_the_whole_picture() -> None:
    """Never with what its registers hold after power on, and never in display test."""
    panel, wire, picture = low_wall()
    for chip in wire.chain.chips:
        chip.registers.update(dict.fromkeys(range(1, 9), 0xAA))
    seen = []
    taking = wire.chain.take

    def take(data: bytes) -> None:
        taking(data)
        seen.append(text(wire.chain.lights()))

    wire.chain.take = take  # type: ignore[method-assign]
    picture.fill(0, 0, 5, 5, scene.WHITE)
    panel.show(picture)
    assert set(seen) == {text([[0] * 32] * 8), text(rows_of(bytes(picture.pixels), 32))}


def test_brightness_and_off() -> None:
    panel, wire, picture = low_wall()
    picture.fill(0, 0, 32, 8, scene.CYAN)
    found = []
    for percent in (1, 10, 25, 50, 75, 90, 100):
        panel.show(picture, percent)
        (level,) = wire.chain.intensities()
        found.append(level)
        assert wire.chain.lights() == [[1] * 32] * 8
    assert (found[0], found[-1], found) == (0, 15, sorted(found))
    assert found[3] in (3, 4)  # half as bright to the eye is a quarter of the light
    panel.show(picture, 0)
    assert wire.chain.lights() == [[0] * 32] * 8
    wire.sent.clear()
    panel.show(picture, 0)
    assert wire.sent == []
    panel.show(picture, 50)
    assert wire.chain.lights() == [[1] * 32] * 8


def test_a_module_that_lost_its_power_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000]
    monkeypatch.setattr(max7219, "now_ms", lambda: clock[0])
    panel, wire, picture = low_wall()
    picture.write(2, 0, "12", 1, scene.WHITE)
    wanted = rows_of(bytes(picture.pixels), 32)
    panel.show(picture)
    wire.chain.chips[2] = decoders.Max7219()
    for _ in range(5):
        clock[0] += 1000  # a wall is drawn each second at least
        panel.show(picture)
    assert wire.chain.lights() == wanted
    wire.chain.chips[1].registers[15] = 1  # a spike: display test
    for _ in range(5):
        clock[0] += 1000
        panel.show(picture)
    assert wire.chain.lights() == wanted


def test_a_bus_that_was_away_is_told_all_again() -> None:
    panel, wire, picture = low_wall()
    picture.write(2, 0, "12", 1, scene.WHITE)
    panel.show(picture)
    wire.broken = True
    with pytest.raises(OSError, match="away"):
        panel.show(picture)
    wire.broken = False
    wire.chain.chips[:] = [decoders.Max7219() for _ in range(4)]
    panel.show(picture)
    assert wire.chain.lights() == rows_of(bytes(picture.pixels), 32)


def test_figures_in_a_red_block_stand_dark_in_light() -> None:
    panel, wire, picture = low_wall(3)
    picture.fill(10, 0, 13, 8, scene.RED)
    picture.write(11, 0, "47", 1, scene.WHITE)
    picture.write(2, 0, "1", 1, scene.CYAN)
    panel.show(picture)
    assert text(wire.chain.lights()) == drawn("""
        ....#.....####.##.....#.
        ...##.....###..######.#.
        ....#.....##.#.######.#.
        ....#.....#.##.#####.##.
        ....#.....#.....####.##.
        ....#.....####.####.###.
        ...###....####.####.###.
        ..........#############.
    """)


def test_a_red_block_that_reaches_over_the_edge_is_one_too() -> None:
    panel, wire, picture = low_wall(2)
    picture.fill(-1, 0, 20, 8, scene.RED)
    picture.write(0, 0, "4", 1, scene.WHITE)
    picture.write(11, 0, "4", 1, scene.WHITE)
    panel.show(picture)
    assert text(wire.chain.lights()) == drawn("""
        ###.##########.#
        ##..#########..#
        #.#.########.#.#
        .##.#######.##.#
        .....######.....
        ###.##########.#
        ###.##########.#
        ################
    """)


def test_a_red_frame_that_blinks_leaves_its_figures_lit() -> None:
    """scene.py's frame of half a second: red around, black within, at least two white figures on it."""
    panel, wire, picture = low_wall(2)
    picture.fill(0, 0, 16, 8, scene.RED)
    picture.fill(1, 0, 14, 7, scene.BLACK)
    picture.write(2, 0, "24", 1, scene.WHITE)
    panel.show(picture)
    assert text(wire.chain.lights()) == drawn("""
        #..###.....#...#
        #.#...#...##...#
        #.....#..#.#...#
        #....#..#..#...#
        #...#...#####..#
        #..#.......#...#
        #.#####....#...#
        ################
    """)


def test_what_is_old_is_faint_and_its_age_stands_out() -> None:
    panel, wire, picture = low_wall(3)
    picture.write(1, 0, "12", 1, scene.WHITE | scene.DIM)
    picture.write(14, 0, "4", 1, scene.WHITE)
    panel.show(picture, 100)
    assert wire.chain.intensities() == {0}
    assert text(wire.chain.lights()) == drawn("""
        ...#....###..####.######
        ..##...#...#.###..######
        ...#.......#.##.#.######
        ...#......#..#.##.######
        ...#.....#...#.....#####
        ...#....#....####.######
        ..###..#####.####.######
        .............###########
    """)
    picture.fill(0, 0, 24, 8, scene.BLACK)
    picture.write(1, 0, "12", 1, scene.WHITE)
    panel.show(picture, 100)
    assert wire.chain.intensities() == {15}


def test_a_panel_with_room_for_a_frame_is_only_faint_when_old() -> None:
    panel, wire, picture = low_wall(2, 2)
    picture.fill(0, 0, 4, 1, scene.WHITE)  # of the frame
    picture.fill(5, 5, 3, 3, scene.WHITE | scene.DIM)
    panel.show(picture, 100)
    assert wire.chain.intensities() == {0}
    assert wire.chain.lights() == [
        [int(bool(pixel)) for pixel in row] for row in rows_of(bytes(picture.pixels), 16)
    ]


# WS2812 -----------------------------------------------------------------------------


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_a_matrix_shows_the_picture_however_it_is_wired(
    python: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if python == "micropython":
        request.getfixturevalue("micropython")
    orders = ["".join(order) for order in itertools.permutations("rgb")]
    # Every order of lights with every order of matrices, the colours in turn.
    ways = [
        (chain, lights, orders[number % 6])
        for number, (chain, lights) in enumerate(itertools.product(CHAINS, CHAINS))
    ][:: 1 if python == "cpython" else 3]
    entries = [
        {"kind": "ws2812", "size": [9, 8], "modules": [3, 2], "chain": chain, "lights": lights,
         "colours": colours, "most_ma": 60000}
        for chain, lights, colours in ways
    ]  # fmt: skip
    pixels = any_pixels(72, PIXELS)
    for (hz, _, sent), (chain, lights, colours) in zip(
        shown(python, tmp_path, entries, pixels), ways, strict=True
    ):
        (picture,) = decoders.bits_of(decoders.pulses(sent, hz))
        seen = decoders.matrix(decoders.lights_of(picture, colours), (9, 8), (3, 2), chain, lights)
        assert seen == [[DUTIES[pixel] for pixel in row] for row in rows_of(pixels, 9)], (
            chain,
            lights,
            colours,
        )


def matrix_of(entry: dict[str, Any], *pictures: tuple[bytes, int]) -> tuple[int, int, list[bytes]]:
    """(clock, phase, transfers) of a matrix that is shown those pixels, each so bright."""
    sent: list[bytes] = []
    settings: list[int] = []

    def wire(_: dict[str, Any], hz: int, phase: int) -> Any:
        settings[:] = [hz, phase]
        return types.SimpleNamespace(send=lambda data: sent.append(bytes(data)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus, "open", wire)
        panel: Any = panels.open(
            {"kind": "ws2812", "size": [16, 8], "most_ma": 60000, "colours": "rgb"} | entry
        )
    for pixels, percent in pictures:
        picture = scene.Picture(16, 8)
        picture.pixels[:] = pixels
        panel.show(picture, percent)
    return settings[0], settings[1], sent


def seen_at(wire: list[bytes], hz: int, **levels: int) -> list[list[tuple[int, int, int]]]:
    """The lights of each picture on the wire."""
    return [decoders.lights_of(bits, "rgb") for bits in decoders.bits_of(decoders.pulses(wire, hz, **levels))]


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("between", [0, 1])
def test_the_first_light_hears_its_first_bit_whatever_the_wire_did_before(before: int, between: int) -> None:
    one, other = any_pixels(128, PIXELS), any_pixels(128, PIXELS)[::-1]
    hz, _, sent = matrix_of({}, (one, 100), (other, 100))
    wanted = [[DUTIES[pixel] for pixel in pixels] for pixels in (one, other)]
    assert seen_at(sent, hz, before=before, between=between) == wanted


@pytest.mark.parametrize("clock_mhz", [2.3, 2.4038, 2.5, 2.6])
def test_a_clock_that_is_not_quite_right_is_right_enough(clock_mhz: float) -> None:
    """What a Pico's divider gives is 2.4038 MHz; 2.3 to 2.6 is what the bits' tolerances leave."""
    pixels = any_pixels(128, PIXELS)
    _, phase, sent = matrix_of({}, (pixels, 100))
    assert seen_at(sent, int(clock_mhz * 1e6)) == [[DUTIES[pixel] for pixel in pixels]]
    assert phase == 1


def test_a_picture_is_one_transfer() -> None:
    _, _, sent = matrix_of({}, (bytes(128), 100), (bytes([1]) * 128, 30))
    assert [len(data) for data in sent] == [128 * 9 + 2 * 100] * 2


@pytest.mark.parametrize("most_ma", [256, 300, 500, 1000, 2000, 5000])
def test_no_more_current_flows_than_there_may(most_ma: int) -> None:
    """1 mA for each light there is, 20 mA for each channel that is full on."""
    print("seed", SEED)
    dice = random.Random(SEED)
    for pixels in (
        bytes([1]) * 128,
        bytes(dice.choices(PIXELS, k=128)),
        bytes([1] * 9 + [0] * 119),
        bytes([12]) * 128,
    ):
        hz, _, sent = matrix_of({"most_ma": most_ma}, (pixels, 100))
        (lights,) = seen_at(sent, hz)
        drawn_ma = 128 + sum(map(sum, lights)) * 20 / 255
        assert drawn_ma <= most_ma
        for pixel, light in zip(pixels, lights, strict=True):  # what is lit stays lit, in nearly its colour
            assert [bool(part) for part in light] == [bool(part) for part in DUTIES[pixel]]
        free = 128 + sum(sum(DUTIES[pixel]) for pixel in pixels) * 20 / 255
        if free <= most_ma:
            assert lights == [DUTIES[pixel] for pixel in pixels]
        else:
            assert drawn_ma > most_ma * 0.9 - 40  # no fainter than it has to be


def test_a_brighter_channel_takes_more_current() -> None:
    pixels = bytes([1]) * 128
    hz, _, sent = matrix_of({"most_ma": 4000, "channel_ma": 40}, (pixels, 100))
    (lights,) = seen_at(sent, hz)
    assert 3600 < 128 + sum(map(sum, lights)) * 40 / 255 <= 4000


def test_how_bright_it_looks_is_how_bright_it_should() -> None:
    pixels = any_pixels(128, PIXELS)
    hz, _, sent = matrix_of({}, *[(pixels, percent) for percent in (100, 50, 20, 10, 1, 0)])
    shown_at = seen_at(sent, hz)
    for percent, lights in zip((100, 50, 20), shown_at, strict=False):
        for pixel, light in zip(pixels, lights, strict=True):
            for part, full in zip(light, DUTIES[pixel], strict=True):
                assert (
                    part == (max(1, round(full * (percent / 100) ** 2.2)) if full else 0)
                    or abs(part - full * (percent / 100) ** 2.2) <= 1
                )
    assert shown_at[4] == shown_at[3]  # fainter than 10 %, and a dim light would be as bright as a bright one
    bright, dim = (shown_at[3][pixels.index(pixel)] for pixel in (1, 9))
    assert bright > dim > (0, 0, 0)
    assert set(shown_at[5]) == {(0, 0, 0)}


# Buses ------------------------------------------------------------------------------


MACHINE = '''\
"""Stands for a chip: writes down what would happen at its pins."""

def say(*words):
    with open(LOG, "a") as file:
        file.write(" ".join([str(word) for word in words]) + "\\\\n")

class Pin:
    OUT = "out"
    def __init__(self, number, mode=None, value=None):
        self.number = number
        if mode:
            say("pin", number, mode, value)
    def __call__(self, level):
        say("pin", self.number, level)

class SPI:
    def __init__(self, number, baudrate, polarity, phase, sck=None, mosi=None, miso="the usual one"):
        say("spi", number, baudrate, polarity, phase, sck and sck.number, mosi and mosi.number, "back:", miso)
        if sck and sck.number == 99:
            raise ValueError("bad SCK pin")
    def write(self, data):
        say("write", len(data))
'''


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_a_chips_bus_is_opened_once_and_each_transfer_is_under_its_own_chip_select(
    python: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if python == "micropython":
        request.getfixturevalue("micropython")
    log = tmp_path / "log"
    (tmp_path / "machine.py").write_text(MACHINE.replace("LOG", repr(str(log)), 1).replace("\\\\n", "\\n"))
    entries: list[dict[str, Any]] = [
        {"kind": "max7219", "modules": [2, 1], "bus": "spi0", "cs": "GP17"},
        {"kind": "max7219", "modules": [1, 1], "bus": "spi0", "cs": "GP20"},
        {"kind": "ws2812", "size": [8, 8], "bus": "spi1", "sck": "GP14", "mosi": "GP15", "most_ma": 1000},
    ]
    (tmp_path / "entries").write_text(json.dumps(entries))
    (tmp_path / "pixels").write_bytes(bytes(64))
    arguments = (
        str(ROOT / "tests" / "panels_driver.py"),
        str(tmp_path / "entries"),
        str(tmp_path / "pixels"),
    )
    pythons.run(python, *arguments, path=(tmp_path,))
    lines = log.read_text().splitlines()
    opened = [line for line in lines if line.startswith("spi")]
    assert opened == ["spi 0 1000000 0 0 None None back: None", "spi 1 2400000 0 1 14 15 back: None"]
    of_chains = [line for line in lines if not line.startswith("spi")][:-1]
    for pin, size in ((17, 4), (20, 2)):
        cycle = [f"pin {pin} 0", f"write {size}", f"pin {pin} 1"]
        first, *rest = [
            line for line in of_chains if line.endswith(f" {size}") or line.startswith(f"pin {pin}")
        ]
        assert first == f"pin {pin} out 1"
        assert len(rest) > 30 and rest == cycle * (len(rest) // 3)
    assert lines[-1] == f"write {64 * 9 + 200}"
    (tmp_path / "entries").write_text(json.dumps({**entries[2], "sck": "GP99"}))
    with pytest.raises(AssertionError, match=r"panel at spi1: bad SCK pin; `callfloor up --check`"):
        pythons.run(python, *arguments, path=(tmp_path,))


class PretendLgpio(types.ModuleType):
    """Stands for /dev/spidev0.1, which may be away."""

    class error(Exception):
        """What lgpio raises."""

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.said: list[Any] = []
        self.away = False

    def spi_open(self, bus: int, channel: int, hz: int, mode: int) -> int:
        self.said.append(("open", bus, channel, hz, mode))
        return 7

    def spi_write(self, handle: int, data: bytes) -> int:
        if self.away:
            raise self.error("'SPI transfer failed'")
        self.said.append((handle, bytes(data)))
        return len(data)

    def spi_close(self, handle: int) -> None:
        self.said.append(("close", handle))


def test_a_pis_bus_is_opened_when_needed_and_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    lgpio = PretendLgpio()
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    bus = drivers.bus({"bus": "spi0.1"}, 1_000_000, 1)
    assert lgpio.said == []
    bus.send(b"ab")
    lgpio.away = True
    with pytest.raises(
        OSError,
        match=r"/dev/spidev0\.1: SPI transfer failed; is SPI on \(raspi-config\), and you in its group spi\?",
    ):
        bus.send(b"cd")
    lgpio.away = False
    bus.send(b"ef")
    opened = ("open", 0, 1, 1_000_000, 1)
    assert lgpio.said == [opened, (7, b"ab"), ("close", 7), opened, (7, b"ef")]


def test_a_bus_that_is_not_there_says_what_to_try() -> None:
    """With the real lgpio."""
    panel = drivers.open({"kind": "max7219", "modules": [1, 1], "bus": "spi9.9"})
    with pytest.raises(OSError, match=r"/dev/spidev9\.9: .*; is SPI on \(raspi-config\), and"):
        panel.show(scene.Picture(8, 8))


def test_a_bus_of_a_small_board_is_none_of_a_pi() -> None:
    with pytest.raises(
        StartError, match=r"panel at spi0: here its bus is written with its chip-select, spi0\.0"
    ):
        drivers.open({"kind": "max7219", "modules": [1, 1], "bus": "spi0"})


def test_a_picture_too_large_for_one_transfer_is_not_sent_in_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lgpio = PretendLgpio()
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    monkeypatch.setattr(spi, "BUFSIZ", tmp_path / "bufsiz")
    panel = drivers.open({"kind": "ws2812", "size": [64, 8], "bus": "spi0.0", "most_ma": 4000})
    words = r"^write spidev\.bufsiz=8192 in /boot/firmware/cmdline\.txt: 4808 bytes a picture, not 4096$"
    with pytest.raises(OSError, match=words):
        panel.show(scene.Picture(64, 8))
    assert lgpio.said == []
    (tmp_path / "bufsiz").write_text("8192\n")
    panel.show(scene.Picture(64, 8))
    assert len(lgpio.said[-1][1]) == 4808


def test_the_file_of_a_bus_begins_anew_before_it_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firmware.panels import bus_file

    monkeypatch.setattr(bus_file, "MOST", 1000)
    opened = bus.open({"bus": f"file:{tmp_path}/a.spi"}, 5, 0)
    for number in range(200):
        opened.send(bytes([number]) * 40)
        assert decoders.transfers(tmp_path / "a.spi")[2][-1] == bytes([number]) * 40
        assert (tmp_path / "a.spi").stat().st_size < 1100


# The test picture -------------------------------------------------------------------


def test_the_test_picture_is_shown_where_lights_are_off_by_plan() -> None:
    panel, wire, picture = low_wall()
    panel.show(picture, 0)
    test_picture.show(panel, picture, 0)
    assert wire.chain.chips[0].registers[12] == 1
    assert any(map(any, wire.chain.lights()))


def test_the_picture_that_finds_out_how_a_chain_hangs_goes_by_the_chain() -> None:
    wire = Wire(decoders.Chain(2, 1, "top-left rows", 0, False))
    panel = max7219.Max7219Panel({"modules": [2, 1], "chain": "top-right rows", "turn": 90}, wire)
    test_picture.show(panel, scene.Picture(16, 8), 100, test_picture.CALIBRATION)
    assert text(wire.chain.lights()) == drawn("""
        ####............
        ....#......###..
        ...##.....#...#.
        ....#.........#.
        ....#........#..
        ....#.......#...
        ....#......#....
        ...###....#####.
    """)
