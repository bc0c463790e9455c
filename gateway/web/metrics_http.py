"""`/metrics` for Prometheus, in its text form or OpenMetrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from gateway.metrics import Metrics


def routes(metrics: Metrics) -> APIRouter:
    """`GET /metrics`."""
    router = APIRouter(tags=["metrics"])

    @router.get(
        "/metrics", response_class=Response, summary="For Prometheus",
        responses={200: {"description": "One line a figure; docs/metrics.md has them all", "content": {
            "text/plain": {}, "application/openmetrics-text": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def what_can_be_counted(accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
        """Counts and gauges of queues, desks by status, boards, walls, alarms and the gateway; nobody is in it."""
        told, kind = metrics.told(accept)
        return Response(told, 200, {"Cache-Control": "no-store", "Content-Type": kind, "Vary": "Accept"})

    return router
