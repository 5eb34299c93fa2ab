"""Far ends that come and go (A4 #14)."""

import threading
import unittest

from far_ends import FarEndCase, WildFarEnd, reset
from harness import wait_until


class FlappingFarEnds(FarEndCase):
    FLAPS = 8

    def test_14_flaps_each_second(self):
        self.begin()
        far_end = self.wild(FlappingFarEnd)
        drain = self.drain(far_end.url)
        self.fault()
        before = far_end.connections
        for _ in range(self.FLAPS):
            for up in (False, True):
                far_end.flap(up)
                threading.Event().wait(1)
        connections = far_end.connections - before
        self.stop_sending()
        self.check_http(drain, far_end)
        # No storm: a try each second, and another at once where the connection that was kept proves broken.
        self.assertLessEqual(connections, 2 * 2 * self.FLAPS)
        states = self.tail.states(drain)
        self.assertGreater(len(states), 1)
        for state, expected in zip(states, self.FLAPS * ["failing since ", "recovered after "]):
            self.assertTrue(state.startswith(expected), states)
        self.assertLessEqual(len(states), connections + 1)
        self.finish()

    def test_14_answers_every_other_request(self):
        self.begin()
        far_end = self.wild()
        drain = self.drain(far_end.url)
        self.fault()
        bad = []

        def behave(connection, number):
            status = 200 if bad and bad[-1] == number - 1 else 503
            if status == 503:
                bad.append(number)
            connection.sendall(b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\n\r\n" % status)
            return status
        far_end.behave = behave
        wait_until(lambda: len(bad) >= 4, "four of them")
        far_end.behave = None
        self.stop_sending()
        self.check_http(drain, far_end)
        # What works for a moment is not hurried: back-off goes on where it was.
        tries = far_end.all_tries()
        gaps = [tries[number + 1].at - tries[number].at for number in bad[:3]]
        for i, gap in enumerate(gaps):
            self.assertGreaterEqual(gap, 0.75 * 2 ** i, gaps)
            self.assertLess(gap, 2 ** i + 2, gaps)
        self.finish()


class FlappingFarEnd(WildFarEnd):
    """While it is down it resets each connection, so that each try is seen."""

    def __init__(self):
        self.down = False
        super().__init__()

    def flap(self, up):
        self.down = not up
        if self.down:
            with self.lock:
                connections = list(self._open)
            for connection in connections:
                connection.shutdown(2)

    def open(self, connection):
        if self.down:
            reset(connection)
            raise OSError("down")
        return connection


if __name__ == "__main__":
    unittest.main()
