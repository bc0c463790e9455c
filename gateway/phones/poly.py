"""The XML that a Poly phone posts: which phone, which event, of which call. The rest is dropped while reading.

Form and words: Polycom, Web Application for Polycom Phones, UC Software 5.0.0, 'Telephony Notification Events'.
The caller's name and number are in it; they are never taken out of the parser.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from gateway.phones.vendors import mac_of

BODY_BYTES = 8192  # the longest in the document has fewer than 1500
TEXT_MOST = 64  # characters of a field
DEEP_MOST = 16  # elements in elements

# The events; None: what it means stands in its CallState.
EVENTS = {
    "OffHookEvent": "off_hook",
    "OnHookEvent": "on_hook",
    "IncomingCallEvent": "incoming",
    "OutgoingCallEvent": "outgoing",
    "CallStateChangeEvent": None,
    "LineRegistrationEvent": "alive",
    "LineUnregistrationEvent": "alive",
    "PhoneLockedEvent": "alive",
    "PhoneUnlockedEvent": "alive",
    "UserLogInOutEvent": "alive",
}
# CallState in small letters, with or without `call` in front, as later software writes it.
CALL_STATES = {
    "dialtone": "outgoing",
    "setup": "outgoing",
    "proceeding": "outgoing",
    "ringback": "outgoing",
    "offering": "incoming",
    "connected": "established",
    "conference": "established",
    "hold": "hold",
    "held": "hold",
    "confhold": "hold",
    "confheld": "hold",
    "disconnected": "terminated",
    "free": "terminated",
    "idle": "terminated",
    "remoteactive": "terminated",  # of a shared line: another phone has it
    "ncas": "alive",  # "unknown call state"
}


class PolyError(ValueError):
    """The XML is not what a Poly phone sends; words that repeat nothing of it. `mac`, where it was read before that."""

    def __init__(self, words: str, mac: str = "") -> None:
        super().__init__(words)
        self.mac = mac


def read(body: bytes) -> tuple[str, str, str]:
    """(MAC as twelve digits, one of vendors.EVENTS, the call's reference or "") of one message. Raises PolyError."""
    reader = _Reader()
    # Read as Latin-1 whatever it says of itself: what is wanted is plain ASCII, and names are not wanted.
    parser = expat.ParserCreate("iso-8859-1")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n"), True)
    except expat.ExpatError as error:
        raise PolyError("the message is no well-formed XML", reader.mac) from error
    return reader.mac_found(), *reader.event()


class _Reader:
    """Takes three fields out of a message as the parser goes through it."""

    def __init__(self) -> None:
        self.mac = ""
        self._path: list[str] = []
        self._event = ""
        self._took = False  # whether the element that is open is wanted
        self._wanted = {"MACAddress": "", "CallState": "", "CallReference": ""}

    def doctype(self, *_: Any) -> None:
        raise PolyError("the message has a DOCTYPE: no phone sends one, and none is read", self.mac)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > DEEP_MOST:
            raise PolyError("the message has elements in elements, too deep", self.mac)
        if name in EVENTS and self._path in ([name], ["PolycomIPPhone", name]):
            if self._event:
                raise PolyError("the message holds two events: one at a time", self.mac)
            self._event = name
            for key in ("CallState", "CallReference"):
                self._wanted[key] = attributes.get(key, "").strip()[:TEXT_MOST]
        self._took = bool(self._event) and name in self._wanted and not self._wanted[name]

    def text(self, text: str) -> None:
        if self._path and self._took and len(text) <= TEXT_MOST:
            self._wanted[self._path[-1]] = text.strip()

    def end(self, name: str) -> None:
        self._path.pop()
        self._took = False
        if name == "MACAddress":
            self.mac = self.mac or mac_of(self._wanted[name]) or ""

    def mac_found(self) -> str:
        if not self.mac:
            raise PolyError("the message has no <MACAddress>, or one that is no MAC address")
        return self.mac

    def event(self) -> tuple[str, str]:
        if not self._event:
            raise PolyError("the message holds no event that is known", self.mac)
        event, call = EVENTS[self._event], ""
        if event is None:
            state = self._wanted["CallState"].lower()
            event = CALL_STATES.get(state) or CALL_STATES.get(state.removeprefix("call"))
            call = self._wanted["CallReference"]
            if event is None:
                raise PolyError("the message has a CallState that is not known", self.mac)
            if len(call) > 16:
                raise PolyError("the message has a CallReference that is none", self.mac)
        return event, call
