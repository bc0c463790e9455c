"""The front door: the commands of `callfloor`, each loading what it needs only when it is called."""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

import callfloor_board
import floorplan
from callfloor_shared import SiteFile, address, control_of, day, noted
from floorplan import SiteError

EXAMPLE = Path(__file__).with_name("simulator") / "example.toml"

app = typer.Typer(
    help="The open call-floor hardware controller.", no_args_is_help=True, add_completion=False,
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
app.add_typer(persons, name="person")
app.add_typer(tokens, name="token")


@app.command()
def up(
    site: Annotated[Path | None, typer.Argument(help="The site file; none: the example floor.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so long.")] = None,
    web: Annotated[str, typer.Option(help="Where the page is served, HOST:PORT.")] = "127.0.0.1:8080",
    mqtt: Annotated[str | None, typer.Option(help="Where a broker of its own listens, HOST:PORT.")] = None,
    desks: Annotated[int | None, typer.Option(min=1, max=5000, help="So many simulated desks.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read the site file, say what is wrong, end.")
    ] = False,
) -> None:
    """Start the floor: the gateway, and what the site file leaves to us (broker, simulator)."""
    import callfloor_up

    path = site or EXAMPLE
    if check:
        from boards import definition
        from gateway import messages
        from wallboard.compile import compile

        plan = floorplan.read(path)
        missing, unwise = callfloor_up.check_files(plan)
        missing += callfloor_up.check_queues(plan)
        scenes = {wall.id: compile(wall, plan) for wall in plan.wall}
        unwise += [line for scene in scenes.values() for line in scene.warnings]
        unwise += messages.warnings(plan, {name: scene.band for name, scene in scenes.items()})
        for line in unwise:
            print(f"{path}: warning: {line}", file=sys.stderr)
        if wrong := definition.check(plan) + missing:
            raise SiteError("\n".join(f"{path}: {line}" for line in wrong))
        print(f"{path}: good. {len(plan.desk)} desks, {len(plan.board)} boards, "
              f"{len(plan.queue)} queues, {len(plan.wall)} walls.")  # fmt: skip
        return
    raise SystemExit(
        callfloor_up.up(
            path, address(web, "--web"), address(mqtt, "--mqtt") if mqtt else None, desks, seconds
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
    queue: Annotated[str | None, typer.Option(help="This queue alone.")] = None,
) -> None:
    """Print what is kept of the queues, as CSV; the gateway may be running."""
    from gateway import export

    plan = floorplan.read(site)
    assert plan.history.path
    dates = day(first, "--from"), day(last, "--to")
    sys.stdout.writelines(export.rows(plan.history.path, plan, by, *dates, queue))


@app.command()
def replay(
    file: Annotated[str, typer.Argument(help="A recorded AMI stream, plain or gzip; -: standard input.")],
    within: Annotated[int, typer.Option(min=1, max=3600, help="X of the service level, in seconds.")] = 20,
    formula: Annotated[str, typer.Option(help="One of the five; see docs/figures.md.")] = (
        floorplan.Target().formula
    ),
    every: Annotated[
        float | None, typer.Option(min=1, help="Also a line for each so many seconds of the recording.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Read a recording of an Asterisk as if it were live, and print each queue's figures."""
    from gateway.replay import run

    run(file, within, formula, every, as_json)


@app.command(hidden=True)
def gateway(site: SiteFile, web: Annotated[str, typer.Option()] = "127.0.0.1:8080") -> None:
    """Run the gateway alone: what `up` starts when there is more to start."""
    from gateway.service import serve

    serve(floorplan.read(site), *address(web, "--web"))


@app.command()
def station(
    board: Annotated[str | None, typer.Argument(help="Which board of the site file this computer is.")] = None,
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
    from wallboard import station

    if control:
        address(control, "--control")
    if (site is None) == (file is None) or (site and board is None):
        raise SiteError("station: give BOARD and --site SITE.toml, or --told board.json, all that a board needs")
    plan = floorplan.read(site) if site else None
    if plan and board:
        control = control or control_of(plan, board)
    told = {"kind": pins, "control": control, "chip": chip, "sys": root, "dev": dev}
    given = {key: value for key, value in told.items() if value is not None}
    if plan and board:
        settings = floorplan.board_json(plan, board, given)
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
) -> None:
    """Print the udev rule that lets a station read USB headsets."""
    from boards import udev

    print(udev.rules(group, vendor or []), end="")


@phones.command("urls")
def phone_urls(
    site: SiteFile,
    desk: Annotated[str | None, typer.Argument(help="Which desk of the site file; none: all.")] = None,
    base: Annotated[
        str | None, typer.Option(help="The gateway as phones reach it: http://10.0.0.2:8080.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All phones, make by make.")] = False,
) -> None:
    """Print what to paste into an IP phone so that it tells. The site's token for phones is in it."""
    from gateway.phones.urls import urls

    if every and desk is not None:
        raise SiteError(f"--all: prints all phones; leave it out for desk '{desk}' alone")
    sys.stdout.write(urls(floorplan.read(site), desk, base))


@walls.command("preview")
def wall_preview(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    wall: Annotated[str | None, typer.Option(help="Which wall of it; none: all.")] = None,
    png: Annotated[Path | None, typer.Option(help="The file to write; without --wall a folder.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="DISTANCE", help="As an eye sees it from there: 15m.")
    ] = None,
    page: Annotated[int | None, typer.Option(help="This page alone, 1 being the first.")] = None,
    figures: Annotated[str, typer.Option(help="busy, quiet, old or off.")] = "busy",
    language: Annotated[str | None, typer.Option(help="Names in this language alone: ar.")] = None,
) -> None:
    """Draw walls as their lights will look, and say what cannot be read on them."""
    from wallboard import preview

    preview.run(floorplan.read(site), wall, png, at, page, figures, language)


@walls.command("test")
def wall_test(
    wall: Annotated[str, typer.Argument(help="Which wall of the site file.")],
    site: SiteFile,
    mqtt: Annotated[
        str | None, typer.Option(help="The broker, HOST:PORT, where it is not the site file's.")
    ] = None,
) -> None:
    """Show a picture on a wall, and find out by three questions how its modules hang and stand."""
    from boards.command import tell
    from wallboard import calibrate

    plan = floorplan.read(site)
    row = calibrate.wall_of(plan, wall)
    if row.board is None:
        raise SiteError(f"wall '{wall}' hangs on no board: open its page in the browser, and look")
    noted(plan, "board-commanded", f"tested wall {wall}")
    wired = row.panel.kind in floorplan.WIRED
    show = functools.partial(
        tell, plan, row.board, {"do": "test", "seconds": 60, "picture": 1 if wired else None},
        address(mqtt, "--mqtt") if mqtt else None,
    )  # fmt: skip
    if not wired:
        show()
        print(f"wall '{wall}' shows a frame at its edge, four colours and the figures for 60 s")
        return
    ask = functools.partial(typer.prompt, default="", show_default=False)
    found = calibrate.interview(row.panel, show, ask, print)
    if found is None:
        raise SiteError(f"wall '{wall}': nothing fits; are kind, size and modules in {site} right, and the wiring "
                        "as in docs/panels.md?")  # fmt: skip
    print(f"\nThis is how it hangs; write it to [[wall]] '{wall}' in {site}, and start its board anew:\n\n{found}")


@brokers.command("setup")
def broker_setup(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    user: Annotated[str | None, typer.Option(help="Who mosquitto runs as, where root sets it up.")] = None,
) -> None:
    """Write all that mosquitto needs to be this house's broker: names, rights, certificates, settings."""
    from gateway.broker import setup as house_broker

    plan = floorplan.read(site)
    print("\n".join(house_broker.setup(plan, site, user)))
    noted(plan, "broker-set-up", "")


@brokers.command("check")
def broker_check(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """Try on the running broker what everybody may, and may not. Exit status 1 where something is wrong."""
    from gateway.broker import check as broker_check

    raise SystemExit(broker_check.run(floorplan.read(site)))


@brokers.command("listen")
def broker_listen(
    site: Annotated[Path | None, typer.Argument(help="The site file; none: a `callfloor up` of yours.")] = None,
    mqtt: Annotated[
        str | None, typer.Option(help="The broker, HOST:PORT, where it is not the site file's.")
    ] = None,
    topic: Annotated[str, typer.Option(help="This alone, as docs/contract.md has it: board/#.")] = "#",
) -> None:
    """Print what is said at the broker, as it comes, until Ctrl-C; but for what sources push."""
    from boards import listen

    plan = floorplan.read(site) if site else None
    listen.run(plan, address(mqtt, "--mqtt") if mqtt else None, listen.checked(topic))


@persons.command("invite")
def person_invite(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    role: Annotated[
        str | None, typer.Option(help="viewer (where none is given), supervisor, technician or admin.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new password for this one instead.")] = None,
    base: Annotated[str | None, typer.Option(help="The page as people open it: https://floor.example.")] = None,
) -> None:
    """Print a one-time link to an account, or to a new password."""
    from gateway.people import commands as people_commands

    people_commands.invite(floorplan.read(site), role, name, base)


@persons.command("list")
def person_list(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """List who may open the page, and the links that are open."""
    from gateway.people import commands as people_commands

    people_commands.list_people(floorplan.read(site))


@persons.command("remove")
def person_remove(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    name: Annotated[str, typer.Argument(help="Whose account.")],
) -> None:
    """Remove an account; whoever is logged in with it is logged out at once."""
    from gateway.people import commands as people_commands

    people_commands.remove(floorplan.read(site), name)


@tokens.command("add")
def token_add(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    name: Annotated[str, typer.Argument(help="Its name: what it is for.")],
    role: Annotated[str, typer.Option(help="wall, viewer, supervisor, technician or admin.")] = "wall",
    days: Annotated[int, typer.Option(help="It ends after so many, 400 at most.")] = 365,
) -> None:
    """Print a new token for a machine or a screen. It is not shown again."""
    from gateway.people import commands as people_commands

    people_commands.add_token(floorplan.read(site), name, role, days)


@tokens.command("list")
def token_list(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """List the tokens: what each is for and when it ends, not the tokens themselves."""
    from gateway.people import commands as people_commands

    people_commands.list_tokens(floorplan.read(site))


@tokens.command("remove")
def token_remove(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    name: Annotated[str, typer.Argument(help="Which.")],
) -> None:
    """End a token; screens that logged in with it are logged out at once."""
    from gateway.people import commands as people_commands

    people_commands.remove_token(floorplan.read(site), name)


@app.command()
def audit(
    site: Annotated[Path, typer.Argument(help="The site file.")],
    most: Annotated[int, typer.Option("--last", min=1, help="So many rows.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print what was changed and by whom, the newest last."""
    from gateway.people import commands as people_commands

    people_commands.audit(floorplan.read(site), most, as_json)


@sim.command("board")
def sim_board(
    board: Annotated[str, typer.Argument(help="Which board of the site file.")],
    site: SiteFile,
    control: Annotated[str | None, typer.Option(help="Where its pins are set, HOST:PORT.")] = None,
    heap: Annotated[str, typer.Option(help="The interpreter's heap, 192k or bytes.")] = "192k",
) -> None:
    """Run one board of the site file on the real interpreter, until Ctrl-C."""
    from simulator.board import run

    plan = floorplan.read(site)
    if control:
        address(control, "--control")
    if not re.fullmatch(r"[1-9][0-9]{0,9}[kKmM]?", heap):
        raise SiteError(f"--heap: '{heap}' is no size; it is like 192k, or a number of bytes")
    raise SystemExit(run(plan, board, control or control_of(plan, board), heap))


@sim.command("floor")
def sim_floor(site: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """Run the people, the callers and the PBX of the site file, until Ctrl-C."""
    import asyncio

    from simulator.floor import run

    asyncio.run(run(floorplan.read(site)))


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
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON, by queue.")] = False,
) -> None:
    """Live a day of the site file faster than life, and print what really happened in each queue."""
    from simulator.report import run

    run(floorplan.read(site), hours, out, seed, every, as_json)


def main() -> None:
    """The one place where errors end: a line on the error output, and exit status 1."""
    from boards.bench import BenchError
    from boards.command import CommandError
    from boards.record import RecordError
    from firmware.start import StartError
    from gateway.broker.accounts import AccountsError
    from gateway.broker.authority import AuthorityError
    from gateway.broker.trial import BrokerError
    from gateway.people.people import PeopleError
    from gateway.replay import ReplayError
    from gateway.store import StoreError

    try:
        app()
    except (
        SiteError, AccountsError, AuthorityError, BrokerError, StartError, StoreError, PeopleError, ReplayError,
        RecordError, CommandError, BenchError,
    ) as error:  # fmt: skip
        print(f"callfloor: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
