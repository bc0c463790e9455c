"""The first start: nobody has a password yet, so it prints a link that works once; and where the page is not served."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest

import callfloor_up
import floorplan
from gateway import site_check
from gateway.people.people import People
from tests import certificates
from tests.brokers import HOST, free_port
from tests.forks import finished
from tests.house import House

BARE = {"site": {"id": "s"}}


def post(house: House, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """(status, cookies that are set) of a POST without any login."""
    link = http.client.HTTPConnection(house.web.removeprefix("http://"), timeout=10)
    link.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = link.getresponse()
    answer.read()
    link.close()
    return answer.status, "\n".join(answer.headers.get_all("set-cookie") or [])


def printed(house: House) -> list[str]:
    """The links that the gateway has printed so far."""
    return re.findall(r"^first login \S+/join#([0-9a-f]+)$", (house.folder / "gateway.log").read_text(), re.M)


def test_the_first_start_prints_a_link_that_works_once(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.start_gateway()
        house.wait("the page answers", lambda: house.get("/healthz")[0], 30)
        house.stop("gateway")
        house.start_gateway()
        command = f"callfloor person invite {house.site} --role admin\n"
        house.wait("how to get another", lambda: command in (tmp_path / "gateway.log").read_text(), 30)
        house.wait("the page answers", lambda: house.get("/healthz")[0], 30)
        [link] = printed(house)  # a log may be read by many: one that is open is enough there
        mine = {"name": "lead", "password": "nine lives of a cat"}
        status, cookies = post(house, "/api/join", {"token": link, **mine})
        assert status == 204 and re.search("^callfloor=", cookies, re.M)
        assert post(house, "/api/join", {"token": link, **mine, "name": "other"})[0] == 404, "the second time"
        assert post(house, "/api/session", mine)[0] == 204
        for guess in ("admin", "password", "", "callfloor"):
            assert post(house, "/api/session", {"name": "admin", "password": guess})[0] in (401, 429)
        house.stop("gateway")
        house.start_gateway()
        house.wait("it is back", lambda: house.get("/healthz")[0], 30)
        assert len(printed(house)) == 1, "there is somebody: no link"
        assert (tmp_path / "gateway.log").read_text().count(command) == 1
        house.stop("gateway")


@pytest.mark.parametrize(("trial", "terminal"), [(True, False), (False, True), (True, True)])
def test_a_terminal_and_a_trial_are_told_a_link_at_each_start(
    trial: bool, terminal: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = floorplan.check(BARE, "test", tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    for _ in range(2):
        callfloor_up.first_login(plan, "http://127.0.0.1:8080/", tmp_path / "s.toml", trial)
    older, newer = re.findall(r"^first login \S+/join#([0-9a-f]+)$", capsys.readouterr().out, re.M)
    with People(plan.people) as people:
        assert people.invited(newer) and not people.invited(older), "the link of the start before ends"


@pytest.mark.parametrize("web", ["0.0.0.0", "::", "10.0.0.2", "floor.example"])
def test_the_page_is_not_served_where_others_could_read_passwords(web: str, tmp_path: Path) -> None:
    def check(page: dict[str, Any]) -> None:
        site_check.check_page(floorplan.check({**BARE, "page": page}, "test", tmp_path), (web, 8080))

    with pytest.raises(floorplan.SiteError, match=r"could read passwords.*cert_file and key_file.*proxies.*plain"):
        check({})
    check({"plain": True})
    check({"proxies": ["10.0.0.3"]})
    certificates.authority(tmp_path, "ca")
    certificates.certificate(tmp_path, "page", "ca", "DNS:floor.example")
    check({"cert_file": "page.pem", "key_file": "page.key"})
    for cert, key in (("page.pem", "ca.key"), ("nowhere.pem", "page.key"), ("page.key", "page.pem")):
        with pytest.raises(floorplan.SiteError, match=r"\[page\]: cert_file .* cannot be used together"):
            check({"cert_file": cert, "key_file": key})


@pytest.mark.parametrize("web", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_on_loopback_alone_the_page_needs_no_certificate(web: str, tmp_path: Path) -> None:
    site_check.check_page(floorplan.check(BARE, "test", tmp_path), (web, 8080))


def test_callfloor_up_says_so_and_starts_nothing(tmp_path: Path) -> None:
    done = finished("up", "--web", f"0.0.0.0:{free_port()}")
    assert done.returncode == 1 and "could read passwords" in done.stderr and done.stdout == ""


def test_with_a_certificate_the_page_is_https_and_its_cookie_stays_there(tmp_path: Path) -> None:
    ca = certificates.authority(tmp_path, "ca")
    certificates.certificate(tmp_path, "page", "ca", f"DNS:floor.example,IP:{HOST}")

    def https(tables: dict[str, Any]) -> None:
        tables["page"] = {"cert_file": "page.pem", "key_file": "page.key"}

    with House(tmp_path, https) as house:
        house.start_gateway()
        house.wait("the page is named", lambda: "first login https://" in (tmp_path / "gateway.log").read_text(), 30)
        context = ssl.create_default_context(cafile=str(ca))
        host, port = house.web.removeprefix("http://").split(":")

        def ask(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
            link = http.client.HTTPSConnection(host, int(port), timeout=10, context=context)
            link.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            answer = link.getresponse()
            answer.read()
            link.close()
            return answer.status, answer.headers.get("set-cookie", "")

        def is_there() -> bool:
            try:
                return ask("GET", "/healthz")[0] in (200, 503)
            except OSError:
                return False

        house.wait("the page answers", is_there, 30)
        [token] = printed(house)
        status, cookie = ask("POST", "/api/join", {"token": token, "name": "lead", "password": "nine lives of a cat"})
        assert status == 204 and "; Secure" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        house.stop("gateway")


