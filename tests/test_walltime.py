"""Whether the clock is believed: what was seen goes in, words come out; and a real look at this computer."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.queues.events import REASON_LENGTH
from gateway.walltime import Seen, look, why_not

from .conftest import until

NOW = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC).timestamp()
SET = Seen(True, "systemd-timesyncd")
NOT_SET = Seen(False, "systemd-timesyncd")
ALONE = Seen(False, "")
EVERY = (SET, NOT_SET, ALONE, Seen(True, ""), Seen(False, "chronyd"), Seen(False, "ntpd of OpenNTPD"))


@pytest.mark.parametrize(
    ("mode", "seen", "believed"),
    [
        ("auto", SET, True),
        ("auto", NOT_SET, False),
        ("auto", Seen(False, "chronyd"), False),
        ("auto", ALONE, True),  # nothing here will ever set it: it is as right as it gets
        ("trusted", NOT_SET, True),
        ("trusted", ALONE, True),
    ],
)
def test_who_is_believed(mode: str, seen: Seen, believed: bool) -> None:
    assert (why_not(mode, NOW, None, seen) == "") == believed
    assert (why_not(mode, NOW, NOW - 3600, seen) == "") == believed


@pytest.mark.parametrize("mode", ["auto", "trusted"])
@pytest.mark.parametrize("seen", EVERY)
def test_a_clock_that_cannot_be_right_is_never_believed(mode: str, seen: Seen) -> None:
    assert "says 1970-01-01 00:01 UTC, which cannot be" in why_not(mode, 60.0, None, seen)
    assert why_not(mode, dt.datetime(2025, 12, 31, 23, tzinfo=dt.UTC).timestamp(), None, seen)
    words = why_not(mode, NOW, NOW + 3 * 86400, seen)
    assert "says 2026-11-22 09:30 UTC, but totals are kept until 2026-11-25 09:30 UTC" in words


def test_a_clock_may_be_set_back_a_little() -> None:
    assert why_not("auto", NOW, NOW + 119, SET) == ""
    assert why_not("auto", NOW, NOW + 121, SET)


def test_the_words_say_who_has_to_set_it_and_what_to_try() -> None:
    words = why_not("auto", NOW, None, NOT_SET)
    assert words.startswith("systemd-timesyncd has not set the clock yet")
    assert "timedatectl" in words
    assert 'clock = "trusted" in [site]' in words
    assert "chronyc tracking" in why_not("auto", NOW, None, Seen(False, "chronyd"))


@pytest.mark.parametrize("seen", EVERY)
def test_the_words_fit_where_reasons_stand(seen: Seen) -> None:
    for now_s, newest_s in ((NOW, None), (NOW, NOW + 86400), (0.0, None)):
        assert len(why_not("auto", now_s, newest_s, seen)) <= REASON_LENGTH


def test_a_look_at_this_computer() -> None:
    """Whatever it is, the look agrees with itself, and what it sees decides."""
    seen = look()
    assert look() == seen
    words = why_not("auto", time.time(), None)
    assert (words == "") == (seen.synchronised or not seen.service)
    assert why_not("trusted", time.time(), None) == ""


def test_a_time_service_that_runs_is_seen_and_one_that_ended_is_not(tmp_path: Path) -> None:
    before = look()
    program = tmp_path / "chronyd"  # a real process of that name, which is all that is looked at
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as service:
        try:
            expected = before.service or "chronyd" if sys.platform == "linux" else ""
            until(lambda: look().service == expected, f"{expected or 'nothing'} is seen")
        finally:
            service.kill()
    assert look() == before
