"""Starts gateways quickly, for a test that kills hundreds: what they import is loaded once, each is a fork.

    python -m tests.gateway_forks SITE HOST PORT

A line on standard input starts one; its process id is printed. Whoever asked ends it.
"""

import logging
import os
import signal
import sys
from pathlib import Path

import floorplan
from gateway import erlang, service, store  # noqa: F401  # loaded before the forks
from wallboard import mirror  # noqa: F401


def main() -> None:
    site, host, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                logging.basicConfig(level=logging.INFO, filename=site.with_name("gateway.log"))
                service.serve(floorplan.read(site), host, port)
            finally:
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
