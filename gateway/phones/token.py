"""The token in the address that IP phones call: one for the site."""

from __future__ import annotations

import re

import floorplan
from floorplan import Plan, SiteError

TOKEN = r"[A-Za-z0-9._~-]{16,128}"  # what needs no escaping in any phone's address


def token_of(plan: Plan) -> str:
    """The token in [phones] secret_file. Raises SiteError where there is none, or none that fits."""
    path = plan.phones.secret_file
    if path is None:
        raise SiteError(
            '[phones]: IP phones need a token: secret_file = "secrets/phones", a file with one line'
        )
    token = floorplan.secret(path) or ""
    if not re.fullmatch(TOKEN, token):
        raise SiteError(
            f"{path}: the token of the IP phones is one line of 16 to 128 letters a-z, A-Z and digits; "
            f"try: openssl rand -hex 16 > {path}"
        )
    return token
