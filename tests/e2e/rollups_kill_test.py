"""kill -9: every line is counted in its own minute, once, whatever died before it was stored."""

import collections
import datetime
import os
import random
import re
import sqlite3
import threading
import time
import unittest

from durable import Durable, rounds
from harness import counted, pause, record, wait_until
from rollups_test import text_of

MINUTE = 60


class Sender:
    """Posts router lines of the last minutes, a batch at a time, whether or not they are taken."""

    def __init__(self, case, token, name, generator):
        self.case, self.token, self.name, self.generator = case, token, name, generator
        self.sent, self.stopped = 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopped = True
        self.thread.join()

    def _line(self):
        self.sent += 1
        at = time.time() - self.generator.choice((0, 0, 0, 5, 61, 150, 1234, 100 * MINUTE)) - self.generator.random()
        message = (f"at=info service={self.generator.randrange(1, 3000)}ms status={self.generator.choice((200, 200, 302, 503))} "
                   f"id={self.name}-{self.sent} minute={int(at - at % MINUTE)}")
        return record("heroku", message, procid="router", time=text_of(at))

    def _run(self):
        while not self.stopped:
            body = counted(*(self._line() for _ in range(self.generator.choice((1, 3, 40, 300)))))
            try:
                self.case.router.post(body, self.token)
            except OSError:
                pass  # it is down, or was; what it had taken lies in its log


class Kills(Durable):
    def expected(self, channel):
        """Of every line that lies in the log: lines, and the sum of their milliseconds, by minute."""
        lines, sums = collections.Counter(), collections.Counter()
        for message in self.exported(channel):
            service, minute = (int(n) for n in re.search(r"service=(\d+)ms.* minute=(\d+)", message).groups())
            lines[minute] += 1
            sums[minute] += service
        return lines, sums

    def counted(self, channel, name="router.service"):
        answer = self.router.good("GET", f"/v3/channels/{channel}/metrics?from=150m&name={name}")
        lines, sums = collections.Counter(), collections.Counter()
        for series in answer["series"]:
            for point in series["points"]:
                minute = int(datetime.datetime.fromisoformat(point["time"]).timestamp())
                lines[minute] += point["count"]
                sums[minute] += round(point["sum"] * 1000)
        return lines, sums

    def check(self, channel, expected):
        total = sum(expected[0].values())
        wait_until(lambda: sum(self.counted(channel)[0].values()) >= total,
                   lambda: f"{total} lines to be counted, {sum(self.counted(channel)[0].values())} are")
        self.assertEqual(self.counted(channel), expected)
        statuses = self.counted(channel, "router.status.2xx,router.status.3xx,router.status.5xx")[0]
        self.assertEqual(statuses, expected[0])

    def test_every_line_counts_in_its_minute_once(self):
        seed = int(os.environ.get("TAILRACE_SEED", random.randrange(1 << 32)))
        generator = random.Random(seed)
        with self.subTest(seed=seed):
            self.start()
            channel, tokens = self.router.channel("shop", ["heroku"])
            for turn in range(rounds(5, 100)):
                senders = [Sender(self, tokens["heroku"], f"{turn}-{i}", random.Random(generator.random())) for i in range(3)]
                # Some answers make the keeper take what shards have; some kills come in the middle of a replay.
                # One is long enough for a round of the keeper.
                until = time.monotonic() + (11.5 if turn == 1 else generator.choice((0.05, 0.3, 1.0, 2.5)))
                while time.monotonic() < until:
                    if generator.random() < 0.3:
                        self.counted(channel)
                    pause()
                if generator.random() < 0.3:
                    self.router.stop(errors=True)
                else:
                    self.kill()
                for sender in senders:
                    sender.stop()
                expected = self.expected(channel)
                self.start()
                if generator.random() < 0.7:
                    self.check(channel, expected)
            expected = self.expected(channel) if self.router.stopped else expected
            self.check(channel, expected)
            # Stored, and read from there.
            self.router.stop()
            self.start()
            self.check(channel, expected)

    def test_a_damaged_file_and_one_that_is_gone_are_made_again_from_the_log(self):
        self.start()
        channel, tokens = self.router.channel("shop", ["heroku"])
        generator = random.Random(1)
        sender = Sender(self, tokens["heroku"], "a", generator)
        wait_until(lambda: sender.sent > 2000, "lines")
        sender.stop()
        self.router.stop()
        expected = self.expected(channel)
        path = self.dir / "rollups.db"

        def flip_everywhere():
            data = bytearray(path.read_bytes())
            for at in range(100, len(data), 4096):
                data[at] ^= 0xff
            path.write_bytes(data)

        def flip_one_row():
            with sqlite3.connect(path) as db:
                db.execute("UPDATE channels SET state = zeroblob(7)")
            db.close()

        for name, damage in (("flipped", flip_everywhere), ("garbage", lambda: path.write_bytes(b"no database" * 1000)),
                             ("empty", lambda: path.write_bytes(b"")), ("gone", path.unlink), ("row", flip_one_row)):
            with self.subTest(name):
                damage()
                self.start()
                self.check(channel, expected)
                self.assertEqual(self.router.api("GET", "/readyz", auth=None).status, 200)
                self.router.stop(errors=True)
                self.assertEqual(self.expected(channel), expected)


if __name__ == "__main__":
    unittest.main()
