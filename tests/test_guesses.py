"""Who guesses at passwords is slowed down, and whom they guess at is not."""

from __future__ import annotations

import itertools
import re

import pytest

from gateway.people import guesses as module
from gateway.people.guesses import ADDRESS, ALL, HERE, NAME, ROWS_MOST, STRANGER, TOKENS, Guesses

DAY_S = 24 * 3600


class Clock:
    """Time that goes by when we say so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses(clock: Clock) -> Guesses:
    return Guesses(clock)


def tries(guesses: Guesses, clock: Clock, seconds: float, name: str | None, address: str) -> int:
    """How many guesses somebody has who waits as long as they are told; with no name a new one each time."""
    end_s, count, names = clock.now_s + seconds, 0, itertools.count()
    while clock.now_s < end_s:
        wait_s = guesses.wait_s(name or f"n{next(names)}", address)
        count += not wait_s
        clock.now_s += wait_s
    return count


def test_one_address_has_as_many_guesses_a_day_as_is_written_down(guesses: Guesses, clock: Clock) -> None:
    counted = tries(guesses, clock, DAY_S, None, "10.0.0.9")
    assert counted == pytest.approx(ADDRESS.a_day, abs=1)
    words = module.__doc__ or ""
    written = re.search(r"20 \+ 86400 / 120 = (\d+) guesses a day", words)
    assert written and int(written[1]) == ADDRESS.a_day
    assert f"1 + {DAY_S / STRANGER.every_s:.0f} a day" in words
    for most, every_s in (ADDRESS, HERE, NAME, ALL, TOKENS):
        assert re.search(rf"\b{most}( at once)?, then one\s+in {every_s:.0f} s", words)


def test_one_name_from_one_address_has_five_at_once_then_one_a_minute(guesses: Guesses, clock: Clock) -> None:
    assert [guesses.wait_s("lead", "10.0.0.9") for _ in range(6)] == [0, 0, 0, 0, 0, 60]
    clock.now_s += 59
    assert guesses.wait_s("lead", "10.0.0.9") == 1
    clock.now_s += 1
    assert guesses.wait_s("lead", "10.0.0.9") == 0
    assert guesses.wait_s("lead", "10.0.0.9") == 60


def test_who_is_guessed_at_gets_in_from_her_own_desk_and_from_any_other(guesses: Guesses, clock: Clock) -> None:
    assert guesses.wait_s("lead", "10.0.0.1") == 0
    guesses.right("lead", "10.0.0.1")
    for address in range(50, 60):  # a colleague at ten desks, for days
        tries(guesses, clock, DAY_S / 5, "lead", f"10.0.0.{address}")
    assert [guesses.wait_s("lead", "10.0.0.1") for _ in range(5)] == [0] * 5, "where she was, as ever"
    assert guesses.wait_s("lead", "10.0.0.2") == 0, "and once where she never was"
    assert guesses.wait_s("lead", "10.0.0.2") == STRANGER.every_s


def test_a_name_guessed_at_from_many_addresses_has_few_guesses_at_each(guesses: Guesses, clock: Clock) -> None:
    at = [f"10.0.{one}.{two}" for one in range(4) for two in range(250)]
    counts = []
    for address in at:
        counts.append(0)
        while counts[-1] < HERE.most and not guesses.wait_s("lead", address):
            counts[-1] += 1
    assert counts[:6] == [5] * 6 and set(counts[6:]) == {1}


def test_when_all_guess_at_all_names_each_place_has_few(guesses: Guesses) -> None:
    guesses.wait_s("lead", "10.0.0.1")
    guesses.right("lead", "10.0.0.1")
    for number in range(ALL.most):
        assert guesses.wait_s(f"n{number}", f"10.1.0.{number}") == 0
    assert [guesses.wait_s("agent", "10.0.0.5") for _ in range(2)] == [0, STRANGER.every_s]
    assert [guesses.wait_s("lead", "10.0.0.1") for _ in range(5)] == [0] * 5


def test_a_right_password_counts_for_nobody(guesses: Guesses) -> None:
    for _ in range(1000):
        assert guesses.wait_s("lead", "10.0.0.1") == 0
        guesses.right("lead", "10.0.0.1")
    assert guesses.wait_s("lead", "10.0.0.7") == 0


def test_ones_own_right_password_gives_no_more_guesses_at_others(guesses: Guesses, clock: Clock) -> None:
    wrong = 0
    while guesses.wait_s(f"victim-{wrong}", "10.0.0.9") == 0:
        wrong += 1
        if guesses.wait_s("me", "10.0.0.9") == 0:
            guesses.right("me", "10.0.0.9")
    assert wrong == ADDRESS.most


def test_what_nobody_had_time_to_look_at_is_not_counted(guesses: Guesses) -> None:
    for _ in range(100):
        assert guesses.wait_s("lead", "10.0.0.1") == 0
        guesses.untried("lead", "10.0.0.1")


def test_whoever_waits_as_told_may_and_nobody_waits_longer_than_ten_minutes(guesses: Guesses, clock: Clock) -> None:
    for address in range(200):
        for _ in range(30):
            assert guesses.wait_s("lead", f"10.0.1.{address}") <= STRANGER.every_s
    clock.now_s += guesses.wait_s("lead", "10.0.1.7")
    assert guesses.wait_s("lead", "10.0.1.7") == 0
    clock.now_s += DAY_S
    assert [guesses.wait_s("lead", "10.0.1.7") for _ in range(5)] == [0] * 5, "all is forgiven"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::5", "2001:db8:1:3::5", False),
        ("::ffff:10.0.0.9", "10.0.0.9", True),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("10.0.0.9", "10.0.0.10", False),
    ],
)
def test_an_address_is_one_even_if_it_has_many(guesses: Guesses, one: str, other: str, same: bool) -> None:
    while guesses.wait_s("lead", one) == 0:
        pass
    assert (guesses.wait_s("lead", other) > 0) is same


def test_memory_has_an_end_and_names_are_not_kept(guesses: Guesses, clock: Clock) -> None:
    for number in range(2 * ROWS_MOST):
        guesses.wait_s(f"hunter-{number}-" + "x" * 1000, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        guesses.wrong_token(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        clock.now_s += 0.01
    tables = [table for table in vars(guesses).values() if isinstance(table, module._Table)]
    assert len(tables) == 6
    assert ROWS_MOST // 2 < max(len(table._whole_s) for table in tables) <= ROWS_MOST
    assert "hunter" not in repr([table._whole_s for table in tables])


def test_wrong_tokens_are_told_to_wait(guesses: Guesses, clock: Clock) -> None:
    assert [guesses.wrong_token("10.0.0.9") for _ in range(TOKENS.most + 1)] == [0] * TOKENS.most + [30]
    assert guesses.wrong_token("10.0.0.8") == 0
    assert guesses.wait_s("lead", "10.0.0.9") == 0, "that is another matter"
