"""From the site file to a scene: what stands where, at every size, and what is said when it does not fit."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import floorplan
from firmware import contract, scene, scene_load
from firmware.values import Numbers
from wallboard import numbers
from wallboard import type as types
from wallboard.compile import Compiled, compile

SCENE = "board/+/panel/+/scene"
FIGURES = [(0, 0, 0), (38, 10, 12), (138, 754, 100), (98765, 40000, 8)]  # waiting, wait, free desks
LANGUAGES = {
    "nb": "Norsk", "sv": "Svenska", "en": "English", "pl": "Polski",
    "ro": "Română", "lt": "Lietuvių", "ru": "Русский", "ar": "العربية",
}  # fmt: skip
PICTURES = Path(__file__).with_name("pictures")
SEED = random.SystemRandom().randrange(10**6)
INK = {0: ".", 1: "#", 2: "c", 3: "a", 4: "r"}


def plan_of(
    size: tuple[int, int],
    *names: str | dict[str, Any],
    desks: int = 8,
    pages: list[Any] | None = None,
    wall: dict[str, Any] | None = None,
    **target: Any,
) -> floorplan.Plan:
    """A site with one wall and queues of those names (or keys), all on one page unless `pages` says otherwise."""
    queues = [
        {"id": f"q{n}", "pbx": f"q{n}", "target": target} | ({"name": name} if isinstance(name, str) else name)
        for n, name in enumerate(names)
    ]
    one = {
        "id": "north",
        "board": "b1",
        "panel": {"kind": "memory", "size": list(size)},
        "pages": pages or [{"queues": [queue["id"] for queue in queues]}],
    }
    tables = {
        "site": {"id": "s"},
        "board": [{"id": "b1"}],
        "desk": [{"id": f"d{n}"} for n in range(desks)],
        "queue": queues,
        "wall": [one | (wall or {})],
    }
    return floorplan.check(tables, "test", Path("."))


def compiled(size: tuple[int, int], *names: str | dict[str, Any], **others: Any) -> Compiled:
    plan = plan_of(size, *names, **others)
    return compile(plan.wall[0], plan)


def numbers_of(queues: int, known: dict[str, int | None], levels: dict[str, int] | None = None) -> Numbers:
    """What a wall hears of so many queues: the numbers named, the others unknown; taken at second 1000."""
    order = [f"q{n}.{what}" for n in range(queues) for what in numbers.PER_QUEUE]
    told = [(levels or {}).get(name, 0) for name in order]
    return Numbers(numbers.of(order), 1000, [known.get(name) for name in order], told)


def drawn(
    size: tuple[int, int],
    result: Compiled,
    known: dict[str, int | None],
    page: int = 0,
    queues: int = 1,
    levels: dict[str, int] | None = None,
) -> list[str]:
    picture = scene.Picture(*size)
    loaded = scene_load.load(result.message, *size)
    scene.draw(picture, loaded, numbers_of(queues, known, levels), 1000_000, page * loaded.dwell_ms, None)
    inks = "".join(INK[pixel] for pixel in picture.pixels)
    return [inks[start : start + picture.w] for start in range(0, len(inks), picture.w)]


def shows(rows: list[str], expected: str) -> None:
    told = "\n".join(["expected:", *expected.split(), "drawn:", *rows])
    assert rows == expected.split(), told


NUMBERS: dict[str, int | None] = {"q0.waiting": 12, "q0.wait": 24, "q0.free": 3}


def test_one_queue_on_64x32() -> None:
    result = compiled((64, 32), "Polski")
    assert result.warnings == []
    assert result.numbers == ["q0.waiting", "q0.wait", "q0.free"]
    shows(
        drawn((64, 32), result, NUMBERS),
        """
        ####........##........#.....#...................................
        #...#........#........#.........................................
        #...#..###...#...####.#..#.##...................................
        ####..#...#..#..#.....#.#...#...................................
        #.....#...#..#...###..##....#...................................
        #.....#...#..#......#.#.#...#...................................
        #......###..###.####..#..#.###..................................
        ................................................................
        ................................................................
        ......###............#########..................................
        ......###............#########.........rrrrrrrrrrrrrrrrrrrrrrrrr
        ......###............#########.........rr###rrrrrrrrr###rrrrr#rr
        ...######.........###.........###......r#rrr#rrr#rrr#rrr#rrr##rr
        ...######.........###.........###......r#rrr#rrr#rrrrrrr#rr#r#rr
        ...######.........###.........###......r#rrr#rrrrrrrrrr#rr#rr#rr
        ......###.....................###......r#rrr#rrr#rrrrr#rrr#####r
        ......###.....................###......r#rrr#rrr#rrrr#rrrrrrr#rr
        ......###.....................###......rr###rrrrrrrr#####rrrr#rr
        ......###..................###.........rrrrrrrrrrrrrrrrrrrrrrrrr
        ......###..................###..................................
        ......###..................###..................................
        ......###...............###.....................................
        ......###...............###.....................................
        ......###...............###.................#####..........####.
        ......###............###...................#.....#.............#
        ......###............###...................#.....#.............#
        ......###............###..................###...###.........###.
        ...#########......###############.........###...###............#
        ...#########......###############.........###...#..............#
        ...#########......###############.............##...........####.
        ................................................................
        ................................................................
        """,
    )


def test_a_wall_of_32x8_shows_a_code_with_waiting_and_wait_in_turns() -> None:
    result = compiled((32, 8), "Polski")
    assert result.warnings == [
        "[[wall]] north, page 1: on 32x8, waiting and oldest wait take turns; free desks have no room",
        "[[wall]] north, page 1: 'Polski' is shown as 'PO'; give the queue a code of your own",
    ]
    shows(
        drawn((32, 8), result, NUMBERS),
        """
        ####...###.............#....###.
        #...#.#...#...........##...#...#
        #...#.#...#............#.......#
        ####..#...#............#......#.
        #.....#...#............#.....#..
        #.....#...#............#....#...
        #......###............###..#####
        ................................
        """,
    )
    shows(
        drawn((32, 8), result, NUMBERS, page=1),
        """
        ####...###....rr###rrrrr#rrrrrrr
        #...#.#...#...r#rrr#rrr##rrrrrrr
        #...#.#...#...rrrrr#rr#r#rrr####
        ####..#...#...rrrr#rr#rr#rr#rrrr
        #.....#...#...rrr#rrr#####rr###r
        #.....#...#...rr#rrrrrrr#rrrrrr#
        #......###....r#####rrrr#rr####r
        ..............rrrrrrrrrrrrrrrrrr
        """,
    )


def test_the_wait_is_amber_at_half_the_promise_and_red_at_all_of_it() -> None:
    result = compiled((64, 32), "Polski", within_s=30)

    def inks(wait_s: int) -> set[str]:
        return set("".join(drawn((64, 32), result, {"q0.wait": wait_s})))

    assert inks(14) == {".", "#", "c"}
    assert inks(15) == {".", "#", "a"}
    assert inks(29) == {".", "#", "a"}
    assert inks(30) == {".", "#", "r"}


@pytest.mark.parametrize(
    ("size", "queues", "turns"),
    [
        ((64, 32), 1, 1),
        ((64, 32), 3, 3),
        ((128, 64), 1, 1),
        ((128, 64), 4, 1),
        ((128, 64), 5, 2),
        ((128, 64), 9, 3),
        ((64, 64), 2, 1),
        ((32, 8), 2, 4),
    ],
)
def test_how_many_queues_a_page_holds(size: tuple[int, int], queues: int, turns: int) -> None:
    names = [f"Linje {n}" for n in range(queues)]
    result = compiled(size, *names)
    assert len(result.message["pages"]) == turns
    assert {name for name in result.numbers if name.endswith("waiting")} == {
        f"q{n}.waiting" for n in range(queues)
    }
    assert any("turns" in words for words in result.warnings) == (turns > 1)


def test_a_hundred_desks_and_more_get_a_third_figure() -> None:
    for desks, cells in ((99, 2), (100, 3)):
        page = compiled((64, 32), "Polski", desks=desks).message["pages"][0]
        assert [op[3] for op in page if op[0] == "n" and op[6] == 2] == [cells]


def test_a_name_too_long_is_cut_and_told() -> None:
    result = compiled((64, 32), "Kundeservice bedrift")
    assert result.warnings == [
        "[[wall]] north, page 1: 'Kundeservice bedrift' is 109 pixels wide, 64 fit: "
        "it is shown as 'Kundeservic'; shorten it"
    ]
    label = result.message["strips"][result.message["pages"][0][-1][4]]  # the label is drawn last
    assert label[0] == types.strip_of("Kundeservic", 9).w <= 64


def test_a_letter_nobody_has_is_told() -> None:
    assert compiled((128, 64), "Norsk 中", "Polski").warnings[0] == (
        "[[wall]] north, page 1: no letter for '中' of 'Norsk 中'; it is shown as a box"
    )


def test_the_letters_nobody_has_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLFLOOR_FONTS", "")
    lines = [line for line in compiled((128, 64), LANGUAGES["ar"]).warnings if LANGUAGES["ar"] in line]
    assert len(lines) == 1
    assert lines[0].endswith("they are shown as boxes")


def test_several_queues_on_a_wall_without_a_code_are_told() -> None:
    words = "[[wall]] north: on 24x8 nobody can tell which queue it is: one queue a wall"
    assert words in compiled((24, 8), "Norsk", "Polski").warnings
    assert words not in compiled((24, 8), "Norsk").warnings


def test_large_letters_that_do_not_fit_are_told() -> None:
    assert compiled((128, 64), "Kundeservice").warnings == [
        "[[wall]] north, page 1: 'Kundeservice' is 138 pixels wide, 128 fit: names get small letters"
    ]


def test_codes_are_two_letters_and_no_two_alike() -> None:
    result = compiled((32, 8), "Norsk", "Norsk salg", "Norge", "Русский", "ö")
    codes = [words.rsplit("'", 2)[1] for words in result.warnings if "is shown as" in words]
    assert codes == ["NO", "NR", "NG", "РУ", "Q4"]


def test_a_code_in_arabic_is_made_of_the_id_for_all_names_begin_with_the_article() -> None:
    result = compiled((32, 8), {"name": "العربية", "id": "arabic"})
    assert "'العربية' is shown as 'AR'" in " ".join(result.warnings)


def test_a_code_of_ones_own_is_taken_and_never_given_to_another() -> None:
    result = compiled((64, 16), {"name": "Norsk", "code": "NOR"}, {"name": "Polski", "code": "NO"}, "Norge")
    assert "is shown as 'NOR'" not in " ".join(result.warnings)
    assert [words for words in result.warnings if "give the queue" in words] == [
        "[[wall]] north, page 1: 'Norge' is shown as 'NR'; give the queue a code of your own"
    ]
    assert "[[wall]] north, page 1: 'NOR' is 17 pixels wide, 13 fit: it is shown as 'NO'; shorten it" in result.warnings


# One picture for each usual size, and each language somewhere. The files are text rows: look at them.


@pytest.mark.parametrize(
    ("size", "languages"),
    [
        ((32, 8), "ru"),
        ((64, 16), "pl"),
        ((64, 32), "ar"),
        ((64, 64), "en"),
        ((96, 16), "sv"),
        ((128, 32), "ro"),
        ((128, 64), "ar"),
        ((128, 64), "nb lt ru ar"),
        ((192, 32), "pl lt"),
        ((256, 64), "nb sv en pl ro lt ru ar"),
    ],
)
def test_the_usual_sizes_look_as_drawn(size: tuple[int, int], languages: str) -> None:
    names = [LANGUAGES[language] for language in languages.split()]
    known: dict[str, int | None] = {}
    for number in range(len(names)):
        waits = [(12, 754, 3), (3, 7, 0), (27, 13, 11), (0, -1, 8)][number % 4]
        known |= {f"q{number}.{what}": waits[n] for n, what in enumerate(numbers.PER_QUEUE)}
    rows = drawn(size, compiled(size, *names), known, queues=len(names))
    file = PICTURES / f"{size[0]}x{size[1]}-{languages.replace(' ', '-')}.txt"
    shows(rows, file.read_text(encoding="utf-8"))


# Languages, free desks, bands.


def test_names_take_turns_in_the_languages_of_the_wall_where_they_differ() -> None:
    queues = [
        {"name": "Norsk", "names": {"ar": "النرويجية", "pl": "Norweski"}},
        {"name": "Polski", "names": {"ar": "البولندية"}},
    ]
    result = compiled((128, 64), *queues, wall={"languages": ["nb", "pl", "ar"]})
    assert result.warnings == []
    labels = [[op for op in reversed(page) if op[0] == "s"][::2] for page in result.message["pages"]]
    assert len(labels) == 3
    assert labels[0][1] == labels[1][1]  # Polski, in Polish too
    assert len({op[4] for page in labels for op in page}) == 5
    same = compiled((128, 64), "Norsk", {"name": "Polski", "names": {"pl": "Polski"}}, wall={"languages": ["nb", "pl"]})
    assert len(same.message["pages"]) == 1
    lost = compiled((128, 64), {"name": "Polski", "names": {"nb": "Polsk"}}, wall={"languages": ["en", "nb", "sv"]})
    assert lost.warnings == ["[[wall]] north: none of its queues has a name in en, sv; they show their `name`"]
    alone = compiled((128, 64), "Norsk", wall={"languages": ["se"]})
    assert alone.warnings == ["[[wall]] north: none of its queues has a name in se; they show their `name`"]
    assert compiled((128, 64), "Norsk", wall={"languages": ["en"]}).warnings == []  # the site's own


def test_arabic_stands_at_the_right_of_its_room() -> None:
    for size, left in (((64, 32), False), ((128, 64), False)):
        result = compiled(size, LANGUAGES["ar"])
        label = next(op for op in reversed(result.message["pages"][0]) if op[0] == "s")
        assert (label[1] == 0) == left
        assert label[1] + result.message["strips"][label[4]][0] == size[0]


def test_without_free_desks_the_rest_is_larger() -> None:
    def scales(**page: Any) -> set[tuple[str, int]]:
        result = compiled((96, 16), "Polski", pages=[{"queue": "q0", **page}])
        return {(op[0] + str(op[6]), op[4]) for op in result.message["pages"][0] if op[0] != "s"}

    assert scales(free_desks=True) == scales(free_desks=False) == {("n0", 2), ("t1", 1)}
    both = compiled((128, 32), "Norsk", "Polski", pages=[{"queues": ["q0", "q1"], "free_desks": False}])
    assert both.warnings == []
    assert "q0.free" not in both.numbers
    assert {op[3] for page in both.message["pages"] for op in page if op[0] == "t"} == {5}


@pytest.mark.parametrize(("size", "band"), [((128, 64), (51, 13)), ((64, 48), (39, 9)), ((256, 256), (230, 26))])
def test_pages_leave_the_rows_of_a_band_free(size: tuple[int, int], band: tuple[int, int]) -> None:
    result = compiled(size, *list(LANGUAGES.values())[:4], wall={"messages": "band"})
    assert result.band == band
    for page in range(len(result.message["pages"])):
        for wait_s, level in ((13, 0), (8000, 0), (13, 1), (8000, 2)):
            known = {f"q{n}.{what}": wait_s for n in range(4) for what in numbers.PER_QUEUE}
            rows = drawn(size, result, dict(known), page, 4, dict.fromkeys(known, level))
            assert not set("".join(rows[band[0] - 1 :])) - {"."}, "\n".join(rows)


def test_a_panel_too_low_for_a_band_is_told() -> None:
    result = compiled((64, 32), "Polski", wall={"messages": "band"})
    assert result.band is None
    assert result.warnings == ["[[wall]] north: 32 rows have no room for a band: messages take a page of their own"]
    assert compiled((128, 64), "Polski").band is None


def test_blinking_is_ten_seconds_or_none() -> None:
    def blinks(**wall: Any) -> set[int]:
        return {op[9] for op in compiled((64, 32), "Polski", wall=wall).message["pages"][0] if op[0] == "t"}

    assert blinks() == {10} == {scene_load.MAX_BLINK_S}
    assert blinks(blink=False) == {0}


def test_two_pages_of_four_queues_in_eight_languages_are_at_most_2_kb() -> None:
    result = compiled((128, 64), *LANGUAGES.values())
    assert len(result.message["pages"]) == 2
    assert len(contract.encode(SCENE, result.message)) <= 2048


def test_figures_of_neighbours_are_farther_apart_than_those_of_one_queue() -> None:
    """On a wall with two queues beside each other, nobody takes one's wait for the other's."""
    known = {f"q{n}.{what}": 88 for n in range(2) for what in numbers.PER_QUEUE}
    rows = drawn((192, 32), compiled((192, 32), "Norsk", "Polski"), dict(known), queues=2)
    lit = [any(row[x] != "." for row in rows[11:30]) for x in range(192)]
    gaps = "".join(".#"[one] for one in lit).strip(".").split("#")
    widest = max(range(len(gaps)), key=lambda at: len(gaps[at]))
    assert len("#".join(gaps[:widest])) in range(50, 96)


def test_more_pages_than_a_scene_holds_are_told() -> None:
    result = compiled((32, 8), *[f"Linje {n}" for n in range(9)])
    assert len(result.message["pages"]) == 16
    assert any("not all of it is shown: a wall has at most 16 pages" in words for words in result.warnings)


def test_a_page_of_many_columns_has_no_more_operations_than_a_board_takes() -> None:
    for w in range(256, 513, 32):
        for h in (48, 64, 96, 128, 256):
            for queues in (11, 12):
                message = compiled((w, h), *[f"L{n}" for n in range(queues)]).message
                assert max(map(len, message["pages"])) <= scene_load.MAX_OPS, (w, h, queues)


def test_the_id_is_that_of_the_content() -> None:
    one = compiled((64, 32), "Polski").message
    assert one == compiled((64, 32), "Polski").message
    assert one["id"] != compiled((64, 32), "Norsk").message["id"]
    assert len(one["id"]) == 8
    assert set(one["id"]) <= set("0123456789abcdef")


def test_at_every_size_and_figure_nothing_lies_over_something_else() -> None:
    """Sizes, numbers of queues and names at random: always a scene a board takes, all of it on the panel."""
    print("seed", SEED)
    dice = random.Random(SEED)
    sizes = [
        (w, h)
        for w in (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
        for h in (8, 9, 14, 16, 24, 32, 48, 64, 128, 256)
    ]
    sizes += [(dice.randint(8, 512), dice.randint(8, 256)) for _ in range(60)]
    for size in sizes:
        count = dice.randint(1, 14)
        names = [any_name(dice) for _ in range(count)]
        wall = {"messages": dice.choice(("page", "band")), "languages": dice.sample(["nb", "ar"], dice.randint(0, 2))}
        page = {"queues": [f"q{n}" for n in range(count)], "free_desks": dice.random() < 0.7}
        result = compiled(size, *names, desks=dice.choice((0, 8, 300)), wall=wall, pages=[page])
        encoded = contract.encode(SCENE, result.message)
        assert len(encoded) <= contract.BY_TOPIC[SCENE].size
        loaded = scene_load.load(contract.parse(contract.topic("s", SCENE, "b1", 0), encoded)[2], *size)
        told = any("not all of it is shown" in words for words in result.warnings)
        order = [f"q{n}.{what}" for n in range(count) for what in numbers.PER_QUEUE]
        shown = {order[op.number] for page in loaded.pages for op in page if isinstance(op, scene.Figure)}
        assert shown == set(result.numbers)
        assert told or {f"q{n}.waiting" for n in range(count)} <= shown, (SEED, size, names)
        for page in loaded.pages:
            for waiting, wait_s, free in dice.sample(FIGURES, 4 if size[0] * size[1] < 10000 else 1):
                figures = {name: (waiting, wait_s, free)[n % 3] for n, name in enumerate(order)}
                known = numbers_of(count, dict(figures), {name: dice.randint(0, 2) for name in order})
                nothing_is_lost(size, page, known)
                assert all(inside(size, op) for op in page), (SEED, size, page)


def nothing_is_lost(size: tuple[int, int], page: list[Any], known: Numbers) -> None:
    """All of a page is to be seen. Only red's edge above a figure gives way, to a name or an amber line."""
    whole = pixels(size, page, known)
    solid = reds = 0
    for op in page:
        alone = pixels(size, [op], known)
        rows = op.y * size[0] if isinstance(op, scene.Figure) else 0
        edge = alone[:rows].translate(NO_RED)
        kept = edge + alone[rows:]
        mask = int.from_bytes(kept.translate(FULL), "big")
        assert int.from_bytes(kept, "big") == int.from_bytes(whole, "big") & mask, (SEED, size, op, known)
        mine, red = lit(kept), lit(alone.translate(ONLY_RED))
        assert not solid & mine, (SEED, size, op, known)
        assert not reds & red, (SEED, size, op, known)
        solid, reds = solid | mine, reds | red


NO_RED = bytes(0 if pixel == scene.RED else pixel for pixel in range(256))
ONLY_RED = bytes(scene.RED if pixel == scene.RED else 0 for pixel in range(256))


FULL = bytes([0] + [255] * 255)


def pixels(size: tuple[int, int], ops: list[Any], known: Numbers) -> bytes:
    picture = scene.Picture(*size)
    scene.draw(picture, scene.Scene("", known.of, 1000, [ops]), known, 1000_000, 0, None)
    return bytes(picture.pixels)


def lit(picture: bytes) -> int:
    """The lights that are on, as bits of one number."""
    return int.from_bytes(picture.translate(bytes([0] + [1] * 255)), "big")


@pytest.mark.parametrize("wall", [{}, {"messages": "band"}, {"languages": ["ar"]}])
@pytest.mark.parametrize(
    ("size", "queues"),
    [((32, 8), 1), ((64, 8), 1), ((64, 16), 1), ((32, 32), 1), ((64, 32), 1), ((64, 64), 1), ((64, 64), 2),
     ((128, 32), 2), ((96, 48), 2), ((128, 48), 2), ((128, 64), 2), ((128, 64), 4), ((256, 64), 4), ((512, 256), 2)],
)  # fmt: skip
def test_amber_and_red_cover_nothing_at_the_usual_sizes(
    size: tuple[int, int], queues: int, wall: dict[str, Any]
) -> None:
    """Every number amber, every number red, and each beside the other, as long and as short as they come."""
    names = [{"name": name, "names": {"ar": LANGUAGES["ar"]}} for name in ("Ågyęg", "Język", "Žygis", "Лгдщ")[:queues]]
    result = compiled(size, *names, wall=wall)
    order = [f"q{n}.{what}" for n in range(queues) for what in numbers.PER_QUEUE]
    for page in scene_load.load(result.message, *size).pages:
        for number in (7, 88, 888):
            for pattern in ((1, 1), (2, 2), (1, 2), (2, 1)):
                levels = {name: pattern[n // 3 % 2] for n, name in enumerate(order)}
                waits = {f"q{n}.wait": (12, 24)[pattern[n % 2] - 1] for n in range(queues)}
                figures: dict[str, int | None] = {**dict.fromkeys(order, number), **waits}
                known = numbers_of(queues, figures, levels)
                nothing_is_lost(size, page, known)


def test_an_amber_figure_has_a_dark_row_above_its_line() -> None:
    """Else 7 reads as 2. On panels of eight rows there is none to spare: the line touches, below the figure."""
    for size, dark in (((64, 32), 1), ((64, 16), 1), ((128, 64), 2), ((32, 8), 0)):
        result = compiled(size, "Polski")
        figure = next(op for op in result.message["pages"][0] if op[0] == "n" and op[6] == 0)
        rows = drawn(size, result, {"q0.waiting": 7}, levels={"q0.waiting": 1})
        y, scale = figure[2] + 7 * figure[4], figure[4]
        right = figure[1] + figure[3] * 6 * scale
        below = [row[right - 6 * scale : right - scale] for row in rows[y:]]
        assert set("".join(below[:dark])) <= {"."}, (size, below)
        assert below[dark] == "a" * 5 * scale, (size, below)


def any_name(dice: random.Random) -> dict[str, Any]:
    """A queue's names, of letters and words of all languages."""
    words = ["".join(dice.choices("abgjÅØmW Жų9ع", k=dice.randint(0, 20))), *LANGUAGES.values()]
    named: dict[str, Any] = {"name": dice.choice(words)}
    if dice.random() < 0.3:
        named["names"] = {"ar": dice.choice(list(LANGUAGES.values()))}
    if dice.random() < 0.3:
        named["code"] = dice.choice(("A", "WW", "ŠŽų", "ع"))
    return named


def inside(size: tuple[int, int], op: Any) -> bool:
    """True where all of an operation is on the panel; the last cell's empty column need not be."""
    gap = op.scale if isinstance(op, scene.Figure) else 0
    return bool(min(op.x, op.y) >= 0 and op.x + op.w - gap <= size[0] and op.y + op.h <= size[1])
