"""A board's panels: what they should show, drawn again whenever something on them moves."""

import gc

from firmware import contract, scene
from firmware.clock import forget, now_ms, sleep_ms
from firmware.values import Values

LOOK_MS = (
    5  # so often it is looked whether there is news: an Event and a wait with an end take 2 KB of a board
)
STALE_MS = 1000  # an age on a wall is redrawn this often, and no message outlives its end by more
SEQ_MS = 5000  # so often at most it is told which values are shown: values change more often than that
OLD_PERCENT = 20  # lights that are off by plan come on so bright when the figures are old
FULL_MS = 15000  # so long without memory to draw, and the board begins again
SHORT_MS = 60000  # so long without memory to hear anything, and it does, too
SELDOM = ("age", "news", "scene_load", "words", "lasting", "safe", "test_picture")  # files that are forgotten after use

if contract.SMALL:
    from firmware.contract_panels import PANELS

    contract.add(PANELS)
    del PANELS
    forget("contract_panels")


class Lights:
    """One panel, and what it should show."""

    def __init__(self, number: int, panel):
        self.number = number
        self.panel = panel
        self.picture = scene.Picture(panel.width, panel.height)
        self.scene = None  # the last good one
        self.old = False  # it is from before the start: the gateway has not sent it yet
        self.turns = None  # the scene, and what the wall says between its pages
        self.message = None  # (Message, its fields boot and until_s)
        self.until_ms = None  # when it ends, once that is known
        self.percent = None  # how bright, as the gateway has said; 0: off
        self.sensor: tuple | None = None  # (Light, what measures)
        self.refused = {}  # what kind of news: why the last of it cannot be used
        self.trouble = None  # the same in words
        self.broken = None  # why nothing can be shown on it at all
        self.name = None  # what it shows while nothing is drawn: who this board is
        self.kept = None  # id of the scene in flash
        self.to_keep = None  # (id, message) of one that waits to be kept
        self.keep_ms = 0  # when it may be
        self.full_ms = None  # since when there is no memory to draw
        self.told = None  # what was last told of it, and when
        self.told_ms = 0


class Wall:
    """All panels of one board: one set of values, a scene each.

    Of `settings` (board.json) it takes the folder `keep`, if there is one (see firmware/lasting.py), and the
    panels' light sensors, which are read from `pins`.
    """

    def __init__(self, panels: list, link, settings: dict, pins):
        self.values = Values()
        self.lights = [Lights(number, panel) for number, panel in enumerate(panels)]
        self.until_ms = 0  # when the test picture ends
        self._which = None  # of the test pictures
        self.link = link
        self.moved = False  # something has to be drawn
        self.short_ms: int | None = None  # since when there is no memory even to refuse what comes
        self.keep = settings.get("keep")
        self.look_ms = 0  # when to look after what lasts
        self.safe = None  # why it shows nothing but its name
        self.since_ms = None  # since when it draws, or does not, until that has lasted
        link.on_refused = self.refused
        link.on_topic = self.coming
        for lights, entry in zip(self.lights, settings["panels"]):
            if entry.get("light"):
                from firmware import light

                lights.sensor = light.Light(entry["light"]), pins.millivolts(entry["light"]["pin"])
        self.ask()
        if self.keep:
            self._begin()

    # What comes.

    def ask(self) -> None:
        """Wants what panels show; asked again, the broker says once more what it keeps of it."""
        link = self.link
        for what in ("gateway/state", "values"):
            link.client.subscribe(link.topic(what), 1)
        for what in ("scene", "message", "light"):
            link.client.subscribe(link.topic("board/+/panel/+/" + what, link.board), 1)

    def hear(self, pattern: str, ids: tuple, fields) -> None:
        """Takes what the gateway says; the next drawing follows at once. Raises ContractError for wrong values."""
        if self.safe:
            return
        self.moved = True
        at_ms = now_ms()
        if pattern == "beat":
            self.values.take_beat(fields, at_ms)
        elif pattern == "gateway/state":
            self.values.take_gateway(fields, at_ms)
        elif pattern == "values":
            self.values.take_values(fields, at_ms)
            if self.lights[0].refused.get(pattern):
                self._news("accepted", pattern)
        elif pattern.startswith("board/+/panel"):
            self._news("take", pattern, ids, fields, at_ms)

    def coming(self, topic: str) -> None:
        """Loads what a scene needs before it is taken apart: after that there may be no room to load it."""
        if "/panel/" in topic and not self.safe:
            from firmware import news, scene_load  # noqa: F401

    def refused(self, topic: str, why: str) -> None:
        """Something came that cannot be used."""
        if not self.safe:
            self.moved = True
            try:
                self._news("refused", topic, why)
            except MemoryError:  # not even for that
                self.short_ms = self.short_ms or now_ms()

    def _news(self, what, *told):
        try:
            from firmware import news

            getattr(news, what)(self, *told)
            self.short_ms = None
        finally:
            forget_all()

    def begin_anew(self) -> bool:
        """Before a restart that somebody wanted: it does not count. True where that is enough to draw again."""
        self.moved = True
        return bool(self.keep and self._lasting("begin_anew"))

    def _lasting(self, what):
        """In a function that ends: what the loop itself had in its hands could not be forgotten."""
        try:
            from firmware import lasting

            return getattr(lasting, what)(self, now_ms())
        except MemoryError:
            print("no room to keep anything")
            self.look_ms = now_ms() + STALE_MS
        finally:
            forget_all()

    def _begin(self):
        from firmware import safe

        safe.begin(self, now_ms())
        forget_all()

    # What is drawn.

    def test(self, wait_ms: int, which=None) -> None:
        """Shows a test picture for so long."""
        self.until_ms = now_ms() + wait_ms
        self._which = which
        self.moved = True

    async def run(self) -> None:
        """Draws for ever: at once on news, and whenever something on a panel moves."""
        while True:
            at_ms = now_ms()
            wait = STALE_MS
            if self.keep and at_ms >= self.look_ms:
                self._lasting("look")
            if self.short_ms and at_ms - self.short_ms > SHORT_MS:
                raise MemoryError("no room to hear what walls are told")
            for lights in self.lights:
                wait = min(wait, self._draw(lights, at_ms))
            until_ms = at_ms + wait
            await sleep_ms(1)  # the others have their turn, however long drawing takes
            while not self.moved and now_ms() < until_ms:
                await sleep_ms(max(1, min(LOOK_MS, until_ms - now_ms())))
            self.moved = False

    def _draw(self, lights, at_ms):
        """Draws one panel; in how many ms it has to be drawn again."""
        values = self.values
        age_s, clock_ms, numbers = values.age_s(at_ms), values.clock_ms(at_ms), values.numbers
        if lights.old or self.safe:
            age_s, clock_ms, numbers = -1, None, None  # no figure on it is believed
        message = self._message(lights, at_ms)
        percent = self._percent(lights, at_ms, age_s)
        turns = lights.turns
        try:
            if at_ms < self.until_ms:
                from firmware import test_picture

                test_picture.show(lights.panel, lights.picture, percent, self._which)
            else:
                scene.draw(lights.picture, turns, numbers, clock_ms, at_ms, age_s, message)
                lights.panel.show(lights.picture, percent)
            lights.broken = None
            lights.full_ms = None
        except OSError as error:  # its file or its bus is away: the other panels and the desks go on
            why = ascii_of("its lights cannot be reached (%s)" % error)
            if lights.broken != why:
                print("panel", lights.number, why)
            lights.broken = why
        except MemoryError:
            self._no_room(lights, at_ms)
        self._tell(lights, at_ms, age_s, message, percent)
        if age_s is None:
            forget("age")
        else:
            clock_ms = None  # it stands still
        return scene.changes_in_ms(turns, numbers, clock_ms, at_ms, lights.picture.w, message)

    def _no_room(self, lights, at_ms):
        """Dark beats a false figure; a board that finds no room for long begins again. Raises MemoryError then."""
        gc.collect()
        lights.broken = "there is no memory left to draw"
        if lights.full_ms is None:
            lights.full_ms = at_ms
        elif at_ms - lights.full_ms > FULL_MS:
            raise MemoryError(lights.broken)
        self._put_out(lights)

    def dark(self) -> None:
        """Puts all lights out: no figure stays where nobody looks after it any more."""
        for lights in self.lights:
            self._put_out(lights)

    def _put_out(self, lights):
        try:
            lights.picture.fill(0, 0, lights.picture.w, lights.picture.h, scene.BLACK)
            lights.panel.show(lights.picture, 0)
        except (OSError, MemoryError) as error:
            print("panel", lights.number, "cannot be put out:", error)

    def _percent(self, lights, at_ms, age_s):
        """How bright: what the gateway says, or less where a sensor says so; 0 is off, as planned."""
        percent = 100 if lights.percent is None else lights.percent
        if lights.sensor:
            light, measure = lights.sensor
            try:
                percent = min(percent, light.take(measure(), at_ms))
            except OSError:  # as bright as it was
                percent = min(percent, light.percent)
        if age_s is not None and percent == 0:
            percent = OLD_PERCENT  # dark would hide that something is wrong
        return percent

    def _message(self, lights, at_ms):
        """What people are told now; None from its end on, and before it is known when that is."""
        if lights.message is None:
            return None
        message, boot, until_s = lights.message
        if lights.until_ms is None:
            lights.until_ms = self.values.local_ms(until_s, boot)
        if lights.until_ms is None or at_ms >= lights.until_ms:
            return None
        return message

    def _tell(self, lights, at_ms, age_s, message, percent):
        """Says what is on the panel, when that is something else than before."""
        shown = (
            lights.scene and lights.scene.id,
            message and message.id,
            age_s is None,
            None if lights.percent is None and not lights.sensor else percent,
            self.safe or lights.broken or lights.trouble,
        )
        seq = self.values.seq
        if lights.told == (shown, seq) or (
            lights.told and lights.told[0] == shown and at_ms - lights.told_ms < SEQ_MS
        ):
            return
        lights.told, lights.told_ms = (shown, seq), at_ms
        self.link.state(
            "board/+/panel/+/shown",
            (self.link.board, lights.number),
            {
                "scene": shown[0],
                "message": shown[1],
                "values_seq": seq,
                "fresh": shown[2],
                "age_s": None if age_s is None or age_s < 0 else age_s,
                "percent": shown[3],
                "trouble": shown[4],
            },
        )


def ascii_of(text: str) -> str:
    """At most 120 characters that take one byte each in a message."""
    letters = [text[at : at + 1] for at in range(min(len(text), 120))]  # see is_id in firmware/contract.py
    return "".join([letter if " " <= letter <= "~" and letter not in '"\\' else "?" for letter in letters])


def forget_all():
    """Of what is needed seldom nothing stays in memory."""
    for name in SELDOM:
        forget(name)
