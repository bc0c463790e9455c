"""Who guesses at passwords is slowed down, and whom they guess at is not."""

from __future__ import annotations

import itertools
import re

import pytest

from gateway.people import guesses as module
from gateway.people.guesses import (
    ADDRESS,
    ALL,
    DESK,
    HERE,
    LINK,
    NAME,
    RIGHT,
    ROWS_MOST,
    STRANGER,
    TOKEN_LOGINS,
    TOKENS,
    Guesses,
)

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


def wrong(guesses: Guesses, name: str, address: str, desk: str | None = None) -> int:
    """A wrong password: how long to wait, 0 where it was heard."""
    return guesses.guess(name, address, desk).wait_s


def tries(guesses: Guesses, clock: Clock, seconds: float, name: str | None, address: str) -> int:
    """How many guesses somebody has who waits as long as they are told; with no name a new one each time."""
    end_s, count, names = clock.now_s + seconds, 0, itertools.count()
    while clock.now_s < end_s:
        wait_s = wrong(guesses, name or f"n{next(names)}", address)
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
    assert re.search(rf"10 \+ 86400 / 120 = {DESK.a_day:.0f} guesses a day", words)
    for most, every_s in (ADDRESS, HERE, NAME, ALL, TOKENS, DESK, LINK, RIGHT, TOKEN_LOGINS):
        assert re.search(rf"\b{most}( at once)?, then one\s+in {every_s:.0f} s", words)


def test_one_name_from_one_address_has_five_at_once_then_one_a_minute(guesses: Guesses, clock: Clock) -> None:
    assert [wrong(guesses, "lead", "10.0.0.9") for _ in range(6)] == [0, 0, 0, 0, 0, 60]
    clock.now_s += 59
    assert wrong(guesses, "lead", "10.0.0.9") == 1
    clock.now_s += 1
    assert wrong(guesses, "lead", "10.0.0.9") == 0
    assert wrong(guesses, "lead", "10.0.0.9") == 60


def test_who_is_guessed_at_gets_in_from_her_own_desk_and_from_any_other(guesses: Guesses, clock: Clock) -> None:
    for address in range(50, 60):  # a colleague at ten desks, for days
        tries(guesses, clock, DAY_S / 5, "lead", f"10.0.0.{address}")
    assert [wrong(guesses, "lead", "10.0.0.1", "hers") for _ in range(10)] == [0] * 10, "where she was, as ever"
    assert wrong(guesses, "lead", "10.0.0.2") == 0, "and once where she never was"
    assert wrong(guesses, "lead", "10.0.0.2") == STRANGER.every_s


@pytest.mark.parametrize(("mine", "hers"), [("fd00::bad", "fd00::5"), ("fe80::bad", "fe80::5"), ("10.0.0.9",) * 2])
def test_who_guesses_in_the_same_network_keeps_nobody_from_her_own_desk(
    guesses: Guesses, clock: Clock, mine: str, hers: str
) -> None:
    """All of an office have one /64, and one address behind a proxy."""
    for number in range(360):  # for an hour, at names that nobody has
        wrong(guesses, f"n{number}", mine)
        clock.now_s += 10
    wrong(guesses, "last", mine)
    assert wrong(guesses, "new", hers) > 0, "somebody who was never here waits"
    assert [wrong(guesses, "lead", hers, "hers") for _ in range(10)] == [0] * 10
    assert tries(guesses, clock, 1, None, hers) <= 1, "and her own mistakes are hers alone"


def test_a_browser_that_is_known_for_a_name_has_as_many_guesses_at_it_as_is_written_down(
    guesses: Guesses, clock: Clock
) -> None:
    counted, end_s = 0, clock.now_s + DAY_S
    while clock.now_s < end_s:
        wait_s = wrong(guesses, "lead", "10.0.0.9", "hers")
        counted += not wait_s
        clock.now_s += wait_s
    assert counted == pytest.approx(DESK.a_day, abs=1)


def test_a_name_guessed_at_from_many_addresses_has_few_guesses_at_each(guesses: Guesses, clock: Clock) -> None:
    at = [f"10.0.{one}.{two}" for one in range(4) for two in range(250)]
    counts = []
    for address in at:
        counts.append(0)
        while counts[-1] < HERE.most and not wrong(guesses, "lead", address):
            counts[-1] += 1
    assert counts[:6] == [5] * 6 and set(counts[6:]) == {1}


def test_when_all_guess_at_all_names_each_place_has_few(guesses: Guesses) -> None:
    for number in range(ALL.most):
        assert wrong(guesses, f"n{number}", f"10.1.0.{number}") == 0
    assert [wrong(guesses, "agent", "10.0.0.5") for _ in range(2)] == [0, STRANGER.every_s]
    assert [wrong(guesses, "lead", "10.0.0.1", "hers") for _ in range(5)] == [0] * 5


def test_a_right_password_counts_for_nobody_else_and_has_a_pace(guesses: Guesses, clock: Clock) -> None:
    heard = 0
    for _ in range(1000):
        guess = guesses.guess("lead", "10.0.0.1", "hers")
        if not guess.wait_s:
            guess.right()
            heard += 1
    assert heard == RIGHT.most
    assert wrong(guesses, "other", "10.0.0.1") == 0
    clock.now_s += wrong(guesses, "lead", "10.0.0.1", "hers")
    assert wrong(guesses, "lead", "10.0.0.1", "hers") == 0


def test_ones_own_right_password_gives_no_more_guesses_at_others(guesses: Guesses, clock: Clock) -> None:
    count = 0
    while wrong(guesses, f"victim-{count}", "10.0.0.9") == 0:
        count += 1
        own = guesses.guess("me", "10.0.0.9")
        if not own.wait_s:
            own.right()
    assert count == ADDRESS.most


def test_what_nobody_had_time_to_look_at_is_not_counted(guesses: Guesses) -> None:
    for _ in range(100):
        guess = guesses.guess("lead", "10.0.0.1")
        assert guess.wait_s == 0
        guess.untried()


def test_no_more_is_given_back_than_was_taken(guesses: Guesses, clock: Clock) -> None:
    """When all names have used up theirs nothing is taken: giving it back would make guesses out of nothing."""
    for number in range(ALL.most):
        wrong(guesses, f"n{number}", f"10.1.0.{number}")
    for number in range(ALL.most):
        guess = guesses.guess("own", f"10.2.0.{number}")
        guess.right()
        guess.untried()
        clock.now_s += RIGHT.every_s / 100
    assert [wrong(guesses, "agent", "10.0.0.5") for _ in range(2)] == [0, STRANGER.every_s]


def test_a_link_and_a_token_that_logs_in_have_a_pace_of_their_own(guesses: Guesses, clock: Clock) -> None:
    assert [guesses.link("a") for _ in range(LINK.most + 1)] == [0] * LINK.most + [30]
    assert [guesses.token_login("a") for _ in range(TOKEN_LOGINS.most + 1)] == [0] * TOKEN_LOGINS.most + [10]
    assert guesses.link("b") == guesses.token_login("b") == 0


def test_whoever_waits_as_told_may_and_nobody_waits_longer_than_ten_minutes(guesses: Guesses, clock: Clock) -> None:
    for address in range(200):
        for _ in range(30):
            assert wrong(guesses, "lead", f"10.0.1.{address}") <= STRANGER.every_s
    clock.now_s += wrong(guesses, "lead", "10.0.1.7")
    assert wrong(guesses, "lead", "10.0.1.7") == 0
    clock.now_s += DAY_S
    assert [wrong(guesses, "lead", "10.0.1.7") for _ in range(5)] == [0] * 5, "all is forgiven"


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
    while wrong(guesses, "lead", one) == 0:
        pass
    assert (wrong(guesses, "lead", other) > 0) is same


def test_memory_has_an_end_and_names_are_not_kept(guesses: Guesses, clock: Clock) -> None:
    for number in range(2 * ROWS_MOST):
        wrong(guesses, f"hunter-{number}-" + "x" * 1000, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        guesses.wrong_token(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        clock.now_s += 0.01
    tables = [table for table in vars(guesses).values() if isinstance(table, module._Table)]
    assert len(tables) == 10
    assert ROWS_MOST // 2 < max(len(table._whole_s) for table in tables) <= ROWS_MOST
    assert "hunter" not in repr([table._whole_s for table in tables])


def test_wrong_tokens_are_told_to_wait(guesses: Guesses, clock: Clock) -> None:
    assert [guesses.wrong_token("10.0.0.9") for _ in range(TOKENS.most + 1)] == [0] * TOKENS.most + [30]
    assert guesses.wrong_token("10.0.0.8") == 0
    assert wrong(guesses, "lead", "10.0.0.9") == 0, "that is another matter"
