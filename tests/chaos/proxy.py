"""The network between one daemon and Redis: a port that passes bytes on, and breaks as networks do."""

import asyncio
import socket
import struct
import threading

UP, DOWN = "up", "down"  # to Redis, to the daemon


class Network:
    """The thread that all proxies of a run live in."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def add_proxy(self, socket_path):
        return asyncio.run_coroutine_threadsafe(Proxy(self.loop, socket_path).listen(), self.loop).result(10)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()


class Proxy:
    """Its public methods may be called from any thread.

    A connection that has lost bytes is lost for good, silently: it stays so when the proxy passes again,
    and only new ones work. One that was held delivers everything late, even if the daemon has given it up.
    """

    def __init__(self, loop, socket_path):
        self.loop, self.socket_path = loop, socket_path
        self.links = set()
        self.swallows = frozenset()  # directions in which bytes vanish
        self.holds = False
        self.delay = 0.0
        self.port = None

    async def listen(self):
        server = await self.loop.create_server(lambda: Near(Link(self)), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return self

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def cut(self):
        """Resets every connection; new ones are taken."""
        self._do(lambda: [link.reset() for link in list(self.links)])

    def swallow(self, *directions):
        def begin():
            self.swallows = frozenset(directions)
            for link in self.links:
                link.swallows |= self.swallows

        self._do(begin)

    def hold(self):
        self._do(lambda: setattr(self, "holds", True))

    def slow(self, seconds):
        self._do(lambda: setattr(self, "delay", seconds))

    def mend(self, for_good=False):
        """`for_good`: connections that have lost bytes are ended, and need not be found out."""

        def end():
            self.swallows, self.holds, self.delay = frozenset(), False, 0.0
            for link in list(self.links):
                if for_good and link.swallows:
                    link.reset()
                else:
                    link.flush()

        self._do(end)

    def _do(self, what):
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (what(), done.set()))
        done.wait(10)


class Link:
    """A connection of the daemon (near) and the one to Redis (far) that belongs to it."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.near = self.far = None
        self.near_is_gone = False
        self.swallows = proxy.swallows
        self.waiting = {UP: [], DOWN: []}
        self.due = 0.0

    def opened(self, near):
        self.near = near
        self.proxy.links.add(self)
        self.proxy.loop.create_task(self._connect())

    async def _connect(self):
        try:
            await self.proxy.loop.create_unix_connection(lambda: Far(self), self.proxy.socket_path)
        except OSError:
            self.reset()
            return
        self.flush()

    def carry(self, direction, data):
        if direction in self.swallows:
            return
        if self.proxy.holds or self.far is None:
            self.waiting[direction].append(data)
        elif self.proxy.delay or self.due > self.proxy.loop.time():
            # What comes later must not overtake, also when the delay has ended.
            self.due = max(self.proxy.loop.time() + self.proxy.delay, self.due + 1e-6)
            self.proxy.loop.call_at(self.due, self._write, direction, data)
        else:
            self._write(direction, data)

    def _write(self, direction, data):
        transport = self.far if direction == UP else self.near
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def flush(self):
        if self.proxy.holds or self.far is None:
            return
        for direction in (UP, DOWN):
            for data in self.waiting[direction]:
                self._write(direction, data)
            self.waiting[direction].clear()
        if self.near_is_gone:
            self._end(self.far)

    def near_lost(self):
        self.near_is_gone = True
        if self.proxy.holds and self.waiting[UP]:
            return  # what is on its way arrives all the same
        self._end(self.far)

    def far_lost(self):
        if not self.swallows:
            self._end(self.near)

    def _end(self, other):
        self.proxy.links.discard(self)
        if other is not None:
            other.close()

    def reset(self):
        self.proxy.links.discard(self)
        if self.near is not None:
            connection = self.near.get_extra_info("socket")
            if connection is not None and connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.near.abort()
        if self.far is not None:
            self.far.abort()


class Near(asyncio.Protocol):
    def __init__(self, link):
        self.link = link

    def connection_made(self, transport):
        self.link.opened(transport)

    def data_received(self, data):
        self.link.carry(UP, data)

    def connection_lost(self, error):
        self.link.near_lost()


class Far(asyncio.Protocol):
    def __init__(self, link):
        self.link = link

    def connection_made(self, transport):
        self.link.far = transport
        if self.link.near_is_gone:
            transport.close()

    def data_received(self, data):
        self.link.carry(DOWN, data)

    def connection_lost(self, error):
        self.link.far_lost()
