"""The page's own files: one HTML file an address, which holds nothing of the floor, and what those load."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response

from gateway.web import packed

FILES = Path(__file__).parent / "static"

# Address → its file. Who may open it is in gateway/people/gate.py: anybody, as a rule.
SHELLS = {
    "/": "index.html",
    "/login": "login.html",
    "/join": "join.html",
    "/people": "people.html",
    "/privacy": "privacy.html",
    "/queues/{queue}": "queue.html",
    "/favicon.ico": "favicon.svg",
}


def routes() -> APIRouter:
    """Every address of SHELLS."""
    router = APIRouter(include_in_schema=False)
    for address, name in SHELLS.items():
        router.api_route(address, methods=["GET", "HEAD"], name=name)(_shell(name))
    return router


def _shell(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def shell(request: Request) -> Response:
        return packed.answer(FILES / name, request.headers)

    return shell


def mount(page: FastAPI) -> None:
    """Serves what the shells load, at /static."""
    page.mount("/static", packed.PackedFiles(directory=FILES), "static")


def files_hash() -> str:
    """Another word when any of the files is another: a page that was loaded before loads itself anew."""
    seen = hashlib.blake2s(digest_size=8)
    for path in sorted(path for path in FILES.rglob("*") if path.is_file()):
        seen.update(path.read_bytes())
    return seen.hexdigest()
