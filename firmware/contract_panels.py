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
    ("values", "gateway", True, 1, 4096, (
        "boot text 8;"  # the gateway's start
        "of text 4;"  # which order of numbers: a scene of another one draws none of them
        "seq int;"  # counts up with every change
        "n text 4000"  # words to the base 36: firmware/values.py
    )),
    # What a panel draws: labels as pictures, numbers by their place among the values.
    ("board/+/panel/+/scene", "gateway", True, 1, 16384, (
        "id text 8;"  # hash of the rest
        "v int 99;"  # the language of what follows: firmware/scene_load.py
        "of text 4;"  # which order of numbers it means
        "dwell_ms int 600000;"  # how long each page stays
        "strips items 64;"  # pictures, each once
        "pages items 16"  # each a list of operations, see firmware/scene_load.py
    )),
    # What people are told beside the figures. Never kept over a restart.
    ("board/+/panel/+/message", "gateway", True, 1, 16384, (
        "id text 8;"  # hash of the rest
        "boot text 8;"  # the gateway's start, whose clock this is:
        "until_s int;"  # it is shown no longer, whatever has become of the gateway
        "place one-of band page priority;"  # over every page; as one more page; after every page
        "strips items 8;"  # as in a scene
        "ops items 16"  # one page of them
    )),
    # How bright a panel is.
    ("board/+/panel/+/light", "gateway", True, 1, 64, (
        "percent int 100"  # 0: off, as planned
    )),
    # What a panel says that it shows.
    ("board/+/panel/+/shown", "board", True, 1, 512, (
        "scene? text 8;"  # id of the scene; null: it has none yet
        "message? text 8;"  # id of the message; null: none
        "values_seq? int;"  # the values on it; null: none yet
        "fresh flag;"  # false: it is dimmed and says its age
        "age_s? int;"  # since a beat last proved it; null: never
        "percent? int 100;"  # how bright; 0: off; null: nobody has said
        "trouble? text 120"  # why it cannot show what it should
    )),
)
