"""Signed cookies: who a browser is, since when, and how long that is believed."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

COOKIE = "callfloor"
SAFE_COOKIE = "__Host-callfloor"  # by https: no other host of the same domain can put one of its own before it
DESK_COOKIE = "callfloor_desk"
DESK_SALT = "callfloor desk 1"
DESK_PATH = "/api/session"  # sent with passwords alone
DESK_S = 400 * 24 * 3600  # browsers keep none for longer
DESK_NAMES = 8  # that have logged in in one browser; with more the one before all others is forgotten
SALT = "callfloor session 1"  # another one makes all cookies worthless
COOKIE_MOST = 1024  # letters; ours have less than 300
AT_MOST_S = 30 * 24 * 3600  # whoever has been logged in for so long logs in anew, however busy
RENEW_PART = 10  # a cookie older than this part of a session is made anew
AHEAD_S = 3600.0  # a clock that was so much ahead of ours is no forgery: computers without a clock start behind


class Session(NamedTuple):
    """One browser that logged in, or one request with a token. Times are epoch seconds."""

    kind: Literal["person", "token"]
    key: str  # a person's name as it is found by; a token's id
    generation: int  # of that person or token, when it began
    made: int  # when somebody logged in
    id: str  # of this login; empty where there was none: a token alone
    at: float  # when its cookie was signed


class Desk(NamedTuple):
    """A browser, and the names that have logged in there, as hashes: the one that did last is the last."""

    id: str
    names: tuple[str, ...]

    def knows(self, key: str) -> bool:
        """Whether somebody with this name, as it is found by, has logged in there."""
        return _hash(self.id, key) in self.names


class Sessions:
    """Makes cookies and reads them. Whether somebody by that name is there still, People says."""

    def __init__(self, key: bytes, session_s: float, clock: Callable[[], float] = time.time) -> None:
        self.session_s = session_s
        self._clock = clock
        how = {"clock": clock, "key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._signer = URLSafeTimedSerializer(key, SALT, signer=_Signer, signer_kwargs=how)
        self._desks = URLSafeTimedSerializer(key, DESK_SALT, signer=_Signer, signer_kwargs=how)

    def begin(self, kind: Literal["person", "token"], key: str, generation: int) -> tuple[Session, str]:
        """(session, cookie) of somebody who has just logged in."""
        now_s = self._clock()
        session = Session(kind, key, generation, int(now_s), secrets.token_hex(8), now_s)
        return session, self.cookie(session)

    def cookie(self, session: Session) -> str:
        """A cookie for it, signed now."""
        told = [session.kind, session.key, session.generation, session.made, session.id]
        return str(self._signer.dumps(told))

    def read(self, cookie: str) -> Session | None:
        """What a cookie says; None for one that we have not signed, or too long ago.

        A token's session does not end by being unseen: a screen that was switched off for a week comes back by
        itself, until the token ends.
        """
        if len(cookie) > COOKIE_MOST:
            return None
        try:
            told, signed = self._signer.loads(cookie, return_timestamp=True)
        except BadData:
            return None
        kind, key, generation, made, id = told
        session = Session(kind, key, generation, made, id, signed.timestamp())
        now_s = self._clock()
        if session.at > now_s + AHEAD_S:
            return None
        if session.kind == "person" and (now_s - session.at > self.session_s or now_s - session.made > AT_MOST_S):
            return None
        return session

    def desk(self, cookie: str) -> Desk | None:
        """What a browser's other cookie says: which names it is known for."""
        if len(cookie) > COOKIE_MOST:
            return None
        try:
            id, *names = self._desks.loads(cookie)
        except BadData:
            return None
        return Desk(id, tuple(names))

    def known(self, desk: Desk | None, key: str) -> str:
        """A cookie for a browser that is known for this name now, too; `key` is the name as it is found by."""
        id, names = desk or (secrets.token_hex(8), ())
        own = _hash(id, key)
        others = [name for name in names if name != own][-(DESK_NAMES - 1) :]
        return str(self._desks.dumps([id, *others, own]))

    def is_due(self, session: Session, part: float = RENEW_PART) -> bool:
        """Whether this part of a session has gone by since its cookie was signed."""
        return session.kind == "person" and self._clock() - session.at > self.session_s / part


class _Signer(TimestampSigner):
    """One whose clock is of our choice."""

    def __init__(self, *given: Any, clock: Callable[[], float], **more: Any) -> None:
        super().__init__(*given, **more)
        self._clock = clock

    def get_timestamp(self) -> int:
        """Epoch seconds."""
        return int(self._clock())


def cookie_name(secure: bool) -> str:
    """What the cookie of a session is called; `secure`: where the browser has the page by https."""
    return SAFE_COOKIE if secure else COOKIE


def set_cookie(cookie: str, most_s: float, secure: bool) -> str:
    """The header Set-Cookie. Scripts cannot read it, and no other site's page can make a browser send it."""
    return _set(cookie_name(secure), cookie, "/", most_s, secure)


def set_desk_cookie(cookie: str, secure: bool) -> str:
    """The header Set-Cookie of a browser that is known for a name. It opens nothing."""
    return _set(DESK_COOKIE, cookie, DESK_PATH, DESK_S, secure)


def _set(name: str, cookie: str, path: str, most_s: float, secure: bool) -> str:
    words = f"{name}={cookie}; Path={path}; Max-Age={max(0, int(most_s))}; HttpOnly; SameSite=Strict"
    return words + "; Secure" if secure else words


def _hash(id: str, key: str) -> str:
    """A name in a browser's cookie: whoever looks there reads none."""
    return hashlib.blake2b(f"{id} {key}".encode("utf-8", "replace"), digest_size=8).hexdigest()
