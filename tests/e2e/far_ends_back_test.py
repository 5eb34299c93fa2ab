"""Far ends that are all back at once: catching up has a bounded share, and what is new waits for nobody."""

import tempfile
import unittest

from far_ends import MIB, FarEndCase
from harness import counted, record, wait_until


class FarEndsThatAreBack(FarEndCase):
    RECORDS, POSTS = 15_000, 8

    def catch_up(self, *own):
        self.begin("--channel-bytes", "256M", own=own)
        channel, tokens = self.router.channel("behind", ["app"])
        back = self.far_process()
        drains = [self.router.drain(channel, url)
                  for url in (back.url("a"), back.url("b"), back.url("c"), back.syslog_url, back.url("d"))]
        for drain in drains:
            self.order(channel, drain, "pause")
        for post in range(self.POSTS):
            records = [record(tokens["app"], b"%d %s" % (post * self.RECORDS + i, b"x" * 300)) for i in range(self.RECORDS)]
            self.assertEqual(self.router.post(counted(*records), tokens["app"]).status, 204)
        total = self.RECORDS * self.POSTS
        for drain in drains:
            self.router.wait_for_drain(channel, drain, accepted=total, buffered=total)
        self.beside()
        for drain in drains:
            self.order(channel, drain, "resume")
        for drain in drains:
            account = self.router.wait_for_drain(channel, drain, delivered=total, buffered=0)
            self.assertEqual(account["dropped"], {})
        self.wait_for_phase("beside", 200)
        # The records that were behind are in memory now; what batches took is what it may have grown by.
        self.finish(memory=128 * MIB, core=2)  # catching up is work

    def order(self, channel, drain, what):
        self.assertEqual(self.router.api("POST", f"/v3/channels/{channel}/drains/{drain['id']}/{what}").status, 200)

    def test_from_memory(self):
        self.catch_up()

    def test_from_disk(self):
        with tempfile.TemporaryDirectory(prefix="tailrace-e2e-") as folder:
            self.catch_up("--memory-bytes", "64M", "--data-dir", folder)
            self.router.stop()


if __name__ == "__main__":
    unittest.main()
