"""What travels over MQTT is what the table says, on both Pythons."""

import json

from firmware import contract
from firmware.contract import ContractError, encode, is_id, parse, topic

if contract.SMALL:  # a board adds them when it has inputs or panels
    from firmware.contract_inputs import INPUTS
    from firmware.contract_panels import PANELS

    contract.add(INPUTS)
    contract.add(PANELS)

SITE = "callfloor/1/skien/"


def refusal(full, payload):
    """The words a message is refused with."""
    try:
        parse(full, payload)
    except ContractError as error:
        return str(error)
    raise AssertionError("not refused: %s %r" % (full, payload))


def right_for(kind, limit):
    """Values that are right for a field: the least, the most, and one between where there is one."""
    if kind == contract.INT:
        low, high = limit
        return low, high, (low + high) // 2
    if kind == contract.FLAG:
        return True, False
    if kind == contract.TEXT:
        return "", "x" * limit, 'å"\\'[:limit]
    if kind == contract.NUMBERS:
        return {}, {"a.b": 0, "c": None, "d": -contract.LONG}
    if kind == contract.ITEMS:
        return [], [[1, "two"], None], [0] * limit
    return kind


def wrong_for(kind, limit):
    """Values that are wrong for a field, each in another way."""
    if kind == contract.INT:
        low, high = limit
        return low - 1, high + 1, 0.5, "0", True, [], {}
    if kind == contract.FLAG:
        return 0, 1, "true", []
    if kind == contract.TEXT:
        return "x" * (limit + 1), "a\n", "\0", 7, True, [], {}
    if kind == contract.NUMBERS:
        many = {}
        for number in range(limit + 1):
            many["n%d" % number] = number
        return many, [], "text", 1, {"a": 0.5}, {"a": "1"}, {"a": True}, {"a": contract.LONG + 1}, {"a": {}}
    if kind == contract.ITEMS:
        return [0] * (limit + 1), {}, "text", 1
    return "neither", "", 0, True, []


def message_of(pattern):
    """A right message of that pattern, no field null."""
    values = {}
    for field, kind, limit in contract.fields_of(pattern):
        values[field.rstrip("?")] = right_for(kind, limit)[0]
    return values


def full_topic(pattern):
    return topic("skien", pattern, "b1", 2)


def as_json(values):
    """JSON of anything, right or wrong."""
    return json.dumps(values).encode()


def test_every_message_comes_back_as_it_was():
    for message in contract.MESSAGES:
        values = message_of(message.topic)
        payload = encode(message.topic, values)
        assert type(payload) is bytes
        pattern, ids, fields = parse(full_topic(message.topic), payload)
        assert pattern == message.topic
        assert ids == (("b1", "2") if message.topic.count("+") == 2 else ("b1",) * message.topic.count("+"))
        assert fields == values


def test_every_field_takes_what_is_right_and_null_only_where_it_may():
    for message in contract.MESSAGES:
        for field, kind, limit in contract.fields_of(message.topic):
            name = field.rstrip("?")
            values = message_of(message.topic)
            for right in right_for(kind, limit):
                values[name] = right
                fields = parse(full_topic(message.topic), encode(message.topic, values))[2]
                assert fields[name] == right and type(fields[name]) is type(right)
            for null in (None, "left out"):
                values[name] = None
                if null:
                    del values[name]
                if field.endswith("?"):
                    assert parse(full_topic(message.topic), as_json(values))[2][name] is None
                else:
                    words = refusal(full_topic(message.topic), as_json(values))
                    assert full_topic(message.topic) in words and "'%s' is missing" % name in words


def test_every_field_refuses_what_is_wrong_by_name():
    for message in contract.MESSAGES:
        for field, kind, limit in contract.fields_of(message.topic):
            name = field.rstrip("?")
            for wrong in wrong_for(kind, limit):
                values = message_of(message.topic)
                values[name] = wrong
                payload = as_json(values)
                words = refusal(full_topic(message.topic), payload)
                assert words.startswith(full_topic(message.topic) + ": ")
                assert ("'%s'" % name) in words or len(payload) > message.size
                try:
                    encode(message.topic, values)
                    raise AssertionError("sent: %s %r" % (message.topic, wrong))
                except ContractError as error:
                    assert ("'%s'" % name) in str(error)


def test_fields_are_written_in_the_tables_order():
    values = {"age_ms": 5, "boot": "ab", "seq": 1, "state": "idle"}
    payload = encode("board/+/input/+/phone", values)
    assert payload == b'{"state":"idle","why":null,"seq":1,"boot":"ab","age_ms":5}'


def test_unknown_fields_are_ignored():
    fields = parse(SITE + "gateway/state", b'{"state":"ready","boot":"a","new":{"deep":[1]}}')[2]
    assert fields == {"state": "ready", "boot": "a"}


def test_an_empty_message_is_a_topic_cleared():
    assert parse(SITE + "board/b1/state", b"") == ("board/+/state", ("b1",), None)


def test_a_message_may_be_as_large_as_its_size_and_no_larger():
    for message in contract.MESSAGES:
        payload = as_json(message_of(message.topic))
        full = full_topic(message.topic)
        assert parse(full, payload + b" " * (message.size - len(payload)))[2] is not None
        words = refusal(full, payload + b" " * (message.size + 1 - len(payload)))
        assert "%d bytes, at most %d" % (message.size + 1, message.size) in words


def longest(field, kind, limit):
    """The right value that takes most bytes; a `reason` may be in any language."""
    if kind == contract.TEXT:
        return ("å" if field == "reason" else "x") * limit
    values = right_for(kind, limit)
    if kind in (contract.NUMBERS, contract.ITEMS):
        return values[0]
    return sorted(values, key=lambda value: len(as_json(value)))[-1]


def test_the_longest_right_message_fits_its_size():
    for message in contract.MESSAGES:
        values = {}
        for field, kind, limit in contract.fields_of(message.topic):
            values[field.rstrip("?")] = longest(field, kind, limit)
        payload = encode(message.topic, values)
        assert len(payload) <= message.size, "%s: %d" % (message.topic, len(payload))


def test_what_is_no_json_object_is_refused():
    for payload in (
        b"ready",
        b"{",
        b'{"state":"ready"',
        b"\xff\xfe{}",
        b'{"state":"\xff","boot":"a"}',
        b"\x00",
    ):
        words = refusal(SITE + "gateway/state", payload)
        assert words.startswith(SITE + "gateway/state: "), words
    for payload in (b"null", b"1", b'"ready"', b"[]", b"true"):
        assert "not a JSON object" in refusal(SITE + "gateway/state", payload)


def test_nesting_without_end_is_refused_and_nothing_breaks():
    full = SITE + "board/b1/panel/0/scene"
    for opening in (b"[", b'{"a":'):
        payload = b'{"id":"a","dwell_ms":1,"pages":' + opening * 3000
        assert refusal(full, payload).startswith(full)
    deep = b'{"id":"a","dwell_ms":1,"pages":' + b"[" * 4000 + b"]" * 4000 + b"}"
    try:
        parse(full, deep)
    except ContractError:
        pass
    assert parse(SITE + "gateway/state", b'{"state":"ready","boot":"a"}')[2]["state"] == "ready"


def test_topics_that_are_not_in_the_table_are_refused():
    for name in (
        "",
        "beats",
        "board/b1",
        "board/b1/states",
        "board/b1/input/0",
        "board/b1/input/0/phone/now",
        "board/b1/input/phone",
        "desk/now",
        "floor/f1/now",
        "gateway/state/x",
    ):
        assert "no such topic" in refusal(SITE + name, b"{}")
    for full in ("", "callfloor", "callfloor/1", "callfloor/1/skien", "/"):
        assert "no such topic" in refusal(full, b"{}")


def test_an_id_is_1_to_32_of_few_letters():
    for right in ("a", "0", "a-1", "-", "z" * 32, "pico-w1"):
        assert is_id(right)
        assert parse(SITE + "board/" + right + "/state", b"")[1] == (right,)
    for wrong in ("", "z" * 33, "A", "a_b", "a.b", "a b", "å", "a\n", "+", "#", "$sys"):
        assert not is_id(wrong)
        words = refusal(SITE + "board/" + wrong + "/state", b"")
        assert "is not an id" in words and len(words) < 200


def test_a_pattern_is_filled_with_its_ids_in_order():
    assert topic("s", "board/+/input/+/phone", "b1", 3) == "callfloor/1/s/board/b1/input/3/phone"
    assert topic("s", "beat") == "callfloor/1/s/beat"
    for message in contract.MESSAGES:
        assert contract.pattern_of(full_topic(message.topic))[0] == message.topic


def test_the_table_itself_keeps_the_designs_rules():
    for message in contract.MESSAGES:
        kind = message.topic.split("/")[-1]
        assert message.sender in ("gateway", "board")
        assert (message.sender == "gateway") or message.topic.startswith("board/+/")
        if kind in ("beat", "health", "raw", "command", "answer"):
            assert not message.retained
        else:
            assert message.retained
        assert message.qos == (0 if kind in ("beat", "health", "raw") else 1)
        names = []
        for field in contract.fields_of(message.topic):
            assert field[0].rstrip("?") not in names
            names.append(field[0].rstrip("?"))
