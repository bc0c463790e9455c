"""How long a desk phone's line does what, by country. Read on the host: a board is told its own in board.json.

pulse_ms     the longest break of a dial pulse
flash_ms     the longest break that is a recall or a flash: the line is still in its call
hangup_ms    so long on the hook is hung up; more than flash_ms, or a recall would end a call
burst_ms     a ring is at least so long; shorter is a spike
ring_gap_ms  so long a silence between two rings still belongs to the ringing

Only hangup_ms, burst_ms and ring_gap_ms decide anything: every shorter break is part of a call, whether it
was a pulse or a recall. The other two say why hangup_ms is what it is.

Where the values are from:
pulse_ms     Europe: a dial-pulse break is at most 65 ms (NEC SL2100 quick install guide, timed break recall).
             US: room for slow dials, as exchanges have it (Zyxel IES-1248 takes up to 80 ms, there for Finland).
flash_ms     Europe: the recall key breaks for 90 to 120 ms and 70 to 125 ms are taken for it (NEC SL2100);
             the rest is room for a hand that taps the hook. US: 300 to 1000 ms, up to 1250 taken for it
             (rxflash in Asterisk's chan_dahdi.conf.sample). An adapter may have its own idea: Linksys takes
             100 to 900 ms unless told otherwise. Then the site gives its own flash_ms and hangup_ms.
hangup_ms    must be more than the longest flash (Alvarion BreezeACCESS manual: 210 to 2000 ms).
burst_ms     two half waves at 25 Hz. Exchanges count a ring from 50 to 250 ms on, but a PBX that tells the
             caller's number first rings for 160 ms (innovaphone, FXS interfaces).
ring_gap_ms  the longest silence below, and a second for a board that was held up.

The cadences, ringing and silent in ms (Asterisk's indications.conf.sample, from ITU-T E.180 and BT SIN 350):
NO, DE       1000, 4000; some German exchanges 1000, 5000 (Alvarion)
SE           1000, 5000
UK           400, 200, 400, 2000
US           2000, 4000
PBX, inside  375, 250, 375, 4000 (innovaphone); 1000, 5000 or 1000, 2000 (NEC NEAX 2000); 800, 400, 800, 4000
             (Teltone). It rings so in every country, so ring_gap_ms is the same in all of them.
"""

EU = {"pulse_ms": 70, "flash_ms": 200, "hangup_ms": 250, "burst_ms": 40, "ring_gap_ms": 6000}
COUNTRIES = {
    "NO": EU,
    "SE": EU,
    "DE": EU,
    "UK": EU,
    "US": {"pulse_ms": 80, "flash_ms": 1250, "hangup_ms": 1300, "burst_ms": 40, "ring_gap_ms": 6000},
}
