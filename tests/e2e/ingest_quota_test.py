"""TAILRACE_CHANNEL_RATE: over it a whole POST is 429, per channel, counted, and nothing of it is appended.

A POST passes if the channel's bucket, one second of its rate, holds its records or is full, and then owes what was not
there. So one POST of far more than the rate shuts its channel for as long as a test needs, on a machine of any speed.
"""

import re
import socket
import unittest

from harness import AUTH, RawHttp, counted, record, run, wait_until
from ingest_case import BOUND, RFC3339, UNKNOWN, IngestCase

LINES, NDJSON = "text/plain", "application/x-ndjson"
RATE = 10
OWED = 10_000  # records: a thousand seconds


class IngestQuota(IngestCase):
    flags = ("--channel-rate", str(RATE), "--syslog-udp-listen", "127.0.0.1:0")

    def exhaust(self, app=None):
        """One POST that the full bucket lets through."""
        self.accepts(b"x\n" * OWED, OWED, kind=LINES, auth=app or self.app)

    def last_messages(self):
        """Without what exhausted the channel, and what the router says of it."""
        return [line.split(b"]: ", 1)[1] for line in self.lines()
                if b" tailrace[ingest]: " not in line and not line.endswith(b"]: x")]

    def test_a_whole_post_is_refused(self):
        self.exhaust()
        for kind, body in (("application/logplex-1", counted(record(self.app, "a"), record(self.app, "b"))), (LINES, b"a\nb"),
                           (NDJSON, b'{"message":"a"}\n{"message":"b"}')):
            self.rejects(body, 429, quota=2, options={"kind": kind})
        self.assertEqual(self.last_messages(), [])

    def test_retry_after_is_in_whole_seconds(self):
        self.exhaust()
        answer = self.post(b"x", 1, kind=LINES)
        self.assertEqual(answer.status, 429)
        self.assertRegex(answer.header("Retry-After"), r"^[1-9]\d*$")

    def test_nothing_of_a_post_that_is_too_much(self):
        # Half of the bucket is taken; of what is more than the rest nothing is appended, and it costs nothing.
        self.accepts(b"one\n" * (RATE // 2), RATE // 2, kind=LINES)
        statuses = {self.post(b"two\n" * 1000, 1000, kind=LINES).status for _ in range(3)}
        if 204 not in statuses:  # it took less than half a second
            self.assertEqual(statuses, {429})
            self.assertEqual(self.messages(), [b"one"] * (RATE // 2))

    def test_per_channel(self):
        self.exhaust()
        second, tokens = self.router.channel("blog", ["web"])
        self.accepts(b"fine", 1, kind=LINES, auth=tokens["web"])
        self.rejects(b"not", 429, quota=1, options={"kind": LINES})
        self.rejects(b"not", 429, quota=1, options={"kind": LINES, "auth": self.heroku})  # another token, the same channel
        self.assertEqual(self.messages(second), [b"fine"])

    def test_a_credential_writes_to_the_channels_that_have_room(self):
        self.exhaust()
        second, tokens = self.router.channel("blog", ["web"])
        body = counted(record(self.app, "over"), record(tokens["web"], "fine"), record(self.app, "over"), record(UNKNOWN, "x"))
        self.rejects(body, 200, accepted=1, quota=2, unknown_token=1, options={"auth": AUTH})
        self.assertEqual(self.messages(second), [b"fine"])
        self.assertEqual(self.last_messages(), [])
        self.rejects(counted(record(self.app, "over")), 429, quota=1, options={"auth": AUTH})
        self.rejects(counted(record(self.app, "over"), record(UNKNOWN, "x")), 429, quota=1, unknown_token=1,
                     options={"auth": AUTH})

    def test_what_is_rejected_anyway_costs_no_quota(self):
        for _ in range(5):
            self.rejects(b"garbage\n" * 1000, 400, malformed=1000)
            self.rejects(counted(record(UNKNOWN, "x")) * 1000, 400, unknown_token=1000, options={"auth": AUTH})
        self.exhaust()  # the bucket was still full
        self.rejects(b"garbage\n", 400, malformed=1)
        self.rejects(counted(record(self.app, "x")) + b"garbage\n", 429, quota=1, malformed=1)

    def test_an_empty_post_needs_none(self):
        self.exhaust()
        self.accepts(b"", 0)
        self.accepts(b"\n\n", 0, kind=LINES)

    def test_a_connection_goes_on_behind_it(self):
        self.exhaust()
        second, tokens = self.router.channel("blog", ["web"])
        over = self.head(4, kind=LINES) + b"over"
        fine = self.head(4, kind=LINES, auth="token:" + tokens["web"]) + b"fine"
        with RawHttp(self.router.public) as connection:
            connection.send(over + fine + over + fine[:-4].replace(b"Content-Length: 4", b"Content-Length: 0"))
            statuses = []
            for records in (1, 1, 1, 0):
                answer = connection.answer()
                self.enter_answer(answer, records)
                statuses.append(answer.status)
        self.assertEqual(statuses, [429, 204, 429, 204])
        self.assertEqual(self.messages(second), [b"fine"])

    def over_tcp(self, data, records, port):
        """Sends them one connection after the other; each is accepted or counted by its reason."""
        before = self.counters()
        for _ in range(3):
            self.router.send(data, port=port)

        def judged():
            now = self.counters()
            taken, over = (now["tcp", what] - before["tcp", what] for what in ("accepted", "quota"))
            return (taken, over) if taken + over == 3 * records else None
        taken, over = wait_until(judged, lambda: f"{3 * records} records to be judged: {self.counters() - before}")
        self.enter("tcp", accepted=taken, quota=over)
        return taken, over

    def test_syslog_over_tcp(self):
        taken, over = self.over_tcp(counted(record(self.app, "s")) * 5000, 5000, self.router.syslog)
        self.assertGreaterEqual(taken, RATE)
        self.assertGreater(over, 0)
        taken, over = self.over_tcp((record(self.app, "s") + b"\n") * 5000, 5000, self.router.syslog)
        self.assertGreater(over, 0)
        second, tokens = self.router.channel("blog", ["web"])
        self.send(counted(record(tokens["web"], "fine")), accepted=1)
        self.balance()
        self.assertEqual(self.messages(second), [b"fine"])

    def test_syslog_over_udp(self):
        self.exhaust()
        second, tokens = self.router.channel("blog", ["web"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for _ in range(100):
                out.sendto(record(self.app, "s"), self.router.udp()[0])
            out.sendto(record(tokens["web"], "fine"), self.router.udp()[0])
        self.enter("udp", accepted=1, quota=100)
        self.balance()
        self.assertEqual(self.messages(second), [b"fine"])
        self.assertEqual(self.last_messages(), [])

    def test_http_and_syslog_share_a_channels_quota(self):
        self.exhaust()
        self.send(counted(record(self.app, "s"), record(self.heroku, "s")) + record(self.app, "s") + b"\n", quota=3)
        self.balance()
        self.assertEqual(self.last_messages(), [])

    def test_the_tail_says_what_syslog_lost(self):
        # A POST has its answer; a syslog sender has none, so the channel's readers are told, with exact counts.
        self.exhaust()
        tail = self.tail(self.router.session(self.channel, tail="1", num="1"))
        self.send(counted(*[record(self.app, "s")] * 30) + (record(self.app, "s") + b"\n") * 70, quota=100)
        said = re.compile(rb" tailrace\[ingest\]: (\d+) records over the channel's rate of 10 per second rejected since " +
                          RFC3339)
        wait_until(lambda: sum(map(int, said.findall(tail.text()))) >= 100,
                   lambda: f"the whole count; the tail has {tail.text()!r}")
        self.assertEqual(sum(map(int, said.findall(tail.text()))), 100)
        self.rejects(b"not", 429, quota=1, options={"kind": LINES})

    def test_a_wrong_rate_stops_the_start(self):
        for value in ("x", "-1", "1.5", "0", "10/s", "99999999999999999999"):
            with self.subTest(value=value):
                code, _, error = run("serve", environment={"TAILRACE_CHANNEL_RATE": value}, timeout=BOUND)
                self.assertEqual(code, 2)
                self.assertIn("TAILRACE_CHANNEL_RATE", error)


class QuotaThatRefills(IngestCase):
    flags = ("--channel-rate", "2000")

    def test_it_passes_again_later(self):
        statuses = []

        def refused_and_taken():
            statuses.append(self.post(b"x\n" * 2000, 2000, kind=LINES).status)
            return 429 in statuses and statuses[-1] == 204
        wait_until(refused_and_taken, "a POST that passes after one that does not")
        self.assertEqual(statuses[0], 204)
        self.assertEqual(set(statuses), {204, 429})

    def test_below_the_rate_nothing_is_refused(self):
        for _ in range(20):
            self.accepts(b"x\n" * 100, 100, kind=LINES)


class NoQuota(IngestCase):
    def test_off_is_the_default(self):
        for _ in range(3):
            self.accepts(b"x\n" * 100_000, 100_000, kind=LINES)


if __name__ == "__main__":
    unittest.main()
