"""What boards say of their inputs: the part of the contract that a board without inputs has no room for.

Rows as in `firmware/contract.py`, which adds them to its table everywhere but on a board; there it is done by
`firmware/inputs.py`.
"""

# What every reading carries. No clock: the gateway counts back from its arrival.
READING = (
    # A line or a headset that is not there; a contact faster than any hand, bell or lamp; a device that reports
    # faster than it has to; one that says what cannot be; one this program may not read; one that fails.
    "why? one-of unplugged chatter flood rubbish forbidden broken;"  # why a sensor that is there tells nothing
    "seq int;"  # counts this input's readings since the board started, from 1
    "boot text 8;"  # which start of the board that was
    "age_ms int"  # how long ago it changed, when it was sent
)

INPUTS = (
    # One desk phone, as the wire shows it.
    ("board/+/input/+/phone", "board", True, 1, 128, (
        "state one-of idle ringing talking held unknown;"  # unknown: see why; or nothing read yet
    ) + READING),
    # One headset. Never false where there is no sensor: null.
    ("board/+/input/+/headset", "board", True, 1, 224, (
        "link? flag;"  # headset and base hear each other
        "in_call? flag;"  # the base says that a call is on
        "ringing? flag;"  # it rings
        "muted? flag;"  # the microphone is off
        "docked? flag;"  # it lies in its cradle
        "worn? flag;"  # it is on a head
    ) + READING),
    # Pins as they are, on command and for 60 s only: for the bench. Levels as the message begins, and each change
    # since, looked for as often as the inputs are read. A gap in seq is a message lost; the next has the levels again.
    ("board/+/raw", "board", False, 0, 1024, (
        "boot text 8;"  # the start it speaks of
        "id text 16;"  # of the command that asked for it
        "seq int;"  # counts the messages of one recording, from 0
        "ms int 65535;"  # when this message begins, since the recording began
        "until_ms int 65535;"  # up to when it tells
        "pins numbers 64;"  # levels at `ms`: 0 and 1; millivolts for analogue pins; null: cannot be read
        # Three numbers a change: ms, the pin's place among those of `pins` in the alphabet's order, its level. A
        # place behind the last: the board was held up, and nothing was looked at for so many ms before.
        "rows items 150;"  # changes: ms, place of the pin, level, and so on
        "said items 2;"  # what was said of the input: ms, input, phone or headset, its fields, since when (ms)
        "thinned int;"  # changes so far that found no room: told later, or never
        "last flag"  # the recording is over
    )),
)
