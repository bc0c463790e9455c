"""What the gateway says, once: to the broker, retained, and to the page, each only when it changed."""

from __future__ import annotations

from typing import Any

from firmware import contract
from gateway.mqtt import Line
from gateway.web.news import News

CONCLUSION = "/now"  # the page hears the same documents under the topic's own words, without this


class Says:
    """The last document of every topic. Bounded by the site file: topics come from its ids only."""

    def __init__(self, site: str, news: News) -> None:
        self.site = site
        self.news = news
        self.line: Line | None = None
        self._said: dict[tuple[str, tuple[object, ...]], bytes] = {}

    def say(self, pattern: str, ids: tuple[object, ...], fields: dict[str, Any] | None) -> None:
        """Publishes a message of the contract if it differs from the last one on its topic; None: there is none."""
        payload = b"" if fields is None else contract.encode(pattern, fields)
        key = (pattern, ids)
        if self._said.get(key) == payload:
            return
        self._said[key] = payload
        self._send(pattern, ids, payload)
        if pattern.endswith(CONCLUSION) and fields is not None:
            self.news.say(_path(pattern, ids), fields)

    def again(self) -> None:
        """Everything once more: the broker is new, or was away."""
        for (pattern, ids), payload in self._said.items():
            self._send(pattern, ids, payload)

    def send(self, pattern: str, ids: tuple[object, ...], fields: dict[str, Any]) -> None:
        """A message that is not kept: a beat, a command."""
        self._send(pattern, ids, contract.encode(pattern, fields))

    def _send(self, pattern: str, ids: tuple[object, ...], payload: bytes) -> None:
        if self.line:
            message = contract.BY_TOPIC[pattern]
            self.line.publish(
                contract.topic(self.site, pattern, *ids), payload, message.retained, message.qos
            )


def _path(pattern: str, ids: tuple[object, ...]) -> str:
    path = pattern.removesuffix(CONCLUSION)
    for name in ids:
        path = path.replace("+", str(name), 1)
    return path
