"""Which numbers walls may draw, and in which order they travel: from the site file alone."""

from __future__ import annotations

import hashlib

import floorplan

PER_QUEUE = ("waiting", "wait", "free")  # callers, the oldest one's seconds, free desks


def order(plan: floorplan.Plan) -> list[str]:
    """The names of all numbers some wall may draw, `polski.wait`, in the order in which they travel."""
    shown = {name for wall in plan.wall for page in wall.pages for name in page.shown()}
    return [f"{queue.id}.{what}" for queue in plan.queue if queue.id in shown for what in PER_QUEUE]


def of(names: list[str]) -> str:
    """Four hexadecimal digits that name an order, for scenes and values to agree on."""
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:4]
