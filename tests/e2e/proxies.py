"""A TCP proxy between a reader and the router that breaks connections as it is told to."""

import socket
import struct
import threading

from harness import PATIENCE, free_port, wait_until


class Proxy:
    """Forwards from `port` to `target`. `cut` gives how many bytes of each connection's answer get through; None: all of them. It closes
    the connection then, with a reset if `reset`."""

    def __init__(self, target, port=None, cut=lambda: None, reset=False):
        self.target, self.cut, self.reset = target, cut, reset
        self.connections = self.cuts = 0
        self._lock = threading.Lock()
        self._open = set()
        self._listener = None
        self.port = port or free_port()
        self.up()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(16)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self):
        """Nobody listens, and all connections end."""
        listener, self._listener = self._listener, None
        if listener:
            end(listener, socket.SHUT_RDWR)
            listener.close()
        self.break_all()

    def break_all(self):
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            end(connection, socket.SHUT_RDWR)

    def wait_for_connections(self, count):
        wait_until(lambda: self.connections >= count, lambda: f"{count} connections; there were {self.connections}")

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near:
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=PATIENCE)
            except OSError:
                return
            with far:
                for one in (near, far):
                    one.settimeout(None)
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open |= {near, far}
                    self.connections += 1
                asking = threading.Thread(target=self._pump, args=(near, far), daemon=True)
                asking.start()
                cut = self._pump(far, near, self.cut())
                if cut:
                    self.cuts += 1
                if cut and self.reset:
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end(far, socket.SHUT_RDWR)
                end(near, socket.SHUT_RD if cut and self.reset else socket.SHUT_RDWR)  # wakes the other thread
                asking.join()
                with self._lock:
                    self._open -= {near, far}

    @staticmethod
    def _pump(source, sink, left=None):
        """True: that was as much as may get through."""
        try:
            while left is None or left > 0:
                piece = source.recv(65536 if left is None else min(left, 65536))
                if not piece:
                    break
                sink.sendall(piece)
                left = None if left is None else left - len(piece)
        except OSError:
            pass
        if left == 0:
            return True
        end(sink, socket.SHUT_RDWR)
        return False


def end(connection, how):
    try:
        connection.shutdown(how)
    except OSError:
        pass
