"""The front door: the commands of `callfloor`, each loading what it needs only when it is called."""

from __future__ import annotations

import callfloor_errors  # first: from here on Ctrl-C ends without a traceback

# isort: split
import functools
import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import callfloor_board
import callfloor_complete
from callfloor_shared import (
    AsJson,
    DryRun,
    Mqtt,
    SiteFile,
    address,
    control_of,
    day,
    flag,
    noted,
    read_site,
    site_first,
)
from site_error import SiteError

EXAMPLE = Path(__file__).with_name("simulator") / "example.toml"

app = typer.Typer(
    help="The open call-floor hardware controller.", no_args_is_help=True,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
sim = typer.Typer(help="Parts of a floor that is not there.", no_args_is_help=True)
phones = typer.Typer(help="IP desk phones.", no_args_is_help=True)
walls = typer.Typer(help="Wallboards.", no_args_is_help=True)
brokers = typer.Typer(help="The MQTT broker.", no_args_is_help=True)
app.add_typer(sim, name="sim")
app.add_typer(callfloor_board.app, name="board")
app.add_typer(phones, name="phone")
app.add_typer(walls, name="wall")
app.add_typer(brokers, name="broker")
persons = typer.Typer(help="Who may open the page.", no_args_is_help=True)
tokens = typer.Typer(help="Machines and screens that may open the page.", no_args_is_help=True)
desks_app = typer.Typer(help="Desks of the site file.", no_args_is_help=True)
app.add_typer(desks_app, name="desk")
app.add_typer(persons, name="person")
app.add_typer(tokens, name="token")


@app.callback()
def before(
    debug: Annotated[
        bool, flag("--debug", envvar="CALLFLOOR_DEBUG", help="Show where in the program something broke.")
    ] = False,
) -> None:
    """The open call-floor hardware controller."""
    callfloor_errors.debug = debug


@app.command()
def up(
    site: Annotated[Path | None, typer.Argument(help="The site file; none: the example floor.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so long.")] = None,
    web: Annotated[str, typer.Option(help="Where the page is served, HOST:PORT.")] = "127.0.0.1:8080",
    mqtt: Annotated[str | None, typer.Option(help="Where a broker of its own listens, HOST:PORT.")] = None,
    desks: Annotated[int | None, typer.Option(min=1, max=5000, help="So many simulated desks.")] = None,
    past: Annotated[
        bool, flag("--past", help="A simulated floor begins with a past: yesterday, and a day of last week.")
    ] = False,
    check: Annotated[
        bool, flag("--check", help="Read the site file, say what is wrong, end.")
    ] = False,
) -> None:
    """Start the floor: the gateway, and what the site file leaves to us (broker, simulator)."""
    path = site or EXAMPLE
    if check:
        from gateway import site_check

        plan = read_site(path)
        wrong, unwise = site_check.checked(plan)
        for line in callfloor_errors.first_of(unwise):
            print(f"{path}: warning: {line}", file=sys.stderr)
        if wrong:
            raise SiteError("\n".join(f"{path}: {line}" for line in wrong))
        print(f"{path}: good. {len(plan.desk)} desks, {len(plan.board)} boards, "
              f"{len(plan.queue)} queues, {len(plan.wall)} walls.")  # fmt: skip
        return
    import callfloor_up

    raise SystemExit(
        callfloor_up.up(
            path, address(web, "--web"), address(mqtt, "--mqtt") if mqtt else None, desks, seconds, past
        )
    )


@app.command()
def export(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    by: Annotated[str, typer.Option(help="day or quarter, of an hour.")] = "day",
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day: 2026-11-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day, with it.")] = None,
    queue: Annotated[
        str | None, typer.Option(help="This queue alone.", autocompletion=callfloor_complete.queues)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what is kept of the queues, as CSV; the gateway may be running."""
    from gateway import export

    plan = read_site(site)
    assert plan.history.path
    dates = day(first, "--from"), day(last, "--to")
    rows = export.rows(plan.history.path, plan, by, *dates, queue)
    sys.stdout.writelines((json.dumps(row) + "\n" for row in export.objects(rows)) if as_json else rows)


@app.command()
def replay(
    file: Annotated[str, typer.Argument(help="A recorded AMI stream, plain or gzip; -: standard input.")],
    within: Annotated[int, typer.Option(min=1, max=3600, help="X of the service level, in seconds.")] = 20,
    formula: Annotated[
        str | None, typer.Option(help="One of the five, see docs/figures.md; none: the usual one.")
    ] = None,
    every: Annotated[
        float | None, typer.Option(min=1, help="Also a line for each so many seconds of the recording.")
    ] = None,
    as_json: Annotated[bool, flag("--json", help="The figures as JSON.")] = False,
) -> None:
    """Read a recording of an Asterisk as if it were live, and print each queue's figures."""
    from floorplan import Target
    from gateway.replay import run

    run(file, within, formula or Target().formula, every, as_json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the site file is to be; none: here.")] = Path("."),
    site_name: Annotated[str | None, typer.Option(help="What the site is called.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Its time zone: Europe/Oslo.")] = None,
    languages: Annotated[str | None, typer.Option(help="Of the page, the first one first: nb,en.")] = None,
    pbx: Annotated[str | None, typer.Option(help="The Asterisk or FreePBX, HOST or HOST:PORT; none.")] = None,
    pbx_user: Annotated[str | None, typer.Option(help="Its user for AMI.")] = None,
    pbx_secret_file: Annotated[Path | None, typer.Option(help="A file with that user's secret.")] = None,
    pbx_tls: Annotated[bool, flag("--pbx-tls", help="It speaks TLS there.")] = False,
    broker: Annotated[str | None, typer.Option(help="The MQTT broker: trying, here or there.")] = None,
    broker_host: Annotated[
        str | None, typer.Option(help="here: this computer as boards reach it; there: the broker's address.")
    ] = None,
    broker_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port.")] = None,
    broker_user: Annotated[str | None, typer.Option(help="there: the gateway's user.")] = None,
    broker_secret_file: Annotated[Path | None, typer.Option(help="there: a file with its password.")] = None,
    broker_ca_file: Annotated[Path | None, typer.Option(help="there: who vouches for its TLS.")] = None,
    yes: Annotated[bool, flag("--yes", "-y", help="Ask nothing: what is not given is as proposed.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Write a new site file: a few questions, and the queues as the phone system lists them."""
    from gateway import first_run
    from gateway.broker import setup as house_broker

    def ask(question: str, default: str, hidden: bool) -> str:
        return str(typer.prompt(question.rstrip("?"), default=default, hide_input=hidden, show_default=bool(default)))

    wishes = first_run.Wishes(
        site_name, time_zone, languages, broker, broker_host, broker_port, broker_user, broker_secret_file,
        broker_ca_file, pbx, pbx_user, pbx_secret_file, pbx_tls, yes,
    )  # fmt: skip
    set_up = functools.partial(_set_up_broker, house_broker)
    first_run.run(folder, wishes, ask, print, set_up, dry_run)


def _set_up_broker(house_broker: Any, site: Path) -> list[str]:
    plan = read_site(site)
    lines: list[str] = house_broker.setup(plan, site, None)
    noted(plan, "broker-set-up", "")
    return lines


@app.command()
def reload(
    site: Annotated[Path, typer.Argument(help="The site file that the floor was started with.")],
    yes: Annotated[bool, flag("--yes", "-y", help="Do not ask.")] = False,
    mqtt: Mqtt = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show what the changed site file changes in the running floor, and have it changed; no call is lost."""
    from gateway.reload_command import run

    there = address(mqtt, "--mqtt") if mqtt else None
    raise SystemExit(run(site, there, yes, dry_run, as_json, typer.confirm))


@app.command(hidden=True)
def gateway(
    site: SiteFile,
    web: Annotated[str, typer.Option()] = "127.0.0.1:8080",
    again: Annotated[Path | None, typer.Option(help="Where the site file is that `site` was made of.")] = None,
    desks: Annotated[int | None, typer.Option()] = None,
) -> None:
    """Run the gateway alone: what `up` starts when there is more to start."""
    import callfloor_up
    from gateway.reload import Again
    from gateway.service import serve

    file = again or site
    read = functools.partial(callfloor_up.read_again, file, desks, site.parent)
    serve(read_site(site), *address(web, "--web"), Again(file, read))


@app.command()
def station(
    board: Annotated[
        str | None,
        typer.Argument(help="Which board of the site file this computer is.", autocompletion=callfloor_complete.boards),
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", help="The site file.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--told", help="Its board.json, instead of a site file with everybody's secrets."),
    ] = None,
    pins: Annotated[str, typer.Option(help="gpiozero or memory.")] = "gpiozero",
    control: Annotated[str | None, typer.Option(help="With memory: where pins are set, HOST:PORT.")] = None,
    chip: Annotated[
        int | None,
        typer.Option(
            min=0, help="With gpiozero, on no Raspberry Pi: N of /dev/gpiochipN; GPIO5 is its line 5."
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            envvar="STATE_DIRECTORY", help="A folder for its walls' last scene and its next password; none: nowhere."
        ),
    ] = None,
    root: Annotated[str | None, typer.Option("--sys", hidden=True)] = None,
    dev: Annotated[str | None, typer.Option("--dev", hidden=True)] = None,
) -> None:
    """Be a board: a Raspberry Pi with desks, walls or both."""
    from floorplan import board_json
    from wallboard import station

    if control:
        address(control, "--control")
    if (site is None) == (file is None) or (site and board is None):
        raise SiteError("station: give BOARD and --site SITE.toml, or --told board.json, all that a board needs")
    plan = read_site(site) if site else None
    if plan and board:
        control = control or control_of(plan, board)
    told = {"kind": pins, "control": control, "chip": chip, "sys": root, "dev": dev}
    given = {key: value for key, value in told.items() if value is not None}
    if plan and board:
        settings = board_json(plan, board, given)
    else:
        assert file
        settings = station.told(file) | {"pins": given}
        if board not in (None, settings["board"]):
            raise SiteError(f"{file}: is board '{settings['board']}', not '{board}'")
    station.run(settings, keep)


@app.command()
def udev(
    group: Annotated[str, typer.Option(help="Whose members may read headsets.")] = "plugdev",
    vendor: Annotated[
        list[str] | None, typer.Option(help="Another maker's USB id too, four hexadecimal digits.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the udev rule that lets a station read USB headsets."""
    from boards import udev

    text = udev.rules(group, vendor or [])
    print(json.dumps({"file": udev.FILE, "text": text}) + "\n" if as_json else text, end="")


@app.command()
def doctor(
    file: Annotated[
        Path | None, typer.Argument(metavar="[SITE]", help="The site file; none: this computer alone.")
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", help="The same.")] = None,
    as_json: AsJson = False,
    bundle: Annotated[
        Path | None, typer.Option(help="Write a zip file to be sent to who helps; no secret is in it.")
    ] = None,
    strict: Annotated[bool, flag("--strict", help="Warnings count as wrong.")] = False,
    web: Annotated[str, typer.Option(help="Where the page is served, HOST:PORT.")] = "127.0.0.1:8080",
    listen: Annotated[
        float, typer.Option(min=1, max=60, help="So many seconds at the broker; 11 hears how all boards are.")
    ] = 6,
    root: Annotated[Path, typer.Option("--root", hidden=True)] = Path("/"),
) -> None:
    """Look at everything a floor needs, and say what is wrong, why it matters and what mends it.

    Exit status 0: all is well; 1: something is wrong; 2: something could not be looked at.
    """
    from gateway.doctor import command

    if file and site:
        raise SiteError(f"doctor: {file} or --site {site}, one at a time")
    raise SystemExit(command.run(site or file, as_json, bundle, strict, address(web, "--web"), listen, root))


@phones.command("urls")
def phone_urls(
    site: SiteFile,
    desk: Annotated[
        str | None,
        typer.Argument(help="Which desk of the site file; none: all.", autocompletion=callfloor_complete.desks),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="The gateway as phones reach it: http://10.0.0.2:8080.")
    ] = None,
    every: Annotated[bool, flag("--all", help="All phones, make by make.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what to paste into an IP phone so that it tells. The site's token for phones is in it."""
    from gateway.phones.urls import settings, urls

    if every and desk is not None:
        raise SiteError(f"--all: prints all phones; leave it out for desk '{desk}' alone")
    plan = read_site(site)
    text = urls(plan, desk, base)
    sys.stdout.write(json.dumps(settings(plan, desk, base)) + "\n" if as_json else text)


@walls.command("preview")
def wall_preview(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    wall: Annotated[
        str | None, typer.Option(help="Which wall of it; none: all.", autocompletion=callfloor_complete.walls)
    ] = None,
    png: Annotated[Path | None, typer.Option(help="The file to write; without --wall a folder.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="DISTANCE", help="As an eye sees it from there: 15m.")
    ] = None,
    page: Annotated[int | None, typer.Option(help="This page alone, 1 being the first.")] = None,
    figures: Annotated[str, typer.Option(help="busy, quiet, old or off.")] = "busy",
    language: Annotated[str | None, typer.Option(help="Names in this language alone: ar.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw walls as their lights will look, and say what cannot be read on them."""
    from wallboard import preview

    preview.run(read_site(site), wall, png, at, page, figures, language, as_json)


@walls.command("test")
def wall_test(
    wall: Annotated[
        str, typer.Argument(help="Which wall of the site file.", autocompletion=callfloor_complete.walls)
    ],
    site: SiteFile,
    mqtt: Mqtt = None,
) -> None:
    """Show a picture on a wall, and find out by three questions how its modules hang and stand."""
    from boards.command import tell
    from floorplan import WIRED
    from wallboard import calibrate

    plan = read_site(site)
    row = calibrate.wall_of(plan, wall)
    if row.board is None:
        raise SiteError(f"wall '{wall}' hangs on no board: open its page in the browser, and look")
    wired = row.panel.kind in WIRED
    where = address(mqtt, "--mqtt") if mqtt else None
    picture = {"do": "test", "seconds": 60, "picture": 1 if wired else None}
    tell(plan, row.board, picture, where)
    noted(plan, "board-commanded", f"tested wall {wall}")
    if not wired:
        print(f"wall '{wall}' shows a frame at its edge, four colours and the figures for 60 s")
        return
    ask = functools.partial(typer.prompt, default="", show_default=False)
    show = functools.partial(tell, plan, row.board, picture, where)
    found = calibrate.interview(row.panel, show, ask, print)
    if found is None:
        raise SiteError(f"wall '{wall}': nothing fits; are kind, size and modules in {site} right, and the wiring "
                        "as in docs/panels.md?")  # fmt: skip
    print(f"\nThis is how it hangs; write it to [[wall]] '{wall}' in {site}, and start its board anew:\n\n{found}")


@desks_app.command("forget")
def desk_forget(
    site: SiteFile,
    desk: Annotated[str | None, typer.Argument(help="Which desk, that is not in the site file any more.")] = None,
    every: Annotated[bool, flag("--all", help="All that desks and inputs have left behind.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Clear what a desk that is gone has left at the broker."""
    from gateway import forget

    if (desk is None) != every:
        raise SiteError("desk forget: name one desk, or --all")
    forget.run(site, desk, dry_run, as_json, noted)


@brokers.command("setup")
def broker_setup(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    user: Annotated[str | None, typer.Option(help="Who mosquitto runs as, where root sets it up.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Write all that mosquitto needs to be this house's broker: names, rights, certificates, settings."""
    from gateway.broker import setup as house_broker

    plan = read_site(site)
    if dry_run:
        print("\n".join(house_broker.rehearse(plan, site, user)))
        return
    print("\n".join(house_broker.setup(plan, site, user)))
    noted(plan, "broker-set-up", "")


@brokers.command("check")
def broker_check(site: Annotated[Path, typer.Argument(help="The site file.")], as_json: AsJson = False) -> None:
    """Try on the running broker what everybody may, and may not. Exit status 1 where something is wrong."""
    from gateway.broker import check as broker_check

    raise SystemExit(broker_check.run(read_site(site), as_json))


@brokers.command("listen")
def broker_listen(
    site: Annotated[Path | None, typer.Argument(help="The site file; none: a `callfloor up` of yours.")] = None,
    mqtt: Mqtt = None,
    topic: Annotated[str, typer.Option(help="This alone, as docs/contract.md has it: board/#.")] = "#",
    as_json: AsJson = False,
) -> None:
    """Print what is said at the broker, as it comes, until Ctrl-C; but for what sources push."""
    from boards import listen

    plan = read_site(site) if site else None
    listen.run(plan, address(mqtt, "--mqtt") if mqtt else None, listen.checked(topic), as_json)


@persons.command("invite")
def person_invite(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    role: Annotated[
        str | None, typer.Option(help="viewer (where none is given), supervisor, technician or admin.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new password for this one instead.")] = None,
    base: Annotated[str | None, typer.Option(help="The page as people open it: https://floor.example.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Print a one-time link to an account, or to a new password."""
    from gateway.people import commands as people_commands

    people_commands.invite(read_site(site), role, name, base, dry_run)


@persons.command("list")
def person_list(site: Annotated[Path, typer.Argument(help="The site file.")], as_json: AsJson = False) -> None:
    """List who may open the page, and the links that are open."""
    from gateway.people import commands as people_commands

    people_commands.list_people(read_site(site), as_json)


@persons.command("remove")
def person_remove(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    name: Annotated[str, typer.Argument(help="Whose account.")],
    dry_run: DryRun = False,
) -> None:
    """Remove an account; whoever is logged in with it is logged out at once."""
    from gateway.people import commands as people_commands

    people_commands.remove(read_site(site_first(site, name)), name, dry_run)


@tokens.command("add")
def token_add(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    name: Annotated[str, typer.Argument(help="Its name: what it is for.")],
    role: Annotated[str, typer.Option(help="wall, viewer, supervisor, technician or admin.")] = "wall",
    days: Annotated[int, typer.Option(help="It ends after so many, 400 at most.")] = 365,
    dry_run: DryRun = False,
) -> None:
    """Print a new token for a machine or a screen. It is not shown again."""
    from gateway.people import commands as people_commands

    people_commands.add_token(read_site(site_first(site, name)), name, role, days, dry_run)


@tokens.command("list")
def token_list(site: Annotated[Path, typer.Argument(help="The site file.")], as_json: AsJson = False) -> None:
    """List the tokens: what each is for and when it ends, not the tokens themselves."""
    from gateway.people import commands as people_commands

    people_commands.list_tokens(read_site(site), as_json)


@tokens.command("remove")
def token_remove(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    name: Annotated[str, typer.Argument(help="Which.")],
    dry_run: DryRun = False,
) -> None:
    """End a token; screens that logged in with it are logged out at once."""
    from gateway.people import commands as people_commands

    people_commands.remove_token(read_site(site_first(site, name)), name, dry_run)


@app.command()
def audit(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    most: Annotated[int, typer.Option("--last", min=1, help="So many rows.")] = 100,
    as_json: Annotated[bool, flag("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print what was changed and by whom, the newest last."""
    from gateway.people import commands as people_commands

    people_commands.audit(read_site(site), most, as_json)


@sim.command("board")
def sim_board(
    board: Annotated[
        str, typer.Argument(help="Which board of the site file.", autocompletion=callfloor_complete.boards)
    ],
    site: SiteFile,
    control: Annotated[str | None, typer.Option(help="Where its pins are set, HOST:PORT.")] = None,
    heap: Annotated[str, typer.Option(help="The interpreter's heap, 192k or bytes.")] = "192k",
) -> None:
    """Run one board of the site file on the real interpreter, until Ctrl-C."""
    from simulator.board import run

    plan = read_site(site)
    if control:
        address(control, "--control")
    if not re.fullmatch(r"[1-9][0-9]{0,9}[kKmM]?", heap):
        raise SiteError(f"--heap: '{heap}' is no size; it is like 192k, or a number of bytes")
    raise SystemExit(run(plan, board, control or control_of(plan, board), heap))


@sim.command("bench")
def sim_bench(
    boards: Annotated[int, typer.Option(min=1, max=100, help="So many boards.")] = 1,
    tcp: Annotated[bool, flag("--tcp", help="At socket://127.0.0.1:PORT, in place of /dev/pts/…")] = False,
    uart: Annotated[bool, flag("--uart", help="As slow as an ESP32's port, and as forgetful.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Keeps their flash memories; none: gone with them.")] = None,
) -> None:
    """Plug in boards that are not there, each a real MicroPython at a port of its own, until Ctrl-C."""
    from simulator.plugged import run

    run(boards, tcp, uart, folder)


@sim.command("floor")
def sim_floor(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """Run the people, the callers and the PBX of the site file, until Ctrl-C."""
    import asyncio

    from simulator.floor import run

    asyncio.run(run(read_site(site)))


@sim.command("day")
def sim_day(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    hours: Annotated[
        float, typer.Option(min=0.1, max=24 * 400, help="So many hours, from a midnight on.")
    ] = 24,
    out: Annotated[
        str | None, typer.Option(help="Write the AMI stream here; compressed if it ends in .gz; -: print it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same day again.")] = None,
    every: Annotated[float | None, typer.Option(min=1, help="Also a line for each so many seconds.")] = None,
    as_json: Annotated[bool, flag("--json", help="The figures as JSON, by queue.")] = False,
) -> None:
    """Live a day of the site file faster than life, and print what really happened in each queue."""
    from simulator.report import run

    run(read_site(site), hours, out, seed, every, as_json)


def main() -> None:
    """Runs the command line; callfloor_errors.py says how it ends."""
    callfloor_errors.run(functools.partial(app, prog_name="callfloor"))


if __name__ == "__main__":
    main()
