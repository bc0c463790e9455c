"""What `firmware/mqtt.py` needs of a socket, as CPython's asyncio has it. A microcontroller never loads this file."""

import asyncio
import socket
import ssl
import sys

LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def give(sock, data):
    """How much of `data` the socket took; None when it takes nothing now."""
    try:
        return sock.send(data)
    except LATER:
        return None


async def receive(sock, room):
    """How much was read into `room`, once there is something; 0 at the end of the stream."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return sock.recv_into(room)
        except LATER:
            ready = loop.create_future()
            loop.add_reader(sock, _woken, loop, sock, ready)
            await ready


def _woken(loop, sock, ready):
    loop.remove_reader(sock)
    if not ready.done():
        ready.set_result(None)


async def resolve(host, port, wait_ms):
    """The addresses of a name. Raises OSError, or asyncio.TimeoutError after so long."""
    asking = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await asyncio.wait_for(asking, wait_ms / 1000)


def shut(sock):
    """Closes a socket that somebody may be waiting for."""
    asyncio.get_running_loop().remove_reader(sock)
    sock.close()


def tell_error(error):
    """Prints an error and where it came from."""
    sys.excepthook(type(error), error, error.__traceback__)
