"""What one IP phone does, from what it said. Pure: words and the time come in, a state comes out.

A phone says a thing once, without a number and without waiting for an answer; words are lost, come twice,
or in the wrong order. So a word sets what it means, whatever was before:

off hook      talking, until on hook: the handset is off, even where the other side has hung up
on hook       every call is over. The same for: no longer busy, just started
incoming      ringing. While a call is up it is a second one, that knocks: the state stays.
              Nobody can be rung whose handset is off without a call: an on hook was lost
outgoing, established    talking, whatever the hook: headset and speaker have none
terminated    the second call, if one knocks; else the call. Idle, if the handset is down
missed        the ringing one is over, never a call that is up
hold, unhold  held, talking

Calls are told apart only where the phone gives each a reference, as Poly does: then the state is that of the
one that is furthest: talking, held, ringing. Else a phone has one call, perhaps a second that knocks, and
perhaps one behind it: a call that was put on hold when another was dialled or answered. The end of the one in
front leaves the one behind, held; or talking, if the phone has said no word of hold. Whoever has three, or has
two on hold, may be idle here until the next word, and the phone system, which knows better, is heard too.

What is said of a call grows old: after `ringing_s` without a word a ringing phone is unknown, and after
`off_hook_s` one that talks or holds. An idle phone has nothing to say for hours and stays idle, unless it is
one that polls, and stopped.
"""

from __future__ import annotations

from collections.abc import Callable

CALLS_MOST = 16  # of one phone, told apart
SAME_S = 2.0  # so soon after another, a word may be the same one again, or the one before it, late
POLL_LOST_S = 900.0  # three polls of the 300 s that `phone urls` tells
PLAIN = ""  # the call of a phone that gives no references

# Why a phone is unknown, in words; further ones in phones.py.
NOT_HEARD = "the phone has said nothing since the gateway started"
SILENT = "the phone has said nothing for {time}: its last word was '{word}'"
POLLS_NO_MORE = "the phone used to poll, and has not for {time}: is it plugged in?"
LONG_AGO = float("-inf")
CALLS = {
    "incoming": "ringing",
    "outgoing": "talking",
    "established": "talking",
    "hold": "held",
    "unhold": "talking",
}


class Phone:
    """One phone.

    `state` is idle, ringing, talking, held or unknown; `why` says why it is unknown, else it is empty;
    `muted` is None where that is not known.
    """

    def __init__(self, off_hook_s: float, ringing_s: float) -> None:
        self.state = "unknown"
        self.muted: bool | None = None
        self.why = NOT_HEARD
        self._patience_s = {"ringing": ringing_s, "talking": off_hook_s, "held": off_hook_s}
        self._polled_s: float | None = None
        self._word, self._word_s = "", LONG_AGO
        self._close()

    def take_patience(self, other: Phone) -> None:
        """Believes its last word for as long as another phone would."""
        self._patience_s = other._patience_s

    def _close(self) -> None:
        """Handset down, no calls."""
        self._lifted = False
        self._calls: dict[str, str] = {}  # reference → ringing, talking, held; the oldest first
        self._behind = ""  # what the end of this call leaves, where there are two: held, talking
        self._answered_s = LONG_AGO
        self._knocked_s = LONG_AGO  # when a second call began to ring
        self._gave_up_s = LONG_AGO  # when one that knocked was over

    def hear(self, event: str, now_s: float, call: str = PLAIN) -> None:
        """One of vendors.EVENTS; `call` is the phone's own reference of a call, where it gives one."""
        if self._polled_s is not None or event == "poll":
            self._polled_s = now_s
        if event in ("alive", "poll"):
            return
        self._word, self._word_s = event, now_s
        if event in ("mute", "unmute"):
            self.muted = event == "mute"
            return
        if call != PLAIN:
            self._hear_call(event, call, now_s)
        else:
            HEAR[event](self, now_s)
        self._conclude()

    def doubt(self, why: str) -> None:
        """Nothing is known any more, until the next word."""
        self._close()
        self._polled_s = None
        self.state, self.muted, self.why = "unknown", None, why

    def due(self, now_s: float) -> None:
        """Looks whether what is known has grown old."""
        patience_s = self._patience_s.get(self.state)
        if patience_s is not None and now_s - self._word_s >= patience_s:
            self.doubt(SILENT.format(time=_in_words(patience_s), word=self._word.replace("_", " ")))
        elif self._polled_s is not None and now_s - self._polled_s >= POLL_LOST_S:
            self.doubt(POLLS_NO_MORE.format(time=_in_words(POLL_LOST_S)))

    def _conclude(self) -> None:
        calls = self._calls.values()
        state = next((state for state in ("talking", "held") if state in calls), None)
        self.state = state or ("talking" if self._lifted else "ringing" if "ringing" in calls else "idle")
        self.why = ""
        if self.state == "idle":
            self.muted = None

    # A phone with references -------------------------------------------------------

    def _hear_call(self, event: str, call: str, now_s: float) -> None:
        self._behind = ""
        self._calls.pop(PLAIN, None)  # the same call, told without its reference
        if event not in CALLS:
            self._calls.pop(call, None)
            return
        if event == "incoming" and not self._calls and now_s - self._answered_s > SAME_S:
            self._lifted = False
        self._calls[call] = CALLS[event]
        if len(self._calls) > CALLS_MOST:
            del self._calls[next(iter(self._calls))]

    # One without ---------------------------------------------------------------------

    def _off_hook(self, now_s: float) -> None:
        self._lifted = True
        if self._calls.get(PLAIN) == "ringing":
            self._calls[PLAIN] = "talking"
        self._answered_s = now_s

    def _on_hook(self, now_s: float) -> None:
        self._close()

    def _incoming(self, now_s: float) -> None:
        if now_s - self._answered_s <= SAME_S:
            return  # of the call that is answered by now: it was overtaken
        if self._calls.get(PLAIN) in ("talking", "held"):
            self._knocked_s = now_s
            return
        self._calls[PLAIN] = "ringing"
        self._lifted, self._behind = False, ""

    def _talking(self, now_s: float) -> None:
        if self._calls.get(PLAIN) == "held":
            self._behind = "held"
        elif self._knocks(now_s):
            self._behind = "talking"
        self._unhold(now_s)

    def _unhold(self, now_s: float) -> None:
        self._calls[PLAIN] = "talking"
        self._answered_s = now_s
        self._knocked_s = LONG_AGO

    def _hold(self, now_s: float) -> None:
        if self._behind == "talking" and now_s - self._answered_s <= SAME_S:
            self._behind = "held"  # the first call, to answer the second
        else:
            self._calls[PLAIN] = "held"

    def _terminated(self, now_s: float) -> None:
        if self._second_is_over(now_s):
            return
        self._calls.pop(PLAIN, None)
        if self._behind:
            self._calls[PLAIN], self._behind = self._behind, ""
        self._answered_s = LONG_AGO

    def _missed(self, now_s: float) -> None:
        if not self._second_is_over(now_s) and self._calls.get(PLAIN) == "ringing":
            del self._calls[PLAIN]

    def _second_is_over(self, now_s: float) -> bool:
        """Whether this end is that of a call that knocked; phones may say it twice, as missed and as ended."""
        if self._knocks(now_s):
            self._knocked_s = LONG_AGO
            self._gave_up_s = now_s
            return True
        return now_s - self._gave_up_s <= SAME_S

    def _knocks(self, now_s: float) -> bool:
        return now_s - self._knocked_s < self._patience_s["ringing"]


HEAR: dict[str, Callable[[Phone, float], None]] = {
    "off_hook": Phone._off_hook,
    "on_hook": Phone._on_hook,
    "idle": Phone._on_hook,
    "started": Phone._on_hook,
    "incoming": Phone._incoming,
    "outgoing": Phone._talking,
    "established": Phone._talking,
    "unhold": Phone._unhold,
    "hold": Phone._hold,
    "terminated": Phone._terminated,
    "missed": Phone._missed,
}


def _in_words(seconds: float) -> str:
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"
