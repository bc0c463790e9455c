"""Erlang C: the published rows, an exact formula in fractions beside it, and what more desks must do."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import erlang

# arrivals in a stretch, stretch s, AHT s, desks, within s → chance of waiting, service level, ASA s.
# The first is the worked example of mitan.co.uk; every digit that stands here must come out.
ROWS = [
    (360, 1800, 240, 55, 15, "0.2387", "0.8459", "8.184"),
    (100, 1800, 180, 12, 20, "0.4494", "0.6402", "40.44"),
    (100, 1800, 180, 13, 20, "0.2853", "0.7956", "17.12"),
    (100, 1800, 180, 14, 20, "0.1741", "0.8884", "7.836"),
    (60, 1800, 300, 13, 20, "0.2853", "0.7664", "28.53"),
    (20, 1800, 300, 5, 20, "0.3267", "0.7077", "58.80"),
    (20, 1800, 300, 6, 20, "0.1482", "0.8759", "16.67"),
    (1860, 3600, 300, 165, 20, "0.3241", "0.8336", "9.72"),
]


def rounded_like(text: str, value: float) -> str:
    """`value` with as many places as `text` has."""
    return f"{value:.{len(text.partition('.')[2])}f}"


@pytest.mark.parametrize(
    ("calls", "stretch_s", "aht_s", "desks", "within_s", "chance", "level", "asa_s"), ROWS
)
def test_the_published_rows(
    calls: int, stretch_s: int, aht_s: int, desks: int, within_s: int, chance: str, level: str, asa_s: str
) -> None:
    load = calls / stretch_s * aht_s
    assert rounded_like(chance, erlang.chance_of_waiting(load, desks)) == chance
    assert rounded_like(level, erlang.service_level(load, desks, within_s, aht_s)) == level
    assert rounded_like(asa_s, erlang.asa_s(load, desks, aht_s)) == asa_s


def test_the_first_row_to_its_end() -> None:
    assert f"{erlang.queue_length(48, 55):.3f} {erlang.occupancy(48, 55):.4f}" == "1.637 0.8727"


@pytest.mark.parametrize(
    ("calls", "aht_s", "share", "desks"),
    [(100, 180, 0.79, 13), (100, 180, 0.80, 14), (20, 300, 0.70, 5), (20, 300, 0.87, 6), (20, 300, 0.88, 7)],
)
def test_the_fewest_desks_by_the_same_rows(calls: int, aht_s: int, share: float, desks: int) -> None:
    assert erlang.desks_needed(calls / 1800, aht_s, 20, share) == desks


def exact(load: Fraction, desks: int) -> Fraction:
    """Erlang C as it is written in books, with factorials, in fractions."""
    all_busy = load**desks / math.factorial(desks) * desks / (desks - load)
    return all_busy / (sum(load**k / math.factorial(k) for k in range(desks)) + all_busy)


@given(st.integers(1, 60), st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000))
def test_it_is_the_formula_of_the_books(desks: int, occupancy: Fraction) -> None:
    load = desks * occupancy
    assert erlang.chance_of_waiting(float(load), desks) == pytest.approx(float(exact(load, desks)), rel=1e-11)
    length = exact(load, desks) * load / (desks - load)
    assert erlang.queue_length(float(load), desks) == pytest.approx(float(length), rel=1e-9)
    # Little's law: who waits = arrivals × mean wait
    assert erlang.asa_s(float(load), desks, 200) == pytest.approx(float(length / load * 200), rel=1e-9)


def test_one_desk_is_the_textbooks_simplest_queue() -> None:
    for load in (0.001, 0.5, 0.9, 0.999999):
        assert erlang.chance_of_waiting(load, 1) == pytest.approx(load)
        assert erlang.queue_length(load, 1) == pytest.approx(load**2 / (1 - load))


LOADS = st.floats(0.0001, 3000)
TIMES = st.floats(0, 600)


@given(LOADS, st.integers(0, 3200), TIMES, st.floats(1, 3600))
def test_more_desks_never_do_harm_and_more_calls_never_do_good(
    load: float, desks: int, within_s: float, aht_s: float
) -> None:
    def figures(load: float, desks: int, within_s: float) -> list[float]:
        """All so that smaller is better."""
        return [
            erlang.chance_of_waiting(load, desks),
            -erlang.service_level(load, desks, within_s, aht_s),
            erlang.asa_s(load, desks, aht_s),
            erlang.queue_length(load, desks),
            erlang.occupancy(load, desks),
        ]

    here = figures(load, desks, within_s)
    assert 0 <= here[0] <= 1 and -1 <= here[1] <= 0 and here[2] >= 0 and here[3] >= 0 and 0 <= here[4] <= 1
    for better in (figures(load, desks + 1, within_s), figures(load * 0.97, desks, within_s)):
        assert all(a <= b + 1e-12 for a, b in zip(better, here, strict=True)), (better, here)
    assert figures(load, desks, within_s + 5)[1] <= here[1] + 1e-12


@given(st.floats(0, 10), st.floats(1, 300), st.floats(0, 120), st.floats(0.01, 0.9999))
def test_the_desks_needed_are_enough_and_one_fewer_is_not(
    arrivals_per_s: float, aht_s: float, within_s: float, share: float
) -> None:
    desks = erlang.desks_needed(arrivals_per_s, aht_s, within_s, share)
    load = arrivals_per_s * aht_s
    assert erlang.service_level(load, desks, within_s, aht_s) >= share
    if desks:
        assert erlang.service_level(load, desks - 1, within_s, aht_s) < share


def test_a_queue_that_never_settles() -> None:
    for load, desks in ((10.0, 10), (10.5, 10), (1.0, 0), (5000.0, 17)):
        assert erlang.chance_of_waiting(load, desks) == 1
        assert erlang.service_level(load, desks, 20, 180) == 0
        assert erlang.asa_s(load, desks, 180) == erlang.queue_length(load, desks) == math.inf
        assert erlang.occupancy(load, desks) == 1


def test_where_nobody_calls_nobody_waits() -> None:
    for desks in (0, 1, 465):
        assert (
            erlang.chance_of_waiting(0, desks)
            == erlang.asa_s(0, desks, 180)
            == erlang.queue_length(0, desks)
            == 0
        )
        assert erlang.service_level(0, desks, 20, 180) == 1
        assert erlang.occupancy(0, desks) == 0
    assert erlang.desks_needed(0, 180, 20, 0.8) == 0


def test_thousands_of_desks_are_sound() -> None:
    """At great loads √desks decides (Halfin and Whitt, 1981): their limit is met ever more closely."""
    beta = 1.0  # desks = load + beta √load
    normal = 0.5 * (1 + math.erf(beta / math.sqrt(2)))
    density = math.exp(-(beta**2) / 2) / math.sqrt(2 * math.pi)
    limit = 1 / (1 + beta * normal / density)
    apart = [
        abs(erlang.chance_of_waiting(load, round(load + beta * math.sqrt(load))) - limit)
        for load in (100.0, 2500.0, 10_000.0, 90_000.0)
    ]
    assert apart == sorted(apart, reverse=True) and apart[-1] < 0.001
    assert erlang.desks_needed(5000 / 180, 180, 20, 1) > 5000  # "all of them" has an end too


@pytest.mark.parametrize("load", [-0.1, math.inf, -math.inf, math.nan, 1e6])
def test_a_load_that_cannot_be_is_refused(load: float) -> None:
    for refused in (
        lambda: erlang.chance_of_waiting(load, 5),
        lambda: erlang.service_level(load, 5, 20, 180),
        lambda: erlang.asa_s(load, 5, 180),
        lambda: erlang.queue_length(load, 5),
        lambda: erlang.occupancy(load, 5),
        lambda: erlang.desks_needed(load, 1, 20, 0.8),
    ):
        with pytest.raises(ValueError, match="erlang is not between"):
            refused()


@pytest.mark.parametrize(
    ("within_s", "aht_s", "share", "words"),
    [
        (-1, 180, 0.8, "is not a time"), (math.nan, 180, 0.8, "is not a time"), (math.inf, 180, 0.8, "not a time"),
        (20, 0, 0.8, "are not possible"), (20, math.inf, 0.8, "not possible"), (20, math.nan, 0.8, "not possible"),
        (20, 180, 0, "share 0"), (20, 180, 1.01, "share 1.01"), (20, 180, math.nan, "share nan"),
    ],
)  # fmt: skip
def test_what_else_cannot_be_is_refused(within_s: float, aht_s: float, share: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        erlang.desks_needed(0.1, aht_s, within_s, share)


@pytest.mark.parametrize("desks", [-1, 2.5, True, 2_000_000])
def test_desks_are_counted_in_whole_numbers(desks: int) -> None:
    with pytest.raises(ValueError, match="desks is not a whole number"):
        erlang.chance_of_waiting(1, desks)
