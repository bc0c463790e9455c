"""One MQTT 3.1.1 client for boards and computers: asyncio, MicroPython and CPython alike.

    client = Client("10.0.0.2", 1883, "pico-a", on_message=heard)
    client.subscribe("callfloor/1/skien/beat")
    task = asyncio.create_task(client.run())  # connects, and connects again, for ever
    await client.send("callfloor/1/skien/board/pico-a/state", b"ready", True, 1)

It keeps no message: the sender keeps it until `on_ack`. Sockets never block and their time-outs are
never used (rp2 and esp32 lose them): whatever misses its deadline ends the link, and the end of the
link ends every wait. Why it is so: docs/decisions/mqtt-on-a-board.md.
"""

import asyncio
import errno
import os
import select
import socket
import sys

from firmware.clock import forget, now_ms, sleep_ms

CONNECT_MS = 20000  # from the first packet to the broker's yes, TLS included
CLOSE_MS = 2000  # a goodbye takes no longer
WAIT_MS = 500  # before the second try to connect; doubled with each one more, and jittered
WAIT_MOST_MS = 30000
GOOD_MS = 5000  # a link that was up so long starts with WAIT_MS again
LOOK_MS = 10  # how often a wait looks whether it is over
WINDOW = 16  # messages of QoS 1 on their way at once
UNANSWERED_BYTES = 4096  # bytes on their way at once: lwIP on rp2 blocks for seconds when its 8 KB are full
PAYLOAD_MOST = 20 * 1024  # a larger one is read and thrown away
TOPIC_MOST = 256
REFUSED_MOST = 16

if sys.implementation.name == "micropython":

    def give(sock, data):
        """How much of `data` the socket took; None when it takes nothing now."""
        return sock.write(data)

    async def receive(sock, room):
        """How much was read into `room`, once there is something; 0 at the end of the stream."""
        count = sock.readinto(room)
        while count is None:
            await ready(sock)
            count = sock.readinto(room)
        return count

    def ready(sock):
        """What asyncio's own streams wait with; loading them for this one line takes 2 KB."""
        yield asyncio.core._io_queue.queue_read(sock)  # type: ignore[attr-defined]

    async def resolve(host, port, wait_ms):
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)  # it blocks; there is no other

    def shut(sock):
        sock.close()

    tell_error = sys.print_exception  # type: ignore[attr-defined]

else:
    from firmware.mqtt_computer import give, receive, resolve, shut, tell_error


class LinkDown(OSError):
    """The link went, or the deadline passed: the text says why. Without one: that is no broker."""


class Client:
    """One connection to one broker, kept for ever.

    `will` is (topic, payload, retain, qos). `tls` is {"ca": PEM or DER, "name": the broker's name}.
    `next` may be set to another password, tried where this one is refused: firmware/rotate.py.
    The callbacks are plain functions, called in the loop; an error in one is printed and counted:
    `on_message(topic, payload, retained)`, payload a bytearray, before its PUBACK goes out;
    `on_up()`; `on_down(reason)`, also for each try to connect that failed;
    `on_ack(packet_id)`, never before the `send` that made the id has returned;
    `on_thrown_away(topic, size)`, for a payload that was too big.
    """

    next = None  # a slot in each object would make its table grow

    def __init__(self, host: str, port: int, client_id: str, user=None, password=None, keepalive_s: int = 20,
                 will=None, tls=None, on_message=None, on_up=None, on_down=None, on_ack=None,
                 on_thrown_away=None):
        self.host = host
        self.port = port
        self.client_id = client_id
        self.user = user
        self.password = password
        self.keepalive_s = keepalive_s
        self.will = will
        self.tls = tls
        self.up = False
        self.reason = "not yet connected"  # why it is not up, in words
        self.refused: list = []  # topics that the broker would not subscribe us to
        self.thrown_away = 0  # incoming messages that were too big
        self.faults = 0  # errors in callbacks
        self.on_message = on_message
        self.on_up = on_up
        self.on_down = on_down
        self.on_ack = on_ack
        self.on_thrown_away = on_thrown_away
        # A ping goes out after half a keepalive of silence; what has no answer three quarters later is
        # lost. Together that is 1.25 keepalives, when the broker gives up at 1.5.
        self._patience_ms = keepalive_s * 750
        self._topics: list = []  # (topic, qos), for every new connection
        self._unasked: list = []  # those of them that this connection has not asked for yet
        self._addresses: list = []  # of getaddrinfo's answer, the one in use first: what has failed is gone
        self._last_id = 0
        self._closed = False
        self._tries = 0
        self._link = 0  # the try that is this link; 0: there is none
        self._clear()

    def _clear(self):
        self._socket = None
        self._reader = None
        self._accepted = False  # the broker's answer to CONNECT
        self._pinged_ms = None  # when the ping went out that is not answered yet
        self._sent_ms = self._heard_ms = now_ms()
        self._unanswered = 0  # bytes since the broker last answered anything
        self._unacked: dict = {}  # packet id → [sent at, acknowledged]
        self._asked: dict = {}  # packet id → topic of a SUBSCRIBE
        self._senders: list = []  # who waits to send, in order
        self._writers: list = []  # who waits to write, in order

    # What the owner calls.

    async def run(self) -> None:
        """Connects, reads, pings, notices the loss, waits, connects again, until cancelled or closed."""
        wait_ms = WAIT_MS
        more = self._closed = False
        while not self._closed:
            since_ms = now_ms()
            last = self.password
            try:
                was_up = await self._session()
            finally:
                self._end("stopped")
            if was_up and now_ms() - since_ms >= GOOD_MS:
                wait_ms = WAIT_MS
            if self._closed:
                break
            more = self.password != last and not more
            if more or (self.tls and self.tls.pop("more", 0)):
                await sleep_ms(LOOK_MS)  # there is another password to try, or another date
            else:
                if self.tls:
                    self.tls["next"] = None  # a search that leads nowhere is begun anew
                await sleep_ms(wait_ms // 2 + wait_ms * os.urandom(1)[0] // 512)
                wait_ms = min(2 * wait_ms, WAIT_MOST_MS)

    def subscribe(self, topic: str, qos: int = 0) -> None:
        """Asks for a topic, within a quarter of a second if up, and again on every new connection."""
        self._topics = [row for row in self._topics if row[0] != topic]
        self._topics.append((topic, qos))
        if self._accepted:
            self._unasked.append((topic, qos))

    async def send(self, topic: str, payload, retain: bool = False, qos: int = 0) -> int:
        """Writes a message; returns its packet id, 0 for QoS 0. Raises LinkDown, at the latest after
        three quarters of a keepalive; the message may have gone out all the same."""
        link = self._link
        if not self.up:
            raise LinkDown(self.reason)
        until_ms = now_ms() + self._patience_ms
        me = object()
        packet_id = 0
        line = self._senders
        line.append(me)
        try:
            while line[0] is not me or self._full(len(payload), qos):
                if line[0] is me and not self._unacked and self._pinged_ms is None:
                    await self._ping(link)  # only its answer makes room
                await self._tick(link, until_ms)
            if qos:
                packet_id = self._new_id()
                self._unacked[packet_id] = [now_ms(), False]
            await self._write(link, packet(topic, payload, retain, qos, packet_id), until_ms)
            self._unanswered += len(topic) + len(payload)
            return packet_id
        except BaseException:  # cancelled, too
            self._unacked.pop(packet_id, None)
            raise
        finally:
            line.remove(me)

    async def close(self) -> None:
        """Says goodbye, so that the will is not sent, and ends `run`."""
        self._closed = True
        if self.up:
            self.up = False  # nobody sends after a goodbye
            self.reason = "closed"
            link = self._link
            until_ms = now_ms() + CLOSE_MS
            try:
                await self._write(link, b"\xe0\x00", until_ms)
                while True:  # until the broker hangs up
                    await self._tick(link, until_ms)
            except LinkDown:
                pass
        self._end("closed")

    # One connection, from the first packet to the last.

    async def _session(self):
        """One try, and the link that comes of it. True when it was up."""
        self._clear()
        self._tries += 1
        link = self._link = self._tries
        was_up = False
        try:
            until_ms = now_ms() + CONNECT_MS
            await self._open(link, until_ms)
            await self._write(link, self._connect_packet(), until_ms)
            self._reader = asyncio.create_task(self._read(link))
            while not self._accepted:
                await self._tick(link, until_ms)
            self.refused = []
            self._unasked = list(self._topics)
            await self._ask(link)
            self.up = was_up = True
            self._tell(self.on_up)
            while self._link == link:
                await sleep_ms(min(250, self.keepalive_s * 60))
                await self._keep(link)
        except (OSError, ValueError, MemoryError) as error:
            self._end(self._words(error))
            if not was_up:
                self._addresses = self._addresses[1:]
        return was_up

    async def _open(self, link, until_ms):
        """Connects the socket: the address that worked last, else the next one of the name."""
        if not self._addresses:
            try:
                self._addresses = list(await resolve(self.host, self.port, CONNECT_MS))
            except (OSError, asyncio.TimeoutError) as error:
                raise LinkDown("the name '%s' cannot be looked up (%s)" % (self.host, error))
            await self._tick(link, until_ms)
        sock = self._socket = socket.socket(*self._addresses[0][:3])
        sock.setblocking(False)  # once and for ever
        try:
            sock.setsockopt(6, 1, 1)  # TCP_NODELAY: a message waits for nothing
        except OSError:
            pass
        try:
            sock.connect(self._addresses[0][4])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        poller = select.poll()
        poller.register(sock, select.POLLOUT)
        while not poller.poll(0):
            await self._tick(link, until_ms)
        if self.tls:
            from firmware import tls

            self._socket = tls.secured(sock, self.tls, self.host)
            forget("tls")

    async def _keep(self, link):
        """Pings in silence, and ends the link when an answer is overdue."""
        at_ms = now_ms()
        if self._pinged_ms is not None and at_ms - self._pinged_ms > self._patience_ms:
            self._end("no answer to a ping for %d s" % (self._patience_ms // 1000))
        for state in self._unacked.values():
            if at_ms - state[0] > self._patience_ms:
                self._end("a message was not acknowledged for %d s" % (self._patience_ms // 1000))
                break
        if self._link != link:
            return
        if self._pinged_ms is None and at_ms - min(self._sent_ms, self._heard_ms) >= self.keepalive_s * 500:
            await self._ping(link)
        await self._ask(link)

    def _end(self, reason):
        """Ends this link, whoever notices it first."""
        if not self._link:
            return
        self._link = 0
        self.up = False
        self.reason = "closed" if self._closed else reason
        if self._reader is not None:
            try:
                self._reader.cancel()
            except RuntimeError:  # MicroPython, where it is the reader itself that is ending
                pass
        if self._socket is not None:
            shut(self._socket)
        self._clear()
        self._tell(self.on_down, self.reason)

    async def _tick(self, link, until_ms):
        """A short wait. Raises LinkDown when the link has gone or it is too late."""
        if now_ms() > until_ms:
            raise LinkDown("%s:%d: no answer in time" % (self.host, self.port))
        await sleep_ms(LOOK_MS)
        if self._link != link:
            raise LinkDown(self.reason)

    def _words(self, error):
        """An error in words, by a file that is loaded only when something went wrong."""
        if isinstance(error, LinkDown) and error.args:
            return error.args[0]
        try:
            from firmware import mqtt_words

            words = mqtt_words.of_error(error, self.tls, self._accepted)
            forget("mqtt_words")
        except MemoryError:  # no room for words: all the same, `run` goes on
            words = "out of memory"
        return "%s:%d: %s" % (self.host, self.port, words)

    def _tell(self, callback, *args):
        if callback is not None:
            try:
                callback(*args)
            except Exception as error:
                self.faults += 1
                tell_error(error)

    # Writing.

    async def _write(self, link, packet, until_ms):
        """The whole packet, after those that came before it. Raises LinkDown."""
        me = object()
        line = self._writers
        line.append(me)
        rest = memoryview(packet)
        try:
            while line[0] is not me:
                await self._tick(link, until_ms)
            if self._link != link:
                raise LinkDown(self.reason)
            while rest:
                count = give(self._socket, rest)
                if count:
                    rest = rest[count:]
                else:
                    await self._tick(link, until_ms)
            self._sent_ms = now_ms()
        except (OSError, ValueError) as error:
            if self._link == link:
                self._end(self._words(error))
            raise LinkDown(self.reason)
        finally:
            line.remove(me)
            if 0 < len(rest) < len(packet) and self._link == link:  # cancelled
                self._end("a message was cut off")

    def _full(self, size, qos):
        """Whether enough is on its way already."""
        return (qos and len(self._unacked) >= WINDOW) or self._unanswered > max(0, UNANSWERED_BYTES - size)

    def _new_id(self):
        """The next packet id that is free: 1 to 65535, then 1 again."""
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self._unacked and self._last_id not in self._asked:
                return self._last_id

    async def _ping(self, link):
        self._pinged_ms = now_ms()
        await self._write(link, b"\xc0\x00", self._pinged_ms + self._patience_ms)

    async def _ask(self, link):
        while self._unasked:
            topic, qos = self._unasked.pop(0)
            packet_id = self._new_id()
            self._asked[packet_id] = topic
            body = packet_id.to_bytes(2, "big") + text(topic) + bytes((qos,))
            await self._write(link, b"\x82" + length(len(body)) + body, now_ms() + self._patience_ms)

    def _connect_packet(self):
        flags = 2  # a clean session: nothing is kept for us
        rest = text(self.client_id)
        if self.will:
            topic, payload, retain, qos = self.will
            flags |= 4 | qos << 3 | (32 if retain else 0)
            rest += text(topic) + text(payload)
        if self.user is not None:
            flags |= 128
            rest += text(self.user)
            if self.password is not None:
                flags |= 64
                rest += text(self.password)
        body = text("MQTT") + bytes((4, flags)) + self.keepalive_s.to_bytes(2, "big") + rest
        return b"\x10" + length(len(body)) + body

    # Reading.

    async def _read(self, link):
        try:
            while self._link == link:
                await self._packet(link)
                await sleep_ms(0)  # a flood must not hold up the loop
        except (OSError, ValueError, MemoryError) as error:
            if self._link == link:
                self._end(self._words(error))

    async def _fill(self, link, data):
        """The next bytes, as many as `data` has room for."""
        room = memoryview(data)
        while room:
            if self._link != link:
                raise LinkDown(self.reason)
            count = await receive(self._socket, room)
            if not count:
                raise LinkDown("the broker closed the connection")
            room = room[count:]
        return data

    async def _packet(self, link):
        kind = (await self._fill(link, bytearray(1)))[0]
        size = shift = 0
        while True:
            byte = (await self._fill(link, bytearray(1)))[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            if shift > 21:
                raise LinkDown
        if kind >> 4 == 3:
            await self._message(link, kind, size)
        elif size > 64:
            raise LinkDown
        else:
            self._answer(kind >> 4, await self._fill(link, bytearray(size)))
        self._heard_ms = now_ms()

    def _answer(self, kind, body):
        """CONNACK, PUBACK, SUBACK, PINGRESP: one to what we sent."""
        self._unanswered = 0
        if kind == 2 and len(body) == 2 and not self._accepted:
            if body[1]:
                from firmware import mqtt_words

                words = mqtt_words.of_refusal(body[1], self.client_id, self.user)
                forget("mqtt_words")
                if body[1] > 3 and self.next:
                    self.password, self.next = self.next, self.password
                raise LinkDown(words)
            self._accepted = True
        elif kind == 4 and len(body) == 2:
            state = self._unacked.pop(body[0] << 8 | body[1], None)
            if state:
                state[1] = True
                self._tell(self.on_ack, body[0] << 8 | body[1])
        elif kind == 9 and len(body) == 3:
            topic = self._asked.pop(body[0] << 8 | body[1], None)
            if topic and body[2] & 128 and len(self.refused) < REFUSED_MOST:
                self.refused.append(topic)
        elif kind == 13 and not body:
            self._pinged_ms = None
        else:
            raise LinkDown

    async def _message(self, link, kind, size):
        """A PUBLISH: to `on_message`, or thrown away in pieces when it is too big."""
        qos = kind >> 1 & 3
        topic_size = int.from_bytes(await self._fill(link, bytearray(2)), "big")
        size -= 2 + topic_size + (2 if qos else 0)
        if qos > 1 or size < 0:
            raise LinkDown("the broker sent what was not asked for")
        topic = None
        if topic_size <= TOPIC_MOST:
            topic = str(await self._fill(link, bytearray(topic_size)), "utf-8")
        else:  # none of ours
            await self._skip(link, topic_size)
        packet_id = await self._fill(link, bytearray(2 if qos else 0))
        try:
            payload = bytearray(size) if topic is not None and size <= PAYLOAD_MOST else None
        except MemoryError:
            payload = None
        if payload is None:
            self.thrown_away += 1
            self._tell(self.on_thrown_away, topic or "a topic of %d bytes" % topic_size, size)
            await self._skip(link, size)
        else:
            await self._fill(link, payload)
            self._tell(self.on_message, topic, payload, bool(kind & 1))
        if qos:
            await self._write(link, b"\x40\x02" + packet_id, now_ms() + self._patience_ms)

    async def _skip(self, link, size):
        while size:
            size -= len(await self._fill(link, bytearray(min(size, 256))))
            await sleep_ms(0)


def packet(topic, payload, retain, qos, packet_id):
    head = text(topic) + (packet_id.to_bytes(2, "big") if qos else b"")
    first = bytes((48 | qos << 1 | (1 if retain else 0),))
    return b"".join((first, length(len(head) + len(payload)), head, payload))


def text(value):
    """Text or bytes as MQTT has them: the length in two bytes first."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def length(size):
    """A packet's remaining length: seven bits a byte, the last without the eighth."""
    data = bytearray()
    while size > 127:
        data.append(size & 127 | 128)
        size >>= 7
    data.append(size)
    return data
