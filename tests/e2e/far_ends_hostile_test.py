"""Far ends that break off, lie and flood: A4 #7, #8, #11."""

import contextlib
import gzip
import itertools
import socket
import unittest

from far_ends import MICROS, MIB, FarEndCase, TlsFarEnd, reset
from harness import wait_until

OK = b"HTTP/1.1 200 OK\r\n"


class HostileFarEnds(FarEndCase):
    def test_07_breaks_off(self):
        def behaviour(said, end):
            def behave(connection, number):
                connection.sendall(said)
                end(connection)
            return behave
        close = lambda connection: None
        ways = {"end before an answer": (b"", close), "reset before an answer": (b"", reset),
                "end in the status line": (b"HTTP/1.1 2", close), "reset in the head": (OK + b"Content-Le", reset),
                "end in the head": (OK + b"Content-Length: 10\r\n", close),
                "end in the body": (OK + b"Content-Length: 10\r\n\r\nfour", close),
                "reset in the body": (OK + b"Content-Length: 10\r\n\r\nfour", reset),
                "end in a chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nfour", close),
                "end between chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n", close)}
        self.begin("--channel-drains", "20")
        far_ends = {way: self.wild() for way in ways}
        drains = {way: self.drain(far_end.url) for way, far_end in far_ends.items()}
        self.fault()
        for way, far_end in far_ends.items():
            far_end.behave = behaviour(*ways[way])
        since = {way: self.failing(drain, "closed by the far end") for way, drain in drains.items()}
        for way, far_end in far_ends.items():
            # Three tries or more: a kept connection that breaks is given a second chance at once.
            wait_until(lambda e=far_end: max(e.repeats().values()) >= 3, f"tries of the same batch: {way}")
            far_end.behave = None
        for way, drain in drains.items():
            self.recovered(drain, since[way], dropped=0)
        self.stop_sending()
        for way, far_end in far_ends.items():
            with self.subTest(way=way):
                self.check_http(drains[way], far_end)
                repeated = [n for n in far_end.repeats().values() if n > 1]
                self.assertEqual(len(repeated), 1)
                self.assertEqual(far_end.most_busy, 1)
                self.story(drains[way], f"failing since {MICROS}: closed by the far end", "recovered after .*")
        self.finish()

    def test_08_floods(self):
        sent = {}

        def flood(way, start, pieces, most):
            """Bytes until the router has enough, or `most` of them."""
            def behave(connection, number):
                count = 0
                with contextlib.suppress(OSError):
                    connection.sendall(start)
                    for piece in pieces():
                        connection.sendall(piece)
                        count += len(piece)
                        if count >= most:
                            break
                    connection.shutdown(socket.SHUT_WR)
                    far_ends[way].until_closed(connection)
                sent[way] = max(sent.get(way, 0), count)
                return statuses[way]
            return behave
        zeros = b"\0" * 65536
        bomb = 16 * gzip.compress(b"\0" * (64 << 20))  # a gigabyte in one
        bomb_head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        forever = lambda piece: lambda: itertools.repeat(piece)
        # Far more than a router may read, each; the first four have said 200 within the bounds, the others have not.
        floods = {"a body of a gigabyte": (OK + b"Content-Length: 1073741824\r\n\r\n", forever(zeros), 1 << 30),
                  "chunks for ever": (OK + b"Transfer-Encoding: chunked\r\n\r\n", forever(b"1000\r\n" + zeros[:4096] + b"\r\n"),
                                      1 << 30),
                  "a body until the end": (OK + b"Connection: close\r\n\r\n", forever(zeros), 1 << 30),
                  "a gzip bomb": (bomb_head, lambda: [bomb], 1 << 30),
                  "100 for ever": (b"", forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), 64 << 20),
                  "a field of 64 KiB": (OK, lambda: [b"X-Long: " + b"x" * 65536 + b"\r\nContent-Length: 0\r\n\r\n"], 1 << 20),
                  "ten thousand fields": (OK, lambda: [b"X: y\r\n" * 10_000 + b"Content-Length: 0\r\n\r\n"], 1 << 20),
                  "a status line for ever": (b"HTTP/1.1 200 ", forever(b"O" * 65536), 64 << 20)}
        honoured = ("a body of a gigabyte", "chunks for ever", "a body until the end", "a gzip bomb")
        statuses = {way: 200 if way in honoured else None for way in floods}
        self.begin("--channel-drains", "20")
        far_ends = {way: self.wild() for way in floods}
        drains = {way: self.drain(far_end.url) for way, far_end in far_ends.items()}
        self.fault()
        for way, far_end in far_ends.items():
            far_end.behave = flood(way, *floods[way])
        since = {way: self.failing(drain, "bad answer") for way, drain in drains.items() if way not in honoured}
        for way, far_end in far_ends.items():
            wait_until(lambda w=way: w in sent, f"the end of {way}")
            if way in honoured:
                wait_until(lambda e=far_end, n=len(far_end.taken()): len(e.taken()) >= n + 5, f"five such answers: {way}")
            else:
                wait_until(lambda e=far_end: max(e.repeats().values()) >= 2, f"two tries of the same batch: {way}")
            far_end.behave = None
        for way, begun in since.items():
            self.recovered(drains[way], begun, dropped=0)
        self.stop_sending()
        for way, far_end in far_ends.items():
            with self.subTest(way=way):
                self.check_http(drains[way], far_end)
                # What the kernels' buffers held, and no more, was ever sent.
                self.assertLess(sent[way], 16 * MIB)
                self.assertEqual(any(n > 1 for n in far_end.repeats().values()), way not in honoured)
                told = [] if way in honoured else [f"failing since {MICROS}: bad answer", "recovered after .*"]
                self.story(drains[way], *told)
        self.finish(memory=8 * MIB)

    def test_11_shows_a_certificate_of_its_own_make(self):
        ca, good = self.authority()
        _, bad = self.authority("stranger")
        self.begin(environment={"SSL_CERT_FILE": str(ca)})
        far_end = self.wild(lambda: TlsFarEnd(*good))
        far_end.keep = False
        drain = self.drain(far_end.url)
        self.fault()
        far_end.show(*bad)
        since = self.failing(drain, "tls: .*(certificate|issuer).*")
        taken = len(far_end.all_tries())
        wait_until(lambda: far_end.refused >= 3, "three handshakes")
        self.assertEqual(len(far_end.all_tries()), taken)  # nothing was said to a stranger
        far_end.show(*good)
        self.recovered(drain, since, dropped=0)
        self.stop_sending()
        self.check_http(drain, far_end)
        self.story(drain, f"failing since {MICROS}: tls: .*", "recovered after .*")
        self.finish()


if __name__ == "__main__":
    unittest.main()
