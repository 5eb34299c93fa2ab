"""Far ends that go away and do not say so, and that come and go (A4 #13, #14)."""

import threading
import time
import unittest

from far_ends import MICROS, FarEndCase, WildFarEnd, reset
from harness import wait_until


class GoneFarEnds(FarEndCase):
    def test_13_half_open(self):
        # A process that is stopped: its kernel goes on, takes connections, and nobody reads them.
        self.begin()
        others = self.far_process("--receive-buffer", "4096")
        drains = {"http": self.drain(others.url("http")), "syslog": self.drain(others.syslog_url)}
        self.fault()
        others.halt()
        since = {"http": self.failing(drains["http"], "no answer within 15s"),
                 "syslog": self.failing(drains["syslog"], "no acknowledgement for 15s")}
        others.go_on()
        for name, drain in drains.items():
            self.recovered(drain, since[name], dropped=0)
            self.story(drain, f"failing since {MICROS}: no .* 15s", "recovered after .*")
        self.stop_sending()
        books = self.check_books(drains["http"], others, "http")
        # What was in flight came again as it was; it is found twice because its reader woke up.
        self.assertGreaterEqual(books["repeated_frames"], 1)
        self.assertLessEqual(books["repeated_frames"], 3)
        account = self.caught_up(drains["syslog"])
        wait_until(lambda: others.books("syslog")["next"] == self.total, "the last record")
        books = others.books("syslog")
        self.assertEqual((books["bad"], books["gaps"]), ([], []))
        self.assertEqual(books["first"], self.total - account["accepted"])
        self.assertEqual((account["dropped"], account["delivered"]), ({}, account["accepted"]))
        self.finish()

    FLAPS = 8

    # The back-off is forgotten with each 2xx as yet.
    @unittest.expectedFailure
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
        # Back-off went on from 1 s to 2 and 4, as nothing worked for long between. Each try may have found the connection that
        # it kept broken, and made another at once.
        times = far_end.times[before:]
        self.assertGreaterEqual(max(later - earlier for earlier, later in zip(times, times[1:])), 3, connections)
        self.assertLessEqual(connections, 2 * self.FLAPS)
        states = self.tail.states(drain)
        self.assertGreater(len(states), 1)
        for state, expected in zip(states, self.FLAPS * ["failing since ", "recovered after "]):
            self.assertTrue(state.startswith(expected), states)
        self.assertLessEqual(len(states), connections + 1)
        self.finish()


class FlappingFarEnd(WildFarEnd):
    """While it is down it resets each connection, so that each try is seen."""

    def __init__(self):
        self.down, self.times = False, []  # when each connection was made
        super().__init__()

    def flap(self, up):
        self.down = not up
        if self.down:
            with self.lock:
                connections = list(self._open)
            for connection in connections:
                connection.shutdown(2)

    def open(self, connection):
        with self.lock:
            self.times.append(time.monotonic())
        if self.down:
            reset(connection)
            raise OSError("down")
        return connection


if __name__ == "__main__":
    unittest.main()
