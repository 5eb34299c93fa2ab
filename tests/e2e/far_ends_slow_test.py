"""Far ends that take their time: an answer by the byte, a handshake that stalls (A4 #6, #12)."""

import select
import time
import unittest

from far_ends import MICROS, FarEndCase, TlsFarEnd
from harness import wait_until


class SlowFarEnds(FarEndCase):
    def test_06_answers_a_byte_a_second(self):
        self.begin()
        far_ends = {"head": self.wild(), "body": self.wild()}
        answers = {"head": (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                   "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x" * 100)}
        drains = {part: self.drain(far_end.url) for part, far_end in far_ends.items()}
        lasted = {part: [] for part in far_ends}
        self.fault()

        def drip(part):
            def behave(connection, number):
                began = time.monotonic()
                at_once, slowly = answers[part]
                connection.sendall(at_once)
                for i in range(len(slowly)):
                    connection.sendall(slowly[i:i + 1])
                    if select.select([connection], [], [], 1)[0]:  # it says no more, so this is its end
                        break
                lasted[part].append(time.monotonic() - began)
            return behave
        for part, far_end in far_ends.items():
            far_end.behave = drip(part)
        since = {part: self.failing(drain, "no answer within 15s") for part, drain in drains.items()}
        for part, far_end in far_ends.items():
            wait_until(lambda p=part: lasted[p], "the end of the connection")
            far_end.behave = None
        for part, drain in drains.items():
            self.recovered(drain, since[part], dropped=0)
        self.stop_sending()
        for part, far_end in far_ends.items():
            self.check_http(drains[part], far_end)
            # The deadline is one of the whole: many single bytes came in time.
            self.assertEqual(len(lasted[part]), 1)
            self.assertGreater(lasted[part][0], 14.9)
            self.assertLess(lasted[part][0], 25)
            self.assertEqual(sorted(far_end.repeats().values())[-1], 2)
            self.story(drains[part], f"failing since {MICROS}: no answer within 15s", "recovered after .*")
        self.finish()

    def test_12_handshake_stalls(self):
        ca, certificate = self.authority()
        self.begin(environment={"SSL_CERT_FILE": str(ca)})
        far_end = self.wild(lambda: TlsFarEnd(*certificate))
        far_end.keep = False
        drain = self.drain(far_end.url)
        self.fault()
        far_end.stalled = True
        since = self.failing(drain, "tls: no handshake within 5s")
        wait_until(lambda: far_end.stalls, "the end of the connection")
        far_end.stalled = False
        self.recovered(drain, since, dropped=0)
        self.stop_sending()
        self.check_http(drain, far_end)
        self.assertGreater(far_end.stalls[0], 4.9)
        self.assertLess(far_end.stalls[0], 10)
        self.story(drain, f"failing since {MICROS}: tls: .*", "recovered after .*")
        self.finish()


if __name__ == "__main__":
    unittest.main()
