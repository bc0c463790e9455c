"""A bus with nothing at it: each transfer is a line of hexadecimal digits in a file, to try panels."""

from binascii import hexlify

MOST = 4000000  # characters; then the file begins anew
PIECE = 256  # bytes written at once: a board has little room


class FileBus:
    """`bus` is file:PATH. The file's first line says the clock and its phase."""

    def __init__(self, entry: dict, hz: int, phase: int):
        self._path = entry["bus"][5:]
        self._head = "%d Hz, phase %d\n" % (hz, phase)
        self._left = 0

    def send(self, data) -> None:
        """Writes one transfer. Raises OSError."""
        length = 2 * len(data) + 1
        anew = self._left < length
        with open(self._path, "w" if anew else "a") as file:
            if anew:
                file.write(self._head)
                self._left = MOST
            for at in range(0, len(data), PIECE):
                file.write(hexlify(bytes(data[at : at + PIECE])).decode())
            file.write("\n")
        self._left -= length
