"""What the gateway concludes and tells everybody else: the part of the contract that no board hears.

Rows as in `firmware/contract.py`, which adds them to its table everywhere but on a board.
"""

CONCLUSIONS = (
    # The conclusion about one desk, in one word and in many.
    ("desk/+/now", "gateway", True, 1, 2304, (
        "status one-of free ringing talking held away unknown lost;"  # the conclusion
        "reason text 160;"  # why, in words
        "fault text 160;"  # sensors that are there and tell nothing, in words; empty: all tell
        "phone? one-of idle ringing talking held unknown;"  # as the board read it
        "in_call? flag;"  # the headset's call
        "rings? flag;"  # the headset rings
        "muted? flag;"  # the microphone of headset or phone
        "docked? flag;"  # the headset's cradle
        "missed int"  # readings that never came, by the gaps in seq
    )),
    # Where a desk and the phone system tell different stories; docs/findings.md says what each means.
    ("desk/+/finding", "gateway", True, 1, 3072, (
        "kind? one-of"  # what does not fit; null: all does
        " empty-desk-rings available-but-docked off-hook-no-call"
        " lifted-nothing-at-pbx call-nothing-lifted board-lost-under-busy-desk;"
        "for_s? int;"  # so long both have told it, said anew with the beat; null: there is no finding
        "desk text 160;"  # what the desk's sensors say, in words
        "pbx text 160;"  # what the phone system says
        "todo text 160"  # what to do
    )),
    # What a wall should show beside what it says it shows.
    ("wall/+/now", "gateway", True, 1, 2816, (
        "scene text 8;"  # what it should show
        "message? text 8;"  # the message it should show; null: none
        "percent int 100;"  # how bright it should be, with a light sensor at most; 0: off, as planned
        "off_until text 32;"  # where it is off: when it goes on, by the site's clocks; empty: on, or off for good
        "shown? text 8;"  # what it says it shows
        "shown_message? text 8;"  # the message it says it shows
        "shown_percent? int 100;"  # how bright it says it is
        "values_seq? int;"  # the values it says are on it
        "shown_age_s? int;"  # how old it says its figures are, when this was said; null: just proved, or nobody knows
        "fresh flag;"  # it says its figures are proved, and its board is there
        "wrong? one-of"  # what is the matter, the worst first; null: nothing that is known
        " lost silent trouble scene old values message dark lit dim;"
        "for_s? int;"  # so long something has been, when this was said; null: nothing is
        "alarm flag;"  # it has been for too long
        "reason text 160;"  # what is the matter, in words
        "todo text 160"  # an alarm: what to do
    )),
    # One queue. Null is unknown: never the last figure once more.
    ("queue/+/now", "gateway", True, 1, 1536, (
        "waiting? int;"  # callers not yet connected; ringing still waits
        "oldest_wait_s? int;"  # of those still waiting; 0 when nobody waits
        "worst_wait_s? int;"  # the longest of today, those who still wait included
        "free? int;"  # desks that could take a call
        "ringing? int;"  # desks that ring
        "talking? int;"  # desks in a call, held ones too
        "away? int;"  # desks paused, empty, lost or unknown
        "desks_needed? int;"  # for the target, by Erlang C from the last half hour
        "desks_present? int;"  # free, ringing or talking
        "joined? int;"  # callers of today
        "answered? int;"  # of them, connected
        "abandoned? int;"  # of them, hung up; timed out too, where that is null
        "timed_out? int;"  # of them, given up by the phone system
        "left_by_key? int;"  # of them, gone elsewhere by a key
        "left? int;"  # of them, gone elsewhere, and nobody tells how
        "vanished? int;"  # of them, gone while nobody could see
        "asa_s? int;"  # mean wait of the answered, rounded; null: none yet
        "aht_s? int;"  # mean conversation, rounded; null: none yet
        "occupancy_pct? int 100;"  # of the desks' time free, ringing and talking: ringing and talking
        "abandon_rate_pct? int 100;"  # without those who hung up at once; null: no calls yet
        "service_level_pct? int 100;"  # by the queue's own formula; null: no calls yet
        "reason text 160"  # why figures are unknown; empty when they are known
    )),
    # The house in one line.
    ("floor/now", "gateway", True, 1, 416, (
        "free int;"  # desks
        "ringing int;"  # desks
        "talking int;"  # desks
        "held int;"  # desks
        "away int;"  # desks
        "unknown int;"  # desks
        "lost int;"  # desks whose board is lost
        "boards_lost int;"  # boards
        "findings int;"  # desks that do not fit with what the phone system says
        "walls_wrong int;"  # walls in alarm: they show something else than they should
        "alarms int;"  # that stand on the page, those somebody sees to among them
        "refused int"  # messages that broke this contract, since the gateway started
    )),
)
