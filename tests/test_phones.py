"""What an IP phone's words mean: any words in any order, how long they hold, and the table of makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import floorplan
from gateway.phones.phones import Phones, Refusal
from gateway.phones.states import CALLS_MOST, Phone
from gateway.phones.vendors import EVENTS, VENDORS, event_of, mac_of

STATES = ("idle", "ringing", "talking", "held", "unknown")


def after(*words: str, every_s: float = 5.0) -> Phone:
    """A phone that has said these, one every five seconds, the last one now (at 0)."""
    phone = Phone(off_hook_s=14400, ringing_s=120)
    for number, word in enumerate(words, 1 - len(words)):
        event, _, reference = word.partition("#")
        phone.hear(event, number * every_s, reference)
    return phone


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("", "unknown"),
        ("alive", "unknown"),
        ("poll", "unknown"),
        ("mute", "unknown"),
        ("started", "idle"),
        ("terminated", "idle"),
        ("off_hook", "talking"),
        ("off_hook established hold", "held"),
        ("off_hook established hold unhold", "talking"),
        ("off_hook established terminated", "talking"),  # the other side hung up, the handset is still off
        ("off_hook established terminated on_hook", "idle"),
        ("off_hook off_hook on_hook on_hook", "idle"),
        ("established on_hook off_hook", "talking"),
        ("incoming established hold on_hook", "idle"),
        ("incoming established hold idle", "idle"),
        ("incoming established started", "idle"),
        ("incoming terminated", "idle"),
        ("incoming missed missed", "idle"),
        ("incoming incoming missed", "idle"),
        ("established missed", "talking"),  # of another call
        ("hold", "held"),
        ("established incoming hold", "held"),
        # A second call is answered, or dialled, and ends: the first is still there.
        ("established incoming established terminated", "talking"),
        ("established incoming established terminated terminated", "idle"),
        ("established hold outgoing terminated", "held"),
        ("established hold outgoing established terminated unhold", "talking"),
        ("established hold outgoing established terminated unhold terminated", "idle"),
        ("established hold outgoing established terminated terminated", "idle"),  # handed on: both end
        ("established hold outgoing on_hook", "idle"),
        ("established hold unhold terminated", "idle"),
        ("established hold established idle incoming terminated", "idle"),
        ("established hold terminated incoming terminated", "idle"),
        ("outgoing established alive", "talking"),
        ("incoming#1 outgoing#2", "talking"),
        ("established#1 incoming#2", "talking"),
        ("established#1 incoming#2 terminated#1", "ringing"),
        ("hold#1 incoming#2", "held"),
        ("hold#1 established#2 terminated#2", "held"),
        ("hold#1 established#2 on_hook", "idle"),
        ("incoming incoming#1 terminated#1", "idle"),  # one call, told both ways
        ("incoming#1 incoming terminated#1", "idle"),
        ("terminated#9", "idle"),
        ("off_hook terminated#1", "talking"),
        ("off_hook established#1 terminated#1 incoming#2", "ringing"),  # its on hook was lost
    ],
)
def test_words_make_a_state(words: str, state: str) -> None:
    assert after(*words.split()).state == state


def test_a_second_call_knocks_no_longer_than_it_may_ring() -> None:
    phone = after("established", "incoming")
    phone.hear("terminated", 119)
    assert phone.state == "talking"
    phone = after("established", "incoming")
    phone.hear("terminated", 121)
    assert phone.state == "idle"


@pytest.mark.parametrize(
    ("words", "holds_s", "last"),
    [
        ("incoming", 120, "incoming"),
        ("off_hook", 14400, "off hook"),
        ("established hold", 14400, "hold"),
        ("established alive", 14395, "established"),  # a sign of life is no word about the call
        ("established mute", 14400, "mute"),  # this is
    ],
)
def test_what_is_said_of_a_call_grows_old(words: str, holds_s: float, last: str) -> None:
    phone = after(*words.split())
    state = phone.state
    phone.due(holds_s - 0.01)
    assert (phone.state, phone.why) == (state, "")
    phone.due(holds_s)
    assert (phone.state, phone.muted) == ("unknown", None)
    assert (
        phone.why
        == f"the phone has said nothing for {'2 min' if holds_s == 120 else '4 h'}: its last word was '{last}'"
    )
    phone.hear("on_hook", holds_s + 1)
    assert (phone.state, phone.why) == ("idle", "")


def test_idle_stays_unless_a_phone_that_polls_stops() -> None:
    phone = after("on_hook")
    phone.due(30 * 86400)
    assert phone.state == "idle"
    phone = after("on_hook", "poll")
    phone.due(899)
    assert phone.state == "idle"
    phone.hear("alive", 899)  # any word will do
    phone.due(1798)
    assert phone.state == "idle"
    phone.due(1799)
    assert phone.state == "unknown" and "used to poll" in phone.why


def test_muted_is_known_while_a_call_is_up_and_somebody_said() -> None:
    assert after("established").muted is None
    assert after("established", "mute").muted is True
    assert after("established", "mute", "hold", "unhold").muted is True
    assert after("established", "mute", "unmute").muted is False
    assert after("established", "mute", "terminated").muted is None


WORDS = st.tuples(
    st.sampled_from(sorted(EVENTS)),
    st.sampled_from([0.0, 0.1, 1.9, 2.1, 60.0, 121.0, 15000.0]),
    st.sampled_from(["", "", "1", "2"]) | st.integers(0, 99).map(str),
)


@given(said=st.lists(WORDS, max_size=60))
def test_any_words_leave_a_state_that_one_word_mends(said: list[tuple[str, float, str]]) -> None:
    phone, now_s = Phone(14400, 120), 0.0
    for event, later_s, call in said:
        now_s += later_s
        phone.due(now_s)
        phone.hear(event, now_s, "" if event in ("on_hook", "off_hook", "idle", "started") else call)
        assert phone.state in STATES
        assert (phone.why != "") == (phone.state == "unknown")
        assert len(phone._calls) <= CALLS_MOST
    phone.due(now_s + 15000)
    assert phone.state in ("idle", "unknown")
    phone.hear("on_hook", now_s + 15000)
    assert (phone.state, phone.muted, phone._calls) == ("idle", None, {})
    for event, state in (("incoming", "ringing"), ("established", "talking"), ("terminated", "idle")):
        now_s += 20000
        phone.hear(event, now_s)
        assert phone.state == state


# All phones of a site --------------------------------------------------------------------


def plan(**phones: Any) -> floorplan.Plan:
    return floorplan.Plan.model_validate({
        "site": {"id": "house"},
        "phones": {"secret_file": "token", **phones},
        "desk": [{"id": "a1", "phone": {"by": "url", "vendor": "snom", "mac": "00:04:13:AA:BB:CC"}}, {"id": "a2"}],
    })  # fmt: skip


def test_the_site_file_says_how_long_words_hold_and_changes_alone_are_told() -> None:
    told: list[tuple[Any, ...]] = []
    phones = Phones(plan(off_hook_h=0.5, ringing_s=30), lambda *words: told.append(words), lambda: 0.0)
    mac = "000413aabbcc"
    phones.due(0)
    assert told == [("a1", "unknown", None, "the phone has said nothing since the gateway started", 0)]
    for event, at_s in (("incoming", 1), ("incoming", 2), ("alive", 3), ("off_hook", 4), ("established", 5)):
        phones.hear(mac, event, at_s)
    for at_s in range(6, 1806):
        phones.due(at_s)
    assert [(state, why[:32], at_s) for _, state, _, why, at_s in told[1:]] == [
        ("ringing", "", 1), ("talking", "", 4), ("unknown", "the phone has said nothing for 3", 1805),
    ]  # fmt: skip
    phones.hear(mac, "incoming", 2000)
    phones.due(2030)
    assert told[-1][1:4] == (
        "unknown",
        None,
        "the phone has said nothing for 30 s: its last word was 'incoming'",
    )
    with pytest.raises(Refusal) as no:
        phones.hear("000413aabbcd", "incoming", 2001)
    assert (no.value.kind, no.value.status) == ("unknown", 404)
    assert phones and not Phones(floorplan.Plan.model_validate({"site": {"id": "h"}}), print, lambda: 0.0)


# The table of makes ----------------------------------------------------------------------


def test_every_row_of_the_table_has_an_event_a_place_and_a_source() -> None:
    assert set(VENDORS) == set(floorplan.DeskPhone.model_json_schema()["properties"]["vendor"]["enum"])
    for name, vendor in VENDORS.items():
        events = [row.event for row in vendor.settings if row.event]
        assert len(set(events)) == len(events), name
        assert {"off_hook", "on_hook", "incoming"} <= set(events) <= set(EVENTS), name
        assert all(row.page and len(row.source) > 20 for row in vendor.settings), name
        assert all(row.key for row in vendor.settings) or not vendor.line, name


def test_names_are_understood_as_each_make_writes_them() -> None:
    for event in EVENTS:
        assert event_of(event) == event
    for vendor in VENDORS.values():
        for row in vendor.settings:
            if row.event and vendor.name != "Poly (Polycom)":
                assert event_of(row.page) == row.event, (vendor.name, row.page)
    for key, event in (
        ("off-hook", "off_hook"),
        ("OffHook", "off_hook"),
        ("Call Established", "established"),
    ):
        assert event_of(key) == event
    assert event_of("") is None and event_of("x" * 100_000) is None


def test_every_event_that_a_make_has_is_understood() -> None:
    """Whoever gives all of them an address must not make the desk unknown by forwarding a call."""
    for names, event in (
        ("open_always_fwd close_busy_fwd always_fwd_on no_answer_fwd_off call_forwarding_on redirection_off "
         "call_waiting_on headset_on syslog_off ip_change vpn_ip peripheral_information setup_autop_finish idle2busy "
         "blind_transfer_call attended_transferring transfer", "alive"),
        ("answer_new_incoming_call", "established"),
        ("remote_busy", "terminated"),
        ("busy2idle", "idle"),
        ("holding", "hold"),
        ("unheld", "unhold"),
    ):  # fmt: skip
        assert {name: event_of(name) for name in names.split()} == dict.fromkeys(names.split(), event)


def test_a_mac_is_a_mac_however_it_is_written() -> None:
    for text in (
        "00:15:65:12:34:AB",
        "00-15-65-12-34-ab",
        "0015.6512.34ab",
        "0015651234AB",
        " 001565:1234ab ",
    ):
        assert mac_of(text) == "0015651234ab"
    for text in ("", "$mac", "0015651234a", "0015651234abc", "0015651234ag", "٠٠١٥٦٥١٢٣٤٥٦", "0" * 100_000):
        assert mac_of(text) is None


def test_the_page_about_phones_says_what_the_table_says() -> None:
    page = (Path(floorplan.__file__).parent / "docs" / "pbx" / "ip-phones.md").read_text(encoding="utf-8")
    for vendor in VENDORS.values():
        row = re.search(rf"^\| {re.escape(vendor.name)} \|(.+)$", page, re.MULTILINE)
        assert row, vendor.name
        told = {event.strip(" `") for event in row[1].split("|")[0].split(",")}
        assert told == {row.event for row in vendor.settings if row.event}, vendor.name
        assert vendor.page in row[1]
