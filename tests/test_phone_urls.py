"""`callfloor phone urls`: the right text for each phone, nothing of callers in it, and clear words where it cannot."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

import floorplan
from gateway.phones.urls import urls
from gateway.phones.vendors import VENDORS
from tests.forks import finished

ROOT = Path(floorplan.__file__).parent
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
BASE = "http://10.0.0.2:8080"
PHONES = {f"a{number}": {"by": "url", "vendor": vendor, "mac": f"00:15:65:00:00:0{number}"}
          for number, vendor in enumerate(VENDORS, 1)}  # fmt: skip


def plan(folder: Path, token: str | None = TOKEN, **tables: Any) -> floorplan.Plan:
    """A site with a phone of each make at a1 to a6, and a desk a7 without one."""
    if token is not None:
        (folder / "token").write_text(token)
    return floorplan.check({
        "site": {"id": "house"}, "phones": {"secret_file": "token"},
        "desk": [*({"id": desk, "phone": phone} for desk, phone in PHONES.items()), {"id": "a7"}],
    } | tables, "test", folder)  # fmt: skip


@pytest.mark.parametrize("desk", PHONES)
def test_one_phone(desk: str, tmp_path: Path) -> None:
    text = urls(plan(tmp_path), desk, BASE + "/")
    vendor = VENDORS[PHONES[desk]["vendor"]]
    assert text.startswith(f"Desk {desk}: {vendor.name}, MAC 00:15:65:00:00:0{desk[1]}\n")
    assert vendor.page in text
    for row in vendor.settings:
        assert re.search(rf"^  {re.escape(row.page)} +(http|on$)", text, re.MULTILINE), row
        assert row.key in text
    addresses = re.findall(r"http://\S+", text.partition("\n*")[0])
    assert addresses and all(address.startswith(f"{BASE}/phone/{TOKEN}") for address in addresses)
    assert all(len(address) <= vendor.longest for address in addresses)
    asked = set(re.findall(r"\$[\w-]+", " ".join(addresses)))
    assert asked == ({vendor.mac} if vendor.mac else set())  # no other variable, least of all a caller's
    if vendor.mac == "" and vendor.name != "Poly (Polycom)":
        assert all("mac=001565" in address for address in addresses)


def test_files_in_xml_are_xml(tmp_path: Path) -> None:
    for desk in ("a2", "a3"):
        text = urls(plan(tmp_path), desk, BASE).partition("configuration file:")[2].partition("\n*")[0]
        rows = ElementTree.fromstring(f"<settings>{text}</settings>")
        assert len(rows) >= 8
        assert all(
            re.fullmatch(rf"{BASE}/phone/{TOKEN}\?event=\w+&mac=\$mac", row.text or "") for row in rows
        )


def test_all_phones_make_by_make(tmp_path: Path) -> None:
    more = [
        {"id": f"b{number}", "phone": {"by": "url", "vendor": "mitel", "mac": f"00085d0000{number:02}"}}
        for number in range(3)
    ]
    more += [{"id": f"c{number}", "phone": {"by": "url", "vendor": "snom", "mac": f"0004130000{number:02}"}}
             for number in range(9)]  # fmt: skip
    text = urls(plan(tmp_path, desk=more), None, BASE)
    assert len(re.findall(r"^Desk b\d: Mitel", text, re.MULTILINE)) == 3  # without a variable: each its own
    assert re.findall(r"^Snom, MAC (.+)$", text, re.MULTILINE) == [
        "00:04:13:00:00:00, 00:04:13:00:00:01, 00:04:13:00:00:02, 00:04:13:00:00:03 and 5 more"
    ]
    assert "Yealink" not in text


@pytest.mark.parametrize(
    ("broker", "starts"),
    [
        ({"host": "10.0.0.7"}, "http://10.0.0.7:8080/phone/"),
        ({"host": "127.0.0.1", "boards_host": "floor.example"}, "http://floor.example:8080/phone/"),
        ({"host": "fd00::7"}, "http://[fd00::7]:8080/phone/"),
    ],
)
def test_where_the_gateway_is_can_be_guessed(broker: dict[str, str], starts: str, tmp_path: Path) -> None:
    text = urls(plan(tmp_path, broker=broker), "a1", None)
    assert text.startswith("# The gateway is taken to be where the broker is")
    assert starts in text


@pytest.mark.parametrize("broker", [None, {"host": "localhost"}, {"host": "127.0.0.1"}, {"host": "::1"}])
def test_where_it_cannot_it_asks(broker: dict[str, str] | None, tmp_path: Path) -> None:
    tables: dict[str, Any] = {"broker": broker} if broker else {}
    with pytest.raises(floorplan.SiteError, match="give --base http"):
        urls(plan(tmp_path, **tables), "a1", None)


@pytest.mark.parametrize(
    "base",
    ["10.0.0.2:8080", "ftp://h", "http://", "http://h:x", "http://h:0", "http://h/?a=b", "http://h#x",
     "http://u:p@h", "http://h h", "http://hø", 'http://h"', "http://h/$mac", "http://h/&", "http://h/<a>"],
)  # fmt: skip
def test_a_base_that_is_no_address_is_refused(base: str, tmp_path: Path) -> None:
    with pytest.raises(floorplan.SiteError, match=r"^--base: "):
        urls(plan(tmp_path), "a1", base)


@pytest.mark.parametrize(
    "token", ["short", "fifteen-letters", "a token with spaces", "a/token/of/sixteen", "ø" * 20, "x" * 129]
)
def test_a_token_that_does_not_fit_is_refused_and_not_shown(token: str, tmp_path: Path) -> None:
    with pytest.raises(floorplan.SiteError, match="16 to 128 letters") as error:
        urls(plan(tmp_path, token), "a1", BASE)
    assert token not in str(error.value).replace(str(tmp_path), "")


def test_an_address_too_long_for_the_phone_is_said(tmp_path: Path) -> None:
    with pytest.raises(floorplan.SiteError, match=r"an address of \d+ characters does not fit into a Mitel"):
        urls(plan(tmp_path, "x" * 80), "a5", BASE)
    assert urls(plan(tmp_path, "x" * 80), "a1", BASE)


def ran(*args: str) -> subprocess.CompletedProcess[str]:
    return finished("phone", "urls", *args)


def test_the_command(tmp_path: Path) -> None:
    site = tmp_path / "site.json"
    site.write_text(json.dumps(plan(tmp_path).model_dump(mode="json", exclude_none=True)))
    one = ran("a1", "--site", str(site), "--base", BASE)
    assert (one.returncode, one.stderr, one.stdout) == (0, "", urls(plan(tmp_path), "a1", BASE))
    everyone = ran("--all", "--site", str(site), "--base", BASE)
    assert (everyone.returncode, everyone.stderr) == (0, "")
    assert all(vendor.name in everyone.stdout for vendor in VENDORS.values())
    assert "token" in " ".join(ran("--help").stdout.split())
    (tmp_path / "token").unlink()
    for args, words in (
        (("a1",), "token: the secret cannot be read"),
        (("--all", "a1"), "leave it out for desk 'a1'"),
    ):
        wrong = ran(*args, "--site", str(site), "--base", BASE)
        assert (wrong.returncode, wrong.stdout) == (1, "") and wrong.stderr.startswith("callfloor: ")
        assert words in wrong.stderr and "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("desk", "words"),
    [("a7", "desk 'a7' has no IP phone in the site file: add phone = "),
     ("a66", "no desk 'a66' in the site file; did you mean 'a6'?")],
)  # fmt: skip
def test_a_desk_without_an_ip_phone(desk: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(floorplan.SiteError, match=re.escape(words)):
        urls(plan(tmp_path), desk, BASE)


def test_a_site_without_ip_phones(tmp_path: Path) -> None:
    with pytest.raises(floorplan.SiteError, match="no desk has an IP phone"):
        urls(plan(tmp_path, desk=[{"id": "a1"}]), None, BASE)
    with pytest.raises(floorplan.SiteError, match="IP phones need a token"):
        urls(plan(tmp_path, desk=[{"id": "a1"}], phones={}), None, BASE)
