"""How what is asked in an address is written, and what is answered where it is written otherwise."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import BeforeValidator

# What was asked instead is not repeated.
ASKED = {
    "by": "by is quarter or day",
    "date": "date is a day, written as 2026-03-29",
    "from": "from is a day, written as 2026-03-29",
    "to": "to is a day, written as 2026-03-29",
}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(written: object) -> object:
    """Only as it should be written: pydantic takes seconds for a date, too."""
    if isinstance(written, str) and not DAY.fullmatch(written):
        raise ValueError("not as 2026-03-29")
    return written


Day = Annotated[date, BeforeValidator(_day)]
NOT_AS_ASKED: dict[str, Any] = {
    "description": "Asked otherwise than it can be: how, in words",
    "content": {"text/plain": {}},
}


def say_how(page: FastAPI) -> None:
    """Has the page answer 422 in words where something is asked otherwise than it can be."""

    @page.exception_handler(RequestValidationError)
    async def not_as_asked(request: Request, error: RequestValidationError) -> PlainTextResponse:
        names = dict.fromkeys(str(problem["loc"][-1]) for problem in error.errors())
        words = [ASKED[name] for name in names if name in ASKED]
        return PlainTextResponse("; ".join(words) or "this cannot be asked like this", 422)
