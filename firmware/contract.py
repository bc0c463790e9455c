"""What travels over MQTT: one table of topics and fields, read by boards and gateway alike.

Boards own this table. The same file runs on MicroPython and on CPython, and
`docs/contract.md` is generated from it; the remark behind a row is its
documentation (a comment costs a board no memory).

A topic is `callfloor/1/{site}/` and one of the patterns below, `+` being an id.
Fields are words, `name kind limit;`, because a board has room for words and not for tables
of all it never hears: a row is taken apart when a message comes.

    flag            true or false
    int 3600        a whole number, 0 to 3600; without a limit 0 to 2147483647
    int -127 0      a whole number from -127 to 0
    text 8          at most 8 characters
    one-of a b      one of these words
    numbers 512     an object of at most 512 names, each a whole number or null
    items 16        an array of at most 16, checked by whoever reads it

A name ending in `?` may be null: unknown. Fields nobody knows are ignored; wrong or missing
ones are refused by name.
"""

import json
import sys
from collections import namedtuple

ROOT = "callfloor/1"

BEAT_S = 5  # the gateway says "now" this often
BEATS_MISSED = 3  # so many missed, and a figure is old
KEEPALIVE_S = 20  # a board's MQTT keepalive unless its site file says otherwise
HEALTH_S = 10  # a board says how it is this often; silent for two of them is lost
OUTBOX_READINGS = 64  # what one input keeps while the link is away

FLAG, INT, TEXT, NUMBERS, ITEMS = "flag", "int", "text", "numbers", "items"  # kinds, explained above
STATUS = ["free", "ringing", "talking", "held", "away", "unknown", "lost"]
LONG = 2**31 - 1  # more milliseconds than three weeks

Message = namedtuple("Message", ("topic", "sender", "retained", "qos", "size", "fields"))

MESSAGES = (
    # Proof that figures are fresh: nothing else is. A new boot asks every board for its state.
    Message("beat", "gateway", False, 0, 128, (
        "boot text 8;"  # the gateway's start
        "now_s int;"  # the gateway's monotonic clock, in seconds
        "values_seq int"  # the values a wall must have to be fresh
    )),
    # A board is there, or its will says that it is not.
    Message("board/+/state", "board", True, 1, 128, (
        "state one-of ready lost;"  # lost comes from the broker: the board's will
        "boot text 8"  # a will of an earlier start does not count
    )),
    # Who a board is, once a start and once a connection.
    Message("board/+/hello", "board", True, 1, 768, (
        "boot text 8;"  # random, new with every start
        "definition text 32;"  # its page in boards/definitions
        "firmware text 16;"  # hash of the files it runs
        "python text 48;"  # the interpreter that runs them
        "inputs text 128;"  # what each senses: `phone+headset phone`
        "panels text 128;"  # what each is: `file:64x32`
        "health_s int 3600;"  # its promise: a sign of life this often
        "restart text 64"  # why it started
    )),
    # How a board is. Silence for two of its periods means lost, whatever its will says.
    Message("board/+/health", "board", False, 0, 256, (
        "boot text 8;"  # the start it speaks of
        "heap_free? int;"  # bytes, after collecting; null where nobody counts them
        "wifi_dbm? int -127 0;"  # null where there is a wire
        "uptime_s int;"  # since it started
        "reconnects int;"  # to the broker, since it started
        "lag_ms int;"  # the longest its loop was held up since the last health
        "poll_us? int;"  # mean time between two readings of its inputs since then; null: it has none
        "read_us? int;"  # mean time that one reading of them all takes
        "dropped int"  # readings that fell out of a full outbox since it started
    )),
    # Something a board should do. Never retained: a stored command would return with every start.
    Message("board/+/command", "gateway", False, 1, 288, (
        "id text 16;"  # the answer repeats it
        "do one-of identify restart test raw rotate;"  # what
        "seconds? int 60;"  # for how long, where that means something
        "pins? text 128;"  # raw: these pins only, like `GP4 GP5`; null: all; after a + what nothing reads: `+ GP8`
        "input? int 63;"  # raw: what is said of this input, too
        "picture? int 3;"  # test: 1 is for `callfloor wall test`, which finds how a panel hangs; null: the usual one
        "nonce? text 32"  # rotate: what the next password is made of, with the last one; no secret
    )),
    # What became of a command.
    Message("board/+/answer", "board", False, 1, 256, (
        "id text 16;"  # of the command
        "done flag;"  # false: refused
        "words text 128"  # why, or what was done
    )),
)
SMALL = sys.implementation.name == "micropython"  # a board, where there is no room to spare
BY_TOPIC = {message.topic: message for message in MESSAGES}


def add(rows):
    """Adds rows of another file to the table. A board has only those that it needs."""
    global MESSAGES
    more = tuple([Message(*row) for row in rows])
    MESSAGES += more  # type: ignore[assignment]
    BY_TOPIC.update({message.topic: message for message in more})


if not SMALL:
    from firmware.contract_whole import ROWS

    add(ROWS)

IDS_AT = {3: (1,), 5: (1, 3)}  # where ids stand, by how many parts a topic has
_taken_apart = {}  # pattern → its fields


class ContractError(Exception):
    """A message that is not what the table says; the text names the topic and the field."""


def topic(site, pattern, *ids):
    """The full topic for a pattern of the table, its `+` filled with ids in order."""
    for name in ids:
        pattern = pattern.replace("+", str(name), 1)
    return ROOT + "/" + site + "/" + pattern


def is_id(text):
    """True for 1 to 32 of a-z, 0-9 and -."""
    if not 0 < len(text) <= 32:
        return False
    for at in range(len(text)):  # letter by letter, they would all stay in MicroPython's table of names
        letter = text[at : at + 1]
        if not ("a" <= letter <= "z" or "0" <= letter <= "9" or letter == "-"):
            return False
    return True


def pattern_of(full):
    """(pattern, ids) of a full topic, or (None, ()) where the table has no such topic."""
    parts = full.split("/")[3:]
    ids = []
    for place in IDS_AT.get(len(parts), ()):
        ids.append(parts[place])
        parts[place] = "+"
    pattern = "/".join(parts)
    return (pattern, tuple(ids)) if pattern in BY_TOPIC else (None, ())


def fields_of(pattern):
    """The fields of a message as (name, kind, limit), in order.

    kind == FLAG, INT (limit: (low, high)), TEXT, NUMBERS or ITEMS (limit: at most so many),
    or the tuple of words it may be.
    """
    rows = _taken_apart.get(pattern)
    if rows is None:
        rows = tuple([_row(row.split()) for row in BY_TOPIC[pattern].fields.split(";")])
        if not SMALL:
            _taken_apart[pattern] = rows
    return rows


def _row(words):
    name, kind, rest = words[0], words[1], words[2:]
    if kind == "one-of":
        return name, tuple(rest), None
    limits = [int(word) for word in rest]
    if kind == INT:
        return name, INT, tuple(([0] + limits)[-2:]) if limits else (0, LONG)
    return name, {FLAG: FLAG, TEXT: TEXT, NUMBERS: NUMBERS, ITEMS: ITEMS}[kind], limits[0] if limits else None


def encode(pattern, values):
    """The message as JSON bytes, fields in the table's order. Raises ContractError."""
    fields = fields_of(pattern)
    check(pattern, fields, values)
    rows = []
    for field in fields:
        name = field[0].rstrip("?")
        rows.append(json.dumps(name) + ":" + json.dumps(values.get(name)))
    payload = ("{" + ",".join(rows) + "}").encode()
    if len(payload) > BY_TOPIC[pattern].size:
        raise ContractError("%s: %d bytes, at most %d" % (pattern, len(payload), BY_TOPIC[pattern].size))
    return payload


def parse(full, payload):
    """(pattern, ids, fields) of a message; fields is None for an empty payload, a topic cleared.

    Raises ContractError for a topic not in the table, or anything that is not as the table says.
    """
    pattern, ids = pattern_of(full)
    if pattern is None:
        raise ContractError("%s: no such topic in the contract" % full)
    for name in ids:
        if not is_id(name):
            raise ContractError("%s: '%s' is not an id of a-z, 0-9 and -" % (full, name[:40]))
    if not payload:
        return pattern, ids, None
    message = BY_TOPIC[pattern]
    if len(payload) > message.size:
        raise ContractError("%s: %d bytes, at most %d" % (full, len(payload), message.size))
    try:
        values = json.loads(payload)
    except (ValueError, RuntimeError):  # not JSON, not UTF-8, or nested without end
        raise ContractError("%s: not JSON" % full)
    except MemoryError:
        raise ContractError("%s: more than there is memory for" % full)
    if type(values) is not dict:
        raise ContractError("%s: not a JSON object" % full)
    return pattern, ids, check(full, fields_of(pattern), values)


def check(where, fields, values):
    """The known fields of `values`, each as its row says. Raises ContractError naming the field."""
    known = {}
    for field, kind, limit in fields:
        name = field.rstrip("?")
        value = values.get(name)
        if value is None:
            if name == field:
                raise ContractError("%s: '%s' is missing" % (where, name))
        else:
            wrong = wrong_in(kind, limit, value)
            if wrong:
                raise ContractError("%s: '%s' %s" % (where, name, wrong))
        known[name] = value
    return known


def wrong_in(kind, limit, value):
    """What is wrong with a value of that kind, in words; None when it is right."""
    if kind is INT:
        return wrong_int(limit, value)
    if kind is FLAG:
        return None if type(value) is bool else "is not true or false"
    if type(kind) is tuple:
        return None if value in kind else "is none of " + ", ".join(kind)
    if kind is TEXT:
        if type(value) is not str:
            return "is not text"
        if len(value) > limit:
            return "has more than %d characters" % limit
        for at in range(0, len(value), 64):  # in pieces: see is_id
            last = 0
            for byte in value[at : at + 64].encode("utf-8", "surrogatepass"):
                if byte < 32 or (last == 0xED and byte >= 0xA0):  # the latter: half a pair of UTF-16
                    return "holds a character that nobody can read"
                last = byte
        return None
    if type(value) is not (dict if kind == NUMBERS else list):
        return "is not an object" if kind == NUMBERS else "is not an array"
    if len(value) > limit:
        return "has more than %d members" % limit
    if kind is NUMBERS:
        for name in value:
            number = value[name]
            if number is not None and wrong_int((-LONG, LONG), number):
                return "holds '%s', which is not a whole number" % name[:40]
    return None


def wrong_int(limit, value):
    if type(value) is not int:
        return "is not a whole number"
    low, high = limit
    return None if low <= value <= high else "is not between %d and %d" % (low, high)
