"""`callfloor init`: a house's first site file, of what this computer and its phone system tell, and of a few questions.

What can be found out is found out, and said, with how it was. Every question has a default and an option. Nothing is
written before the last answer, and then all at once: a Ctrl-C leaves nothing half. What is there is never overwritten.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

import floorplan
import floorplan_desks
from floorplan import Asterisk, SiteError
from gateway.queues.ami import LinkError
from gateway.queues.asked import Found, queues_at

SITE, DESKS, SECRETS, AMI, MQTT = "site.toml", "desks.csv", "secrets", "ami", "mqtt"
EXAMPLES_MOST = 1000  # members of queues that become commented rows of desks.csv
TRIES = 5  # wrong answers to one question
BROKERS = {
    "trying": "one that `callfloor up` starts by itself, for this computer alone: to look at it all",
    "here": "mosquitto on this computer, for real boards",
    "there": "a broker that runs already, here or elsewhere",
}
FORMATS = {"en": "English", "nb": "norsk bokmål", "sv": "svenska"}


@dataclass
class Wishes:
    """What the command line says; None: to be asked, or found out."""

    site_name: str | None = None
    time_zone: str | None = None
    languages: str | None = None
    broker: str | None = None
    broker_host: str | None = None
    broker_port: int | None = None
    broker_user: str | None = None
    broker_secret_file: Path | None = None
    broker_ca_file: Path | None = None
    pbx: str | None = None
    pbx_user: str | None = None
    pbx_secret_file: Path | None = None
    pbx_tls: bool = False
    yes: bool = False


@dataclass
class House:
    """All that is written."""

    name: str
    id: str
    zone: str
    languages: list[str]
    broker: dict[str, str | int | bool] = field(default_factory=dict)  # [broker]; empty: one for trying
    asterisk: dict[str, str | int | bool] = field(default_factory=dict)
    found: Found = field(default_factory=lambda: Found("", {}))
    secrets: dict[str, str] = field(default_factory=dict)  # file's name → what is in it
    queues: list[tuple[str, str]] = field(default_factory=list)  # id, name at the phone system


_zones = functools.cache(available_timezones)  # it looks into hundreds of files
Ask = Callable[[str, str, bool], str]  # a question, its default, whether the answer is hidden
Say = Callable[[str], None]


def run(
    folder: Path, wishes: Wishes, ask: Ask, say: Say, setup: Callable[[Path], list[str]], dry_run: bool = False
) -> None:
    """The command. `setup` is `callfloor broker setup`, in lines. Raises SiteError; what is there stays."""
    _nothing_there(folder)
    if wishes.yes:
        ask = _default
    house = _house(wishes, ask, say)
    files = {SITE: site_file(house), DESKS: desks_file(house)}
    if dry_run:
        for name in (*(folder / name for name in files), *(folder / SECRETS / name for name in house.secrets)):
            say(f"would write {name}")
        say("\n" + files[SITE])
        return
    _write(folder, files, house.secrets)
    say(f"\nwritten     {folder / SITE}, {folder / DESKS}"
        + "".join(f", {folder / SECRETS / name} (yours alone)" for name in house.secrets))  # fmt: skip
    first = []
    if wishes.broker == "here":
        try:
            for line in setup(folder / SITE):
                say(f"            {line}")
        except Exception as error:  # the site file is good; the broker comes next
            say(f"the broker is not set up yet: {error}")
            first = [f"callfloor broker setup {folder / SITE}"]
    _say_next(folder, house, say, first)


def _say_next(folder: Path, house: House, say: Say, first: list[str]) -> None:
    site = folder / SITE
    width = len(f"callfloor up {site} --check") + 2
    commands = [
        *first,
        f"callfloor up {site} --check".ljust(width) + "# after each change: is it right?",
        f"callfloor up {site}".ljust(width) + "# the floor, and its page at http://127.0.0.1:8080",
        f"callfloor reload {site}".ljust(width) + f"# while it runs: takes up {SITE} and {DESKS}",
    ]
    say(f"\nNext: put your desks into {folder / DESKS}; then")
    for command in commands:
        say(f"  {command}")


def _default(question: str, default: str, hidden: bool) -> str:
    if hidden and not default:
        raise SiteError(f"{question}: --yes takes defaults, and there is none for a password; give it in a file")
    return default


def _nothing_there(folder: Path) -> None:
    """Raises SiteError where something would be overwritten."""
    if folder.exists() and not folder.is_dir():
        raise SiteError(f"{folder}: is a file; name a folder for the site file and what belongs to it")
    there = [str(folder / name) for name in (SITE, DESKS) if (folder / name).exists()]
    there += [str(path) for name in (AMI, MQTT) if (path := folder / SECRETS / name).exists()]
    if there:
        raise SiteError(
            f"{', '.join(there)}: there already, and nothing is overwritten; name another folder, as `init house-2`"
        )


# Questions ----------------------------------------------------------------------------------------


def _house(wishes: Wishes, ask: Ask, say: Say) -> House:
    name = _asked(ask, say, wishes.site_name, "What is the site called?", "My floor", _name)
    zone, how = local_zone()
    if wishes.time_zone is None:
        say(f"time zone   {zone} ({how})")
    zone = _asked(ask, say, wishes.time_zone, "Its time zone?", zone, _zone)
    languages = _asked(ask, say, wishes.languages, f"Languages of the page, the first one first ({_languages()})?",
                       _language(), _listed)  # fmt: skip
    house = House(name, id_of(name, "floor"), zone, [language.strip() for language in languages.split(",")])
    say(f"site id     {house.id} (of its name; it stands in every topic at the broker)")
    _ask_pbx(house, wishes, ask, say)
    _ask_broker(house, wishes, ask, say)
    return house


def _asked(
    ask: Ask, say: Say, wish: str | None, question: str, default: str, check: Callable[[str], str], hidden: bool = False
) -> str:
    """An answer that can be used. Raises SiteError where the command line's cannot."""
    if wish is not None:
        try:
            return check(wish)
        except ValueError as error:
            raise SiteError(f"'{wish}': {error}") from error
    for _ in range(TRIES):
        try:
            return check(ask(question, default, hidden).strip())
        except ValueError as error:
            say(f"  {error}")
    raise SiteError(f"{question} No answer that can be used; the option of this question takes it, too: --help")


def _name(text: str) -> str:
    if not text or len(text) > 80 or not text.isprintable():
        raise ValueError("a name is 1 to 80 letters")
    return text


def _zone(text: str) -> str:
    if text not in _zones():
        raise ValueError(f"no such time zone{floorplan.meant(text, _zones()) or '; like Europe/Oslo'}")
    return text


def _listed(text: str) -> str:
    for language in text.split(","):
        if language.strip() not in FORMATS:
            raise ValueError(f"'{language.strip()}' is none of {', '.join(FORMATS)}; several are written nb,en")
    return text


def _languages() -> str:
    return ", ".join(f"{code} {name}" for code, name in FORMATS.items())


def _language() -> str:
    told = (os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "")[:2].lower()
    told = {"no": "nb", "nn": "nb"}.get(told, told)
    return f"{told},en" if told in FORMATS and told != "en" else "en"


def local_zone() -> tuple[str, str]:
    """(this computer's time zone, how that is known)."""
    zones = _zones()
    told = os.environ.get("TZ", "").removeprefix(":")
    if told in zones:
        return told, "TZ says so"
    for path in (Path("/etc/localtime"), Path("/private/etc/localtime")):
        with contextlib.suppress(OSError, RuntimeError):
            zone = "/".join(path.resolve().parts).partition("zoneinfo/")[2]
            if zone in zones:
                return zone, f"{path} says so"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        zone = Path("/etc/timezone").read_text(encoding="ascii").strip()
        if zone in zones:
            return zone, "/etc/timezone says so"
    return "UTC", "this computer does not say"


def id_of(name: str, otherwise: str, taken: frozenset[str] = frozenset()) -> str:
    """An id made of a name: small letters, figures and hyphens."""
    letters = name.casefold().replace("æ", "ae").translate(str.maketrans("øłđ", "old"))
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:28].strip("-") or otherwise
    return next(made + end for end in ("", *(f"-{number}" for number in range(2, 999))) if made + end not in taken)


# The phone system ---------------------------------------------------------------------------------


def _ask_pbx(house: House, wishes: Wishes, ask: Ask, say: Say) -> None:
    """Asks until the phone system lists its queues, or until somebody has none."""
    host = wishes.pbx
    user, secret = wishes.pbx_user or "callfloor", _from_file(wishes.pbx_secret_file)
    for _ in range(TRIES):
        host = host or ask("Asterisk or FreePBX, HOST or HOST:PORT; none: there is none yet?", "none", False)
        if host.strip().lower() in ("none", ""):
            say("no phone system yet: queues are added to the site file later, or told by a [[source]]")
            return
        if not wishes.pbx_user and not wishes.yes:
            user = ask("Its user for AMI, as in manager.conf?", user, False)
        if secret is None:
            secret = _asked(ask, say, None, f"The secret of '{user}' there?", "", _one_line, hidden=True)
        try:
            settings = _settings(host, user, wishes.pbx_tls)
            found = asyncio.run(queues_at(settings, secret))
        except (LinkError, ValueError) as error:
            words = f"the phone system at {host} {error}" if isinstance(error, LinkError) else f"{host}: {error}"
            if wishes.yes:
                raise SiteError(f"{words}; nothing was written") from error
            say(f"  {words}\n  docs/pbx/asterisk.md says what is to be set there. Once more:")
            secret, again = None, ask("Its address (none: leave it out)?", host, False)
            host = again
            continue
        house.found = found
        house.asterisk = {"host": settings.host, "port": settings.port, "user": user, "secret_file": f"{SECRETS}/{AMI}"}
        house.asterisk |= {"tls": True} if settings.tls else {}
        house.secrets[AMI] = secret
        taken: set[str] = set()
        for name in found.queues:
            if any(name.lower() == other.lower() for _, other in house.queues):
                say(f"  queue '{name}' is left out: it differs from another one in capitals only")
                continue
            made = id_of(name, "queue", frozenset(taken))
            taken.add(made)
            house.queues.append((made, name))
        members = len({member for its in found.queues.values() for member in its})
        say(f"phone system {found.banner} at {settings.host}:{settings.port}: {len(found.queues)} queues "
            f"({', '.join(list(found.queues)[:8])}{', …' if len(found.queues) > 8 else ''}), {members} members "
            "(asked by QueueStatus)")  # fmt: skip
        return
    raise SiteError("the phone system lists no queues; nothing was written. --pbx none does it without")


def _settings(text: str, user: str, tls: bool) -> Asterisk:
    """Raises ValueError."""
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        host, port = text.strip(), "5039" if tls else "5038"
    if not port.isdigit() or not 0 < int(port) < 65536 or not host:
        raise ValueError("is HOST or HOST:PORT, like 10.0.0.3 or 10.0.0.3:5038")
    return Asterisk(host=host.strip("[]"), port=int(port), user=user, secret_file=Path(AMI), tls=tls)


def _from_file(path: Path | None) -> str | None:
    """A secret that somebody has put into a file. Raises SiteError."""
    if path is None:
        return None
    try:
        return _one_line(floorplan.text_of(path).strip())
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SiteError(f"{path}: cannot be read ({why}); it holds the secret, one line") from error
    except ValueError as error:
        raise SiteError(f"{path}: {error}") from error


def _one_line(text: str) -> str:
    """As `floorplan.secret` will have it. Raises ValueError."""
    if not text or "\n" in text:
        raise ValueError("a secret is one line")
    return text


# The broker ---------------------------------------------------------------------------------------


def _ask_broker(house: House, wishes: Wishes, ask: Ask, say: Say) -> None:
    if wishes.broker is None and not wishes.yes:
        say("The MQTT broker, which boards and gateway talk by:")
        for name, words in BROKERS.items():
            say(f"  {name.ljust(7)} {words}")
    wishes.broker = kind = _asked(ask, say, wishes.broker, "Which (trying, here, there)?", "trying", _broker)
    if kind == "trying":
        return
    if kind == "here":
        ours, how = own_address()
        boards = _asked(ask, say, wishes.broker_host, f"This computer, for boards ({how})?", ours, floorplan._host)
        house.broker = {
            "host": "localhost", "port": wishes.broker_port or 8883, "boards_host": boards, "user": "gateway_",
            "secret_file": f"{SECRETS}/{MQTT}", "boards_folder": f"{SECRETS}/boards", "tls": True,
            "ca_file": "broker/ca.pem",
        }  # fmt: skip
        return
    host = _asked(ask, say, wishes.broker_host, "Its address?", "localhost", floorplan._host)
    port = _asked(ask, say, str(wishes.broker_port) if wishes.broker_port else None, "Its port?",
                  "8883" if wishes.broker_ca_file else "1883", _port)  # fmt: skip
    user = _asked(ask, say, wishes.broker_user, "The gateway's user there (empty: it asks for none)?", "", str)
    house.broker = {"host": host, "port": int(port)}
    if user:
        secret = _from_file(wishes.broker_secret_file) or _asked(
            ask, say, None, f"The password of '{user}' there?", "", _one_line, hidden=True
        )
        house.broker |= {"user": user, "secret_file": f"{SECRETS}/{MQTT}"}
        house.secrets[MQTT] = secret
    if wishes.broker_ca_file:
        house.broker |= {"tls": True, "ca_file": str(wishes.broker_ca_file.resolve())}


def _broker(text: str) -> str:
    if text not in BROKERS:
        raise ValueError(f"is one of {', '.join(BROKERS)}")
    return text


def _port(text: str) -> str:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError("a port is 1 to 65535")
    return text


def own_address() -> tuple[str, str]:
    """(this computer's address, how that is known). Nothing is sent for it."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))  # RFC 5737: nobody's; a UDP socket that is connected sends nothing
        return sock.getsockname()[0], "the address it goes out by"
    return socket.gethostname(), "its name"


# What is written ----------------------------------------------------------------------------------


def site_file(house: House) -> str:
    """The site file, with what belongs to it in remarks."""
    parts = [f"""# The call floor '{house.name.replace('"', "'")}'. Made by `callfloor init`; it is yours to change.
# `callfloor up {SITE} --check` says what is wrong in it, `callfloor reload {SITE}` takes it up while the floor runs.

desks = "{DESKS}"{" " * 13}# a row a desk, with the board it is plugged in at; docs/first-run.md

[site]
id = {_toml(house.id)}
name = {_toml(house.name)}
time_zone = {_toml(house.zone)}
languages = {_toml(house.languages)}
# hours = ["mon-fri 08:00-20:00"]       # when the house is open; left out: always
"""]
    if house.broker:
        parts.append("[broker]                            # docs/broker.md\n" + _table(house.broker))
    else:
        parts.append("# No [broker]: `callfloor up` starts one for trying. Real boards need one; docs/broker.md.\n")
    if house.asterisk:
        parts.append("[pbx.asterisk]                      # docs/pbx/asterisk.md: the login it needs, and no more\n"
                     + _table(house.asterisk))  # fmt: skip
    else:
        parts.append("""# [pbx.asterisk]                    # docs/pbx/asterisk.md
# host = "10.0.0.3"
# user = "callfloor"
# secret_file = "secrets/ami"
""")
    parts.append("""# [board_defaults]                  # of every board that does not say otherwise
# definition = "pico-w"             # docs/boards.md
# wifi = { ssid = "floor", secret_file = "secrets/wifi" }
""")
    for id, name in house.queues:
        parts.append(f"[[queue]]\nid = {_toml(id)}\nname = {_toml(name)}\npbx = {_toml(name)}\n"
                     "target = { within_s = 20, share = 0.8 }   # 80 % answered within 20 s\n")  # fmt: skip
    if not house.queues:
        parts.append('# [[queue]]\n# id = "polski"\n# name = "Polski"\n# pbx = "polski"                    # its name '
                     'at the phone system\n# target = { within_s = 20, share = 0.8 }\n')  # fmt: skip
    else:
        pages = "".join(f"  {{ queue = {_toml(id)} }},\n" for id, _ in house.queues[:16])
        parts.append(f"""[[wall]]                            # in any browser, at /wall/first; panels: docs/walls.md
id = "first"
name = "First wall"
panel = {{ kind = "browser", size = [64, 32] }}
pages = [
{pages}]
""")
    return "\n".join(parts)


def desks_file(house: House) -> str:
    """An empty table of desks: its headings, and rows to begin with as remarks."""
    members = list(dict.fromkeys(member for its in house.found.queues.values() for member in its if member))
    lines = [
        "# A row a desk. Lines that begin with # are remarks. docs/first-run.md says what each column is.",
        floorplan_desks.HEADING,
        "#a1,Window left,PJSIP/1001,0,0,row-a,,GP2,GP3,GP4,GP5",
    ]
    if members:
        lines.append("# Members of the phone system's queues:")
        lines += [f"#d{number},,{_cell(member)},,,,,,,," for number, member in enumerate(members[:EXAMPLES_MOST], 1)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    plain = "".join(letter for letter in text if letter.isprintable())
    return '"' + plain.replace('"', '""') + '"' if set(plain) & set(',;"') else plain


def _table(values: dict[str, str | int | bool]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: str | int | bool | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_toml(part) for part in value)}]"
    if isinstance(value, int):
        return str(value)
    letters = (letter if letter.isprintable() and letter not in '"\\' else f"\\u{ord(letter):04X}" for letter in value)
    return f'"{"".join(letters)}"'


def _write(folder: Path, files: dict[str, str], secrets: dict[str, str]) -> None:
    """All of it, or nothing. Raises SiteError."""
    made = not folder.exists()
    aside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".callfloor-init-", dir=folder.parent if made else folder))
        for name, text in files.items():
            (aside / name).write_text(text, encoding="utf-8")
        if secrets:
            (aside / SECRETS).mkdir(mode=0o700)
        for name, text in secrets.items():
            with open(os.open(aside / SECRETS / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text + "\n")
        floorplan.read(aside / SITE)  # what we write can be read, or it is not written
        with _uninterrupted():
            _nothing_there(folder)  # once more: somebody may have been quicker
            if made:
                aside.chmod(0o755)
                aside.rename(folder)
            else:
                if secrets:
                    (folder / SECRETS).mkdir(mode=0o700, exist_ok=True)
                for path in sorted(aside.rglob("*"), reverse=True):  # secrets before the file that names them
                    if path.is_file():
                        path.rename(folder / path.relative_to(aside))
    except OSError as error:
        raise SiteError(f"{folder}: cannot be written ({error.strerror}); nothing was") from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """For the moment in which files are given their names, a Ctrl-C waits."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            raise KeyboardInterrupt
