"""Runs the test_ functions of one file on MicroPython: `micropython run.py FILE`.

It prints a line a test and ends with 1 if one fails. `MICROPYPATH` names the root of the project.
CPython needs none of this: pytest collects the same files.
"""

import sys


def run(path):
    """The number of tests in the file that failed."""
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder)
    module = __import__(name[:-3])
    failed = 0
    for test in sorted(dir(module)):
        if not test.startswith("test_"):
            continue
        try:
            getattr(module, test)()
            print("ok", test)
        except Exception as error:
            failed += 1
            print("failed", test)
            sys.print_exception(error)  # type: ignore[attr-defined]
    return failed


sys.exit(1 if run(sys.argv[1]) else 0)
