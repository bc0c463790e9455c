"""The parts of the contract that `firmware/contract.py` adds to its table at once, everywhere but on a board."""

from firmware.conclusions import CONCLUSIONS
from firmware.contract_inputs import INPUTS
from firmware.contract_panels import PANELS

# The command line and the gateway, both by the gateway's own login: `callfloor reload`.
HOUSEKEEPING = (
    # What the gateway should do itself. Boards and sources may neither say nor read this.
    ("gateway/command", "gateway", False, 1, 320, (
        "id text 16;"  # the answer repeats it
        "do one-of look reload;"  # look: only say what differs between the site file and the floor that runs
        "seen? text 16;"  # reload: the digest of the file that was looked at; null: as it is now
        "who? text 32"  # reload: who asks, for the audit list: a user of the computer that asks
    )),
    # What became of it, in as many parts as it takes.
    ("gateway/answer", "gateway", False, 1, 16384, (
        "id text 16;"  # of the command
        "done flag;"  # false: refused, and nothing was changed
        "part int;"  # counts the parts of one answer, from 0
        "last flag;"  # there is no part after this one
        "file text 256;"  # the site file that this gateway reads
        "digest text 16;"  # of what stands in it; empty: it cannot be read
        "rows items 10"  # pairs: what kind of line (change, restart, board, wrong), and the line
    )),
)

ROWS = INPUTS + PANELS + CONCLUSIONS + HOUSEKEEPING
