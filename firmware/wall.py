"""A board's panels: what they should show, drawn again whenever something on them moves."""

from firmware import contract, scene
from firmware.clock import forget, now_ms, sleep_ms
from firmware.values import Values

LOOK_MS = (
    5  # so often it is looked whether there is news: an Event and a wait with an end take 2 KB of a board
)
STALE_MS = 1000  # an age on a wall is redrawn this often

if contract.SMALL:
    from firmware.contract_panels import PANELS

    contract.add(PANELS)


class Wall:
    """All panels of one board: one set of values, a scene each."""

    def __init__(self, panels: list, link):
        self.values = Values()
        self.panels = panels
        self.scenes = [None] * len(panels)
        self.pictures = [scene.Picture(panel.width, panel.height) for panel in panels]
        self.test_until_ms = 0
        self._shown: list = [None] * len(panels)
        self._link = link
        self._moved = False  # something has to be drawn

    def hear(self, pattern: str, ids: tuple, fields: dict) -> None:
        """Takes what the gateway says; the next drawing follows at once."""
        at_ms = now_ms()
        if pattern == "values":
            self.values.take_values(fields, at_ms)
        elif pattern == "beat":
            self.values.take_beat(fields, at_ms)
        elif pattern == "gateway/state":
            self.values.take_gateway(fields, at_ms)
        elif pattern == "board/+/panel/+/scene":
            self._take_scene(int(ids[1]), fields)
        self._moved = True

    def _take_scene(self, number, fields):
        if number >= len(self.panels):
            print("a scene for panel", number, "but there are", len(self.panels))
            return
        from firmware import scene_load

        try:
            self.scenes[number] = scene_load.load(fields)
        except scene_load.SceneError as error:  # the old one stays, and `shown` tells the gateway
            print("panel", number, error)
        forget("scene_load")

    def test(self, for_ms: int) -> None:
        """Shows the test picture for so long."""
        self.test_until_ms = now_ms() + for_ms
        self._moved = True

    async def run(self) -> None:
        """Draws for ever: at once on news, and whenever a wait ticks or a page turns."""
        while True:
            at_ms = now_ms()
            age_s = self.values.age_s(at_ms)
            wait = STALE_MS
            for number in range(len(self.panels)):
                wait = min(wait, self._draw(number, at_ms, age_s))
            until_ms = now_ms() + wait
            while not self._moved and now_ms() < until_ms:
                await sleep_ms(LOOK_MS)
            self._moved = False

    def _draw(self, number, at_ms, age_s):
        picture = self.pictures[number]
        shown = self.scenes[number]
        clock_ms = self.values.clock_ms(at_ms)
        clock_s = None if clock_ms is None else clock_ms // 1000
        if at_ms < self.test_until_ms:
            from firmware import test_picture

            test_picture.draw(picture)
        else:
            scene.draw(picture, shown, self.values.numbers, clock_s, at_ms, age_s)
        try:
            self.panels[number].show(picture)
            self._tell(number, age_s)
        except OSError as error:  # its file or its bus is away: the other panels and the desks go on
            print("panel", number, "cannot be shown:", error)
        if age_s is not None or shown is None:
            return STALE_MS
        return scene.changes_in_ms(shown, clock_s, at_ms, clock_ms % 1000)

    def _tell(self, number, age_s):
        """Says what is on the panel, when that is something else than before."""
        shown = self.scenes[number]
        now = (shown and shown.id, self.values.seq, age_s is None)
        if now != self._shown[number]:
            self._shown[number] = now
            self._link.state(
                "board/+/panel/+/shown",
                (self._link.board, number),
                {
                    "scene": now[0],
                    "values_seq": now[1],
                    "fresh": now[2],
                    "age_s": None if age_s is None or age_s < 0 else age_s,
                },
            )
