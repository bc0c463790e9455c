"""Shows pictures on panels, on either Python: `panels_driver.py ENTRIES.json FILE…`, each file raw pixels.

The entries are one of board.json's `panels`, or a list of them; `percent` beside them is how bright.
"""

import json
import sys

from firmware import panels, scene

with open(sys.argv[1]) as file:
    entries = json.loads(file.read())
for entry in entries if type(entries) is list else [entries]:
    panel = panels.open(entry)
    for path in sys.argv[2:]:
        picture = scene.Picture(panel.width, panel.height)
        with open(path, "rb") as file:
            for place, colour in enumerate(file.read()):
                picture.fill(place % panel.width, place // panel.width, 1, 1, colour)
        panel.show(picture, entry.get("percent", 100))
