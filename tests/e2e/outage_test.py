"""A rehearsed outage: in an outage of an https drain, with a data dir, not one record is lost, none is repeated but the batch in
flight, the neighbours notice nothing, and the owner, who reads only the tail and `tailrace drains health`, knows what happened,
since when, and when it was over.

The far end answers 503, then hangs, the router is killed while it does, then nobody listens, then it is back.
"""

import re
import tempfile
import time
import unittest

from far_ends import MICROS, MIB, FarEndCase, Notices, Sender, TlsFarEnd, Watcher, numbers_of, stamp
from harness import AUTH, free_port, run, wait_until

BATCH = 10  # records per POST
AGAIN = 1.0  # seconds before a kill: what was delivered then may be delivered again (docs/guarantees.md: 250 ms)


class Outage(FarEndCase):
    def start(self):
        self.router = self.node(public=self.public, admin=self.admin, environment=self.environment)
        self.watcher = Watcher(self.router)
        self.addCleanup(self.watcher.end)
        self.rss_before = self.router.rss()

    def follow(self):
        """All that the owner reads of it."""
        tail = Notices(self.router.session(self.channel, tail="1", num="1500"))
        self.addCleanup(tail.close)
        return tail

    def phase(self, name, rate=None, size=None):
        for sender in (self.control_sender, self.sender):
            first = sender.phase(name, self.RATE, 100)
        return first

    def set_up(self):
        ca, certificate = self.authority()
        folders = []
        for _ in range(2):
            folder = tempfile.TemporaryDirectory(prefix="tailrace-e2e-")
            self.addCleanup(folder.cleanup)
            folders.append(folder.name)
        self.environment = {"SSL_CERT_FILE": str(ca), "TAILRACE_DATA_DIR": folders[0]}
        self.public, self.admin = free_port(), free_port()
        self.start()
        self.control = self.node(environment={"TAILRACE_DATA_DIR": folders[1]})
        self.far = self.far_process()
        self.channel, tokens = self.router.channel("shop", ["app"])
        control_channel, control_tokens = self.control.channel("control", ["app"])
        self.http = self.router.drain(self.channel, self.far.url("beside"))
        self.syslog = self.router.drain(self.channel, self.far.syslog_url)
        self.control.drain(control_channel, self.far.url("control"))
        self.sender, self.control_sender = (
            Sender("post", f"{port}:{token}", BATCH)
            for port, token in ((self.public, tokens["app"]), (self.control.public, control_tokens["app"])))
        for sender in (self.sender, self.control_sender):
            self.addCleanup(sender.close)
        self.far_end = self.wild(lambda: TlsFarEnd(*certificate))
        self.flaky = []
        self.tail = self.follow()
        self.watch_waits()
        neighbours = ("beside", "syslog", "control")
        self.phase("warm")
        self.wait_for_phase("warm", 100, neighbours)
        self.phase("alone")
        self.wait_for_phase("alone", self.ALONE, neighbours)

    def health_words(self):
        """What `tailrace drains health` says."""
        code, out, err = run("drains", "health", "-a", self.channel, str(self.drain_["id"]), "--url", self.router.url,
                             environment={"TAILRACE_AUTH": AUTH})
        self.assertEqual((code, err), (0, ""))
        self.check_words(out)
        return out

    def wait_for_words(self, headline, *lines):
        """The lines of `drains health` by their first word, once it begins so and has these among them."""
        def there():
            words = self.health_words()
            parts = {name.strip(): text for name, text in re.findall(r"(?m)^  (.{11}) (.*)$", words)}
            return parts if re.match(headline, words) and set(lines) <= set(parts) else None
        return wait_until(there, lambda: f"{headline} {lines}: {self.health_words()}")

    def check_failing(self, cause, since):
        """What is wrong, since when, when it is tried again (unless it just is), and what it costs."""
        words = self.wait_for_words(rf"drain {self.drain_['id']} has been failing for \S+: {cause}\n", "next try")
        self.assertAlmostEqual(stamp(words["since"]), since, delta=0.001)
        self.assertRegex(words["next try"], r"^now$|^in (\d|[12]\d|30)s$|^in \d+ms$")
        self.assertRegex(words["lag"], r"^[\d,]+ records, \S+$")
        self.assertEqual(words["dropped"], "none")
        self.assertIn("far end is up", words["what to do"])
        health = self.health(self.drain_)
        self.assertEqual((health["state"], stamp(health["since"]), health["dropped"]),
                         ("failing", stamp(words["since"]), {}))
        self.assertGreater(health["lag_records"], 0)
        self.assertGreater(health["lag_seconds"], 0)

    def test_outage(self):
        self.set_up()
        far_end = self.far_end
        self.drain_ = drain = self.drain(far_end.url)
        begun_at = self.fault()
        first_of_drain = min(numbers_of(far_end))
        self.assertLess(first_of_drain, begun_at)

        # 503: the owner is told once, and shown when it is tried again.
        def unavailable(connection, number):
            connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            return 503
        far_end.behave = unavailable
        since = self.failing(drain, "answered 503")
        wait_until(lambda: max(far_end.repeats().values()) >= 3, "three tries of a batch")
        self.check_failing("answered 503", since)

        # It hangs; and while it has the batch in hand, the router is killed.
        hung = []

        def hang(connection, number):
            hung.append(number)
            far_end.until_closed(connection)
        far_end.behave = hang
        wait_until(lambda: hung, "a try that hangs")
        self.phase("kill")
        self.wait_for_phase("kill", self.RATE // 2, ("beside", "syslog"))
        self.story(drain, f"failing since {MICROS}: answered 503")
        self.watcher.stop()
        before_kill = self.router.account(self.channel, drain)
        killed_at = time.monotonic()
        self.router.kill()
        self.check_words(self.router.last_words)
        self.start()
        # The data dir has it all: what the drain had, and what it still must have.
        after = self.router.account(self.channel, drain)
        self.assertEqual((after["delivered"], after["dropped"]), (before_kill["delivered"], {}))
        self.assertGreaterEqual(after["buffered"], before_kill["buffered"])
        tail = self.follow()
        before, self.tail = self.tail, tail
        self.fault_at = time.time()
        wait_until(lambda: len(hung) >= 2, "the batch in flight, again")
        tries = far_end.all_tries()
        self.assertEqual((tries[hung[1]].id, tries[hung[1]].body), (tries[hung[0]].id, tries[hung[0]].body))
        self.phase("restarted")
        since = self.failing(drain, "no answer within 15s")
        self.check_failing("no answer within 15s", since)

        # Then nobody is there at all. It is one outage: its cause changes in health, and the tail says no more.
        far_end.set_mode("refuse")
        self.check_failing(r"connect: connection refused \(127\.0\.0\.1:\d+\)", since)
        self.story(drain, f"failing since {MICROS}: no answer within 15s")

        # It is over.
        far_end.behave = None
        waiting = self.router.account(self.channel, drain)["buffered"]
        far_end.set_mode(200)
        late = self.recovered(drain, since, dropped=0)
        back = next(one for one in far_end.all_tries() if one.status == 200 and one.id == tries[hung[0]].id)
        self.assertGreaterEqual(late, waiting)
        self.assertAlmostEqual(late, self.late_at(back.at, begun_at), delta=self.RATE // 2)
        words = self.wait_for_words(rf"drain {drain['id']} has been ok for \S+\n")
        self.assertEqual(words["dropped"], "none")
        self.assertFalse({"next try", "what to do"} & set(words))
        self.story(drain, f"failing since {MICROS}: no answer within 15s", "recovered after .*: 0 dropped, \\d+ delivered late")
        self.finish_outage(before, first_of_drain, killed_at)

    def late_at(self, moment, begun_at):
        """How many records had been sent by a moment of the monotonic clock and not been delivered before the outage."""
        messages = [message.split(b" ") for message in self.far_end.messages()]
        return sum(1 for _, number, sent, *_ in messages if int(sent) / 1e9 < moment and int(number) >= begun_at)

    def finish_outage(self, tail_before, first_of_drain, killed_at):
        drain, far_end = self.drain_, self.far_end
        total, doubtful = self.sender.stop()
        self.control_sender.stop()
        # A POST that was not answered before the kill was sent again. It may stand there twice, once without its verdict.
        self.assertLessEqual(len(doubtful), 1)
        again = {number for first in doubtful for number in range(first, first + BATCH)}
        for one in (drain, self.http, self.syslog):
            account = wait_until(lambda d=one: (lambda a: a if not a["buffered"] else None)(self.router.account(self.channel, d)),
                                 lambda d=one: f"an empty buffer: {self.router.account(self.channel, d)}")
            self.assertEqual((account["delivered"], account["dropped"]), (account["accepted"], {}))

        # The drain: not one is lost, none repeated; the batch in flight came under its frame id until it was taken.
        account = self.router.account(self.channel, drain)
        numbers = numbers_of(far_end)
        self.assertEqual(len(numbers), account["delivered"])
        twice = [number for i, number in enumerate(numbers) if i and number <= numbers[i - 1]]
        self.assertLessEqual(set(twice), again)
        self.assertEqual(sorted(set(numbers)), list(range(first_of_drain, total)))
        if not doubtful:
            self.assertEqual(numbers, sorted(numbers))
        repeated = [count for count in far_end.repeats().values() if count > 1]
        self.assertEqual(len(repeated), 1)
        self.assertEqual(far_end.most_busy, 1)

        # The neighbours: every record, in order; again only what was delivered just before the kill.
        for name in ("beside", "syslog"):
            wait_until(lambda n=name: self.far.books(n)["next"] == total, "the last record")
            books = self.far.books(name)
            self.assertEqual((books["first"], books["gaps"], books["notices"], books["bad"]), (0, [], [], []))
            for number, last in books["backs"]:
                self.assertLessEqual(last - number, AGAIN * self.RATE + BATCH, books["backs"])
            self.assertLessEqual(len(books["backs"]), 2)
            self.check_times("beside", "restarted", books=name)
        control = self.far.books("control")
        self.assertEqual((control["gaps"], control["backs"]), ([], []))
        for neighbour in (self.http, self.syslog):
            self.assertEqual(tail_before.of(neighbour) + self.tail.of(neighbour), [])
        self.watcher.stop()
        self.assertLess(self.watcher.rss - self.rss_before, 48 * MIB)
        self.check_secrets()


if __name__ == "__main__":
    unittest.main()
