"""What a board runs: `firmware/main.py` starts it."""

import sys

if sys.implementation.name == "micropython":
    from micropython import opt_level

    opt_level(3)  # errors name functions, not lines: a hundredth of a board's memory
