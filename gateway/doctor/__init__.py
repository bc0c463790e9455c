"""`callfloor doctor`: looks at everything that a floor needs, and says what is wrong, why it matters and what mends it.

A check is a small function in one of the files here; doctor/checks.py is the table of them all. Each only looks, says
what it sees, and has a few seconds; those that wait for others all wait at the same time.
"""
