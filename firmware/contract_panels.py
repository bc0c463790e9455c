"""What walls hear and say: the part of the contract that a board without panels has no room for.

Rows as in `firmware/contract.py`, which adds them to its table everywhere but on a board; there it is done by
`firmware/wall.py`.
"""

PANELS = (
    # The gateway is there, or its will says that it is not.
    ("gateway/state", "gateway", True, 1, 128, (
        "state one-of ready lost;"  # lost comes from the broker: the gateway's will
        "boot text 8"  # changes with every start of the gateway
    )),
    # The numbers that walls draw, for all walls of a site.
    ("values", "gateway", True, 1, 16384, (
        "boot text 8;"  # the gateway's start
        "seq int;"  # counts up with every change
        "numbers numbers 512"  # by name, `polski.waiting`; a `.since` is a time on the beat's clock
    )),
    # What a panel draws: labels as pictures, numbers by name.
    ("board/+/panel/+/scene", "gateway", True, 1, 16384, (
        "id text 8;"  # hash of the rest
        "dwell_ms int 600000;"  # how long each page stays
        "pages items 16"  # each a list of operations, see firmware/scene.py
    )),
    # What a panel says that it shows.
    ("board/+/panel/+/shown", "board", True, 1, 128, (
        "scene? text 8;"  # id of the scene; null: it has none yet
        "values_seq? int;"  # the values on it; null: none yet
        "fresh flag;"  # false: it is dimmed and says its age
        "age_s? int"  # since a beat last proved it; null: never
    )),
)
