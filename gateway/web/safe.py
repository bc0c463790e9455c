"""The safe headers, on every answer of the page."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing from elsewhere, nothing inline, in nobody's frame.
CONTENT_POLICY = (
    b"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)
SAFE_HEADERS = (
    (b"content-security-policy", CONTENT_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
# Files are asked for anew each time; of what the API answers, a browser keeps nothing on its disk.
KEPT_BY_NOBODY, ASKED_ANEW = (b"cache-control", b"no-store"), (b"cache-control", b"no-cache")


class SafeHeaders:
    """Puts the safe headers on every answer that does not say otherwise."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return

        safe = (*SAFE_HEADERS, KEPT_BY_NOBODY if scope["path"].startswith("/api/") else ASKED_ANEW)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [header for header in safe if header[0] not in given]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.inner(scope, receive, send_safely)
