"""Arabic letters in the forms they take beside each other: alone, at the end, at the start, in the middle.

The forms are those of Unicode's presentation forms, read from their decompositions in Python's own
tables; which letters join is in those too: who has an initial form joins the next letter.
"""

from __future__ import annotations

import unicodedata

TATWEEL, JOINER = "\u0640", "\u200d"  # join on both sides and have no forms
LAM = "\u0644"
ALEF = "\ufe8d"  # alone: as tall as a capital

Forms = dict[str, dict[str, str]]


def _forms() -> Forms:
    """One letter, or lam and alef, to its forms by "isolated", "final", "initial", "medial"."""
    forms: Forms = {}
    for code in (*range(0xFB50, 0xFC00), *range(0xFE70, 0xFEFD)):
        kind, *parts = unicodedata.decomposition(chr(code)).split() or [""]
        letters = "".join(chr(int(part, 16)) for part in parts)
        if len(letters) == 1 or (len(letters) == 2 and letters[0] == LAM):
            forms.setdefault(letters, {}).setdefault(kind.strip("<>"), chr(code))
    return forms


FORMS = _forms()


def joined(text: str) -> str:
    """`text` with its letters in their forms, still in the order of reading; lam and alef are one.

    Vowel signs are left out: they are optional in Arabic, and a wall has no rows for them.
    """
    units = _units([letter for letter in text if not is_vowel(letter)])
    shaped = []
    for place, unit in enumerate(units):
        before = place > 0 and _joins_next(units[place - 1]) and _joins_last(unit)
        after = place + 1 < len(units) and _joins_next(unit) and _joins_last(units[place + 1])
        form = (("isolated", "initial"), ("final", "medial"))[before][after]
        shaped.append(FORMS.get(unit, {}).get(form, unit))
    return "".join(shaped)


def is_vowel(letter: str) -> bool:
    """True for signs above and below Arabic letters."""
    return "\u0610" <= letter <= "\u06ed" and unicodedata.category(letter) == "Mn"


def _units(letters: list[str]) -> list[str]:
    """Letters, a lam with its alef being one."""
    units: list[str] = []
    for letter in letters:
        if units and units[-1] == LAM and LAM + letter in FORMS:
            units[-1] += letter
        else:
            units.append(letter)
    return units


def _joins_next(unit: str) -> bool:
    return unit in (TATWEEL, JOINER) or "initial" in FORMS.get(unit, {})


def _joins_last(unit: str) -> bool:
    return unit in (TATWEEL, JOINER) or "final" in FORMS.get(unit, {})
