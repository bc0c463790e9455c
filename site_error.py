"""What is wrong with a site file, as an error, and the word that was probably meant. It loads nothing: a tab has to
be quick.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SiteError(Exception):
    """A site file that cannot be used; the text says where and what to try."""


def meant(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'a1'?` where one of `names` is close, else nothing: the end of an error's text."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
