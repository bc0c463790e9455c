"""Starts gateways quickly, for a test that kills hundreds: what they import is loaded once, each is a fork.

    python -m tests.gateway_forks HOST

A line on standard input, `PORT SITE`, starts one; its process id is printed. Whoever asked ends it.
"""

import gc
import logging
import os
import signal
import sys
from pathlib import Path

import floorplan
from boards.bench import bundle
from gateway import erlang, service, store  # noqa: F401  # loaded before the forks
from wallboard import mirror  # noqa: F401


def main() -> None:
    host = sys.argv[1]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    bundle.brought()  # once, for all of them
    gc.freeze()  # what is loaded is not copied
    for line in sys.stdin:
        port, _, path = line.rstrip("\n").partition(" ")
        site = Path(path)
        child = os.fork()
        if child == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                logging.basicConfig(level=logging.INFO, filename=site.with_name("gateway.log"))
                service.serve(floorplan.read(site), host, int(port))
            finally:
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
