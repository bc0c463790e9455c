"""Shows pictures on a panel, on either Python: `panels_driver.py ENTRY.json FILE…`, each file raw pixels."""

import json
import sys

from firmware import panels, scene

with open(sys.argv[1]) as file:
    panel = panels.open(json.loads(file.read()))
for path in sys.argv[2:]:
    picture = scene.Picture(panel.width, panel.height)
    with open(path, "rb") as file:
        for place, colour in enumerate(file.read()):
            picture.fill(place % panel.width, place // panel.width, 1, 1, colour)
    panel.show(picture)
