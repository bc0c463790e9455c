"""A board's panels: what they should show, drawn again whenever something on them moves."""

from firmware import contract, scene
from firmware.clock import forget, now_ms, sleep_ms
from firmware.values import Values

LOOK_MS = (
    5  # so often it is looked whether there is news: an Event and a wait with an end take 2 KB of a board
)
STALE_MS = 1000  # an age on a wall is redrawn this often, and no message outlives its end by more
SEQ_MS = 5000  # so often at most it is told which values are shown: values change more often than that
OLD_PERCENT = 20  # lights that are off by plan come on so bright when the figures are old

if contract.SMALL:
    from firmware.contract_panels import PANELS

    contract.add(PANELS)


class Lights:
    """One panel, and what it should show."""

    def __init__(self, number: int, panel):
        self.number = number
        self.panel = panel
        self.picture = scene.Picture(panel.width, panel.height)
        self.scene = None
        self.message = None  # (Message, its fields boot and until_s)
        self.until_ms = None  # when it ends, once that is known
        self.percent = None  # how bright, as the gateway has said; 0: off
        self.trouble = None  # why it cannot show what it should
        self.told = None  # what was last told of it, and when
        self.told_ms = 0


class Wall:
    """All panels of one board: one set of values, a scene each."""

    def __init__(self, panels: list, link):
        self.values = Values()
        self.lights = [Lights(number, panel) for number, panel in enumerate(panels)]
        self.test_until_ms = 0
        self._link = link
        self._moved = False  # something has to be drawn

    def hear(self, pattern: str, ids: tuple, fields) -> None:
        """Takes what the gateway says; the next drawing follows at once. Raises ContractError for wrong values."""
        at_ms = now_ms()
        if pattern == "values":
            self.values.take_values(fields, at_ms)
        elif pattern == "beat":
            self.values.take_beat(fields, at_ms)
        elif pattern == "gateway/state":
            self.values.take_gateway(fields, at_ms)
        elif pattern.startswith("board/+/panel/+/"):
            number = int(ids[1])
            if number >= len(self.lights):
                print("something for panel", number, "but there are", len(self.lights))
                return
            self._take(self.lights[number], pattern, fields, at_ms)
        self._moved = True

    def _take(self, lights, pattern, fields, at_ms):
        if pattern == "board/+/panel/+/light":
            lights.percent = fields["percent"]
            return
        if fields is None:
            lights.message = None
            return
        from firmware import scene_load

        try:
            if pattern == "board/+/panel/+/scene":
                lights.scene = scene_load.load(fields, lights.panel.width, lights.panel.height)
                lights.trouble = None
            else:
                self._take_message(lights, scene_load, fields, at_ms)
        except scene_load.SceneError as error:  # the old one stays, and `shown` tells the gateway
            lights.trouble = str(error)[:120]
            print("panel", lights.number, error)
        forget("scene_load")

    def _take_message(self, lights, scene_load, fields, at_ms):
        if lights.message and lights.message[0].id == fields["id"]:
            at_ms = lights.message[0].since_ms  # the same again, perhaps for longer: it goes on where it was
        message = scene_load.load_message(fields, lights.panel.width, lights.panel.height, at_ms)
        lights.message = message, fields["boot"], fields["until_s"]
        lights.until_ms = None

    def test(self, for_ms: int) -> None:
        """Shows the test picture for so long."""
        self.test_until_ms = now_ms() + for_ms
        self._moved = True

    async def run(self) -> None:
        """Draws for ever: at once on news, and whenever something on a panel moves."""
        while True:
            at_ms = now_ms()
            wait = STALE_MS
            for lights in self.lights:
                wait = min(wait, self._draw(lights, at_ms))
            until_ms = at_ms + wait
            await sleep_ms(1)  # the others have their turn, however long drawing takes
            while not self._moved and now_ms() < until_ms:
                await sleep_ms(max(1, min(LOOK_MS, until_ms - now_ms())))
            self._moved = False

    def _draw(self, lights, at_ms):
        """Draws one panel; in how many ms it has to be drawn again."""
        values = self.values
        age_s = values.age_s(at_ms)
        clock_ms = values.clock_ms(at_ms)
        message = self._message(lights, at_ms)
        percent = 100 if lights.percent is None else lights.percent
        if age_s is not None and percent == 0:
            percent = OLD_PERCENT  # dark would hide that something is wrong
        if at_ms < self.test_until_ms:
            from firmware import test_picture

            test_picture.draw(lights.picture)
        else:
            scene.draw(lights.picture, lights.scene, values.numbers, clock_ms, at_ms, age_s, message)
        try:
            lights.panel.show(lights.picture, percent)
            self._tell(lights, at_ms, age_s, message, percent)
        except OSError as error:  # its file or its bus is away: the other panels and the desks go on
            print("panel", lights.number, "cannot be shown:", error)
        if age_s is not None:
            clock_ms = None  # it stands still
        return scene.changes_in_ms(
            lights.scene, values.numbers, clock_ms, at_ms, lights.picture.w, message
        )

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
            None if lights.percent is None else percent,
            lights.trouble,
        )
        seq = self.values.seq
        if lights.told == (shown, seq) or (
            lights.told and lights.told[0] == shown and at_ms - lights.told_ms < SEQ_MS
        ):
            return
        lights.told, lights.told_ms = (shown, seq), at_ms
        self._link.state(
            "board/+/panel/+/shown",
            (self._link.board, lights.number),
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
