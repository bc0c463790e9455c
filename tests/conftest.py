"""What many tests need: a real MicroPython, a real browser, and waiting without luck."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.brokers import Broker, mosquitto
from tests.house import Ear

MICROPYTHON = Path(sys.executable).parent / "micropython"
HALF = (
    "The half that runs the boards' code on MicroPython cannot run here: there is no interpreter for this "
    "machine. The rest was tried on CPython. For the whole, run `make test` on x86-64 Linux."
)


@pytest.fixture(scope="session")
def micropython() -> str:
    """The path of a real MicroPython interpreter; a test that needs one fails where there is none."""
    if not MICROPYTHON.exists():
        pytest.fail(HALF, pytrace=False)
    return str(MICROPYTHON)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for a module's tests."""
    from tests.test_page import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto of one test's own."""
    with mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    """Hears everything that is said there."""
    ear = Ear(broker)
    yield ear
    ear.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that may take longer than most begin first: no worker is left alone with one at the end."""

    def seconds(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return float(marker.args[0]) if marker else 0.0

    items.sort(key=seconds, reverse=True)


def pytest_unconfigure() -> None:
    """Says, as the very last line, which half could not run."""
    if not MICROPYTHON.exists():
        print(f"\n{HALF}")


def until(met: Callable[[], object], what: str, within_s: float = 10) -> None:
    """Returns as soon as `met()` is true; fails with `what` after `within_s`."""
    end = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < end, f"not within {within_s:g} s: {what}"
        time.sleep(0.005)
