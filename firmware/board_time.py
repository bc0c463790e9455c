"""The date, for a board without a clock whose broker has a certificate with dates. Loaded only then, and forgotten.

A chip's clock begins at 2021-01-01 with every power cut. The board moves it until the certificates fit: it can check
who vouches for the broker and for which name, and not the date. Why: docs/decisions/board-time.md.
"""

import sys

FIRST = 2021  # rp2's clock begins with it
YEAR = 336  # a calendar of twelve months of 28 days is fine enough to find six days
MOST = 39 * YEAR  # 2060
TRIES = 24  # at most, one right after the other: a search takes 12, and 20 where every answer is a lie


def move(tls: dict, said: str):
    """Sets a chip's clock to the next date to try, and says so; None on a computer, which knows the time.

    `said` is what TLS says of the certificates on the date that the clock has now: they begin in the future, have
    expired, or, of two, one this and the other that. What is known of the date is kept in `tls["next"]` for the try
    that comes at once, because of `tls["more"]`; firmware/mqtt.py forgets it with the first try that moves no date.
    """
    if sys.implementation.name != "micropython":
        return None
    try:
        from machine import RTC
    except ImportError:
        return None
    clock = RTC()
    now = clock.datetime()
    day = min(max((now[0] - FIRST) * YEAR + (now[1] - 1) * 28 + min(now[2], 28) - 1, 0), MOST)
    early, late, tries = tls.get("next") or (-1, MOST + 1, 0)
    if "in the future" in said:
        early = max(early, day)
    if "expired" in said:
        late = min(late, day)
    if late - early < 2 or tries == TRIES:
        clock.datetime((FIRST, 1, 1, 0, 0, 0, 0, 0))
        return "no date fits all of its certificates; look at their dates at the broker"
    tls["next"] = early, late, tries + 1
    tls["more"] = True
    # Years ahead, then more, until it is too late: it is rather soon than in 2060. Then by halves.
    day = min(2 * early + YEAR, MOST) if late > MOST else (early + late) // 2
    date = (FIRST + day // YEAR, 1 + day % YEAR // 28, 1 + day % 28)
    clock.datetime(date + (0, 0, 0, 0, 0))
    return "not on the date of this board, which has no clock: it tries %d-%02d-%02d" % date
