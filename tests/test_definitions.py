"""The pages of boards and chips: none is left untried, a wrong one is refused, the page for the bench shows it all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards import chip, definition
from boards.bench import plugged
from boards.bench.port import About
from docs import boards_page, generate
from tests.test_boards import line_at, ring_at

# What datasheets and the makers' own tables say of each board, written down here a second time: a good pin, one that
# measures a voltage, one to be left alone and a word of why, the header's number of the good pin, the lamp, the image.
LOADED: dict[str, tuple[str, str | None, tuple[str, str], int | None, str | None, str | None]] = {
    "pico-w": ("GP4", "GP26", ("GP25", "radio"), 6, "LED", "RPI_PICO_W"),
    "pico-2-w": ("GP22", "GP28", ("GP29", "radio"), 29, "LED", "RPI_PICO2_W"),
    "w5500-evb-pico": ("GP15", "GP27", ("GP16", "network chip"), 20, "GP25", "W5500_EVB_PICO"),
    "esp32": ("IO33", "IO34", ("IO12", "1.8 V"), None, None, "ESP32_GENERIC"),
    "esp32-poe": ("IO4", "IO36", ("IO12", "network chip"), None, None, "OLIMEX_ESP32_POE"),
    "esp32-s3": ("IO21", "IO1", ("IO46", "new image"), None, "rgb IO38 IO48", "ESP32_GENERIC_S3"),
    "raspberry-pi": ("GPIO17", "ADC0", ("GPIO2", "pull-up"), 11, None, None),
    "raspberry-pi-zero-2-w": ("GPIO27", "ADC7", ("GPIO14", "console"), 13, None, None),
    "raspberry-pi-4": ("GPIO21", "ADC8", ("GPIO10", "SPI"), 40, None, None),
    "raspberry-pi-5": ("GPIO26", "ADC15", ("GPIO0", "on top"), 37, None, None),
    "simulated": ("GP0", "GP26", ("", ""), None, None, None),
}
CHIPS = {"rp2040": 30, "rp2350": 30, "esp32": 34, "esp32s3": 45, "bcm2710a1": 28, "bcm2711": 28, "rp1": 28}


def test_no_page_is_left_that_nothing_here_tries() -> None:
    there = {path.relative_to(definition.PAGES).as_posix() for path in definition.PAGES.rglob("*") if path.is_file()}
    assert there == {f"{name}.toml" for name in LOADED}
    assert {path.stem: len(chip.read(path.stem).gpio) for path in chip.PAGES.iterdir()} == CHIPS


@pytest.mark.parametrize("name", LOADED)
def test_a_page_says_what_the_makers_say(name: str) -> None:
    good, voltage, (bad, why), position, lamp, image = LOADED[name]
    page = definition.read(name)
    assert good in page.pins and voltage in page.adc
    assert not bad or why in page.avoid[bad]
    assert page.position(good) == position
    assert page.lamp == lamp and (page.flash and page.flash.image) == image
    assert page.sources or name == "simulated"
    ids = page.usb_ids
    assert all(len(each) == 9 and each == each.lower() and each[4] == ":" for each in ids) and bool(ids) == bool(image)
    if page.header:
        assert len(page.header) == 40 and page.header.count("GND") >= 7


@pytest.mark.parametrize(
    ("machine", "kinds"),
    [
        ("Generic ESP32S3 module with ESP32S3", ("esp32-s3",)),
        ("Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", ("esp32-s3",)),
        ("Generic ESP32 module with ESP32", ("esp32",)), ("Generic ESP32 module with SPIRAM with ESP32", ("esp32",)),
        ("Generic ESP32C3 module with ESP32C3", ()), ("Olimex ESP32 POE with ESP32", ("esp32-poe",)),
        ("Raspberry Pi Pico W with RP2040", ("pico-w",)), ("Raspberry Pi Pico with RP2040", ()),
        ("Raspberry Pi Pico 2 W with RP2350", ("pico-2-w",)), ("W5500-EVB-Pico with RP2040", ("w5500-evb-pico",)),
    ],
)  # fmt: skip
def test_a_board_is_known_by_what_every_image_for_it_says(machine: str, kinds: tuple[str, ...]) -> None:
    assert plugged.kinds_of(About((1, 28, 0), machine, "esp32", 6, "aa", 1)) == kinds


def test_ids_that_site_files_use_go_on_working() -> None:
    assert {"pico-w", "esp32", "raspberry-pi", "simulated"} <= set(definition.names())
    raspberry = definition.read("raspberry-pi")
    for name in ("raspberry-pi-zero-2-w", "raspberry-pi-4", "raspberry-pi-5"):
        page = definition.read(name)
        assert (page.pins, page.adc, page.spi, page.usb) == (
            raspberry.pins, raspberry.adc, raspberry.spi, True,
        )  # fmt: skip


def page_with(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, **changes: Any) -> Path:
    """A folder of pages with one that has other keys; None takes one away."""
    tables = tomllib.loads((definition.PAGES / f"{name}.toml").read_text()) | changes
    (folder / "new.toml").write_text("\n".join(_toml(tables)))
    monkeypatch.setattr(definition, "PAGES", folder)
    return folder


def _toml(tables: dict[str, Any], place: str = "") -> list[str]:
    plain = {key: value for key, value in tables.items() if not isinstance(value, dict) and value is not None}
    lines = [f"[{place}]"] if place else []
    for key, value in plain.items():
        lines.append(f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}")
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += _toml(value, f"{place}.{key}".lstrip("."))
    return lines


def test_a_page_made_by_this_test_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or none of those below would be refused for what is said there."""
    page = definition.read("pico-w")
    page_with(monkeypatch, tmp_path, "pico-w")
    assert definition.read("new") == page


TAKEN = {"GP0": "console out", "GP1": "console in", "GP23": "radio", "GP24": "radio", "GP25": "radio", "GP29": "radio"}
FLASH = {"by": "uf2", "image": "RPI_PICO_W", "steps": "hold BOOTSEL"}
W5500 = {"spi": 0, "sck": "GP18", "mosi": "GP19", "miso": "GP16", "cs": "GP17", "reset": "GP20", "interrupt": "GP21"}


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("pico-w", {"pinz": ["GP4"]}, "pinz\n  Extra inputs"),
        ("pico-w", {"taken": {**TAKEN, "GP29": "somebody"}}, "taken.GP29"),
        ("pico-w", {"chip": "rp2041"}, "no chip 'rp2041'; there is "),
        ("pico-w", {"adc": ["GP26", "GP26"]}, "new.toml: adc GP26: it is there twice"),
        ("pico-w", {"adc": ["GP22"]}, "new.toml: adc GP22: RP2040 measures nothing there"),
        ("pico-w", {"absent": ["GP30"]}, "new.toml: absent GP30: RP2040 has no such pin"),
        ("pico-w", {"absent": ["GP22"]}, "new.toml: absent GP22: pins has it"),
        ("pico-w", {"trap": {"IO4": "a trap"}}, "new.toml: trap IO4: a pin of RP2040 is written like GP29"),
        ("pico-w", {"trap": {"GP25": "a trap"}}, "new.toml: trap GP25: it is none of the pins"),
        ("pico-w", {"taken": {**TAKEN, "GP4": "radio"}}, "new.toml: pins GP4: it is the radio's"),
        ("pico-w", {"taken": {"GP0": "console out"}}, "new.toml: GP25: the page does not say what it is for"),
        ("pico-w", {"lamp": "GP4"}, "new.toml: pins GP4: it is the board's own lamp"),
        ("pico-w", {"lamp": "GP25"}, "new.toml: taken GP25: lamp or wired says so already"),
        ("esp32-s3", {"lamp": "rgb IO38 IO38"}, "new.toml: lamp and wired IO38: it is there twice"),
        ("pico-w", {"lamp": "on"}, "new.toml: lamp on: that is no pin of RP2040"),
        ("pico-w", {"inputs_most": 99}, "new.toml: inputs_most is 99, and there are 24 pins"),
        ("pico-w", {"header": ["GP4", "GND", "GP4"]}, "new.toml: header GP4: it is at pin 1 already"),
        ("pico-w", {"header": ["GP4", "GND"]}, "new.toml: GP28: the header has it nowhere"),
        ("pico-w", {"spi": {"spi0": {"sck": ["GP31"], "mosi": ["GP3"]}}}, "spi0.sck GP31: RP2040 has no such pin"),
        ("pico-w", {"flash": FLASH | {"by": "esptool"}}, "new.toml: flash.by esptool: RP2040 takes no such image"),
        ("pico-w", {"flash": FLASH | {"offset": 0}}, "new.toml: flash.offset: esptool asks for it, and nobody else"),
        ("pico-w", {"flash": FLASH | {"image": "../../x"}}, "flash.image\n  String should match"),
        ("pico-w", {"usb_ids": ["hello"]}, "usb_ids.0\n  String should match"),
        ("pico-w", {"header": ["GP99x"]}, "new.toml: header GP99x: that is neither a pin of RP2040 nor one of 3V3, "),
        ("pico-w", {"spi": {"spi1": {"sck": ["GP10"], "mosi": ["GP10"]}}}, "new.toml: spi1 GP10: it is there twice"),
        ("pico-w", {"spi": {"spi2": {"sck": ["GP10"], "mosi": ["GP11"]}}}, "new.toml: spi2: RP2040 has spi0, spi1"),
        ("pico-w", {"spi": {"spi1": {"sck": ["GP10"], "mosi": ["GP25"]}}}, "spi1.mosi GP25: it is the radio's"),
        ("esp32", {"spi": {"spi1": {"sck": ["IO14"], "mosi": ["IO15"]}}}, "spi1.mosi IO15: it is read at the start"),
        ("esp32", {"pins": ["IO4", "IO34"], "inputs_most": 1}, "new.toml: pins IO34: it has no pull-up, which"),
        ("esp32", {"pins": ["IO12"], "inputs_most": 1}, "new.toml: pins IO12: it is read at the start: high gives"),
        ("esp32", {"pins": ["IO6"], "inputs_most": 1}, "new.toml: pins IO6: it is the flash memory's"),
        ("esp32", {"adc": ["IO25"]}, "adc IO25: it is of the second converter, which is the radio's while Wi-Fi is on"),
        ("esp32", {"spi": {"spi1": {"sck": ["IO34"], "mosi": ["IO13"]}}}, "spi1.sck IO34: it is an input only"),
        ("esp32", {"adc": ["IO20"]}, "new.toml: adc IO20: ESP32 has no such pin"),
        (
            "w5500-evb-pico",
            {"wired": {"w5500": W5500 | {"miso": "GP12"}}},
            "new.toml: pins GP12: it is the network chip's",
        ),
        (
            "w5500-evb-pico",
            {"wired": {"w5500": W5500 | {"reset": "GP17", "sck": "GP17"}}},
            "new.toml: lamp and wired GP17: it is there twice",
        ),
        ("w5500-evb-pico", {"wired": {"w5500": W5500 | {"spi": 7}}}, "new.toml: w5500.spi 7: RP2040 has spi0, spi1"),
        ("w5500-evb-pico", {"wired": {"w5500": W5500 | {"spi": 1}}}, "new.toml: spi1: it is the W5500's"),
        (
            "w5500-evb-pico",
            {"spi": {"spi1": {"sck": ["GP10"], "mosi": ["GP11", "GP18"]}}},
            "new.toml: spi1.mosi GP18: it is the network chip's",
        ),
        ("w5500-evb-pico", {"wired": {"w5500": {"spi": 0}}}, "wired.w5500.sck\n  Field required"),
    ],
)  # fmt: skip
def test_a_wrong_page_is_refused(
    name: str, changes: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_with(monkeypatch, tmp_path, name, **changes)
    with pytest.raises(definition.DefinitionError) as error:
        definition.read("new")
    assert words in str(error.value)


def test_a_pin_written_twice_under_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (definition.PAGES / "pico-w.toml").read_text()
    (tmp_path / "new.toml").write_text(text.replace('GP1 = "console in', 'GP0 = "radio"\nGP1 = "console in'))
    monkeypatch.setattr(definition, "PAGES", tmp_path)
    with pytest.raises(definition.DefinitionError, match=r"new\.toml: Cannot overwrite a value"):
        definition.read("new")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('adc1 = ["26-29"]', 'adc1 = ["26-30"]', "adc1 names GP30, which gpio does not"),
        ('gpio = ["0-29"]', 'gpio = ["0-29", "4"]', "gpio names a pin twice"),
        ('name = "RP2040"', 'name = "RP2040"\nfast = true', "fast\n  Extra inputs are not permitted"),
    ],
)
def test_a_wrong_chip_is_refused(
    old: str, new: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (chip.PAGES / "rp2040.toml").read_text()
    assert old in text
    (tmp_path / "rp2040.toml").write_text(text.replace(old, new))
    monkeypatch.setattr(chip, "PAGES", tmp_path)
    with pytest.raises(chip.ChipError, match=r"chips/rp2040\.toml: ") as error:
        chip.read("rp2040")
    assert words in str(error.value)


def test_who_reads_lines_is_reckoned_from_the_circuits_sums() -> None:
    """A lifted handset is 52 mV at the least, an unplugged line less than 30, a ring 2.07 V at the most."""
    assert {name for name in definition.names() if not definition.read(name).lines} == {
        "esp32", "esp32-poe", "esp32-s3",
    }  # fmt: skip
    for from_mv, to_mv, error_mv, good in (
        (0, 3300, 8, True), (0, 2900, 21, True), (0, 2900, 23, False), (0, 1600, 10, False), (40, 3300, 8, False),
    ):  # fmt: skip
        assert chip.Measures(from_mv=from_mv, to_mv=to_mv, error_mv=error_mv).lines() is good


# Held against a site file ------------------------------------------------------------


def plan(board: str, *places: dict[str, Any], wall: dict[str, Any] | None = None, **keys: Any) -> floorplan.Plan:
    tables = {
        "site": {"id": "s"}, "broker": {"host": "10.0.0.2"},
        "desk": [{"id": f"a{number}"} for number in range(len(places))],
        "board": [{"id": "b", "definition": board, **keys, "inputs": [
            {"desk": f"a{number}", **place} for number, place in enumerate(places)
        ]}],
    }  # fmt: skip
    return floorplan.check(tables, "test", Path())


@pytest.mark.parametrize(
    ("board", "place", "words"),
    [
        ("w5500-evb-pico", ring_at("GP17"), "phone.ring at GP17: it is the network chip's"),
        ("esp32-poe", ring_at("IO34", "IO4"), "phone.ring at IO34: it is the board's own button"),
        ("esp32-poe", ring_at("IO17", "IO4"), "phone.ring at IO17: it is the network chip's"),
        ("esp32-s3", ring_at("IO36", "IO4"), "phone.ring at IO36: it is the memory's, on modules with PSRAM"),
        ("esp32-s3", ring_at("IO19", "IO4"), "phone.ring at IO19: it is the USB socket's"),
        ("esp32-s3", ring_at("IO48", "IO4"), "phone.ring at IO48: it is the board's own lamp"),
        ("esp32-s3", ring_at("IO22", "IO4"), "phone.ring: an ESP32-S3 has no pin IO22"),
        (
            "esp32-s3",
            line_at("IO4"),
            "phone.pin at IO4: an ESP32-S3 measures no line's voltage; a Pico W does "
            "(its converter sees 0 to 2900 mV and may be 50 mV wrong)",
        ),
        ("pico-2-w", ring_at("GP24"), "phone.ring at GP24: it is the radio's"),
        ("raspberry-pi-5", ring_at("GPIO0", "GPIO4"), "phone.ring at GPIO0: it is asked at the start what board"),
    ],
)
def test_a_trap_is_said_in_words(board: str, place: dict[str, Any], words: str) -> None:
    assert words in "\n".join(definition.check(plan(board, place)))


@pytest.mark.parametrize(
    ("board", "keys", "words"),
    [
        ("pico-w", {"wired": "w5500"}, 'wired = "w5500": a Raspberry Pi Pico W has no network chip'),
        ("esp32-poe", {"wired": "w5500"}, 'wired = "w5500": an Olimex ESP32-POE has lan8720'),
        ("w5500-evb-pico", {"wifi": {"ssid": "x"}}, "wifi: a W5500-EVB-Pico has no radio; it has a network socket: "
                                                    'wired = "w5500"'),
        ("raspberry-pi-4", {"debug": True}, "debug: is for microcontrollers"),
    ],
)  # fmt: skip
def test_a_network_that_a_board_has_not_is_said(board: str, keys: dict[str, Any], words: str) -> None:
    assert words in "\n".join(definition.check(plan(board, **keys)))


@pytest.mark.parametrize(
    ("board", "keys"),
    [
        ("pico-2-w", {"wifi": {"ssid": "x"}}), ("esp32-poe", {"wired": "lan8720"}),
        ("esp32-poe", {"wifi": {"ssid": "x"}}), ("w5500-evb-pico", {"wired": "w5500", "debug": True}),
    ],
)  # fmt: skip
def test_a_network_that_a_board_has_is_good(board: str, keys: dict[str, Any]) -> None:
    assert definition.check(plan(board, **keys)) == []


def test_contacts_to_3_volts_on_a_chip_whose_pull_downs_latch_are_warned_of() -> None:
    high = {"phone": {"by": "contact", "pin": "GP4", "ring": "GP5", "active": "high", "ring_active": "low"}}
    dock = {"headset": {"by": "contact", "pin": "GP6", "dock": "GP7", "dock_active": "high"}}
    first, second = definition.careful(plan("pico-2-w", high, dock))
    assert first.startswith("board b: desk 'a0' phone.pin at GP4 is active \"high\": ")
    assert "stays at about 2.2 V" in first and "RP2350-E9" in first and "8.2 kΩ or less" in first
    assert second.startswith("board b: desk 'a1' headset.dock at GP7 is active")
    assert definition.check(plan("pico-2-w", high, dock)) == []
    assert definition.careful(plan("pico-w", high, dock)) == []
    (line,) = definition.careful(plan("esp32", ring_at("IO16", "IO4")))
    assert line == "board b: desk 'a0' phone.ring at IO16: on a module with PSRAM (WROVER) it is that memory's"


def told(board: str, **keys: Any) -> dict[str, Any]:
    made = plan(board, **keys)
    return floorplan.board_json(made, "b", definition.told(made.board[0]))


def test_a_board_is_told_its_lamp_and_its_network_chips_pins() -> None:
    assert told("pico-w")["pins"] == {"kind": "machine", "lamp": "LED"}
    assert told("esp32")["pins"] == {"kind": "machine"}
    assert told("esp32-s3")["pins"] == {"kind": "machine", "lamp": "rgb IO38 IO48"}
    wiznet = told("w5500-evb-pico", wired="w5500")
    assert wiznet["pins"] == {"kind": "machine", "lamp": "GP25"}
    assert wiznet["w5500"] == {"spi": 0, "sck": 18, "mosi": 19, "miso": 16, "cs": 17, "reset": 20, "interrupt": 21}
    assert told("esp32-poe", wired="lan8720")["lan8720"] == {
        "mdc": 23, "mdio": 18, "power": 12, "clock": 17, "address": 0,
    }  # fmt: skip
    assert told("raspberry-pi")["pins"] == {"kind": "machine"}
    row = plan("raspberry-pi").board[0]
    assert definition.told(row, "gpiozero") == {"kind": "gpiozero"}
    assert told("pico-w", debug=True)["debug"] is True and "debug" not in told("pico-w")


# The page for the bench --------------------------------------------------------------


def test_the_page_says_what_the_pages_say() -> None:
    assert boards_page.PAGE.read_text(encoding="utf-8") == boards_page.page(), "run `make docs`"


def test_check_tells_a_page_that_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "PAGE", tmp_path / "contract.md")
    monkeypatch.setattr(boards_page, "PAGE", tmp_path / "boards.md")
    assert generate.main([]) == 0 and generate.main(["--check"]) == 0
    (tmp_path / "boards.md").write_text("old")
    assert generate.main(["--check"]) == 1


@pytest.mark.parametrize("name", [name for name in LOADED if name != "simulated"])
def test_every_pin_of_every_board_is_on_the_page(name: str) -> None:
    board = definition.read(name)
    page = boards_page.page()
    section = page.partition(f"\n## {board.name}\n")[2].partition("\n## ")[0]
    if board.like:  # the same pins: the table is printed once
        other = definition.read(board.like).name
        assert f"Its pins are those of the [{other}](#{other.lower().replace(' ', '-')})" in section
        section = page.partition(f"\n## {other}\n")[2].partition("\n## ")[0]
    assert all(f"**{pin}**" in section for pin in board.header or board.pins)
    for pin, words in board.avoid.items():
        assert words in section, pin
    good = LOADED[name][0]
    (row,) = [line for line in section.splitlines() if f"**{good}**" in line]
    assert "contact" in row
    if name == "pico-w":
        assert "| contact; taken" not in section
        assert "| contact | **GP4** | 6 | 35 | **ADC_VREF** |  |" in section
        assert "contact, voltage; clock of spi1 |" in section
    if name == "raspberry-pi":
        assert "|  | **3V3** | 1 | 2 | **5V** |  |" in section
