"""The file of people: names, passwords, links, sessions and tokens, and two programs at it at once."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

import floorplan
from gateway.people import commands as people_commands
from gateway.people import people as module
from gateway.people.guesses import ADDRESS, HERE
from gateway.people.passwords import COMMON, LEAST, MOST, Busy, Passwords, wrong_with
from gateway.people.people import TOKEN_DAYS_MOST, People, PeopleError, Refused, checked_name, key_of
from gateway.people.rights import OF_PEOPLE, RIGHTS, ROLES, Who
from gateway.people.sessions import AT_MOST_S, Sessions, set_cookie, set_desk_cookie
from tests.conftest import until
from tests.gated import CONSOLE, HASHED, PASSWORD, QUICK, Clock, add, plan

ROOT = Path(__file__).parent.parent
HOUR_S, DAY_S = 3600, 24 * 3600
LIGHT = PasswordHasher(time_cost=1, memory_cost=16 * 1024, parallelism=1)  # long enough to be measured


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> Iterator[People]:
    with People(plan(tmp_path).people, clock) as people:
        yield people


def refused(do: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as no:
        do()
    return no.value.kind


# ---- names and passwords ----


@pytest.mark.parametrize(
    "name", ["a", "desk-lead", "Åse.Ø_1", "ليلى", "Łucja", "x" * 32, "7", "Вера-1", "Ελένη", "田中a"]
)
def test_a_name_is_letters_digits_and_three_signs(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "x" * 33, "a b", "a/b", "..", ".a", "-a", "_a", "a\n", "a\0", "<b>", "a@b", "\u202eabc", "a\u200bb", "💡",
     "a\u115f", "a\u1160", "a\u3164", "a\uffa0", "\u3164", "l\u0435ad", "ad\u03bfm", "\u0430\u03bf",
     "a\ud800"],
)  # fmt: skip
def test_no_other_name(name: str) -> None:
    assert refused(lambda: checked_name(name)) == "name"


@given(st.text(max_size=40))
def test_any_name_that_is_taken_is_found_however_it_is_written(text: str) -> None:
    try:
        name = checked_name(text)
    except Refused:
        return
    assert key_of(name) == key_of(name.upper()) == key_of(name.lower()) or name.upper().lower() != name.lower()
    assert key_of(key_of(name)) == key_of(name)
    assert not set(name) & set("/\\?#%<>&\"' \n")


def test_somebody_is_found_by_large_and_small_letters_and_has_the_name_alone(people: People) -> None:
    add(people, "Åse", "viewer")
    assert {str(people.person(name)) for name in ("Åse", "åse", "ÅSE", "A\u030ase")} == {str(people.person("Åse"))}
    assert refused(lambda: add(people, "a\u030aSE", "viewer")) == "taken"


@pytest.mark.parametrize("password", ["correct horse", "æøåæøåæøå1", "xyz!" * (MOST // 4), "xyzxyzxyzx"])
def test_any_ten_letters_will_do(password: str) -> None:
    assert wrong_with(password, "lead") is None


@pytest.mark.parametrize(
    "password", ["", "nine char", "aaaaaaaaaaaa", "ababababababab", "Password123", "PASSWORD1234", "callfloor123",
                 "desk-lead-1", "DESK-LEAD-1", "xyz" * 86, "１２３４５６７８９０"],
)  # fmt: skip
def test_but_not_the_first_that_anybody_tries(password: str) -> None:
    assert wrong_with(password, "Desk-Lead-1")


def test_the_list_of_the_commonest_holds_only_what_could_be_a_password() -> None:
    assert len(COMMON) > 100
    assert [word for word in COMMON if not LEAST <= len(word) <= MOST or word != word.casefold()] == []


# ---- hashes ----


def test_a_hash_is_argon2id_as_rfc_9106_advises_for_little_memory_and_is_right_for_its_password_alone() -> None:
    async def main() -> None:
        passwords = Passwords()
        kept = await passwords.hashed("three ﬁve words")
        told = extract_parameters(kept)
        assert (told.type.name, told.memory_cost, told.time_cost) == ("ID", 64 * 1024, 3)
        assert "three" not in kept
        assert await passwords.right("three five words", kept), "the same letters, however a keyboard makes them"
        assert not await passwords.right("three five word", kept)
        assert not await passwords.right("three five words", "no hash at all")
        passwords.close()

    asyncio.run(main())


def test_a_name_that_is_not_there_takes_as_long_as_one_that_is() -> None:
    async def took(passwords: Passwords, kept: str | None) -> float:
        begun_s = time.perf_counter()
        assert not await passwords.right("wrong password", kept)
        return time.perf_counter() - begun_s

    async def main() -> None:
        passwords = Passwords(LIGHT)
        kept = await passwords.hashed(PASSWORD)
        await took(passwords, kept)
        there = min([await took(passwords, kept) for _ in range(4)])
        nobody = min([await took(passwords, None) for _ in range(4)])
        assert 0.5 < there / nobody < 2, (there, nobody)
        passwords.close()

    asyncio.run(main())


def test_a_flood_waits_in_a_short_line_and_the_gateway_goes_on() -> None:
    async def main() -> None:
        passwords = Passwords(LIGHT)
        kept = await passwords.hashed(PASSWORD)
        turns = 0
        looks = [asyncio.create_task(passwords.right("wrong password", kept)) for _ in range(100)]
        while not all(look.done() for look in looks):
            await asyncio.sleep(0.001)
            turns += 1
        told = [look.exception() for look in looks]
        assert sum(isinstance(error, Busy) for error in told) >= 90
        assert told.count(None) >= 4 and turns > 10
        known = [asyncio.create_task(passwords.right("wrong password", kept, stranger=stranger))
                 for stranger in (True,) * 10 + (False,)]  # fmt: skip
        *strangers, own = await asyncio.gather(*known, return_exceptions=True)
        assert own is False and any(isinstance(error, Busy) for error in strangers), "a known place has its own turn"
        passwords.close()

    asyncio.run(main())


# ---- the first start, and links ----


def test_the_first_start_makes_a_link_for_an_admin_and_the_next_another(people: People, clock: Clock) -> None:
    assert people.nobody()
    first, second = people.first_link("http://floor:8080"), people.first_link("http://floor:8080")
    assert re.fullmatch(r"http://floor:8080/join#[0-9a-f]{32}", first) and first != second
    secrets = [link.partition("#")[2] for link in (first, second)]
    assert people.invited(secrets[0]) is None
    clock.now_s += DAY_S - 1
    assert people.invited(secrets[1])
    clock.now_s += 1
    assert people.invited(secrets[1]) is None
    assert refused(lambda: people.join(secrets[1], "lead", HASHED)) == "gone"
    assert people.nobody()


def test_a_first_link_is_worthless_once_there_is_an_admin(people: People) -> None:
    link = people.first_link().partition("#")[2]
    add(people, "aide", "viewer")
    assert people.nobody() and people.invited(link)
    add(people, "lead", "admin")
    assert not people.nobody() and people.invited(link) is None


def test_a_link_works_once_even_for_two_at_the_same_moment(people: People) -> None:
    for turn in range(5):
        secret = people.invite(CONSOLE, "viewer").secret
        told: list[str] = []
        start = threading.Barrier(4)

        def join(name: str, secret: str, told: list[str], start: threading.Barrier) -> None:
            start.wait()
            try:
                told.append(people.join(secret, name, HASHED).name)
            except Refused as no:
                told.append(no.kind)

        threads = [threading.Thread(target=join, args=(f"p{turn}-{n}", secret, told, start)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told)[:3] == ["gone"] * 3
    assert len(people.people()) == 5


def test_a_name_that_is_taken_does_not_use_the_link_up(people: People) -> None:
    add(people, "lead", "viewer")
    secret = people.invite(CONSOLE, "viewer").secret
    assert refused(lambda: people.join(secret, "LEAD", HASHED)) == "taken"
    assert refused(lambda: people.join(secret, "a b", HASHED)) == "name"
    assert people.join(secret, "other", HASHED).role == "viewer"


def test_a_link_ends_after_seven_days_or_when_it_is_withdrawn(people: People, clock: Clock) -> None:
    one, other = people.invite(CONSOLE, "viewer"), people.invite(CONSOLE, "admin")
    people.withdraw(CONSOLE, other.id)
    assert refused(lambda: people.withdraw(CONSOLE, other.id)) == "gone"
    assert people.invited(other.secret) is None
    assert [row.id for row in people.invitations()] == [one.id]
    clock.now_s += 7 * DAY_S
    assert people.invitations() == [] and people.invited(one.secret) is None


def test_a_link_to_a_new_password_ends_the_sessions_and_keeps_the_role(people: People) -> None:
    lead = add(people, "lead", "supervisor")
    session, _ = people.sessions.begin("person", lead.key, lead.generation)
    new = people.invite(CONSOLE, "", "LEAD")
    other = add(people, "other", "viewer")
    assert refused(lambda: people.join(new.secret, "other", "x")) == "name"
    assert people.who_is(session)
    people.join(new.secret, "", "another hash")
    assert people.who_is(session) is None
    told = people.person("lead")
    assert told and (told.role, people.password("lead")) == ("supervisor", "another hash")
    assert people.password(other.name) == HASHED
    assert refused(lambda: people.invite(CONSOLE, "", "nobody")) == "gone"


def test_links_that_somebody_made_go_with_their_right_to_make_them(people: People) -> None:
    """Else one who is thrown out comes back by a link of his own."""
    add(people, "lead", "admin")
    links = {}
    for name in ("fired", "demoted"):
        add(people, name, "admin")
        links[name] = people.invite(Who("person", name, "admin"), "admin").secret
    stays = people.invite(Who("person", "lead", "admin"), "viewer").secret
    people.remove(CONSOLE, "fired")
    assert people.invited(links["fired"]) is None and people.invited(links["demoted"])
    people.set_role(CONSOLE, "demoted", "viewer")
    assert people.invited(links["demoted"]) is None and people.invited(stays)


def test_tokens_and_links_go_with_whoever_made_them_and_screens_stay(people: People) -> None:
    """Else one who is thrown out comes back by a token of their own."""
    add(people, "lead", "admin")
    eve, mad = (Who("person", add(people, name, "admin").name, "admin") for name in ("eve", "noisy"))
    first = people.add_token(eve, "first", "admin", 400)
    of_first = Who("token", "first", "admin")
    gone = [first, people.add_token(of_first, "second", "admin", 400), people.add_token(mad, "export", "viewer", 30)]
    people.add_token(Who("token", "second", "admin"), "third", "viewer", 9)
    links = [people.invite(of_first, "admin"), people.invite(Who("token", "second", "admin"), "viewer")]
    stay = [people.add_token(eve, "lobby", "wall", 30), people.add_token(CONSOLE, "own", "admin", 30)]
    session = people.session_of(stay[0].secret)
    people.remove(CONSOLE, "eve")
    people.set_role(CONSOLE, "noisy", "supervisor")
    assert [people.whose(one.secret) for one in gone] == [None] * 3
    assert [people.invited(link.secret) for link in links] == [None] * 2
    assert [token.name for token in people.tokens()] == ["lobby", "own"]
    assert session and people.who_is(session) and all(people.whose(one.secret) for one in stay)


def test_what_a_token_makes_goes_with_it_and_does_not_outlive_it(people: People, clock: Clock) -> None:
    people.add_token(CONSOLE, "maker", "admin", 2)
    maker = Who("token", "maker", "admin")
    assert refused(lambda: people.add_token(maker, "longer", "viewer", 3)) == "outlives"
    people.add_token(maker, "shorter", "viewer", 1)
    people.add_token(maker, "lobby", "wall", 300)
    link = people.invite(maker, "admin")
    assert link.ends == clock.now_s + 2 * DAY_S
    people.remove_token(CONSOLE, "maker")
    assert people.invited(link.secret) is None and [token.name for token in people.tokens()] == ["lobby"]


def test_a_file_of_the_version_before_is_taken_over(people: People, tmp_path: Path, clock: Clock) -> None:
    kept = people.add_token(CONSOLE, "lobby", "wall", 30)
    people.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "people.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE tokens DROP COLUMN made_by")
        db.execute("PRAGMA user_version = 1")
    for _ in range(2):
        with People(plan(tmp_path).people, clock) as again:
            assert again.whose(kept.secret)
            again.remove_token(CONSOLE, again.add_token(CONSOLE, "new", "viewer", 3).id)


def test_there_are_so_many_links_people_and_tokens_and_no_more(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LINKS_MOST", "PEOPLE_MOST", "TOKENS_MOST"):
        monkeypatch.setattr(module, name, 3)
    for _ in range(3):
        people.invite(CONSOLE, "viewer")
    assert refused(lambda: people.invite(CONSOLE, "viewer")) == "many"
    for name in "abc":
        people.add_token(CONSOLE, name, "wall", 1)
    assert refused(lambda: people.add_token(CONSOLE, "d", "wall", 1)) == "many"
    for link in people.invitations():
        people.withdraw(CONSOLE, link.id)
    for name in "abc":
        add(people, name, "viewer")
    assert refused(lambda: add(people, "d", "viewer")) == "many"


# ---- people ----


def test_the_last_admin_stays(people: People) -> None:
    add(people, "lead", "admin")
    add(people, "other", "supervisor")
    assert refused(lambda: people.remove(CONSOLE, "lead")) == "last"
    assert refused(lambda: people.set_role(CONSOLE, "lead", "viewer")) == "last"
    people.set_role(CONSOLE, "other", "admin")
    people.remove(CONSOLE, "lead")
    assert refused(lambda: people.remove(CONSOLE, "OTHER")) == "last"
    assert not people.nobody()


@pytest.mark.parametrize("role", ["", "wall", "root", "Admin"])
def test_people_have_a_role_of_people(people: People, role: str) -> None:
    add(people, "lead", "viewer")
    assert refused(lambda: people.invite(CONSOLE, role)) == "role"
    assert refused(lambda: people.set_role(CONSOLE, "lead", role)) == "role"
    assert set(ROLES) - set(OF_PEOPLE) == {"wall"}


def test_somebody_new_by_an_old_name_is_not_who_the_old_cookies_were_for(people: People) -> None:
    lead = add(people, "lead", "admin")
    add(people, "other", "admin")
    session, _ = people.sessions.begin("person", lead.key, lead.generation)
    people.remove(CONSOLE, "lead")
    assert people.who_is(session) is None
    add(people, "lead", "viewer")
    assert people.who_is(session) is None


# ---- sessions ----


def test_a_cookie_is_read_as_it_was_signed_and_no_other(people: People) -> None:
    lead = add(people, "Lead", "supervisor")
    session, cookie = people.sessions.begin("person", lead.key, lead.generation)
    read = people.sessions.read(cookie)
    assert read and people.who_is(read) == Who("person", "Lead", "supervisor")
    assert len(cookie) < 300
    payload, signed, mark = cookie.split(".")
    forged = [
        "", ".", "..", cookie[:-1], cookie + "x", f"{payload}.{signed}", f"{payload}.{signed}.", "x" * 10_000,
        f"{payload}.{mark}.{signed}", cookie.replace(payload[5:8], "AAA"), f"{payload}.AAAAAA.{mark}", f" {cookie}",
        "\u0661" * 30, cookie[::-1], "null", "[]", f"{payload}\n.{signed}.{mark}",
    ]  # fmt: skip
    assert [people.sessions.read(one) for one in forged] == [None] * len(forged)
    others = Sessions(b"another key of ours, 32 bytes...", 3600)
    assert people.sessions.read(others.cookie(session)) is None and others.read(cookie) is None
    for place in range(len(cookie)):
        other = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        told = people.sessions.read(other)
        assert told is None or told == read, place  # the last letter of a base64 text has bits to spare


def test_a_session_ends_unseen_and_after_thirty_days(people: People, clock: Clock) -> None:
    lead = add(people, "lead", "viewer")
    session, cookie = people.sessions.begin("person", lead.key, lead.generation)
    clock.now_s += 12 * HOUR_S
    assert people.sessions.read(cookie)
    assert people.sessions.is_due(session)
    clock.now_s += 2
    assert people.sessions.read(cookie) is None
    clock.now_s = session.at + AT_MOST_S
    again = people.sessions.cookie(session)
    read = people.sessions.read(again)
    assert read and people.who_is(read) and people.lasts_s(read) == 0
    clock.now_s += 2
    assert people.sessions.read(again) is None and people.who_is(read) is None


def test_logging_out_ends_that_session_and_its_copies_for_good(people: People, tmp_path: Path, clock: Clock) -> None:
    lead = add(people, "lead", "viewer")
    (here, _), (there, _) = (people.sessions.begin("person", lead.key, lead.generation) for _ in range(2))
    people.log_out(here)
    assert people.who_is(here) is None and people.who_is(there)
    people.close()
    with People(plan(tmp_path).people, clock) as again:
        assert again.who_is(here) is None and again.who_is(there)
        renewed = again.sessions.read(again.sessions.cookie(here))
        assert renewed and again.who_is(renewed) is None


def test_logging_out_without_end_ends_all_sessions_rather_than_filling_the_disk(people: People) -> None:
    lead = add(people, "lead", "viewer")
    other = add(people, "other", "viewer")
    theirs, _ = people.sessions.begin("person", other.key, other.generation)
    old = []
    for _ in range(120):
        person = people.person("lead")
        assert person
        session, _ = people.sessions.begin("person", lead.key, person.generation)
        people.log_out(session)
        old.append(session)
    assert not any(people.who_is(session) for session in old) and people.who_is(theirs)
    assert len(people._known().logouts) <= module.LOGOUTS_MOST


def test_a_screen_that_logs_out_without_end_puts_no_other_screen_out(people: People) -> None:
    token = people.whose(people.add_token(CONSOLE, "lobby", "wall", 30).secret)
    assert token
    screen, _ = people.sessions.begin("token", token.id, token.generation)
    out = []
    for _ in range(120):
        out.append(people.sessions.begin("token", token.id, token.generation)[0])
        people.log_out(out[-1])
    assert people.who_is(screen)
    assert not any(people.who_is(session) for session in out[-module.LOGOUTS_MOST :])
    assert len(people._known().logouts) == module.LOGOUTS_MOST


def test_a_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites() -> None:
    assert set_cookie("x", 60.9, True) == "__Host-callfloor=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
    assert not set_cookie("x", 60, False).endswith("Secure")
    assert set_desk_cookie("x", True) == (
        f"callfloor_desk=x; Path=/api/session; Max-Age={400 * DAY_S}; HttpOnly; SameSite=Strict; Secure"
    )


# ---- tokens ----


def test_a_token_is_told_once_holds_its_days_and_ends(people: People, clock: Clock) -> None:
    new = people.add_token(CONSOLE, "Lobby", "wall", 400)
    assert re.fullmatch(r"cf_[0-9a-f]{32}", new.secret) and new.ends == clock.now_s + 400 * DAY_S
    token = people.whose(new.secret)
    assert token and (token.name, token.role) == ("Lobby", "wall")
    session = people.session_of(new.secret)
    assert session and people.who_is(session) == Who("token", "Lobby", "wall")
    cookie = people.sessions.cookie(session)
    clock.now_s += 399 * DAY_S
    read = people.sessions.read(cookie)
    assert read and people.who_is(read), "a screen that was off for a year comes back by itself"
    assert people.lasts_s(read) == DAY_S
    clock.now_s += DAY_S
    assert people.whose(new.secret) is None and people.who_is(session) is None and people.session_of(new.secret) is None
    assert [row.name for row in people.tokens()] == ["Lobby"]
    people.add_token(CONSOLE, "lobby", "wall", 1)


@pytest.mark.parametrize(
    ("name", "role", "days", "kind"),
    [
        ("a b", "wall", 1, "name"), ("", "wall", 1, "name"), ("a", "root", 1, "role"), ("a", "wall", 0, "days"),
        ("a", "wall", 401, "days"), ("a", "wall", -5, "days"), ("LOBBY", "wall", 5, "taken"),
    ],
)  # fmt: skip
def test_no_token_without_a_name_a_role_and_an_end(people: People, name: str, role: str, days: int, kind: str) -> None:
    people.add_token(CONSOLE, "lobby", "viewer", 5)
    assert refused(lambda: people.add_token(CONSOLE, name, role, days)) == kind


def test_a_removed_token_is_none_at_once(people: People) -> None:
    new = people.add_token(CONSOLE, "lobby", "viewer", 5)
    session = people.session_of(new.secret)
    people.remove_token(CONSOLE, "LOBBY")
    assert session and people.who_is(session) is None and people.whose(new.secret) is None
    assert refused(lambda: people.remove_token(CONSOLE, new.id)) == "gone"
    again = people.add_token(CONSOLE, "lobby", "viewer", 5)
    assert people.who_is(session) is None and people.whose(again.secret)


# ---- what is written down ----


def test_the_page_has_the_roles_and_figures_of_the_code() -> None:
    page = (ROOT / "docs" / "people.md").read_text(encoding="utf-8")
    assert f"| | {' | '.join(RIGHTS.values())} |" in page
    for role, rights in ROLES.items():
        ticks = " | ".join("yes" if right in rights else "" for right in RIGHTS)
        assert f"| `{role}` | {ticks} |" in page, role
    settings = floorplan.People()
    for words in (
        f"{LEAST} letters or more", f"{MOST} at most", f"{TOKEN_DAYS_MOST} days at most",
        f"for {settings.session_h} hours", f"{AT_MOST_S // DAY_S} days at most", f"{settings.audit_days} days",
        f"{ADDRESS.a_day:.0f} guesses a day", f"{HERE.most} at once", f"{module.PEOPLE_MOST} accounts",
        f"{module.AUDIT_MOST:,} rows".replace(",", " "),
    ):  # fmt: skip
        assert words in page, words


# ---- the file ----


def test_the_file_is_ours_alone_and_holds_no_secret_as_it_is(people: People, tmp_path: Path) -> None:
    secrets = [people.first_link().partition("#")[2], people.invite(CONSOLE, "viewer").secret]
    secrets.append(people.add_token(CONSOLE, "lobby", "admin", 9).secret)
    lead = add(people, "lead", "admin")
    secrets.append(people.sessions.begin("person", lead.key, lead.generation)[1])
    secrets.append(PASSWORD)
    files = sorted(tmp_path.glob("people.db*"))
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    everything = b"".join(file.read_bytes() for file in files)
    for secret in secrets:
        assert secret.encode() not in everything
    for secret in secrets[:3]:
        assert bytes.fromhex(secret.removeprefix("cf_")) not in everything


def test_a_password_that_is_over_leaves_no_hash_behind(people: People, tmp_path: Path) -> None:
    add(people, "lead", "admin")
    add(people, "other", "viewer")
    people.remove(CONSOLE, "other")
    people.set_password(Who("person", "lead", "admin"), "lead", QUICK.hash("another password"), HASHED)
    assert refused(lambda: people.set_password(CONSOLE, "lead", "x", HASHED)) == "gone"
    people.close()
    assert HASHED.encode() not in (tmp_path / "people.db").read_bytes()


def test_a_file_that_others_could_read_is_taken_from_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = plan(tmp_path).people
    People(settings).close()
    assert settings.path
    settings.path.chmod(0o644)
    caplog.clear()
    People(settings).close()
    assert "mode 644" in caplog.text and "key that signs cookies" in caplog.text
    assert stat.S_IMODE(settings.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"a shopping list, and nothing that a database would begin with", b"sqlite"])
def test_a_file_that_is_not_ours_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    settings = plan(tmp_path).people
    assert settings.path
    if content == b"sqlite":
        db = sqlite3.connect(settings.path)
        db.execute("CREATE TABLE something (else_ TEXT)")
        db.commit()
        db.close()
        content = settings.path.read_bytes()
    else:
        settings.path.write_bytes(content)
    settings.path.chmod(0o644)
    with pytest.raises(PeopleError, match=r"people\.db: .*name another"):
        People(settings)
    assert settings.path.read_bytes() == content and stat.S_IMODE(settings.path.stat().st_mode) == 0o644


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PeopleError, match="is its folder there"):
        People(floorplan.People(path=tmp_path / "none" / "people.db"))


def test_another_program_that_writes_is_waited_for_and_seen_at_once(
    people: People, tmp_path: Path, clock: Clock
) -> None:
    clock.now_s = time.time()
    site = tmp_path / "site.toml"
    site.write_text('[site]\nid = "skien"\n[people]\npath = "people.db"\n')
    lead = add(people, "lead", "admin")
    session, _ = people.sessions.begin("person", lead.key, lead.generation)

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "callfloor.py"), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)

    done = call("token", "add", str(site), "lobby", "--days", "3")
    assert done.returncode == 0 and done.stdout.count("\n") == 1, done
    token = people.whose(done.stdout.strip())
    assert token and (token.name, token.role) == ("lobby", "wall")
    assert done.stdout.strip() not in done.stderr
    gone = call("person", "remove", str(site), "lead")
    assert (gone.returncode, gone.stderr) == (1, "callfloor: this is the last admin: make somebody else one first\n")
    assert people.who_is(session)


def test_commands_say_what_there_is_and_never_a_secret(
    people: People, tmp_path: Path, capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    clock.now_s = time.time()
    site = plan(tmp_path, url="https://floor.example/calls")
    people_commands.invite(site, "supervisor", None, None)
    told = capsys.readouterr()
    link = told.out.strip()
    assert "once" in told.err and link[-32:] not in told.err
    assert link.startswith("https://floor.example/calls/join#")
    people.join(link.partition("#")[2], "lead", HASHED)
    people_commands.invite(site, "viewer", None, None)
    people_commands.add_token(site, "lobby", "wall", 5)
    secrets = [link.partition("#")[2], *re.findall(r"[0-9a-f]{32}", capsys.readouterr().out)]
    assert len(secrets) == 3
    people_commands.list_people(site)
    people_commands.list_tokens(site)
    told = capsys.readouterr()
    assert re.search(r"^lead  supervisor  since .*never seen$", told.out, re.MULTILINE)
    assert re.search(r"^link [0-9a-f]{8}  viewer  until", told.out, re.MULTILINE)
    assert re.search(r"^lobby  wall  until", told.out, re.MULTILINE)
    people_commands.remove_token(site, "lobby")
    people_commands.remove(site, "lead")
    people_commands.audit(site, 100, False)
    told = capsys.readouterr()
    assert [line.split("  ")[2] for line in told.out.splitlines()] == [
        "invited", "joined", "invited", "token-made", "token-ended", "removed",
    ]  # fmt: skip
    assert "console " in told.out
    people_commands.audit(site, 2, True)
    told_json = capsys.readouterr().out
    assert told_json.count('"did"') == 2 and '"removed"' in told_json
    assert not any(secret in told.out + told.err + told_json for secret in secrets)


def test_a_link_is_printed_for_an_address_of_the_web_alone(
    people: People, tmp_path: Path, capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    clock.now_s = time.time()
    add(people, "lead", "viewer")
    site = plan(tmp_path)
    for base in ("javascript:alert(1)", "floor.example", "https://", "file:///etc", "https://a b"):
        with pytest.raises(floorplan.SiteError, match="--base"):
            people_commands.invite(site, "viewer", None, base)
    with pytest.raises(floorplan.SiteError, match="--role or --name"):
        people_commands.invite(site, "admin", "lead", None)
    assert people.invitations() == [] and capsys.readouterr().out == ""
    people_commands.invite(site, None, None, "https://floor.example/calls/")
    told = capsys.readouterr()
    assert told.out.startswith("https://floor.example/calls/join#") and "--base" not in told.err
    people_commands.invite(site, None, "lead", None)
    assert "--base" in capsys.readouterr().err
    assert sorted(link.role for link in people.invitations()) == ["viewer", "viewer"]


def test_in_a_house_where_nobody_does_anything_old_rows_go_all_the_same(people: People, clock: Clock) -> None:
    people.note(CONSOLE, "message-sent", "north, 15 min")
    until(people.audit, "it is written")
    clock.now_s += 91 * DAY_S
    assert people.audit() == []  # nobody sees it, even before it is gone
    people.tidy()
    until(lambda: people._all("SELECT count(*) FROM audit") == [(0,)], "and then nothing is left of it")
