"""The parts of the contract that `firmware/contract.py` adds to its table at once, everywhere but on a board."""

from firmware.conclusions import CONCLUSIONS
from firmware.contract_inputs import INPUTS
from firmware.contract_panels import PANELS

ROWS = INPUTS + PANELS + CONCLUSIONS
