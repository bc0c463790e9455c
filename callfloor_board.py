"""The technicians' commands: `callfloor board …`, each loading what it needs only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import floorplan
from callfloor_shared import SiteFile, address, noted, noted_if_done
from floorplan import SiteError

app = typer.Typer(help="Boards, on the bench and on the floor.", no_args_is_help=True)


@app.command("usb")
def board_usb(
    root: Annotated[str, typer.Option("--sys", hidden=True)] = "/sys",
    dev: Annotated[str, typer.Option("--dev", hidden=True)] = "/dev",
) -> None:
    """List the headsets at this computer's USB, with the ports that the site file names."""
    from boards import usb

    print("\n".join(usb.listing(root, dev)))


@app.command("json")
def board_json(
    board: Annotated[str, typer.Argument(help="Which board of the site file.")],
    site: SiteFile,
    out: Annotated[Path | None, typer.Option(help="The file to write, for you alone to read: board.json.")] = None,
    pins: Annotated[str, typer.Option(help="machine, gpiozero or memory.")] = "machine",
) -> None:
    """Write what a board is told, its board.json, with a new password at the broker."""
    from boards import definition
    from gateway.broker import boards as board_accounts

    if pins not in ("machine", "gpiozero", "memory"):
        raise SiteError(f"--pins: '{pins}' is no kind of pins: machine, gpiozero or memory")
    plan = floorplan.read(site)
    row = next((row for row in plan.board if row.id == board), None)
    if row and (wrong := definition.wrong_with(row, plan.walls_of(board))):
        raise SiteError("\n".join(f"{site}: board {board}: {line}" for line in wrong))
    if out is None:
        raise SiteError(f"board json: it holds passwords and is printed nowhere; name a file: --out {board}.json")
    with noted_if_done(plan, "board-made", board) as done:
        print(board_accounts.provision(plan, board, {"kind": pins}, out).words)
        done.append(True)


@app.command("revoke")
def board_revoke(
    board: Annotated[str, typer.Argument(help="Which board.")],
    site: SiteFile,
) -> None:
    """Shut a board out that is stolen or lost, its live connection too, and try that it is."""
    from gateway.broker import boards as board_accounts

    plan = floorplan.read(site)
    with noted_if_done(plan, "board-revoked", board) as done:
        told = board_accounts.revoke(plan, board)
        done.append(True)
    print(told.words)
    raise SystemExit(0 if told.good else 1)


@app.command("rotate")
def board_rotate(
    site: SiteFile,
    board: Annotated[str | None, typer.Argument(help="Which board of the site file.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All boards that have a password, one by one.")] = False,
) -> None:
    """Give boards new passwords where they stand; no password travels."""
    from gateway.broker import boards as board_accounts

    if (board is None) != every:
        raise SiteError("board rotate: name one board, or --all")
    plan = floorplan.read(site)
    good = True
    names = [board] if board else board_accounts.boards_with_passwords(plan)
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
    desk: Annotated[str, typer.Argument(help="Which desk of the site file.")],
    site: SiteFile,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="For so long.")] = 20,
    out: Annotated[Path | None, typer.Option(help="The file to write; none: print it.")] = None,
    mqtt: Annotated[
        str | None, typer.Option(help="The broker, HOST:PORT, where it is not the site file's.")
    ] = None,
) -> None:
    """Record what a desk's pins do, and what its board says of them, as a trace that tests can play."""
    from boards.record import run

    plan = floorplan.read(site)
    run(plan, desk, seconds, out, address(mqtt, "--mqtt") if mqtt else None)
    noted(plan, "board-commanded", f"recorded desk {desk}")


@app.command("play")
def board_play(
    files: Annotated[list[Path], typer.Argument(help="Recordings of desks, as `board record` writes them.")],
) -> None:
    """Play recordings to the boards' own logic: what it says, and whether that is what the file says it must."""
    from boards.play import play

    raise SystemExit(play(files))
