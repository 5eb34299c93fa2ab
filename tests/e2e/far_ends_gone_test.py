"""A far end that is gone and does not say so (A4 #13)."""

import unittest

from far_ends import MICROS, FarEndCase
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


if __name__ == "__main__":
    unittest.main()
