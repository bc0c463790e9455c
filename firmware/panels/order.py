"""In which order the parts of a panel hang at its wire."""

from array import array

PLAIN = "top-left rows"  # as one reads


def path(columns: int, rows: int, words: str):
    """The places, row * columns + column, in the order of the wire.

    words: the corner where it begins, whether it goes along the `rows` or the `columns`, and `snake` where
    every second one is gone back: "top-left rows", "bottom-right columns snake".
    """
    corner, along = words.split()[:2]
    by_rows = along == "rows"
    snake = words.endswith(" snake")
    long, lines = (columns, rows) if by_rows else (rows, columns)
    places = array("H", bytes(2 * columns * rows))
    for line in range(lines):
        for step in range(long):
            at = long - 1 - step if snake and line % 2 else step
            x, y = (at, line) if by_rows else (line, at)
            if corner.endswith("right"):
                x = columns - 1 - x
            if corner.startswith("bottom"):
                y = rows - 1 - y
            places[line * long + step] = y * columns + x
    return places
