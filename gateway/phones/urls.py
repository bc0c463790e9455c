"""What to paste into an IP phone so that it tells: setting by setting, for its web page and its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from floorplan import Broker, Desk, DeskPhone, Plan, SiteError, meant
from gateway.phones.token import token_of
from gateway.phones.vendors import VENDORS, Setting, Vendor

PORT = 8080  # where the page is served if nothing else is said


def urls(plan: Plan, desk: str | None, base: str | None) -> str:
    """The text for one desk's phone, or for all phones of the site, make by make. Raises SiteError."""
    token = token_of(plan)
    start, guessed = (_checked(base), "") if base else _guessed(plan)
    address = f"{start}/phone/{token}"
    lines = [f"# {guessed}", ""] if guessed else []
    if desk is not None:
        phone = _phone_at(plan, desk)
        lines += _block(VENDORS[phone.vendor], address, f"Desk {desk}: ", [phone.mac])
    else:
        for name, vendor in VENDORS.items():
            macs = [row.phone.mac for row in plan.desk if row.phone and row.phone.vendor == name]
            if vendor.mac or name == "poly":
                lines += _block(vendor, address, "", macs) if macs else []
            else:
                for row in plan.desk:
                    if row.phone and row.phone.vendor == name:
                        lines += _block(vendor, address, f"Desk {row.id}: ", [row.phone.mac])
    if not any(row.phone for row in plan.desk):
        raise SiteError(
            'no desk has an IP phone: [[desk]] phone = { by = "url", vendor = "yealink", mac = "…" }'
        )
    return "\n".join(lines).rstrip() + "\n"


def settings(plan: Plan, desk: str | None, base: str | None) -> list[dict[str, Any]]:
    """The same for programs: each phone, and its settings by their names on its web page. Raises SiteError."""
    start = f"{_checked(base) if base else _guessed(plan)[0]}/phone/{token_of(plan)}"
    if desk is not None:
        _phone_at(plan, desk)
    return [
        {"desk": row.id, "vendor": row.phone.vendor, "mac": with_colons(row.phone.mac), "settings": {
            setting.page: _value(VENDORS[row.phone.vendor], setting, start, row.phone.mac)
            for setting in VENDORS[row.phone.vendor].settings
        }}
        for row in plan.desk if row.phone and desk in (None, row.id)
    ]  # fmt: skip


def with_colons(mac: str) -> str:
    """0015651234ab as it stands on the phone's label: 00:15:65:12:34:AB."""
    return ":".join(mac[at : at + 2] for at in range(0, 12, 2)).upper()


def _phone_at(plan: Plan, name: str) -> DeskPhone:
    desks: dict[str, Desk] = {desk.id: desk for desk in plan.desk}
    if name not in desks:
        raise SiteError(f"no desk '{name}' in the site file{meant(name, desks)}")
    phone = desks[name].phone
    if phone is None:
        raise SiteError(
            f"desk '{name}' has no IP phone in the site file: "
            'add phone = { by = "url", vendor = "yealink", mac = "…" } to its [[desk]]'
        )
    return phone


def _checked(base: str) -> str:
    """http://HOST[:PORT][/PATH] without a slash at the end. Raises SiteError."""
    try:
        parts = urlsplit(base)
        more = parts.query or parts.fragment or parts.username or parts.port == 0
        fits = parts.scheme in ("http", "https") and parts.hostname and not more
    except ValueError:
        fits = False
    if not fits or not re.fullmatch(r"[\w.:/~%\[\]-]+", base, re.ASCII):
        raise SiteError(f"--base: '{base}' is not the address of the page, like http://10.0.0.2:{PORT}")
    return base.rstrip("/")


def _guessed(plan: Plan) -> tuple[str, str]:
    """(address, where it comes from) of this gateway as phones may see it. Raises SiteError."""
    broker = plan.broker or Broker()
    for key, host in (("boards_host", broker.boards_host), ("host", broker.host)):
        if host and host not in ("localhost", "::1") and not host.startswith("127."):
            shown = f"[{host}]" if ":" in host else host
            return (
                f"http://{shown}:{PORT}",
                f"The gateway is taken to be where the broker is, [broker] {key}, its page at {PORT}; else: --base",
            )
    raise SiteError(
        f"how phones reach this gateway is not known: give --base http://10.0.0.2:{PORT}, with its own address"
    )


def _block(vendor: Vendor, address: str, desk: str, macs: list[str]) -> list[str]:
    """One phone, or all phones of a make, where the same text does for all."""
    whose = ", ".join(with_colons(mac) for mac in macs[:4]) + (
        f" and {len(macs) - 4} more" if len(macs) > 4 else ""
    )
    values = {row.key or row.page: _value(vendor, row, address, macs[0]) for row in vendor.settings}
    longest = max(values.values(), key=len)
    if len(longest) > vendor.longest:
        raise SiteError(
            f"an address of {len(longest)} characters does not fit into a {vendor.name} phone, which takes "
            f"{vendor.longest}: take a shorter token, or a shorter name of the gateway"
        )
    wide = max(len(row.page) for row in vendor.settings)
    lines = [f"{desk}{vendor.name}, MAC {whose}", f"On its web page, {vendor.page}:", ""]
    lines += [f"  {row.page:{wide}}  {_on_page(values[row.key or row.page])}" for row in vendor.settings]
    if vendor.line:
        lines += ["", "Or in its configuration file:", ""]
        lines += [f"  {line}" for line in _file(vendor, values)]
    return [*lines, "", *(f"* {note}" for note in vendor.notes), ""] if vendor.notes else [*lines, ""]


def _value(vendor: Vendor, row: Setting, address: str, mac: str) -> str:
    if vendor is VENDORS["poly"]:
        return "1" if row.event else address
    return f"{address}?event={row.event}&mac={vendor.mac or mac}"


def _on_page(value: str) -> str:
    return "on" if value == "1" else value


def _file(vendor: Vendor, values: dict[str, str]) -> Iterator[str]:
    for key, value in values.items():
        yield vendor.line.format(key=key, value=escape(value) if "<" in vendor.line else value)
