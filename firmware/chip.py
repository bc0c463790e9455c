"""What only a microcontroller does at its start."""

import os

import machine


def why_started() -> str:
    """What the chip says about its last reset."""
    cause = machine.reset_cause()
    for name in ("PWRON_RESET", "WDT_RESET", "SOFT_RESET", "HARD_RESET", "DEEPSLEEP_RESET"):
        if getattr(machine, name, None) == cause:
            return name[:-6].lower()
    return "cause %d" % cause


def stay() -> None:
    """Leaves the line that starts the board at power-on, where there is none yet."""
    if "main.py" not in os.listdir("/"):
        with open("/main.py", "w") as file:
            file.write("import firmware.main\n")
