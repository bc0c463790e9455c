"""How long a desk phone's line does what, by country. Read on the host: a board is told its own in board.json.

pulse_ms     the longest break of a dial pulse
flash_ms     the longest break that is a recall or a flash: the line is still in its call
hangup_ms    so long on the hook is hung up; more than flash_ms, or a recall would end a call
burst_ms     a ring is at least so long; shorter is a spike
ring_gap_ms  so long a silence between two rings still belongs to the ringing
"""

EU = {"pulse_ms": 70, "flash_ms": 200, "hangup_ms": 250, "burst_ms": 40, "ring_gap_ms": 6000}
COUNTRIES = {
    "NO": EU,
    "SE": EU,
    "DE": EU,
    "UK": EU,
    "US": {"pulse_ms": 70, "flash_ms": 1250, "hangup_ms": 1300, "burst_ms": 40, "ring_gap_ms": 6000},
}
