"""Asks a phone system once which queues it has, and hangs up: for `callfloor init` and the doctor."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import floorplan
from floorplan import Asterisk
from gateway.queues import ami

LIST_S = 10.0  # a phone system that lists its queues has done so by then
LISTED_MOST = 500  # for a new site file
QUEUES_MOST = 10_000  # that the doctor takes note of


class Found(NamedTuple):
    """What a phone system lists."""

    banner: str
    queues: dict[str, list[str]]  # name → its members' interfaces, in order


async def queues_at(settings: Asterisk, secret: str) -> Found:
    """What the phone system lists, asked by nothing but QueueStatus. Raises LinkError."""
    found = Found("", {})
    ended = asyncio.Event()
    refused: list[str] = []

    def hear(block: ami.Block) -> None:
        name = block.get("Queue", "")
        if block.get("Event") == "QueueParams" and name and len(found.queues) < LISTED_MOST:
            found.queues.setdefault(name, [])
        elif block.get("Event") == "QueueMember" and name in found.queues:
            found.queues[name].append(block.get("Location") or block.get("Interface", ""))
        elif block.get("Event") == "QueueStatusComplete":
            ended.set()
        elif link_is_in and block.get("Response") == "Error":
            refused.append(ami.why_refused(block))
            ended.set()

    link_is_in = False
    tls = ami.tls_context(settings.ca_file) if settings.tls else None
    link = await ami.connect(settings.host, settings.port, hear, tls=tls)
    try:
        await link.log_in(settings.user, secret, settings.tls or link.on_this_machine)
        link_is_in = True
        link.send("QueueStatus")
        async with asyncio.timeout(LIST_S):
            await ended.wait()
    except TimeoutError:
        raise ami.LinkError("lets us in but does not list its queues: is app_queue loaded there?") from None
    finally:
        link.close()
    if refused:
        raise ami.LinkError(f"does not list its queues ({refused[0]}): is app_queue loaded there?")
    return found._replace(banner=link.blocks.banner)


async def known(settings: Asterisk, patience_s: float) -> set[str]:
    """The names of its queues that we may see. Raises LinkError, SiteError."""
    names: set[str] = set()
    link: ami.Link | None = None
    whole = asyncio.Event()

    def hear(block: ami.Block) -> None:
        if block.get("Event") == "QueueSummary" and "Queue" in block and len(names) < QUEUES_MOST:
            names.add(block["Queue"])
        if block.get("Event") == "QueueSummaryComplete":
            whole.set()

    secret = floorplan.secret(settings.secret_file) or ""
    tls = ami.tls_context(settings.ca_file) if settings.tls else None
    try:
        async with asyncio.timeout(patience_s):
            link = await ami.connect(settings.host, settings.port, hear, tls=tls)
            await link.log_in(settings.user, secret, settings.tls or settings.plain_login or link.on_this_machine)
            link.send("QueueSummary")
            await whole.wait()
    except TimeoutError:
        if link and link.accepted:
            raise ami.LinkError(f"lets us in, and does not tell its queues within {patience_s:.0f} s") from None
        raise ami.LinkError(link.silence() if link else ami.silence(tls)) from None
    finally:
        if link:
            link.close()
    return names
