"""Panels at a bus in the site file: what it says of them is checked, and becomes what their board is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import floorplan
from boards import command, definition
from firmware.panels import ws2812
from tests import decoders, pythons
from tests.brokers import HOST, mosquitto
from tests.forks import finished
from tests.house import House
from wallboard import calibrate

CHAIN = {"kind": "max7219", "modules": [4, 1], "bus": "spi0", "cs": "GP17"}
MATRIX = {"kind": "ws2812", "size": [32, 8], "bus": "spi0", "most_ma": 4000}
LINE = {"phone": {"by": "line", "pin": "ADC3"}}


def plan(
    *panels: dict[str, Any], board: str = "pico-w", desk: dict[str, Any] | None = None, **wall: Any
) -> floorplan.Plan:
    tables = {
        "site": {"id": "s"}, "broker": {"host": "10.0.0.2"},
        "queue": [{"id": "q", "name": "Q", "source": "x"}], "source": [{"id": "x", "secret_file": "x"}],
        "desk": [{"id": "a1"}] if desk else [],
        "board": [{"id": "b", "definition": board, "inputs": [{"desk": "a1", **desk}] if desk else []}],
        "wall": [{"id": f"w{number}", "board": "b", "panel": panel, "pages": [{"queue": "q"}], **wall}
                 for number, panel in enumerate(panels)],
    }  # fmt: skip
    return floorplan.check(tables, "site.toml", Path("/floor"))


def told(*panels: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = floorplan.board_json(plan(*panels), "b", {})["panels"]
    return found


def test_a_chain_is_as_large_as_its_modules() -> None:
    assert told(CHAIN | {"turn": 90, "chain": "top-right rows"}) == [
        {"kind": "max7219", "size": [32, 8], "bus": "spi0", "cs": "GP17", "modules": [4, 1],
         "chain": "top-right rows", "turn": 90, "mirrored": False}
    ]  # fmt: skip
    assert told(CHAIN | {"size": [32, 8]})[0]["size"] == [32, 8]


def test_a_matrix_says_its_size_and_its_supply() -> None:
    assert told(MATRIX | {"modules": [4, 1], "lights": "top-left columns snake", "mosi": "GP3"}) == [
        {"kind": "ws2812", "size": [32, 8], "bus": "spi0", "mosi": "GP3", "modules": [4, 1],
         "chain": "top-left rows", "lights": "top-left columns snake", "colours": "grb", "most_ma": 4000,
         "channel_ma": 20}
    ]  # fmt: skip


def test_the_file_of_a_bus_lies_where_the_site_file_does() -> None:
    assert told(CHAIN | {"bus": "file:north.spi"})[0]["bus"] == "file:/floor/north.spi"


@pytest.mark.parametrize("panel", [CHAIN, MATRIX, {"kind": "memory"}, {"kind": "file", "path": "a.ppm"}])
def test_a_plan_that_is_written_out_is_read_back(panel: dict[str, Any]) -> None:
    before = plan(panel)
    for mode in ("json", "python"):
        written = before.model_dump(mode=mode, exclude_none=True)
        assert floorplan.check(written, "again", Path("/floor")) == before


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (CHAIN | {"size": [64, 8]}, "wall[1].panel: size: 4 x 1 modules are 32 x 8 lights; leave size out"),
        ({"kind": "max7219", "bus": "spi0"}, "is made of modules of 8 x 8 lights: modules = [4, 1]"),
        (CHAIN | {"modules": [64, 3]}, "one chain has up to 128 modules; give the others to a second wall"),
        (CHAIN | {"modules": 4}, "wall[1].panel.modules: is a list: modules = [1, 2]"),
        (CHAIN | {"modules": [0, 1]}, "wall[1].panel.modules[1]: is 1 or more"),
        (CHAIN | {"turn": 45}, "wall[1].panel.turn: is 0, 90, 180 or 270"),
        (CHAIN | {"chain": "left"}, 'wall[1].panel.chain: how they follow each other is written as corner, '),
        (CHAIN | {"most_ma": 900}, "most_ma is for a panel of kind ws2812, not 'max7219'"),
        (CHAIN | {"bus": "i2c0"}, "wall[1].panel.bus: a bus is written as spi0, on a Raspberry Pi as spi0.0, for "),
        ({"kind": "max7219", "modules": [4, 1]}, "hangs at a bus of its board: bus = \"spi0\", on a Raspberry Pi "),
        ({"kind": "memory", "turn": 90}, "turn is for a panel of kind max7219, not 'memory'"),
        ({"kind": "file", "path": "x", "bus": "spi0"}, "bus is for a panel of kind max7219 or ws2812, not 'file'"),
        ({"kind": "ws2812", "bus": "spi0", "most_ma": 900}, "says how many lights it has: size = [32, 8]"),
        ({"kind": "ws2812", "bus": "spi0", "size": [32, 8]}, "most_ma is missing: what its supply, wires and fuse "
                                                           "can bear, in mA, like most_ma = 4000; all white, 256 "
                                                           "lights would take 15360 mA"),
        (MATRIX | {"most_ma": 500}, "most_ma: 256 lights take 512 mA at their faintest; give that or more"),
        (MATRIX | {"size": [64, 64]}, "one wire has up to 2048 lights, not 4096; give the others to a second wall"),
        (MATRIX | {"modules": [3, 1]}, "32 x 8 lights are not 3 x 1 modules of equal size"),
        (MATRIX | {"colours": "rgbw"}, 'wall[1].panel.colours: is "rgb", "rbg", "grb", "gbr", "brg" or "bgr"'),
    ],
)  # fmt: skip
def test_what_a_panel_cannot_be_is_said(panel: dict[str, Any], words: str) -> None:
    with pytest.raises(floorplan.SiteError) as error:
        plan(panel)
    (line,) = str(error.value).splitlines()
    assert words.replace('"', "") in line.replace('"', "")


# Against the board's page -----------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "panels"),
    [
        ("pico-w", (CHAIN, CHAIN | {"cs": "GP16"}, MATRIX | {"bus": "spi1"})),
        ("pico-w", (CHAIN | {"sck": "GP6", "mosi": "GP7", "cs": "GP2"},)),
        ("esp32", (CHAIN | {"bus": "spi2", "cs": "IO21"}, MATRIX | {"bus": "spi1"})),
        ("raspberry-pi", ({**CHAIN, "bus": "spi0.0", "cs": None}, {**CHAIN, "bus": "spi0.1", "cs": None})),
        (
            "raspberry-pi",
            (MATRIX | {"bus": "spi1.0"}, {**CHAIN, "bus": "spi0.1", "cs": None}, {"kind": "terminal"}),
        ),
        ("simulated", (CHAIN | {"bus": "file:a.spi"}, {"kind": "memory"})),
    ],
)
def test_what_a_board_can_drive_is_good(board: str, panels: tuple[dict[str, Any], ...]) -> None:
    assert definition.check(plan(*panels, board=board)) == []


@pytest.mark.parametrize(
    ("board", "panels", "words"),
    [
        (
            "pico-w",
            (CHAIN | {"bus": "spi0.0"},),
            "board b: wall 'w0': a Raspberry Pi Pico W has no bus spi0.0; it has spi0, spi1.",
        ),
        (
            "simulated",
            (CHAIN,),
            "a simulated board has no bus spi0; it has none. To try the panel without one: bus =",
        ),
        (
            "pico-w",
            (CHAIN | {"cs": None},),
            "wall 'w0': the chain needs a chip-select, a pin of its own: cs = \"GP2\"",
        ),
        (
            "pico-w",
            (CHAIN | {"cs": "GP0"},),
            "wall 'w0': cs at GP0: it is the console's output on many images",
        ),
        ("pico-w", (CHAIN | {"cs": "GP30"},), "wall 'w0': cs: a Raspberry Pi Pico W has no pin GP30"),
        ("pico-w", (CHAIN | {"cs": "GP23"},), "wall 'w0': cs at GP23: it is the radio's"),
        ("esp32", (CHAIN | {"bus": "spi2", "cs": "IO34"},), "wall 'w0': cs at IO34: it is an input only"),
        (
            "pico-w",
            (CHAIN | {"sck": "GP10"},),
            "wall 'w0': sck at GP10: spi0 has it at GP18 or GP2 or GP6 or GP22",
        ),
        ("pico-w", (CHAIN | {"cs": "GP19"},), "wall 'w0': mosi at GP19 is taken: it is cs of wall 'w0'"),
        ("pico-w", (CHAIN, CHAIN), "wall 'w1': cs at GP17 is taken: it is cs of wall 'w0'"),
        (
            "pico-w",
            (CHAIN, MATRIX),
            "wall 'w1': spi0 goes to wall 'w0' too, and WS2812 lights hear all that is sent there",
        ),
        (
            "pico-w",
            (CHAIN, CHAIN | {"cs": "GP20", "sck": "GP6"}),
            "wall 'w1': spi0 has its clock and data at GP18 and GP19 "
            "for wall 'w0': give the same sck and mosi here",
        ),
        (
            "pico-w",
            ({"kind": "terminal"},),
            "wall 'w0': a panel of kind 'terminal' is for a board that runs cpython",
        ),
        (
            "esp32",
            (MATRIX | {"bus": "spi1", "size": [64, 8]},),
            "wall 'w0': 512 lights; spi1 of an ESP32 sends at most 432 at once",
        ),
        (
            "raspberry-pi",
            (CHAIN | {"bus": "spi0.0", "cs": "GPIO5"},),
            "cs at GPIO5: spi0.0 has its own, GPIO8; leave cs out",
        ),
        (
            "raspberry-pi",
            (MATRIX | {"bus": "spi0.0"}, {**CHAIN, "bus": "spi0.1", "cs": None}),
            "wall 'w1': spi0.1 goes to wall 'w0' too, and WS2812 lights hear all",
        ),
    ],
)
def test_what_a_board_cannot_drive_is_said(
    board: str, panels: tuple[dict[str, Any], ...], words: str
) -> None:
    assert words in "\n".join(definition.check(plan(*panels, board=board)))


@pytest.mark.parametrize(
    ("board", "panel", "desk", "words"),
    [
        (
            "pico-w",
            CHAIN,
            {"phone": {"by": "contact", "pin": "GP18"}},
            "wall 'w0': sck at GP18 is taken: it is phone.pin of desk 'a1'",
        ),
        (
            "pico-w",
            CHAIN,
            {"headset": {"by": "contact", "pin": "GP5", "dock": "GP17"}},
            "wall 'w0': cs at GP17 is taken: it is headset.dock of desk 'a1'",
        ),
        (
            "raspberry-pi",
            {**CHAIN, "bus": "spi0.0", "cs": None},
            LINE,
            "wall 'w0': spi0.0 measures ADC3, phone.pin of desk 'a1': take another bus",
        ),
        ("raspberry-pi", MATRIX | {"bus": "spi0.1"}, LINE, "spi0.1 measures ADC3, phone.pin of desk 'a1'"),
        ("raspberry-pi", {**CHAIN, "bus": "spi0.1", "cs": None}, LINE, ""),
        (
            "raspberry-pi",
            MATRIX | {"bus": "spi1.0"},
            {"phone": {"by": "contact", "pin": "GPIO19"}},
            "wall 'w0': miso at GPIO19 is taken: it is phone.pin of desk 'a1'",
        ),
    ],
)
def test_pins_of_panels_and_desks_are_not_the_same(
    board: str, panel: dict[str, Any], desk: dict[str, Any], words: str
) -> None:
    found = definition.check(plan(panel, board=board, desk=desk))
    assert found == [] if not words else words in "\n".join(found)


def test_a_light_sensor_is_where_a_voltage_is_measured_and_nothing_else() -> None:
    assert definition.check(plan(CHAIN, light={"pin": "GP26"})) == []
    assert (
        "light at GP5: a voltage is measured at GP26, GP27, GP28"
        in definition.check(plan(CHAIN, light={"pin": "GP5"}))[0]
    )
    (line,) = definition.check(plan(CHAIN | {"cs": "GP26"}, light={"pin": "GP26"}))
    assert "cs at GP26 is taken: it is light of wall 'w0'" in line


@pytest.mark.parametrize("name", definition.names())
def test_a_pages_buses_are_at_pins_of_its_board(name: str) -> None:
    page = definition.read(name)
    for bus, spi in page.spi.items():
        assert re.fullmatch(r"spi\d(\.\d)?", bus)
        for pin in (*spi.sck, *spi.mosi, spi.cs, spi.miso):
            assert pin is None or pin in page.pins or (spi.cs and "SPI's" in page.avoid[pin])
        assert set(spi.adc) <= set(page.adc)


# The command ------------------------------------------------------------------------


def wall_test(
    site: Path, wall: str, *typed: str, mqtt: str | None = None
) -> subprocess.CompletedProcess[str]:
    """`callfloor wall test`, with what a technician types."""
    more = ["--mqtt", mqtt] if mqtt else []
    env, text = os.environ | {"COLUMNS": "100"}, "".join(f"{line}\n" for line in typed)
    return finished("wall", "test", wall, "--site", str(site), *more, env=env, typed=text.encode())


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_a_wall_is_found_out_by_the_command(
    tmp_path: Path, python: str, request: pytest.FixtureRequest
) -> None:
    """A real broker, a real board of either Python, and a wall that hangs otherwise than its site file says."""
    if python == "micropython":
        request.getfixturevalue("micropython")
    spi = tmp_path / "wall.spi"

    def wired(tables: dict[str, Any]) -> None:
        tables["wall"] = [tables["wall"][0] | {
            "id": "north", "board": "row-a", "panel": {
                "kind": "ws2812", "size": [16, 8], "bus": f"file:{spi}", "most_ma": 4000, "lights": "top-right rows",
            },
        }]  # fmt: skip

    with House(tmp_path, wired) as house:
        panel = house.plan.wall[0].panel
        true = calibrate.Setting(lights="bottom-right columns snake", colours="rgb")

        def seen() -> list[str]:
            hz, _, sent = decoders.transfers(spi)
            bits = decoders.bits_of(decoders.pulses(sent[-1:], hz))[0]
            lights = decoders.matrix(
                decoders.lights_of(bits, "rgb"), (16, 8), (1, 1), true.chain, true.lights
            )
            letters = {
                (0, 0, 0): ".",
                (255, 255, 255): "o",
                (255, 0, 0): "R",
                (0, 255, 0): "G",
                (0, 0, 255): "B",
            }
            return ["".join(letters.get(light, "?") for light in row) for row in lights]

        told = tmp_path / "row-a.json"
        settings = floorplan.board_json(house.plan, "row-a", {"kind": "memory"})
        told.write_text(json.dumps(settings))
        with pythons.started(python, "-m", "firmware.main", str(told)):
            house.wait("it draws", spi.exists, 20)
            search = calibrate.Search(panel)
            numbers = []
            looks = [look(panel, true) for _, look in calibrate.looks(panel)]
            while question := search.ask():
                numbers.append(next(n for n, drawing in enumerate(question.drawings) if drawing in looks))
                search.answer(numbers[-1])
            done = wall_test(house.site, "north", *(str(number + 1) for number in numbers))
            assert done.returncode == 0, done.stderr
            house.wait("it shows the picture", lambda: seen() == calibrate.seen(panel, true), 5)
            assert done.stdout.splitlines()[-1] == calibrate.line(panel, true)
            assert 'lights = "bottom-right columns snake"' in done.stdout and 'colours = "rgb"' in done.stdout
            done = wall_test(house.site, "north", "0")
            assert (done.returncode, "nothing fits; are kind, size and modules in" in done.stderr) == (
                1,
                True,
            )


def test_a_board_that_does_not_answer_and_a_broker_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "ANSWER_S", 0.3)
    told = {"do": "test", "seconds": 1, "picture": 1}

    def at(port: int) -> floorplan.Plan:
        return plan(CHAIN).model_copy(update={"broker": floorplan.Broker(host=HOST, port=port)})

    with mosquitto(tmp_path) as broker:
        with pytest.raises(
            command.CommandError, match="board 'b' does not answer; is it on the page as ready"
        ):
            command.tell(at(broker.port), "b", told, None)
        gone = broker.port
    with pytest.raises(command.CommandError, match=rf"no broker at {HOST}:{gone} \(.*\); does it run"):
        command.tell(at(gone), "b", told, None)


def test_the_command_names_the_wall_that_is_meant(tmp_path: Path) -> None:
    site = tmp_path / "site.json"
    site.write_text(json.dumps(plan(CHAIN).model_dump(mode="json", exclude_none=True)))
    done = wall_test(site, "w00")
    assert done.stderr == "callfloor: no wall 'w00' in the site file; did you mean 'w0'?\n"


def test_the_page_about_panels_has_its_examples_and_sums_right() -> None:
    page = (Path(floorplan.__file__).parent / "docs" / "panels.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    walls = tomllib.loads(example)["wall"]
    for wall, board in zip(walls, ("pico-w", "raspberry-pi"), strict=True):
        assert definition.check(plan(wall["panel"], board=board)) == []
    sizes = re.findall(r"\| (?:up to )?(\d+) \| (\d+) \| (?:nothing|`spidev\.bufsiz=(\d+))", page)
    assert len(sizes) == 4
    for lights, size, bufsiz in sizes:
        assert ws2812.size(int(lights)) == int(size) <= int(bufsiz or 4096)
    assert {f"`{key}`" for key in (*floorplan.OF_KINDS,)} <= set(re.findall(r"`\w+`", page))


def test_a_bus_sends_as_much_at_once_as_a_matrix_needs() -> None:
    assert ws2812.size(432) <= 4092 < ws2812.size(433)
