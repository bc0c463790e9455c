"""HID report descriptors and reports, rule by rule. Runs on both Pythons."""

from firmware import hid

HEADSET = "05 0B 09 05 A1 01 15 00 25 01 75 01 95 01"


def layout(fields, head=HEADSET, tail="C0"):
    return hid.layout(hid.parse(bytes.fromhex(head + fields + tail)))


def read(known, report):
    values = hid.read(known, bytes.fromhex(report))
    return values if values is None else [(usage & 0xFFFF, value) for usage, _, value in values]


def said(known, report):
    return [says for _, says, _ in hid.read(known, bytes.fromhex(report))]


def refused(descriptor):
    try:
        hid.parse(bytes.fromhex(descriptor))
    except hid.HidError as error:
        return str(error)
    return None


def test_the_usage_page_is_the_one_in_force_at_the_main_item():
    known = layout("09 07 05 09 81 02")
    assert hid.read(known, b"\x01") == [(hid.REJECT, hid.ABSOLUTE, 1)]
    assert hid.read(layout("05 09 09 20 05 0B 81 02"), b"\x01") == [(hid.HOOK, hid.ABSOLUTE, 1)]
    assert read(layout("05 09 19 20 29 21 05 0B 95 02 81 02"), "02") == [(0x20, 0), (0x21, 1)]


def test_usages_of_two_pages_in_one_item_keep_their_own():
    assert hid.read(layout("09 20 05 09 09 07 95 02 81 02"), b"\x03") == [
        (hid.HOOK, hid.ABSOLUTE, 1),
        (hid.REJECT, hid.ABSOLUTE, 1),
    ]
    assert read(layout("05 0C 09 E2 05 0B 09 2F 09 20 95 03 81 02"), "06") == [(0x2F, 1), (0x20, 1)]


def test_a_usage_of_four_bytes_carries_its_own_page():
    assert read(layout("0B 20 00 0B 00 05 0C 81 02"), "01") == [(0x20, 1)]
    assert read(layout("1B 20 00 0B 00 2B 21 00 0B 00 05 0C 95 02 81 02"), "02") == [(0x20, 0), (0x21, 1)]


def test_a_range_of_usages_is_one_usage_a_control():
    assert read(layout("19 1F 29 24 95 06 81 02"), "12") == [(0x20, 1), (0x21, 0), (0x23, 1), (0x24, 0)]
    assert read(layout("29 24 19 1F 95 06 81 02"), "12") == [(0x20, 1), (0x21, 0), (0x23, 1), (0x24, 0)]
    assert read(layout("19 24 29 20 81 02"), "01") == []  # backwards: nothing
    assert read(layout("29 20 81 02"), "01") == []  # a maximum without a minimum: nothing


def test_the_last_usage_is_that_of_all_the_rest_and_too_many_are_dropped():
    known = layout("09 2F 09 20 95 04 81 02")
    assert read(known, "00") == [(0x2F, 0), (0x20, 0)]
    assert read(known, "08") == [(0x2F, 0), (0x20, 1)]
    assert read(known, "01") == [(0x2F, 1), (0x20, 0)]
    assert read(layout("09 2F 09 20 81 02"), "03") == [(0x2F, 1)]


def test_what_values_say_follows_from_the_flags():
    assert said(layout("09 20 81 02"), "01") == ["absolute"]
    assert said(layout("09 20 81 22"), "01") == ["absolute"]
    assert said(layout("09 20 81 06"), "01") == ["toggle"]
    assert said(layout("09 20 81 26"), "01") == ["toggle"]  # it has no -1
    assert said(layout("15 FF 75 02 09 20 81 26"), "01") == ["pair"]
    assert said(layout("15 FF 75 02 09 20 81 06"), "01") == ["toggle"]


def test_constants_are_padding_unless_they_have_usages():
    assert read(layout("95 03 81 01 09 20 95 01 81 02"), "08") == [(0x20, 1)]
    assert read(layout("95 03 81 03 09 20 95 01 81 23"), "08") == [(0x20, 1)]
    assert read(layout("09 20 81 01"), "01") == []


def test_numbers_are_signed_where_the_minimum_is():
    known = layout("15 FF 25 01 75 02 09 20 81 26")
    assert [read(known, report) for report in ("00", "01", "03")] == [[(0x20, 0)], [(0x20, 1)], [(0x20, -1)]]
    known = layout("15 00 25 FF 75 08 09 20 81 02")  # 255, not -1
    assert read(known, "FF") == [(0x20, 255)]
    assert read(layout("15 00 25 FE 75 08 09 20 81 42"), "FF") == []
    known = layout("16 00 80 26 FF 7F 75 10 09 20 81 02")
    assert read(known, "00 80") == [(0x20, -32768)]


def test_what_is_outside_the_limits_is_no_value_or_the_nearest():
    assert read(layout("15 01 25 02 75 03 09 20 81 42"), "00") == []
    assert read(layout("15 01 25 02 75 03 09 20 81 42"), "02") == [(0x20, 2)]
    assert read(layout("15 01 25 02 75 03 09 20 81 02"), "07") == [(0x20, 2)]
    assert read(layout("15 00 25 00 75 03 09 20 81 02"), "07") == [(0x20, 7)]  # limits that are none


def test_a_key_array_counts_from_its_minimum():
    pad = "09 06 A1 02 19 B0 29 BB 15 00 25 0C 75 04 95 01 81 40 C0"
    held = dict(read(layout(pad), "03"))
    assert [key for key in held if held[key]] == [0xB3]
    assert len(held) == 12
    assert not any(dict(read(layout(pad), "0C")).values())
    assert not any(dict(read(layout(pad), "0F")).values())
    from_1 = dict(read(layout("15 01 25 03 09 20 09 2F 09 26 75 08 95 02 81 00"), "01 03"))
    assert from_1 == {0x20: 1, 0x2F: 0, 0x26: 1}
    assert set(said(layout("15 01 25 03 09 20 09 2F 09 26 75 08 95 02 81 00"), "01 03")) == {"toggle"}


def test_report_ids_are_byte_0_and_each_report_has_its_bits():
    known = layout("85 01 09 20 81 02 85 02 95 04 81 01 09 97 95 01 81 02 85 01 09 2F 81 02")
    assert read(known, "01 02") == [(0x20, 0), (0x2F, 1)]
    assert read(known, "02 10") == [(0x97, 1)]
    assert read(known, "03 FF") == []
    assert read(known, "00 FF") == []
    before_the_first = layout("09 20 81 02 85 01 09 97 81 02")
    assert read(before_the_first, "00 01") == []
    assert read(before_the_first, "01 01") == [(0x97, 1)]
    assert read(known, "01") is None
    assert read(known, "") is None
    assert read(known, "01 01 FF FF") == [(0x20, 1), (0x2F, 0)]


def test_inputs_outputs_and_features_are_told_apart():
    known = layout("85 01 09 17 91 02 09 20 B1 02 95 02 91 01 B1 01 09 97 95 01 81 02")
    assert read(known, "01 01") == [(0x97, 1)]
    # Ids of outputs alone do not number the inputs.
    assert read(layout("09 20 81 02 85 01 09 9E 91 02"), "01") == [(0x20, 1)]


def test_what_a_push_saved_a_pop_brings_back():
    assert read(layout("A4 05 0C 75 08 95 09 15 09 25 0A B4 09 20 81 02"), "01") == [(0x20, 1)]
    assert refused("05 0B A4 B4 B4") == "byte 4: a pop without a push"


def test_of_a_delimited_set_the_first_is_the_usage():
    assert read(layout("A9 01 09 20 09 2F A9 00 09 26 95 02 81 02"), "03") == [(0x20, 1), (0x26, 1)]
    assert read(layout("A9 00 09 20 81 02"), "01") == [(0x20, 1)]  # closed, and never opened


def test_local_items_end_with_the_main_item():
    assert read(layout("09 20 81 02 81 02"), "03") == [(0x20, 1)]
    assert read(layout("09 20 A1 02 81 02 C0"), "01") == []


def test_telephony_is_an_application_collection_whichever_and_wherever():
    usage = "15 00 25 01 75 01 95 01 09 20 81 02 C0"
    for head in ("01", "02", "04", "05", "06"):
        assert read(layout(usage, "05 0B 09" + head + "A1 01", ""), "01") == [(0x20, 1)]
    assert (
        read(layout(usage, "05 0C 09 01 A1 01 05 0B", ""), "01") == []
    )  # a media key that calls itself a hook
    assert read(layout(usage, "05 0B 09 05 A1 02", ""), "01") == []  # no application
    assert read(layout(usage + "C0", "05 0C 09 01 A1 01 05 0B 09 05 A1 01", ""), "01") == [(0x20, 1)]
    assert read(layout(usage + "C0", "05 0B 09 05 A1 01 09 06 A1 02", ""), "01") == [(0x20, 1)]
    keyboard = "05 01 09 06 A1 01 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 C0"
    both = hid.parse(bytes.fromhex(keyboard + HEADSET + "95 08 81 01 95 01 09 20 81 02 C0"))
    assert hid.has_telephony(both)
    assert hid.read(hid.layout(both), b"\xff\x00\x01") == [(hid.HOOK, hid.ABSOLUTE, 1)]
    assert not hid.has_telephony(hid.parse(bytes.fromhex(keyboard)))
    assert not hid.has_telephony(hid.parse(bytes.fromhex("05 0B 09 05 A1 01 C0")))


def test_long_and_reserved_items_mean_nothing():
    assert read(layout("FE 03 F0 81 02 C0 09 20 FC B8 C9 00 D4 81 02"), "01") == [(0x20, 1)]
    assert refused("FE 03 F0 00 00") == "byte 0: the descriptor ends inside an item"
    assert refused("FE") == "byte 0: the descriptor ends inside an item"


def test_fields_are_told_as_declared():
    (field,) = hid.parse(
        bytes.fromhex("05 0B 09 05 A1 01 85 02 15 FF 25 01 75 02 95 03 19 20 29 22 81 26 C0")
    )
    assert field == ("input", 2, 0, 2, 3, ((0x0B0020, 0x0B0022),), -1, 1, 0x26, True)


def test_a_report_that_cannot_be_is_refused():
    assert refused("75 08 96 01 40 81 02") == "byte 5: a report of 131080 bits, at most 131072"
    assert refused("75 08 96 00 40 81 02") is None
