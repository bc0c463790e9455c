"""The mirror: what it fetches once, takes, refuses and serves. It is filled from a small site of our own."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import callfloor_board
from boards import definition
from boards.bench import BenchError, fill, flash, mirror, source
from boards.bench.mirror import LOCK, File, Mirror
from boards.bench.show import Show
from boards.bench.source import IMAGES, INDEX, Source
from simulator.plugged import Plugged
from tests import drives, index
from tests.images import esp_image, uf2_image

PICO = definition.read("pico-w")
ESP32 = definition.read("esp32")
NEW = "RPI_PICO_W-20251209-v1.27.0.uf2"
OLD = "RPI_PICO_W-20250911-v1.9.1.uf2"
ESP = "ESP32_GENERIC-20251209-v1.27.0.bin"
LOOK = "import sys; sys.path.append('lib')\nimport hello\nprint(hello.hello('Ada'))"
HELLO = b"from greet import words\n\ndef hello(name):\n    return words + name\n"
GREET = b'words = "Good day, "\n'


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("mpy")
    return index.bytecode(HELLO, folder), index.bytecode(GREET, folder)


@pytest.fixture
def site(tmp_path: Path, compiled: tuple[bytes, bytes]) -> Path:
    """A whole site: three images for a Pico W, one for an ESP32, a package that needs another."""
    root = tmp_path / "site"
    for name, seed in ((OLD, 1), (NEW, 2), ("RPI_PICO_W-20260101-v1.28.0-preview.12.gabc.uf2", 3)):
        index.put_image(root, name, uf2_image(blocks=40, seed=seed))
    index.put_image(root, "RPI_PICO-20251209-v1.29.0.uf2", uf2_image(blocks=20))
    index.put_image(root, ESP, esp_image(size=2000))
    index.put_image(root, "ESP32_GENERIC-SPIRAM-20251209-v1.28.0.bin", esp_image(size=3000))
    hello, greet = compiled
    for variant, ending, first, second in (("6", "mpy", hello, greet), ("py", "py", HELLO, GREET)):
        index.put_package(root, "hello", "1.2.0", {f"hello.{ending}": first}, variant, [("greet", "latest")])
        index.put_package(root, "greet", "latest", {f"greet/__init__.{ending}": second}, variant)
    return root


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "package.json"
    path.write_text('{"urls": [], "deps": [["hello", "1.2.0"]]}')
    monkeypatch.setattr(mirror, "PINNED", path)
    return path


@pytest.fixture
def here(tmp_path: Path, pins: Path) -> Mirror:
    return Mirror(tmp_path / "mirror")


def filled(there: Mirror, where: str | Path, **how: object) -> dict[str, File]:
    files = there.fill([PICO, ESP32], Source(str(where)), **how)  # type: ignore[arg-type]
    return {file.path: file for file in files}


def lock(there: Mirror) -> dict[str, dict[str, object]]:
    rows: dict[str, dict[str, object]] = json.loads((there.folder / LOCK).read_text())["files"]
    return rows


def test_it_is_filled_once_and_then_works_alone(here: Mirror, site: Path, compiled: tuple[bytes, bytes]) -> None:
    with index.served(site) as (url, asked):
        files = filled(here, url)
        assert {file.state for file in files.values()} == {"new"}
        assert len(files) == 2 + 2 * 4  # images; two packages with a file each, as bytecode and as source
        for path, row in lock(here).items():
            data = (here.folder / path).read_bytes()
            assert data == (site / path).read_bytes()
            assert row["sha256"] == hashlib.sha256(data).hexdigest() == files[path].sha256
            assert row["size"] == len(data)
            assert row["from"] == url
        asked.clear()
        assert {file.state for file in filled(here, url).values()} == {"held"}
        assert asked == ["/download/ESP32_GENERIC/", "/download/RPI_PICO_W/"]  # is there a newer one?
    assert here.image(PICO) == here.folder / IMAGES / NEW
    assert here.image(ESP32) == here.folder / IMAGES / ESP
    assert here.packages(["hello"]) == {"lib/hello.mpy": compiled[0], "lib/greet/__init__.mpy": compiled[1]}
    assert here.packages(["hello"], mpy=5) == {"lib/hello.py": HELLO, "lib/greet/__init__.py": GREET}
    assert not [path for path in here.folder.rglob("*") if path.name.startswith(".")]


def test_a_certain_version(here: Mirror, site: Path) -> None:
    for file in here.fill([PICO], Source(str(site)), "1.9.1"):
        assert file.state == "new"
    assert here.image(PICO).name == OLD
    assert filled(here, site)[f"{IMAGES}/{NEW}"].state == "new"
    assert here.image(PICO).name == NEW
    assert here.image(PICO, "1.9.1").name == OLD
    with pytest.raises(BenchError, match=r"no image RPI_PICO_W 1\.4 in the mirror .*: `callfloor board mirror`"):
        here.image(PICO, "1.4")


def test_another_mirror_fills_it_too(here: Mirror, site: Path, tmp_path: Path) -> None:
    filled(here, site)
    with index.served(here.folder) as (url, _):
        second = Mirror(tmp_path / "second")
        assert {file.state for file in filled(second, f"{url}/{INDEX}").values()} == {"new"}
    assert {path: row["sha256"] for path, row in lock(second).items()} == {
        path: row["sha256"] for path, row in lock(here).items()
    }


def test_what_a_source_has_not_is_told_and_the_rest_comes(here: Mirror, site: Path) -> None:
    """A stick with one image on it, and nothing else."""
    stick = here.folder.with_name("stick")
    stick.mkdir()
    (stick / NEW).write_bytes((site / IMAGES / NEW).read_bytes())
    files = filled(here, stick)
    assert files[f"{IMAGES}/{NEW}"].state == "new"
    rest = [file for file in files.values() if file.state == "none"]
    lists = [f"{INDEX}/package/{variant}/hello/1.2.0.json" for variant in ("6", "py")]
    assert {file.path for file in rest} == {"ESP32_GENERIC", *lists}
    assert f"{stick}: no release of ESP32_GENERIC, for a {ESP32.name}, that ends in .bin" in [file.why for file in rest]


def test_nothing_is_written_by_a_dry_run(here: Mirror, site: Path) -> None:
    assert {file.state for file in filled(here, site, dry=True).values()} == {"to come"}
    assert not here.folder.exists()


def test_a_changed_file_is_not_used(here: Mirror, site: Path) -> None:
    filled(here, site)
    image = here.folder / IMAGES / NEW
    whole = image.read_bytes()
    image.write_bytes(whole[:-600] + b"?" + whole[-599:])
    with pytest.raises(BenchError, match=r"no longer the file that came on 20.*remove it, and"):
        here.image(PICO)
    with pytest.raises(BenchError, match="no longer the file that came on"):
        filled(here, site)
    states = {file.path: file.state for file in here.check()}
    assert states.pop(f"{IMAGES}/{NEW}") == "changed"
    assert set(states.values()) == {"good"}
    image.unlink()
    assert "missing" in [file.state for file in here.check()]
    filled(here, site)
    assert here.image(PICO).read_bytes() == whole
    assert {file.state for file in here.check()} == {"good"}
    for path in (here.folder / INDEX / "file").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes() + b"\n# and more\n")
    with pytest.raises(BenchError, match="no longer the file"):
        here.packages(["hello"])


def test_a_site_that_gives_another_file_under_the_same_name(here: Mirror, site: Path) -> None:
    filled(here, site)
    held = (here.folder / IMAGES / NEW).read_bytes()
    (here.folder / IMAGES / NEW).unlink()
    (site / IMAGES / NEW).write_bytes(uf2_image(blocks=40, seed=99))
    with pytest.raises(BenchError) as told:
        filled(here, site)
    assert f"{IMAGES}/{NEW}: {site} gives another file now than when it first came, on 20" in str(told.value)
    assert not (here.folder / IMAGES / NEW).exists()
    (site / IMAGES / NEW).write_bytes(held)
    filled(here, site)
    assert here.image(PICO).read_bytes() == held


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-700])


def html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>Please log in</title>")


def outside(path: Path) -> None:
    text = path.read_text()
    path.write_text(re.sub(r'"hello\.(m?py)"', r'"../../hello.\1"', text))


def absolute(path: Path) -> None:
    path.write_text(re.sub(r'"hello\.(m?py)"', r'"/main.\1"', path.read_text()))


def climbing(path: Path) -> None:
    path.write_text(path.read_text().replace('"greet"', '"../greet"'))


def elsewhere(path: Path) -> None:
    path.write_text(json.dumps({"urls": [["hello.py", "https://example.org/hello.py"]]}))


PACKAGE = f"{INDEX}/package/6/hello/1.2.0.json"


@pytest.mark.parametrize(
    ("path", "spoil", "words"),
    [
        (f"{IMAGES}/{NEW}", cut, f"{NEW} is cut off"),
        (f"{IMAGES}/{NEW}", html, f"{NEW} is no UF2 image, it begins with b'<!DOCTYPE ht'"),
        (f"{IMAGES}/{ESP}", cut, f"{ESP} is not whole"),
        (PACKAGE, html, "is no package's list of files but a web page: does a proxy or a login page stand between?"),
        (PACKAGE, outside, "'../../hello.mpy' is no path for a board's lib folder"),
        (PACKAGE, absolute, "'/main.mpy' is no path for a board's lib folder"),
        (PACKAGE, climbing, "'../greet' is no name that a file could have"),
        (PACKAGE, elsewhere, "it takes files from elsewhere"),
        ("file", cut, "gives a damaged file, of another SHA-256"),
    ],
)
def test_what_is_spoiled_is_not_taken(
    here: Mirror, site: Path, path: str, spoil: Callable[[Path], None], words: str
) -> None:
    if path == "file":
        short = json.loads((site / PACKAGE).read_text())["hashes"][0][1]
        path = f"{INDEX}/file/{short[:2]}/{short}"
    whole = (site / path).read_bytes()
    spoil(site / path)
    with index.served(site) as (url, _):
        with pytest.raises(BenchError) as told:
            filled(here, url)
        assert words in str(told.value)
        assert not (here.folder / path).exists() and path not in (lock(here) if (here.folder / LOCK).exists() else {})
        (site / path).write_bytes(whole)
        assert {file.state for file in filled(here, url).values()} <= {"new", "held"}
    assert {file.state for file in here.check()} == {"good"}


class Cut(index.Quiet):
    """A server that goes away in the middle of a file."""

    def copyfile(self, source: object, outputfile: object) -> None:
        data = source.read()  # type: ignore[attr-defined]
        outputfile.write(data[: len(data) // 2])  # type: ignore[attr-defined]


class Broken(index.Quiet):
    """One that answers nothing but that it cannot."""

    def do_GET(self) -> None:
        self.send_error(503)


@pytest.mark.parametrize(("how", "words"), [(Cut, "it ended after "), (Broken, ": 503 Service Unavailable")])
def test_a_server_that_fails(here: Mirror, site: Path, how: type[index.Quiet], words: str) -> None:
    with index.served(site, how) as (url, _), pytest.raises(BenchError) as told:
        filled(here, url)
    assert words in str(told.value)
    assert not list(here.folder.rglob("*.bin"))
    with index.served(site) as (url, _):
        filled(here, url)
    with pytest.raises(BenchError, match="is this computer on the internet"):
        filled(here, url)  # nobody is there any more


def test_a_file_without_end_is_not_waited_for(here: Mirror, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MOST_IMAGE", 4000)
    with index.served(site) as (url, _), pytest.raises(BenchError, match="more than 4,000 bytes"):
        filled(here, url)


def test_a_full_disk_and_the_same_again(site: Path, tmp_path: Path, pins: Path) -> None:
    with drives.plugged(tmp_path / "disk", size="100k") as disk:
        there = Mirror(disk / "mirror")
        with pytest.raises(BenchError, match=r"the disk of .* is full: make room, and the same command again goes on"):
            filled(there, site)
        files = {path.relative_to(there.folder).as_posix() for path in there.folder.rglob("*") if path.is_file()}
        assert 0 < len(files) < 8 and files == {LOCK, *lock(there)}
        drives.bigger(disk)
        filled(there, site)
        assert {file.state for file in there.check()} == {"good"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {"a": 1}}', '{"files": {"../x": {}}}', "\0"])
def test_a_lock_that_is_no_lock(here: Mirror, text: str) -> None:
    here.folder.mkdir()
    (here.folder / LOCK).write_text(text)
    with pytest.raises(BenchError, match=re.escape(LOCK)):
        here.image(PICO)


def test_an_image_that_was_downloaded_by_hand(here: Mirror, site: Path, tmp_path: Path) -> None:
    stick = tmp_path / NEW
    stick.write_bytes((site / IMAGES / NEW).read_bytes())
    assert here.add(stick, [PICO, ESP32], dry=True).state == "to come"
    assert not here.folder.exists()
    assert here.add(stick, [PICO, ESP32]).state == "new"
    assert here.image(PICO).read_bytes() == stick.read_bytes()
    stick.write_bytes(uf2_image(blocks=40, seed=5))
    with pytest.raises(BenchError, match="gives another file now than when it first came"):
        here.add(stick, [PICO, ESP32])
    for name, words in (("firmware.uf2", "an image keeps the name that it has"), (ESP, "no image of MicroPython")):
        other = tmp_path / name
        other.write_bytes(stick.read_bytes())
        with pytest.raises(BenchError, match=words):
            here.add(other, [PICO, ESP32])


def test_packages_that_nobody_pinned(here: Mirror, site: Path, pins: Path) -> None:
    filled(here, site)
    with pytest.raises(BenchError, match="pins no version of package 'aioblink', only hello"):
        here.packages(["aioblink"])
    pins.write_text('{"deps": [["hello", "1.3.0"]]}')
    with pytest.raises(BenchError, match=r"1\.3\.0\.json is not in the mirror .*: `callfloor board mirror` fetches it"):
        here.packages(["hello"])
    pins.write_text('{"deps": [["../hello", "1.3.0"]]}')
    with pytest.raises(BenchError, match="is no name that a file could have"):
        here.packages(["hello"])


@pytest.mark.parametrize("name", ["con", "aux.mpy", "NUL", "nul.tar.mpy", "Com1", "lpt9.py", "a.", ".a", "a" * 81])
def test_a_name_that_some_system_has_no_file_of_is_refused(name: str) -> None:
    with pytest.raises(BenchError, match="is no name that a file could have"):
        mirror._named(name, "a package")
    for good in ("console.mpy", "a.b", "com10", "null", "x" * 80):
        assert mirror._named(good, "a package") == good


def test_a_package_that_needs_itself_and_one_that_needs_no_end_of_others(here: Mirror, site: Path) -> None:
    index.put_package(site, "greet", "latest", {}, "6", [("hello", "1.2.0")])
    filled(here, site)
    assert list(here.packages(["hello"])) == ["lib/hello.mpy"]
    for number in range(mirror.MOST_DEPS):
        index.put_package(site, f"p{number}", "1", {}, "6", [(f"p{number + 1}", "1")])
    index.put_package(site, "hello", "1.2.0", {}, "6", [("p0", "1")])
    with pytest.raises(BenchError, match="package 'hello' needs more than 50 others"):
        filled(Mirror(here.folder.with_name("second")), site)


def test_what_goes_on_is_what_was_held_against_its_sum(here: Mirror, site: Path, tmp_path: Path) -> None:
    """The mirror may be a folder in a network, and change between the look and the use."""
    filled(here, site)
    aim = flash.Target("s", "b", "pico-w", PICO, {}, "nowhere", None, False, None)
    how = flash.How(giver=flash.Told({}), book=None, broker=None, mirror=here.folder)
    with contextlib.ExitStack() as stack:
        path = flash._image_for(aim, None, how, Show(), stack)
        assert path and path.name == NEW
        (here.folder / IMAGES / NEW).write_bytes(b"another file")
        assert path.read_bytes() == (site / IMAGES / NEW).read_bytes()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("page", "name", "kind"),
    [
        (PICO, "RPI_PICO-20251209-v1.27.0.uf2", "RPI_PICO"),
        (PICO, "W5500_EVB_PICO-20251209-v1.27.0.uf2", "W5500_EVB_PICO"),
        (PICO, NEW, None), (PICO, "our own.uf2", None), (PICO, "RPI_PICO_W-20260101-v1.28.0-preview.12.gabc.uf2", None),
        (ESP32, "OLIMEX_ESP32_POE-20251209-v1.27.0.bin", "OLIMEX_ESP32_POE"),
        (ESP32, "ESP32_GENERIC-SPIRAM-20251209-v1.28.0.bin", None),
    ],
)  # fmt: skip
def test_an_image_of_another_board_with_the_same_chip_is_asked_about(
    page: definition.Definition, name: str, kind: str | None, tmp_path: Path
) -> None:
    assert page.flash
    path = tmp_path / name
    path.write_bytes(uf2_image(blocks=2) if page is PICO else esp_image(size=2000))
    aim = flash.Target("s", "b", "", page, {}, "nowhere", None, False, None)
    asked: list[str] = []
    how = flash.How(giver=flash.Told({}), book=None, broker=None, image=path)

    def sure(words: str) -> bool:
        asked.append(words)
        return True

    yes = dataclasses.replace(how, sure=sure)
    with contextlib.ExitStack() as stack:
        assert flash._image_for(aim, None, yes, Show(), stack) == path
        words = f"{name} is MicroPython for {kind}, and a {page.name} takes {page.flash.image}"
        assert asked == ([f"{words}. Put it on all the same?"] if kind else [])
        if kind:
            with pytest.raises(BenchError, match="to put it on all the same: --yes"):
                flash._image_for(aim, None, how, Show(), stack)


def test_our_own_packages_are_pinned() -> None:
    for name, version in mirror.pinned().items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


@pytest.fixture
def run(tmp_path: Path, pins: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    def call(*words: str) -> tuple[int, str]:
        told = CliRunner().invoke(callfloor_board.app, ["mirror", "--mirror", str(tmp_path / "mirror"), *words])
        if told.exception and not isinstance(told.exception, SystemExit):
            raise told.exception
        return told.exit_code, told.output

    yield call


def test_the_command(run: Callable[..., tuple[int, str]], site: Path, tmp_path: Path) -> None:
    with index.served(site) as (url, _):
        code, said = run("--from", url, "--image", "pico-w", "--dry-run")
        assert code == 0 and f"{IMAGES}/{NEW}: would be fetched" in said
        code, said = run("--from", url, "--image", "pico-w", "--image", "esp32")
        size = (site / IMAGES / NEW).stat().st_size
        assert code == 0 and f"{IMAGES}/{NEW}: {size:,} bytes, fetched" in said
        assert said.endswith(f"{tmp_path / 'mirror'}: 10 of 10 files; their sums are in {LOCK}\n")
        code, said = run("--from", url, "--json", "--image", "pico-w")
        assert code == 0 and {file["state"] for file in json.loads(said)["files"]} == {"held"}
    assert run("--check")[0] == 0
    (tmp_path / "mirror" / IMAGES / NEW).write_bytes(b"")
    code, said = run("--check")
    assert code == 1 and f"{IMAGES}/{NEW}: 0 bytes, NOT what came: remove it" in said
    with pytest.raises(BenchError, match=r"--image raspberry-pi-4: a Raspberry Pi 4.* takes no image of MicroPython"):
        run("--image", "raspberry-pi-4", "--from", str(site))
    with pytest.raises(BenchError, match="neither an address"):
        run("--from", str(tmp_path / "nothing"))


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALLFLOOR_MIRROR", str(tmp_path))
    assert mirror.default_folder() == tmp_path
    monkeypatch.delenv("CALLFLOOR_MIRROR")
    assert mirror.default_folder().parts[-2:] == ("callfloor", "mirror")
    assert re.fullmatch(r"https://[a-z.]+", source.site())
    with pytest.raises(BenchError, match="one at a time"):
        fill.run(tmp_path, check=True, add=tmp_path)


def test_the_real_mpremote_installs_from_it(here: Mirror, site: Path, tmp_path: Path) -> None:
    """mip of mpremote, a real MicroPython behind a pseudo-terminal, and the mirror's folder served as it is."""
    filled(here, site)
    with index.served(here.folder) as (url, asked), Plugged(tmp_path / "flash") as board:
        told = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", board.port, "mip", "install", "--index", f"{url}/{INDEX}",
             "--target", "lib", "hello@1.2.0", "+", "exec", LOOK],
            capture_output=True, text=True, timeout=30, check=False, env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.splitlines()[-1] == "Good day, Ada"
    assert (tmp_path / "flash/lib/greet/__init__.mpy").is_file()
    assert f"/{PACKAGE}" in asked
