"""A thousand drains whose far end is dead, on a thousand channels (A4 #15; ten thousand are bench/'s)."""

import threading
import time
import unittest

from far_ends import MIB, SANITIZED, FarEndCase, cpu_seconds
from harness import counted, record, wait_until


class DeadFarEnds(FarEndCase):
    DRAINS = 1000
    RECORDS = 3  # of each channel
    WATCHED = 6  # seconds

    def test_15_a_thousand_dead(self):
        self.begin()
        far_end = self.wild()
        far_end.set_mode("refuse")
        self.phase("setup")
        tokens, drains = [], {}
        for i in range(self.DRAINS):
            channel, of_channel = self.router.channel(f"dead {i}", ["app"])
            tokens.append(of_channel["app"])
            drains[channel] = self.router.drain(channel, far_end.url.replace("/in", f"/{i}"))
        self.beside()
        self.router.send(counted(*[record(token, b"dead %d 0" % (self.RECORDS * i + n))
                                   for i, token in enumerate(tokens) for n in range(self.RECORDS)]))

        def accounts():
            return {one["channel"]: one["drains"][0] for one in self.router.ledger() if one["channel"] in drains}
        wait_until(lambda: all(account["accepted"] == self.RECORDS for account in accounts().values()), "all of it accepted")
        channel, drain = next(iter(drains.items()))
        history = lambda: self.router.history(channel).decode()
        wait_until(lambda: f"{drain['token']}' failing since " in history(), "a line in a channel's history")
        self.assertRegex(history(), r"failing since \S+: connect: connection refused \(127\.0\.0\.1:\d+\)\n$")

        self.watcher.stop()  # what it costs to look is not what they cost
        began, used, control = time.monotonic(), cpu_seconds(self.router), cpu_seconds(self.control)
        threading.Event().wait(self.WATCHED)
        took = time.monotonic() - began
        share = ((cpu_seconds(self.router) - used) - (cpu_seconds(self.control) - control)) / took
        self.assertEqual({account["buffered"] for account in accounts().values()}, {self.RECORDS})
        print(f"{self.DRAINS} dead drains cost {share * 100:.1f} % of a core beyond what the control used", flush=True)
        if not SANITIZED:
            self.assertLess(share, 0.10)

        # All of them are found when it is back, each record once.
        far_end.set_mode(200)
        wait_until(lambda: all(account["delivered"] == self.RECORDS for account in accounts().values()),
                   lambda: f"all of it delivered: {sum(a['delivered'] for a in accounts().values())}")
        numbers = [int(message.split(b" ")[1]) for message in far_end.messages()]
        self.assertEqual(sorted(numbers), list(range(self.DRAINS * self.RECORDS)))
        for number in numbers[::97]:
            mine = [n for n in numbers if n // self.RECORDS == number // self.RECORDS]
            self.assertEqual(mine, sorted(mine))
        self.assertEqual(history().count(f"{drain['token']}' "), 2)
        self.assertRegex(history(), f"recovered after \\S+: 0 dropped, {self.RECORDS} delivered late\n$")
        self.finish(memory=32 * MIB)


if __name__ == "__main__":
    unittest.main()
