"""What is the matter with a site file and the files that it names: for `up`, `up --check`, the doctor.

Nothing is made or changed here, but that a secret which others could read is theirs no more.
"""

from __future__ import annotations

import contextlib
import ipaddress
import sqlite3
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import floorplan
from boards import definition
from floorplan import Plan
from gateway import store
from gateway.broker.authority import CA
from gateway.people import people
from gateway.people.people import PeopleError
from gateway.phones.token import token_of


def check_files(plan: Plan) -> tuple[list[str], list[str]]:
    """(wrong, unwise): what is the matter with the files that a site file names, in words.

    Secrets, certificates and the file of totals; none of them is made or changed here, but that a secret which others
    could read is theirs no more.
    """
    wrong: list[str] = []
    unwise: list[str] = []
    files = dict(files_of(plan))
    for place, path in files.items():
        public = place.endswith(("ca_file", "cert_file"))
        try:
            was_open = not public and floorplan.open_to_others(path)
            if place.endswith("secret_file"):
                floorplan.secret(path)
                if was_open:
                    unwise.append(
                        f"{place}: others on this computer could read {path} until now, when it became mode 600; "
                        "a new secret is safer"
                    )
                if place == "phones.secret_file":
                    token_of(plan)
            elif place.endswith("ca_file"):
                path.stat()
                floorplan.certificates(path)
            else:
                floorplan.text_of(path)
                if was_open:
                    unwise.append(f"{place}: others on this computer can read {path}; try: chmod 600 {path}")
        except FileNotFoundError:
            todo = "put the certificate there" if public else "write the secret there, one line, mode 600"
            if _is_made(plan, place, path):
                todo = "`callfloor broker setup` makes it"
            wrong.append(f"{place}: {path} is missing; {todo}")
        except (OSError, UnicodeError, floorplan.SiteError) as error:
            why = "it is no text" if isinstance(error, UnicodeError) else getattr(error, "strerror", None)
            wrong.append(f"{place}: {path}: cannot be read ({why})" if why else f"{place}: {error}")
    try:
        if plan.page.cert_file and not any(line.startswith("page.") for line in wrong):
            check_certificate(plan)
    except floorplan.SiteError as error:
        wrong.append(str(error))
    try:
        if plan.people.path:
            look_at_people(plan.people.path)
    except PeopleError as error:
        wrong.append(f"people.path: {error}")
    try:
        if plan.history.path:
            store.look(plan.history.path)
    except store.StoreError as error:
        wrong.append(f"history.path: {error}")
    return wrong, unwise


def _is_made(plan: Plan, place: str, path: Path) -> bool:
    """Whether `callfloor broker setup` makes what is missing there."""
    broker = plan.broker
    if not broker or not broker.user:
        return False
    if place == "broker.ca_file":
        return broker.cert_file is None and broker.folder is not None and path == broker.folder / CA
    return place == "broker.secret_file" or place.startswith(("board[", "source["))


def check_certificate(plan: Plan) -> None:
    """Whether the page's certificate and key are a pair. Raises SiteError."""
    page = plan.page
    assert page.cert_file and page.key_file
    try:
        for path in (page.cert_file, page.key_file):
            floorplan.text_of(path)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(page.cert_file, page.key_file, "")
    except (OSError, UnicodeError) as error:  # that of TLS is one, too
        words = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
        why = f"cannot be used together ({words})"
        raise floorplan.SiteError(f"[page]: cert_file {page.cert_file} and its key_file {why}") from error


def look_at_people(path: Path) -> None:
    """Raises PeopleError where that is no file of people, as far as it shows without making or changing one."""
    if not path.parent.is_dir():
        raise PeopleError(f"{path}: there is no folder {path.parent}; make it, or name another in [people]")
    if not path.exists():
        return
    if not path.is_file():
        raise PeopleError(f'{path}: this is no file; name one: [people] path = "people.db"')
    # SQLite makes files beside the first reader of a WAL, but not where it may take the file as it is.
    alone = "" if Path(f"{path}-shm").exists() else "&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)) as db:
            people.version_of(path, db)
    except sqlite3.Error as error:
        advice = people.TRY.get(error.sqlite_errorcode & 0xFF, "is it a file of ours?")
        raise PeopleError(f"{path}: cannot be read ({error}); {advice}") from error


def check_page(plan: Plan, web: tuple[str, int]) -> None:
    """Whether the page may be served there: its certificate is one, and passwords cross no network in plain text.

    Raises SiteError.
    """
    page = plan.page
    if page.cert_file:
        check_certificate(plan)
    elif not (_on_this_machine(web[0]) or page.proxies or page.plain):
        raise floorplan.SiteError(
            f"--web {web[0]}: whoever else is on that network could read passwords. In the site file, under [page]: "
            "cert_file and key_file for https; or proxies, the address of your own https server in front; or, where "
            "nobody else is on that network, plain = true"
        )


def _on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_queues(plan: Plan) -> list[str]:
    """The queues of a phone system that nobody tells of, a line each."""
    if plan.pbx.asterisk or plan.simulator:
        return []
    return [
        f"queue '{queue.id}' has pbx = \"{queue.pbx}\", but there is no [pbx.asterisk]; "
        "add it, or for another phone system a [[source]], and source in place of pbx"
        for queue in plan.queue
        if queue.pbx
    ]


def files_of(plan: Plan) -> Iterator[tuple[str, Path]]:
    """(`board[2].secret_file`, path) of every file that a site file names, and of the boards' passwords there are."""
    yield from _files(plan.model_dump())
    for number, board in enumerate(plan.board, 1):  # those whose password `callfloor board json` has made
        path = floorplan.board_secret_file(plan, board)
        if path and path.exists() and board.secret_file is None:
            yield f"board[{number}].secret_file", path


def checked(plan: Plan) -> tuple[list[str], list[str]]:
    """(wrong, unwise): what is the matter with a site file, in words; `callfloor up --check` and the doctor say it."""
    from gateway import messages
    from gateway.web import floor_plan
    from wallboard.compile import compile

    wrong, unwise = check_files(plan)
    bad_plan, plan_advice = floor_plan.check(plan)
    wrong, unwise = wrong + bad_plan, unwise + plan_advice
    wrong = definition.check(plan) + wrong + check_queues(plan)
    scenes = {wall.id: compile(wall, plan) for wall in plan.wall}
    unwise += definition.careful(plan)
    unwise += [line for scene in scenes.values() for line in scene.warnings]
    unwise += messages.warnings(plan, {name: scene.band for name, scene in scenes.items()})
    return wrong, unwise


def _files(value: Any, place: str = "") -> Iterator[tuple[str, Path]]:
    """(`board[2].secret_file`, path) of every file that tables name by a key ending in `_file`."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _files(part, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value, 1):
            yield from _files(part, f"{place}[{number}]")
    elif isinstance(value, Path) and place.endswith("_file"):
        yield place, value
