"""An example for each request and each answer of the API, where its model has none of its own."""

from __future__ import annotations

from typing import Any

# (method, address) → {"path": values, "query": values, "body": a request, status: an answer}.
Row = dict[str | int, Any]

STREAM = {"id": "3f2a-5000", "event": "whole", "data": '{"desk/a1":{"status":"free","reason":"handset down"}}'}
HISTORY = "queue,begins,ends,open_s,unseen_s,joined,answered\npolski,2026-11-02T00:00:00+01:00,…,86400,0,412,398\n"
AUDIT = "id,at,who,did,what\n412,2026-11-02T09:14:05+01:00,person desk-lead,message-sent,\"north, 15 min\"\n"
QUEUE = {
    "waiting": 2, "oldest_wait_s": 5, "worst_wait_s": 412, "free": 3, "ringing": 1, "talking": 4, "away": 7,
    "desks_needed": 7, "desks_present": 8, "joined": 1240, "answered": 1194, "abandoned": 44,
    "service_level_pct": 83, "reason": "", "age_ms": 1200,
}  # fmt: skip
POLSKI = {
    "id": "polski", "name": "Polski", "kind": "voice", "amber_from_s": 10, "red_from_s": 20,
    "target": {"within_s": 20, "share": 0.8, "formula": "answered-within-of-offered", "short_abandon_s": 5},
}  # fmt: skip
TEXT = {"text": "Break at 10:15 for row A", "walls": ["north"]}
LOGIN = {"name": "desk-lead", "password": "three words apart"}

ANSWERS: dict[tuple[str, str], Row] = {
    ("GET", "/api/plan"): {200: {
        "page": "5be1f0c2a7d94e36",
        "plots": True,
        "site": {"id": "skien", "name": "Skien", "languages": ["nb", "en"]},
        "floor_plan": False,
        "rooms": [{"name": "North", "at": [0, 0], "size": [8, 3]}],
        "desks": [{"id": "a1", "name": "A1", "at": [0, 0]}],
        "queues": [POLSKI],
        "walls": [{"id": "north", "name": "North", "size": [128, 64]}],
        "boards": [{"id": "row-a", "definition": "pico-w", "desks": ["a1"]}],
    }},
    ("GET", "/api/now"): {200: {
        "desk/a1": {"status": "free", "reason": "the handset is down", "age_ms": 5300}, "queue/polski": QUEUE,
    }},
    ("GET", "/api/events"): {200: STREAM, 503: "too many pages are open; try again in a moment"},
    ("GET", "/healthz"): {
        200: {"up": True, "broker": "ready", "sources": {"asterisk": "ready"}, "history": "kept", "boards_unheard": 0},
        503: {"up": False, "broker": "no answer at 127.0.0.1:1883", "boards_unheard": 3},
    },
    ("GET", "/walls/{wall}.png"): {404: "wall 'north' has no picture yet"},
    ("GET", "/wall/{wall}/events"): {
        200: {"event": "beat", "data": '{"boot":"1f2e3d4c","now_s":100412,"values_seq":7}'},
        404: "no such wall in the site file; there are: north, south",
        503: "too many screens are open; try again in a moment",
    },
    ("GET", "/api/boards/{board}/check"): {
        200: {"event": "levels", "data": '{"a1":{"hook":0}}'},
    },
    ("POST", "/wall/{wall}/events"): {404: "no such wall in the site file; there are: north, south"},
    ("GET", "/api/history.csv"): {200: HISTORY, 404: "nothing is kept here"},
    ("GET", "/api/audit.csv"): {200: AUDIT},
    ("GET", "/api/alarms.csv"): {
        200: "kind,of,about,level,began,ended,for_s,what,acknowledged_by,note\n"
        "board-lost,board,row-a,bad,2026-11-02T09:14:05+01:00,,312,The board is silent.,desk-lead,The fuse.\n"
    },
    ("GET", "/metrics"): {200: 'callfloor_queue_waiting{queue="polski"} 2.0\n'},
    ("POST", "/api/messages"): {"body": {**TEXT, "minutes": 15}},
    ("POST", "/api/messages/preview"): {"body": TEXT},
    ("POST", "/api/session"): {"body": LOGIN},
    ("PUT", "/api/session/password"): {"body": {"old": "three words apart", "new": "nine lives of a cat"}},
    ("POST", "/api/join"): {"body": {"token": "0f" * 16, **LOGIN}},
    ("POST", "/api/people/invitations"): {"body": {"role": "supervisor"}},
    ("PATCH", "/api/people/{name}"): {"body": {"role": "technician"}},
    ("POST", "/api/tokens"): {"body": {"name": "lobby", "role": "wall", "days": 365}},
    ("POST", "/api/alarms/{id}/acknowledgement"): {"body": {"note": "The carrier knows."}},
    ("GET", "/phone/{token}"): {200: "ok\n"},
    ("POST", "/phone/{token}"): {200: "ok\n"},
}  # fmt: skip

# What stands in an address, by its name there.
PARAMETERS: dict[str, Any] = {
    "wall": "north", "queue": "polski", "board": "row-a", "do": "identify", "id": "long-wait.polski",
    "name": "desk-lead", "token": "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "by": "day", "from": "2026-11-01",
    "to": "2026-11-30", "before": 412, "limit": 100, "screen": "7f3a", "after": "3f2a-5000", "desk": "a1",
    "date": "2026-11-02", "last-event-id": "3f2a-5000", "if-none-match": '"9d1c5c8f0b7a2e43"',
}  # fmt: skip

# Fields of answers, by name: what a model does not say itself.
FIELDS: dict[str, Any] = {
    "name": "desk-lead", "kind": "person", "role": "supervisor", "rights": ["walls", "see", "say"], "id": "7c1f",
    "since": 1793613600.0, "seen": 1793700000.0, "ends": 1794218400.0, "at": 1793700000.0, "who": "person desk-lead",
    "did": "message-sent", "what": "north, 15 min", "text": "Break at 10:15 for row A", "left_s": 840, "on": ["north"],
    "walls": ["north"], "token": "cf_0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "png": "iVBORw0KGgo=", "moves": False,
    "can": True, "kept": True, "words": "in words, what is the matter", "more": "", "place": "events[3].call",
    "wait_s": 4, "role_": "viewer", "facts": {"wait_s": 332, "limit_s": 20}, "about": "polski", "level": "bad",
    "for_s": 312, "ended_s": 60, "began": "2026-11-02T09:14:05+01:00", "ended": "2026-11-02T09:19:17+01:00",
    "of": "queue",
}  # fmt: skip

# A refusal's one word, by status, where the address does not say which it can be.
KINDS = {
    400: "rubbish", 401: "login", 403: "right", 404: "gone", 408: "late", 409: "many", 413: "long", 415: "type",
    421: "host", 422: "body", 429: "often", 503: "trouble", 504: "lost",
}  # fmt: skip
