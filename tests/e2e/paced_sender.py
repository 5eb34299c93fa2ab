"""Sends numbered, stamped records at a steady pace, in a process of its own so that nothing a test does delays it.

    paced_sender.py tcp PORT:TOKEN …        each record to each syslog listener
    paced_sender.py post PORT:TOKEN BATCH   POSTs of BATCH records, each repeated under its frame id until it is answered 2xx

Reads orders, a line each, and answers each with a line:

    phase NAME RATE SIZE    from now on, records per second, bytes of padding; RATE 0: none. Says the number of the next one
    stop                    says how many were sent; with `post` then the first numbers of POSTs that were sent more than once

A record's message is `PHASE NUMBER NANOSECONDS PADDING`, by the monotonic clock. A POST that is repeated keeps its stamp.
"""

import http.client
import select
import socket
import sys
import time

from harness import PATIENCE, basic, counted, record

BEHIND = 0.25  # seconds; what a machine that stood still has missed is not made up for in one burst


class Tcp:
    def __init__(self, targets):
        self.tokens = [token for _, token in targets]
        self.sockets = []
        for port, _ in targets:
            out = socket.create_connection(("127.0.0.1", int(port)), timeout=PATIENCE)
            out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets.append(out)

    batch = 1

    def send(self, phase, number, padding):
        for out, token in zip(self.sockets, self.tokens):
            out.sendall(counted(record(token, b"%s %d %d %s" % (phase, number, time.monotonic_ns(), padding))))

    def stop(self):
        for out in self.sockets:
            out.shutdown(socket.SHUT_WR)
        for out in self.sockets:
            if out.recv(1):  # that the listener closes tells that it has read everything
                raise AssertionError("the syslog listener said something")
        return ""


class Post:
    def __init__(self, target, batch):
        self.port, self.token = target
        self.batch = batch
        self.connection = None
        self.doubtful = []

    def send(self, phase, number, padding):
        body = counted(*[record(self.token, b"%s %d %d %s" % (phase, n, time.monotonic_ns(), padding))
                         for n in range(number, number + self.batch)])
        fields = {"Authorization": basic(f"token:{self.token}"), "Content-Type": "application/logplex-1",
                  "Logplex-Msg-Count": str(self.batch), "Logplex-Frame-Id": f"paced-{number}"}
        end = time.monotonic() + PATIENCE
        first = True
        while not self._once(body, fields):
            if first:
                self.doubtful.append(number)
            first = False
            if time.monotonic() > end:
                raise AssertionError(f"nobody took the POST of {number}")
            select.select([], [], [], 0.01)

    def _once(self, body, fields):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=PATIENCE)
            self.connection.request("POST", "/logs", body, fields)
            answer = self.connection.getresponse()
            answer.read()
            if answer.status // 100 != 2 and answer.status not in (429, 503):
                raise AssertionError(f"a POST was answered {answer.status}")
            return answer.status // 100 == 2
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return False

    def stop(self):
        return " ".join(map(str, self.doubtful))


def main():
    kind, *rest = sys.argv[1:]
    if kind == "tcp":
        out = Tcp([target.split(":", 1) for target in rest])
    else:
        out = Post(rest[0].split(":", 1), int(rest[1]))
    number, phase, rate, padding = 0, b"", 0.0, b""
    due = time.monotonic()
    print("ready", flush=True)
    while True:
        left = max(0.0, due - time.monotonic()) if rate else None
        if select.select([sys.stdin], [], [], left)[0]:
            order = sys.stdin.readline().split()
            if not order:
                return
            if order[0] == "stop":
                print(number, out.stop(), flush=True)
                return
            phase, rate, padding = order[1].encode(), float(order[2]), b"x" * int(order[3])
            due = time.monotonic()
            print(number, flush=True)
            continue
        out.send(phase, number, padding)
        number += out.batch
        due = max(due + out.batch / rate, time.monotonic() - BEHIND)


if __name__ == "__main__":
    main()
