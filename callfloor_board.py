"""The technicians' commands: `callfloor board …`, each loading what it needs only when it is called."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import callfloor_complete
from callfloor_shared import AsJson, DryRun, Mqtt, SiteFile, address, flag, noted, noted_if_done, read_site
from site_error import SiteError

if TYPE_CHECKING:
    from boards.bench.making import Asked

app = typer.Typer(help="Boards, on the bench and on the floor.", no_args_is_help=True)


@app.command("usb")
def board_usb(
    root: Annotated[str, typer.Option("--sys", hidden=True)] = "/sys",
    dev: Annotated[str, typer.Option("--dev", hidden=True)] = "/dev",
    as_json: AsJson = False,
) -> None:
    """List the headsets at this computer's USB, with the ports that the site file names."""
    from boards import usb

    if as_json:
        print(json.dumps([device._asdict() for device in usb.devices(root, dev)]))
        return
    print("\n".join(usb.listing(root, dev)))


@app.command("json")
def board_json(
    site: SiteFile,
    board: Annotated[
        str | None, typer.Argument(help="Which board of the site file.", autocompletion=callfloor_complete.boards)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write, for you alone to read: board.json.")] = None,
    pins: Annotated[str, typer.Option(help="machine, gpiozero or memory.")] = "machine",
    every: Annotated[
        bool, flag("--all", help="All boards, into the folder --out, with the passwords that they have.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Write what a board is told, its board.json, with a new password at the broker."""
    from boards import definition
    from gateway.broker import boards as board_accounts

    if pins not in ("machine", "gpiozero", "memory"):
        raise SiteError(f"--pins: '{pins}' is no kind of pins: machine, gpiozero or memory")
    plan = read_site(site)
    if (board is None) != every:
        raise SiteError("board json: name one board, or --all and a folder, --out FOLDER")
    if board is None:
        print("\n".join(board_accounts.write_all(plan, out, dry_run)))
        if not dry_run:
            noted(plan, "board-made", "board.json of all boards")
        return
    row = next((row for row in plan.board if row.id == board), None)
    if row and (wrong := definition.wrong_with(row, plan.walls_of(board))):
        raise SiteError("\n".join(f"{site}: board {board}: {line}" for line in wrong))
    if out is None:
        raise SiteError(f"board json: it holds passwords and is printed nowhere; name a file: --out {board}.json")
    if dry_run:
        import floorplan

        floorplan.board_json(plan, board, {"kind": pins}, "a new one")
        print(f"would write {out}: what board '{board}' is told, with a new password where the broker's accounts are "
              "on this computer")  # fmt: skip
        return
    given = definition.told(row, pins) if row else {"kind": pins}
    with noted_if_done(plan, "board-made", board) as done:
        print(board_accounts.provision(plan, board, given, out).words)
        done.append(True)


@app.command("revoke")
def board_revoke(
    board: Annotated[str, typer.Argument(help="Which board.", autocompletion=callfloor_complete.boards)],
    site: SiteFile,
    dry_run: DryRun = False,
) -> None:
    """Shut a board out that is stolen or lost, its live connection too, and try that it is."""
    from gateway.broker import boards as board_accounts

    plan = read_site(site)
    if dry_run:
        board_accounts.may_revoke(plan, board)
        print(f"would shut board '{board}' out: its account at the broker is removed, and its live connection ends")
        return
    with noted_if_done(plan, "board-revoked", board) as done:
        told = board_accounts.revoke(plan, board)
        done.append(True)
    print(told.words)
    raise SystemExit(0 if told.good else 1)


@app.command("rotate")
def board_rotate(
    site: SiteFile,
    board: Annotated[
        str | None, typer.Argument(help="Which board of the site file.", autocompletion=callfloor_complete.boards)
    ] = None,
    every: Annotated[bool, flag("--all", help="All boards that have a password, one by one.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Give boards new passwords where they stand; no password travels."""
    from gateway.broker import boards as board_accounts

    if (board is None) != every:
        raise SiteError("board rotate: name one board, or --all")
    plan = read_site(site)
    good = True
    names = [board] if board else board_accounts.boards_with_passwords(plan)
    if dry_run:
        board_accounts.may_rotate(plan, names)
        print(f"would give {', '.join(names) or 'nobody'} new passwords, where they stand")
        return
    if not names:
        print("no board has a password yet: `callfloor broker setup` makes them")
    each = board_accounts.rotate_all(plan, names)
    for name in names:
        with noted_if_done(plan, "board-rotated", name) as done:
            told = next(each)
            done.append(told.good)
        print(told.words, flush=True)
        good = good and told.good
    raise SystemExit(0 if good else 1)


@app.command("record")
def board_record(
    desk: Annotated[str, typer.Argument(help="Which desk of the site file.", autocompletion=callfloor_complete.desks)],
    site: SiteFile,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="For so long.")] = 20,
    out: Annotated[Path | None, typer.Option(help="The file to write; none: print it.")] = None,
    mqtt: Mqtt = None,
) -> None:
    """Record what a desk's pins do, and what its board says of them, as a trace that tests can play."""
    from boards.record import run

    plan = read_site(site)
    run(plan, desk, seconds, out, address(mqtt, "--mqtt") if mqtt else None)
    noted(plan, "board-commanded", f"recorded desk {desk}")


@app.command("play")
def board_play(
    files: Annotated[list[Path], typer.Argument(help="Recordings of desks, as `board record` writes them.")],
    as_json: AsJson = False,
) -> None:
    """Play recordings to the boards' own logic: what it says, and whether that is what the file says it must."""
    from boards.play import play

    raise SystemExit(play(files, as_json))


SomeBoards = Annotated[
    list[str], typer.Argument(help="Boards of the site file; all: every one.", autocompletion=callfloor_complete.boards)
]


@app.command("check")
def board_check(
    site: SiteFile,
    board: Annotated[
        str | None, typer.Argument(help="Which board: all its desks.", autocompletion=callfloor_complete.boards)
    ] = None,
    desk: Annotated[str | None, typer.Option(help="This desk alone.", autocompletion=callfloor_complete.desks)] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, max=3600, help="Ask nobody: watch for so long, and judge what was seen.")
    ] = None,
    mqtt: Mqtt = None,
    as_json: AsJson = False,
) -> None:
    """Try a desk's wires step by step, its levels live, and say which is wrong. Exit status 1 where one is."""
    from boards.bench import check

    plan = read_site(site)
    row = check.place_of(plan, board, desk)
    where = address(mqtt, "--mqtt") if mqtt else None
    what = f"checked the wires of {f'desk {desk}' if desk else f'board {row.id}'}"
    raise SystemExit(
        check.run(plan, row.id, desk, seconds, where, as_json, begun=lambda: noted(plan, "board-commanded", what))
    )


@app.command("watch")
def board_watch(
    site: SiteFile,
    boards: Annotated[
        list[str] | None, typer.Argument(help="Which boards; none: all.", autocompletion=callfloor_complete.boards)
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so long.")] = None,
    mqtt: Mqtt = None,
    as_json: AsJson = False,
) -> None:
    """Follow boards' readings and health, live: a table at a terminal, else a line for each change."""
    from boards.bench import watch

    where = address(mqtt, "--mqtt") if mqtt else None
    watch.run(read_site(site), boards or [], where, seconds, as_json, sys.stdout.isatty())


@app.command("identify")
def board_identify(
    boards: SomeBoards,
    site: SiteFile,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="For so long.")] = 10,
    mqtt: Mqtt = None,
    as_json: AsJson = False,
) -> None:
    """Have boards show themselves, several at once: their lamps blink, their walls show a frame."""
    from boards.bench import identify

    plan = read_site(site)
    names = identify.named(plan, boards)
    where = address(mqtt, "--mqtt") if mqtt else None
    with noted_if_done(plan, "board-commanded", f"identified {identify.shortly(names)}") as done:
        status = identify.run(plan, names, "identify", seconds, where, as_json)
        done.append(True)
    raise SystemExit(status)


@app.command("restart")
def board_restart(
    boards: SomeBoards,
    site: SiteFile,
    mqtt: Mqtt = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Have boards begin anew. One that is a program on a computer is started again where it runs."""
    from boards.bench import identify

    plan = read_site(site)
    names = identify.named(plan, boards)
    if dry_run:
        identify.rehearse(plan, names, as_json)
        return
    where = address(mqtt, "--mqtt") if mqtt else None
    with noted_if_done(plan, "board-commanded", f"restarted {identify.shortly(names)}") as done:
        status = identify.run(plan, names, "restart", 1, where, as_json)
        done.append(True)
    raise SystemExit(status)


@app.command("log")
def board_log(
    port: Annotated[str, typer.Argument(help="Where the board is plugged in: COM3, /dev/ttyACM0, socket://HOST:PORT.")],
    as_json: AsJson = False,
) -> None:
    """Print the last words of a board with debug = true: what it said before it began again."""
    from boards.bench.log import last_words

    lines = last_words(port)
    print(json.dumps({"port": port, "lines": lines}) if as_json else "\n".join(lines))


@app.command("mirror")
def board_mirror(
    folder: Annotated[
        Path | None, typer.Option("--mirror", help="The folder; else CALLFLOOR_MIRROR, or one of your own.")
    ] = None,
    images: Annotated[
        list[str] | None, typer.Option("--image", help="For this kind of board, pico-w; can be given again. None: all.")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--from", help="Another mirror's address or folder; else MicroPython's own site.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="MicroPython's, 1.28.0; else its newest release.")] = None,
    check: Annotated[bool, flag("--check", help="Reckon all sums again, and fetch nothing.")] = False,
    add: Annotated[Path | None, typer.Option(help="Take an image that was downloaded by hand.")] = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Fetch MicroPython's images and packages once: then boards are made without internet, all held to their sums."""
    from boards.bench import fill

    raise SystemExit(fill.run(folder, images or [], where, version, check, add, as_json, dry_run))


MaySite = Annotated[Path | None, typer.Option("--site", help="The site file.")]
Ports = Annotated[
    list[str] | None, typer.Option("--port", help="COM3, /dev/ttyACM0, socket://HOST:PORT; none: what is plugged in.")
]
Patience = Annotated[
    float, typer.Option(min=1, max=600, help="So many seconds a silent board is waited for; a hello six times as long.")
]
OneBoard = Annotated[
    str | None, typer.Argument(help="Which board of the site file.", autocompletion=callfloor_complete.boards)
]
OneDesk = Annotated[
    str | None, typer.Option(help="The board of this desk.", autocompletion=callfloor_complete.desks)
]
Next = Annotated[bool, flag("--next", help="The first board of the plan that was not made yet.")]
Every = Annotated[bool, flag("--all", help="Every plugged board, all at once.")]
ToldFiles = Annotated[
    Path | None, typer.Option("--told", help="In place of --site: a board.json, or a folder of them.")
]
Mirrored = Annotated[Path | None, typer.Option(help="The folder that `board mirror` filled, if not the usual one.")]
NoWait = Annotated[bool, flag("--no-wait", help="Do not wait for the board's hello, nor for a pin.")]
Yes = Annotated[bool, flag("--yes", help="Ask nothing: also a board that is another already becomes this one.")]
LabelFile = Annotated[Path | None, typer.Option("--labels", help="Labels of what was made: FILE.svg or FILE.pdf.")]


@app.command("list")
def board_list(
    site: MaySite = None,
    port: Ports = None,
    watch: Annotated[bool, flag("--watch", help="Live, until Ctrl-C: what comes, and what goes.")] = False,
    no_probe: Annotated[bool, flag("--no-probe", help="Ask no board: no program is stopped for it.")] = False,
    patience: Patience = 4,
    as_json: AsJson = False,
) -> None:
    """Show what is plugged in at this computer: what it runs, which board it is, what is new to us."""
    from boards.bench import listing

    plan = read_site(site) if site else None
    show = listing.watch if watch else listing.run
    show(plan, site, port or [], not no_probe, as_json, patience)


@app.command("flash")
def board_flash(
    board: OneBoard = None,
    site: MaySite = None,
    desk: OneDesk = None,
    next_one: Next = False,
    every: Every = False,
    told: ToldFiles = None,
    port: Ports = None,
    drive: Annotated[Path | None, typer.Option(help="Where an RP2 shows its boot drive.")] = None,
    image: Annotated[Path | None, typer.Option(help="This image of MicroPython, whatever is on the board.")] = None,
    mirror: Mirrored = None,
    no_wait: NoWait = False,
    yes: Yes = False,
    labels: LabelFile = None,
    mqtt: Mqtt = None,
    patience: Patience = 10,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make plugged boards work: image, firmware, board.json, start, and the proof. Again: what is missing alone."""
    asked = _asked(
        mqtt, port, no_wait, dry_run, board=board, desk=desk, next=next_one, every=every, drive=drive, image=image,
        mirror=mirror, yes=yes, as_json=as_json, labels=labels, patience_s=patience,
    )  # fmt: skip
    raise SystemExit(_made(asked, site, told))


@app.command("provision")
def board_provision(
    board: OneBoard = None,
    site: MaySite = None,
    desk: OneDesk = None,
    next_one: Next = False,
    every: Every = False,
    told: ToldFiles = None,
    port: Ports = None,
    mirror: Mirrored = None,
    no_wait: NoWait = False,
    yes: Yes = False,
    labels: LabelFile = None,
    mqtt: Mqtt = None,
    patience: Patience = 10,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """The same for boards that run MicroPython already: no image is put on."""
    asked = _asked(
        mqtt, port, no_wait, dry_run, board=board, desk=desk, next=next_one, every=every, mirror=mirror,
        with_image=False, yes=yes, as_json=as_json, labels=labels, patience_s=patience,
    )  # fmt: skip
    raise SystemExit(_made(asked, site, told))


def _asked(mqtt: str | None, port: list[str] | None, no_wait: bool, dry_run: bool, **more: Any) -> Asked:
    """What flash, provision and replace were asked for, as making.Asked names it."""
    from boards.bench.making import Asked

    where = address(mqtt, "--mqtt") if mqtt else None
    return Asked(ports=tuple(port or ()), wait=not no_wait, dry=dry_run, mqtt=where, **more)


def _made(asked: Asked, site: Path | None, told: Path | None) -> int:
    """Makes the boards; whoever got a new board.json or other files stands in the audit list, whatever happens then."""
    from boards.bench import making

    if (site is None) == (told is None):
        raise SiteError("give --site SITE.toml, or --told board.json, all that a board needs")
    if site is None:
        assert told
        return making.by_files(told, asked)
    from gateway.broker.boards import Giver

    plan = read_site(site)
    giver = Giver(plan)
    try:
        return making.by_site(plan, site, giver, asked)
    finally:
        for name in dict.fromkeys([*giver.made, *(one.board for one in asked.done if one.sent and not one.dry)]):
            noted(plan, "board-made", name)


@app.command("labels")
def board_labels(
    site: SiteFile,
    boards: Annotated[
        list[str] | None, typer.Argument(help="Which boards; none: all.", autocompletion=callfloor_complete.boards)
    ] = None,
    out: Annotated[Path, typer.Option(help="FILE.svg or FILE.pdf: sheets of A4, 24 labels each.")] = Path("labels.pdf"),
    dry_run: DryRun = False,
) -> None:
    """Write labels for boards: desks in large letters, the board, and a code for a phone. No secret is in them."""
    from boards.bench import labels

    plan = read_site(site)
    for path in labels.write(plan, boards or [], out, dry_run):
        print(f"would write {path}" if dry_run else f"{path}: written")


@app.command("replace")
def board_replace(
    old: Annotated[str, typer.Argument(help="The board that goes.", autocompletion=callfloor_complete.boards)],
    site: SiteFile,
    new: Annotated[
        str | None,
        typer.Argument(
            help="A spare board of the site file; none: a new one from the box becomes OLD.",
            autocompletion=callfloor_complete.boards,
        ),
    ] = None,
    port: Ports = None,
    drive: Annotated[Path | None, typer.Option(help="Where an RP2 shows its boot drive.")] = None,
    image: Annotated[Path | None, typer.Option(help="This image of MicroPython, whatever is on the board.")] = None,
    mirror: Mirrored = None,
    no_wait: NoWait = False,
    yes: Yes = False,
    mqtt: Mqtt = None,
    patience: Patience = 10,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give a board's desks to a new one from the box, which becomes OLD; or to NEW, in the site file."""
    import floorplan
    from boards.bench import BenchError, made, replace

    plan = read_site(site)
    if new is None:
        before = made.read(made.file_of(site)).get(old)
        file = next((floorplan.board_secret_file(plan, row) for row in plan.board if row.id == old), None)
        password = floorplan.secret(file) if file and file.exists() else None
        asked = _asked(mqtt, port, no_wait, dry_run, board=old, drive=drive, image=image, mirror=mirror, yes=yes,
                       as_json=as_json, patience_s=patience)  # fmt: skip
        status = _made(asked, site, None)
        for one in () if dry_run else asked.done:
            changed = file is not None and floorplan.secret(file) != password
            typer.echo(replace.became(old, before, one.chip, changed), err=as_json)
            if before is None or before.chip != one.chip:
                noted(plan, "board-replaced", f"{old} by a new one")
        raise SystemExit(status)
    if port or drive or image:
        raise BenchError(f"--port, --drive and --image are for a new board from the box: leave '{new}' out")
    change = replace.planned(site, plan, old, new)
    steps = replace.next_steps(site, plan, old, new)
    if as_json:
        print(json.dumps({"file": str(site), "change": change.lines(), "next": steps}))
    else:
        print("\n".join(change.lines()))
    if dry_run:
        return
    if not yes and (as_json or not sys.stdin.isatty() or not typer.confirm(f"Write this to {site}?")):
        raise BenchError(f"{site}: nothing is written; with --yes nobody is asked")
    replace.write(change)
    noted(plan, "board-replaced", f"{old} by {new}")
    if not as_json:
        print("\n".join([f"{site}: written. What is left to do:", *steps]))
