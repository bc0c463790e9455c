"""`callfloor broker setup`: writes all that mosquitto needs to be the broker of a house, into one folder.

    mosquitto.conf            its settings
    passwords, rights         who may log in, and who may do what: gateway/broker/accounts.py, gateway/broker/rights.py
    ca.pem, ca.key            our small authority, where the site file names no certificate of its own
    server.pem, server.key    the broker's certificate
    callfloor-broker.service  for systemd
    kept/                     what mosquitto writes itself: retained messages, its pid file

Run again it keeps what is good: passwords, the authority, certificates. What a command on a board's password left half
done is finished: a password that the broker has already is kept, one that was being revoked is not.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import floorplan
import this_computer
from floorplan import Broker, Plan, SiteError
from gateway.broker import accounts, authority, mosquitto, rights, trial
from gateway.broker import boards as board_accounts

RIGHTS, SERVICE = "rights", "callfloor-broker.service"
USER = "mosquitto"  # the user that Debian's package makes
AUTOSAVE_S = 300  # retained messages are written so often, and at the end: what a power cut takes is said again anyway
SECRET_BYTES = 16
OPEN_FILES = 65_536  # one for each board; what a service gets else is 1024

UNIT = """\
# Written by `callfloor broker setup`.
[Unit]
Description=The MQTT broker of Callfloor
After=network.target

[Service]
Type=notify
NotifyAccess=main
User={user}
ExecStart={program} -c {conf}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
LimitNOFILE={files}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={kept}
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
"""


@dataclass
class Setup:
    """One run of it: for whom the files are, and what was done so far, in words."""

    plan: Plan
    broker: Broker
    folder: Path
    people: authority.Owner | None  # whose the site file is: who runs the gateway. None: we ourselves
    daemon: authority.Owner | None  # the user that mosquitto becomes. None: we ourselves
    user: str  # its name
    said: list[str] = field(default_factory=list)


def setup(plan: Plan, site: Path, user: str | None = None) -> list[str]:
    """Makes the broker's folder what it should be. Returns what was done and what is to be done next, in lines.

    user: who mosquitto runs as where root calls us; None: Debian's. Raises SiteError, AccountsError, AuthorityError.
    """
    now, changed, told = _set_up(plan, site, user)
    return now.said + _next_steps(now, site, changed, told)


def rehearse(plan: Plan, site: Path, user: str | None = None) -> list[str]:
    """What `setup` would do, in its words, done to a copy of all it touches. Raises the same."""
    with tempfile.TemporaryDirectory(prefix="callfloor-copy-") as name:
        copy = Path(name).resolve()
        copy.chmod(0o711)  # mosquitto's user may pass, and see nothing

        def moved(value: Any) -> Any:
            if isinstance(value, Path):
                return copy / value.absolute().relative_to(value.absolute().anchor)
            if isinstance(value, dict):
                return {key: moved(part) for key, part in value.items()}
            return [moved(part) for part in value] if isinstance(value, list | tuple) else value

        broker, folder = _wanted(plan)
        files = [broker.secret_file, broker.ca_file, broker.cert_file, broker.key_file, folder]
        files += [file for _, file in _of_boards(plan)] + [source.secret_file for source in plan.source]
        try:
            for file in files:
                if file is not None and file.is_dir():
                    shutil.copytree(file, moved(file), dirs_exist_ok=True)
                elif file is not None and file.exists():
                    moved(file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(file, moved(file))
        except OSError as error:
            raise SiteError(f"{error.filename or folder}: {error.strerror or error}; try the same with sudo") from error
        now, _, _ = _set_up(Plan.model_validate(moved(plan.model_dump(exclude_none=True))), site, user)
        return ["would do: " + line.replace(name, "") for line in now.said] or ["everything is there already"]


def _set_up(plan: Plan, site: Path, user: str | None) -> tuple[Setup, bool, bool]:
    """(what was done, whether a running broker has to be started again for it, whether one runs and was told)."""
    broker, folder = _wanted(plan)
    now = _begin(plan, broker, folder, site, user)
    try:
        with contextlib.ExitStack() as alone:
            for folder_of_boards in sorted({file.parent for _, file in _of_boards(plan)}):
                _make_folder(folder_of_boards, 0o700, now.people)
                alone.enter_context(board_accounts.alone(folder_of_boards / "any"))
            _secrets(now)
            _folders(now)
            _certificates(now)
            changed = _settings(now)
            _accounts(now)
            told = accounts.reload(plan)
            for _, file in _of_boards(plan):
                if board_accounts.is_revoked(file):
                    board_accounts.forget(file)
    except PermissionError as error:
        raise SiteError(f"{error.filename}: {error.strerror}; try the same with sudo") from error
    except OSError as error:
        raise SiteError(f"{error.filename or folder}: {error.strerror}") from error
    return now, changed, told


def _wanted(plan: Plan) -> tuple[Broker, Path]:
    """The site file's [broker], when all is said that has to be."""
    folder = accounts.folder_of(plan)
    broker = plan.broker
    assert broker
    if not broker.secret_file or not broker.user:
        raise SiteError(
            "[broker]: the gateway needs a name and a password there, as all do: "
            f'user = "{rights.GATEWAY}" and secret_file = "secrets/mqtt"; the file is made'
        )
    without = [board.id for board in plan.board if floorplan.board_secret_file(plan, board) is None]
    if without:
        raise SiteError(
            f"[broker]: board '{without[0]}' has no password, and nobody gets in without one: "
            'boards_folder = "secrets/boards" has one for each board; they are made'
        )
    for board in plan.board:
        if max(len(board.inputs), len(plan.walls_of(board.id))) > rights.PLACES:
            raise SiteError(f"[[board]] {board.id}: more than {rights.PLACES} inputs or walls; the broker would refuse "
                            "what it says of the others: share them out among more boards")  # fmt: skip
    if not broker.tls:
        for key in ("host", "boards_host"):
            name = getattr(broker, key)
            if name and not is_loopback(name):
                raise SiteError(
                    f"[broker]: {key} {name}: passwords would cross that network in plain text. Add tls = true and "
                    'ca_file = "broker/ca.pem"; without TLS the broker is for this computer alone, 127.0.0.1'
                )
    return broker, folder


def _begin(plan: Plan, broker: Broker, folder: Path, site: Path, user: str | None) -> Setup:
    """Whose files they will be."""
    ourselves = this_computer.user_name()
    if not this_computer.is_root():
        if user and user != ourselves:
            raise SiteError(f"--user {user}: only root gives files to another user; try the same with sudo")
        return Setup(plan, broker, folder, None, None, ourselves)
    import pwd  # root is nobody on Windows

    user = user or _user_before(folder)
    try:
        daemon = pwd.getpwnam(user or USER)
    except KeyError as error:
        raise SiteError(
            f"no user '{user or USER}' on this computer; "
            + (f"is --user {user} right?" if user else "try: apt-get install mosquitto, or say --user NAME")
        ) from error
    told = site.stat()
    return Setup(
        plan, broker, folder, (told.st_uid, told.st_gid), (daemon.pw_uid, daemon.pw_gid), daemon.pw_name
    )


def _user_before(folder: Path) -> str | None:
    """Who it ran as so far: told once is enough."""
    with contextlib.suppress(OSError):
        for line in (folder / accounts.CONF).read_text(encoding="utf-8").splitlines():
            if line.startswith("user "):
                return line.removeprefix("user ")
    return None


def _secrets(now: Setup) -> None:
    """Makes the passwords that are missing, for whoever runs the gateway."""
    broker, plan = now.broker, now.plan
    assert broker.secret_file
    if _made(broker.secret_file, now.people):
        now.said.append(f"{broker.secret_file}: the gateway's password, new")
    of_boards = _of_boards(plan)
    for name, file in of_boards:
        board_accounts.finish(plan, name, file)
    made = sum(_made(file, now.people) for _, file in of_boards if not board_accounts.is_revoked(file))
    if made:
        now.said.append(f"{of_boards[0][1].parent}: the passwords of {made} boards, new")
    for source in plan.source:
        if _made(source.secret_file, now.people):
            now.said.append(f"{source.secret_file}: the token of source '{source.id}', new")


def _of_boards(plan: Plan) -> list[tuple[str, Path]]:
    """Each board, and where its password is."""
    return [(board.id, file) for board in plan.board if (file := floorplan.board_secret_file(plan, board))]


def _made(path: Path, owner: authority.Owner | None) -> bool:
    """Makes a secret where there is none. False: there is one."""
    if path.exists():
        return False
    _make_folder(path.parent, 0o700, owner)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | this_computer.NO_LINK, 0o600)
    with open(file, "w", encoding="ascii") as out:
        this_computer.give(file, owner)
        out.write(secrets.token_hex(SECRET_BYTES) + "\n")
    return True


def _make_folder(path: Path, mode: int, owner: authority.Owner | None) -> None:
    """Makes a folder that is missing, and those above it, each of them `owner`'s."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        _make_folder(path.parent, mode | 0o055, owner)
    path.mkdir(mode)
    path.chmod(mode)
    this_computer.give(path, owner)


def _folders(now: Setup) -> None:
    _make_folder(now.folder, 0o755, None)
    kept = now.folder / accounts.KEPT
    _make_folder(kept, 0o700, now.daemon)
    kept.chmod(0o700)
    this_computer.give(kept, now.daemon)
    closed = _closed_to(now.folder, now.daemon)
    if closed:
        now.said.append(
            f"warning: user {now.user} cannot pass {closed}, and so mosquitto cannot read its own files: "
            f'try chmod o+x {closed}, or put them elsewhere: [broker] folder = "/etc/callfloor/broker"'
        )


def _closed_to(folder: Path, owner: authority.Owner | None) -> Path | None:
    """The first folder on the way that this user may not pass."""
    if owner is None:
        return None
    for path in (*reversed(folder.resolve().parents), folder.resolve()):
        told = path.stat()
        bit = stat.S_IXUSR if told.st_uid == owner[0] else stat.S_IXGRP if told.st_gid == owner[1] else stat.S_IXOTH
        if not told.st_mode & bit:
            return path
    return None


def _certificates(now: Setup) -> None:
    """Our small authority and its certificate, or the site's own, where mosquitto may read it."""
    broker = now.broker
    if not broker.tls:
        return
    server, key = now.folder / authority.SERVER, now.folder / authority.SERVER_KEY
    if broker.cert_file and broker.key_file:
        for path, copy, mode in ((broker.cert_file, server, 0o644), (broker.key_file, key, 0o600)):
            if _put(copy, path.read_text(encoding="utf-8", errors="replace"), mode, now.daemon):
                now.said.append(f"{copy}: from {path}")
    else:
        names = dict.fromkeys([broker.host, broker.boards_host or broker.host, "localhost", "127.0.0.1", "::1"])
        now.said += authority.ensure(now.folder, now.plan.site.id, list(names), datetime.now(UTC), now.daemon)
        _put(server, server.read_text(encoding="utf-8"), 0o644, now.daemon)
        _put(key, key.read_text(encoding="utf-8"), 0o600, now.daemon)
        if broker.ca_file and not broker.ca_file.exists():
            ours = now.folder / authority.CA
            raise SiteError(f'[broker]: there is no ca_file {broker.ca_file}; our authority is ca_file = "{ours}"')
    for name in dict.fromkeys([broker.host, broker.boards_host or broker.host]):
        if why := authority.vouches(floorplan.certificates(broker.ca_file), server, key, name):
            raise SiteError(
                f"[broker]: with ca_file {broker.ca_file} nobody would believe that the broker is {name} ({why}); "
                + ("are ca_file, cert_file and host right?" if broker.cert_file
                   else f'our authority is ca_file = "{now.folder / authority.CA}"')
            )  # fmt: skip


def _settings(now: Setup) -> bool:
    """Writes mosquitto.conf, the rights and the service. True: a broker that runs has to be started again for it."""
    others = {now.broker.user or "": rights.gateway(now.plan.site.id)} | {
        source.id: rights.source(now.plan.site.id, source.id) for source in now.plan.source
    }
    if _put(now.folder / RIGHTS, rights.mosquitto(now.plan.site.id, others), 0o600, now.daemon):
        now.said.append(f"{now.folder / RIGHTS}: who may write and read what")
    unit = UNIT.format(
        user=now.user, program=_program(), files=OPEN_FILES,
        conf=_for_systemd(now.folder / accounts.CONF), kept=_for_systemd(now.folder / accounts.KEPT),
    )  # fmt: skip
    _put(now.folder / SERVICE, unit, 0o644, None)
    changed = _put(now.folder / accounts.CONF, mosquitto.conf(settings(now.broker, now.folder, now.user)), 0o600,
                   now.daemon)  # fmt: skip
    if changed:
        now.said.append(f"{now.folder / accounts.CONF}: settings")
    return changed


def settings(broker: Broker, folder: Path, user: str) -> dict[str, object]:
    """mosquitto.conf. Plain listeners are on loopback alone."""
    ours = [broker.host, broker.boards_host or broker.host]
    here = all(is_loopback(name) for name in ours)
    told: dict[str, object] = {"listener": f"{broker.port} {broker.host}" if here else broker.port}
    if broker.tls:
        told |= {
            "certfile": folder / authority.SERVER,
            "keyfile": folder / authority.SERVER_KEY,
            "tls_version": "tlsv1.2",  # or newer
        }
    return told | {
        "user": user,
        **mosquitto.SETTINGS,
        "password_file": folder / accounts.PASSWORDS,
        "acl_file": folder / RIGHTS,
        "pid_file": folder / accounts.PID,
        "persistence": "true",
        "persistence_location": f"{folder / accounts.KEPT}/",
        "autosave_interval": AUTOSAVE_S,
        "persistent_client_expiration": "1h",  # the shortest there is: nobody of ours leaves a session behind
        "log_dest": "stderr",  # under systemd: the journal, which ends somewhere
        "log_type": ("error", "warning", "notice"),  # who came, and who was refused
    }


def is_loopback(name: str) -> bool:
    """Whether a name or address means this computer alone."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"


def _accounts(now: Setup) -> None:
    """Everybody of the site file has an account, and nobody else."""
    if _put(now.folder / accounts.PASSWORDS, None, 0o600, now.daemon):
        now.said.append(f"{now.folder / accounts.PASSWORDS}: who may log in")
    before = accounts.users(now.plan)
    wanted = dict(_passwords(now))
    gone = accounts.keep_only(now.plan, lambda user: user in wanted)
    accounts.put_all(now.plan, wanted)
    new = [user for user in wanted if user not in before]
    for what, users in (("may log in from now on", new), ("may not log in any more", gone)):
        if users:
            few = ", ".join(users[:6]) + (f" and {len(users) - 6} more" if len(users) > 6 else "")
            now.said.append(f"{few} {what}")


def _passwords(now: Setup) -> Iterator[tuple[str, str]]:
    yield now.broker.user or "", floorplan.secret(now.broker.secret_file) or ""
    for name, file in _of_boards(now.plan):
        if not board_accounts.is_revoked(file):
            yield name, floorplan.secret(file) or ""
    for source in now.plan.source:
        yield source.id, floorplan.secret(source.secret_file) or ""


def _put(path: Path, text: str | None, mode: int, owner: authority.Owner | None) -> bool:
    """Writes a file where it is not so already; its mode and owner become these in any case. True: it was written.

    text None: whatever stands in it is right; it is made empty where there is none.
    """
    old = path.read_text(encoding="utf-8") if path.exists() else None
    if old is None or (text is not None and text != old):
        accounts.write_whole(path, text or "", mode, owner)
        return True
    path.chmod(mode)
    this_computer.give(path, owner)
    return False


def _program() -> str:
    try:
        return trial.find("mosquitto")[1]
    except trial.BrokerError:
        return "/usr/sbin/mosquitto"  # where Debian will put it


def _for_systemd(path: Path) -> str:
    """A path as a unit file has it."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if " " in text else text


def _next_steps(now: Setup, site: Path, changed: bool, told: bool) -> list[str]:
    conf = now.folder / accounts.CONF
    said = [] if now.said else ["everything is there already"]
    if told and changed:
        return [*said, "next: the broker runs with older settings; try: sudo systemctl restart callfloor-broker"]
    if told:
        return [*said, f"the running broker knows; `callfloor broker check {site}` proves it"]
    said.append("next: start it, and try it out:")
    if this_computer.is_root() and shutil.which("systemctl"):
        said += [f"    cp {now.folder / SERVICE} /etc/systemd/system/", "    systemctl enable --now callfloor-broker"]
    else:
        said.append(f"    {_program()} -c {conf}")
    return [*said, f"    callfloor broker check {site}"]
