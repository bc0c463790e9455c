"""The doctor's support file: secrets planted wherever there is one, and looked for in all that is in the zip file."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from boards.ear import Ear
from floorplan import SiteError
from gateway.doctor import bundle, others
from gateway.doctor.finding import Finding, Heard, Patient
from gateway.people.people import People
from gateway.people.rights import Who
from tests import rights
from tests.forks import finished
from tests.pythons import ROOT
from tests.test_secrets import CALLER, PLANTED, Planted, forms, full

PERSON = "Planted-Person"
PASSWORD = "correct horse of the planted"
SSID = "planted-network"
EXTENSION = "Local/planted-4711@agents"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """Its broker and its phone system run; a board has said hello, and something that it must not."""
    folder = tmp_path_factory.mktemp("planted")
    for name, secret in PLANTED.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(secret + "\n")

    def change(tables: dict) -> None:  # type: ignore[type-arg]
        full(tables)
        tables["site"]["name"] = PLANTED["ami-secret"]
        tables["board"][0]["wifi"]["ssid"] = SSID
        tables["desk"][0]["extension"] = EXTENSION
        tables["queue"][0]["pbx"] = "Planted Queue"

    with Planted(folder, change) as house:
        with People(house.plan.people) as people:
            link = people.first_link("http://x").partition("#")[2]
            people.join(link, PERSON, PASSWORD)
            people.add_token(Who("console", "test", "admin"), "planted-screen", "wall", 9)
        house.wait("its broker is there", lambda: let_in(house))
        board = "wall-north"
        hello = {"boot": "12345678", "definition": "simulated", "firmware": "0123456789abcdef", "python": "x",
                 "inputs": "", "panels": "", "health_s": 10, "restart": PLANTED["secrets/wifi"][:64]}  # fmt: skip
        shown = {"fresh": False, "trouble": f"I know {base64.b64encode(PLANTED['secrets/mqtt'].encode()).decode()}"}
        assert house.plan.broker
        with Ear(house.plan.broker, house.plan.site.id, ["beat"]) as ear:
            ear.say("board/+/state", board, state="ready", boot="12345678")
            ear.say("board/+/hello", board, **hello)
            ear.say("board/+/panel/+/shown", board, 0, **shown)
            ear.next(0.2)
        yield house


def let_in(house: Planted) -> bool:
    assert house.plan.broker
    try:
        with Ear(house.plan.broker, house.plan.site.id, ["beat"]):
            return True
    except Exception:
        return False


def told() -> list[str]:
    return [*PLANTED.values(), PERSON, PASSWORD, SSID, EXTENSION, "planted-screen"]


def test_nothing_that_was_planted_is_in_it(house: Planted) -> None:
    out = house.folder / "help.zip"
    done = finished("doctor", "--site", str(house.site), "--bundle", str(out), "--listen", "1")
    assert "Traceback" not in done.stderr
    with zipfile.ZipFile(out) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert set(parts) >= {"doctor.json", "versions.json", "heard.json", "site.json"}
    assert out.stat().st_mode & 0o077 == 0
    whole = b"\n".join([*parts.values(), *(name.encode() for name in parts), out.read_bytes()])
    for secret in told():
        for form in forms(secret):
            assert form not in whole, f"{secret} as {form!r}"
    for path in [house.folder / name for name in PLANTED]:
        assert str(path).encode() not in whole
    for name, data in parts.items():  # what is inside was said, before it was written
        assert f"{name}, {len(data)} bytes" in done.stderr
        if name.endswith(".json"):
            json.loads(data)


def test_it_says_what_helps_all_the_same(house: Planted) -> None:
    heard = json.loads(bundle.parts(Patient(house.site, house.plan, heard=listened(house)), [], "")["heard.json"])
    assert heard["board/+/hello/wall-north"]["firmware"] == "0123456789abcdef"
    site = json.loads(bundle.parts(Patient(house.site, house.plan), [], "")["site.json"])
    assert site["board"][0]["inputs"][0]["phone"]["pin"] == "GP2"
    assert site["board"][0]["wifi"] == {"ssid": bundle.MASK, "secret_file": bundle.MASK}
    assert site["broker"]["tls"] is True and site["broker"]["secret_file"] == bundle.MASK


def listened(house: Planted) -> Heard:
    assert house.plan.broker
    return others.listen(house.plan.broker, house.plan.site.id, 0)


def test_a_log_is_searched_too_in_every_form(house: Planted) -> None:
    known = [secret for secret in told() if secret != PASSWORD]  # only its hash is kept: nobody here knows it
    log = "\n".join(
        [f"Nov 22 said {secret} and {base64.b64encode(b'x' + secret.encode() + b'yz').decode()}" for secret in known]
        + [secret.encode().hex() for secret in known]
        + [f"call from {CALLER}, +47 912 34 567", f"{house.folder / 'secrets/mqtt'}: cannot be read",
           "Nov 22 14:05:09 GET /phone/abcdef?x=1 /join#abcdef token=zyxwvu 2026-11-22T14:05:09"]
    )  # fmt: skip
    found = [Finding("wrong", f"{secret} in the doctor's own words", "", "x") for secret in known]
    parts = bundle.parts(Patient(house.site, house.plan), found, log)
    whole = b"\n".join(parts.values())
    for secret in [*known, CALLER, "912 34 567", "abcdef?", "#abcdef", "zyxwvu"]:
        for form in forms(secret):
            assert form not in whole, f"{secret} as {form!r}"
    assert b"2026-11-22T14:05:09" in parts["log.txt"], "times may be seen"
    assert b"Nov 22 14:05:09 GET /phone/(masked)" in parts["log.txt"]


@pytest.mark.parametrize("line", [
    "Authorization: Bearer abc.SECRET", "with Basic SECRETw=", "{'password': 'SECRET'}", "wifi_password=SECRET",
    "MQTT_PASSWORD=SECRET", "psk=SECRET", "pass=SECRET", "passwd: SECRET", "Cookie: session=x; more=SECRET",
    "mqtt://user:SECRET@broker", '{"token": "a b\\"SECRET", "n": 1}', "callerid=SECRET Nordmann <x>",
    "2026-11-22 22334455 waits", "2233445", "22.33.44.55", "tel22334455", "2026-11-2222334455", "/home/SECRET/x",
    r"C:\Users\SECRET\x",
])  # fmt: skip
def test_a_secret_or_a_number_that_we_do_not_know_is_masked_as_it_is_written(line: str) -> None:
    cleaned = bundle.of_nobody(f"before {line}\nbehind")
    assert "SECRET" not in cleaned and "2233" not in cleaned and "22.33" not in cleaned, cleaned
    assert cleaned.startswith("before ") and cleaned.endswith("\nbehind")


@pytest.mark.parametrize("line", [
    "2026-11-22T14:05:09+0100 floor callfloor[12345]: up", "2026-11-22 14:05:09.123456 said", "0123456789abcdef",
    "site.toml: 24 desks, 4 boards", "the key ends", "max_queued_messages is 100, not 20000",
])  # fmt: skip
def test_what_is_nobodys_stays(line: str) -> None:
    assert bundle.of_nobody(line) == line


def test_what_is_masked_in_one_file_stands_in_no_other(house: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "planted-sudoer")
    settings, history = house.plan.pbx.asterisk, house.plan.history.path
    assert settings and history
    words = f"{settings.host}:{settings.port} has no 'Planted Queue'; {history} of planted-sudoer; +47 912 34 567"
    found = [Finding("wrong", words, "callfloor reload /home/planted-home/site.toml", "pbx")]
    parts = bundle.parts(Patient(house.site, house.plan), found, "session opened for planted-sudoer")
    whole = b"\n".join(parts.values()).decode()
    for told in (settings.host, "Planted Queue", str(history), "planted-sudoer", "planted-home", "912 34"):
        assert told not in whole
    (row,) = json.loads(parts["doctor.json"])
    assert row["check"] == "pbx" and row["mend"] == "callfloor reload /home/(masked)/site.toml"
    assert f":{settings.port} has no '(masked)'" in row["words"]


def test_it_is_bounded(house: Planted) -> None:
    parts = bundle.parts(Patient(house.site, house.plan), [], "a line of the log\n" * 300_000)
    assert bundle.PART_BYTES - 100 < len(parts["log.txt"]) <= bundle.PART_BYTES
    assert parts["log.txt"].startswith(b"a line"), "half a line may hold half a secret"


def test_a_secret_that_cannot_be_read_means_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "mqtt"
    secret.write_text("who knows\n")
    site = tmp_path / "site.json"
    site.write_text(json.dumps({
        "site": {"id": "x"}, "broker": {"host": "127.0.0.1", "port": 9, "user": "gateway_", "secret_file": str(secret)},
    }))  # fmt: skip
    rights.forbidden(secret)
    out = tmp_path / "help.zip"
    done = subprocess.run(
        rights.command(sys.executable, "-m", "callfloor", "doctor", "--site", str(site), "--bundle", str(out)),
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and not out.exists()
    assert f"callfloor: {secret}: cannot be read" in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "help.zip"
    out.write_text("mine")
    done = finished("doctor", "--bundle", str(out))
    assert done.returncode == 1 and done.stderr == f"callfloor: --bundle: {out} is there already; name another\n"
    assert out.read_text() == "mine"


@pytest.mark.parametrize("shift", range(7))
def test_a_secret_is_found_in_base64_wherever_it_stands(shift: int) -> None:
    secret = "twenty-two letters here"
    text = base64.b64encode(b"q" * shift + secret.encode() + b"more behind it").decode()
    cleaned = bundle.without(text, sorted(bundle.forms(secret), key=len, reverse=True))
    assert bundle.MASK in cleaned and len(cleaned) < len(text)


def test_only_a_site_error_stops_it(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="cannot be read"):
        bundle._lines(tmp_path)
