"""Syslog over TCP: both framings, every split, every way to be refused; and that nothing is lost or altered."""

import random
import unittest

from harness import EndToEnd, SyslogFarEnd, HttpFarEnd, TIME, counted, record, wait_until


class IngestTcp(EndToEnd):
    def set_up(self, *flags, **options):
        self.router = self.node(*flags, **options)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def settled(self, accepted, **rejected):
        """Waits until this much is counted, and nothing but this."""
        def sums():
            return self.router.accepted("tcp"), self.router.rejected("tcp")
        wait_until(lambda: sums() == (accepted, rejected), lambda: f"{accepted} and {rejected}; it is {sums()}")

    def shown(self):
        return self.router.history(self.channel).split(b"\n")[:-1]

    def line(self, message, app=b"app", procid=b"web.1"):
        return TIME.encode() + b" " + app + b"[" + procid + b"]: " + message

    def test_both_framings_mixed(self):
        self.set_up()
        r = [record(self.app, f"record {i}") for i in range(6)]
        self.router.send(counted(r[0]) + r[1] + b"\n" + counted(r[2] + b"\n") + r[3] + b"\r\n" + b"\n\r\n" +
                         counted(r[4], r[5]))
        self.settled(6)
        self.assertEqual(self.shown(), [self.line(b"record %d" % i) for i in range(6)])

    def test_split_at_every_byte(self):
        self.set_up()
        first, second = record(self.app, "the first"), record(self.heroku, "the second", procid="router")
        data = counted(first) + second + b"\n" + counted(second) + first + b"\r\n"
        for at in range(1, len(data)):
            self.router.send(None, pieces=[data[:at], data[at:]])
        self.router.send(None, pieces=[data[i:i + 1] for i in range(len(data))])
        rounds = len(data)
        self.settled(4 * rounds)
        one, two = self.line(b"the first"), self.line(b"the second", b"heroku", b"router")
        shown = self.shown()
        # Connections of different rounds may be read in any order, each record of them is whole.
        self.assertEqual(len(shown), min(1500, 4 * rounds))
        self.assertEqual(set(shown), {one, two})

    def test_name_of_the_token_and_nothing_of_its_id(self):
        self.set_up()
        far_end = self.far_end(SyslogFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.router.send(counted(record(self.heroku, "at=info", procid="router"), record(self.app, "up")))
        self.assertEqual(far_end.wait_for(2), [b"at=info\n", b"up\n"])
        self.assertEqual(self.shown(), [self.line(b"at=info", b"heroku", b"router"), self.line(b"up")])
        for frame in far_end.frames():
            self.assertNotIn(b"t.", frame)

    def test_listener_with_a_token_that_does_not_exist(self):
        # The token is looked up for each connection; until it exists no record is taken through that listener.
        unknown = "t.00000000-0000-4000-8000-000000000000"
        self.set_up(syslog=f"127.0.0.1:0,127.0.0.1:0?token={unknown}")
        port = self.router.syslog_ports[1]
        self.router.send(counted(record("anything", "no home")), port=port)
        self.settled(0, unknown_token=1)
        self.assertNotIn(unknown, self.router.log())

    def test_listener_with_a_token(self):
        token = "t.0a0a0a0a-0000-4000-8000-000000000000"
        self.set_up(syslog=f"127.0.0.1:0,127.0.0.1:0?token={token}")
        made = self.router.api("POST", f"/v2/channels/{self.channel}/tokens", {"name": "console", "token": token})
        self.assertEqual((made.status, made.json()), (201, {"name": "console", "token": token}))
        port = self.router.syslog_ports[1]
        other, tokens = self.router.channel("other", ["web"])
        # Every record goes to the listener's channel. APP-NAME stays, a token's id becomes a name; what does not parse
        # is a raw record under the token's name.
        self.router.send(counted(record("sshd", "one", procid="77"), record(tokens["web"], "two"), record(token, "three"),
                                 record(self.heroku, "four")) + b"no syslog \xff at all\n<13>su: old style\n", port=port)
        self.settled(6)
        self.assertEqual(self.shown()[:4], [self.line(b"one", b"sshd", b"77"), self.line(b"two", b"console"),
                                            self.line(b"three", b"console"), self.line(b"four", b"heroku")])
        self.assertRegex(self.shown()[4], rb"^\d{4}-\d\d-\d\dT\S+ console\[-\]: no syslog \xff at all$")
        self.assertRegex(self.shown()[5], rb"^\d{4}-\d\d-\d\dT\S+ console\[-\]: <13>su: old style$")
        self.assertEqual(self.router.history(other), b"")

    def test_unknown_token_is_counted_and_costs_nothing_else(self):
        self.set_up()
        good = record(self.app, "good")
        bad = [record("t.11111111-2222-4333-8444-555555555555", "unknown"), record("app", "no token"),
               record(self.app[:-1], "too short"), record(self.app + "0", "too long"), record(self.app.upper(), "case")]
        self.router.send(counted(good, bad[0], good, bad[1], bad[2]) + bad[3] + b"\n" + bad[4] + b"\n" + counted(good))
        self.settled(3, unknown_token=5)
        self.assertEqual(self.shown(), [self.line(b"good")] * 3)
        # Told in the log, at most once a second, and without what was sent.
        wait_until(lambda: "records without a usable token" in self.router.log(), "a line in the log")
        self.assertNotIn("11111111-2222", self.router.log())

    def test_raw_record_without_a_token_is_refused(self):
        self.set_up()
        self.router.send(b"hello world\n" + counted(record(self.app, "good")) + b"<13>Jan  2 03:04:05 host su: old\n")
        self.settled(1, unknown_token=2)

    def test_too_long(self):
        self.set_up()
        good = record(self.app, "good")
        huge = 1 << 20
        # A count beyond 1 MiB, and a line beyond it: each one record, up to the next newline; reading goes on behind.
        self.router.send(counted(good) + b"%d <13>1 and what follows\n" % (huge + 1) + counted(good))
        self.settled(2, too_long=1)
        self.router.send(b"99999999999999999999 <13>1 x\n" + counted(good))
        self.settled(3, too_long=2)
        self.router.send(good + b"x" * (2 * huge) + b"\n" + counted(good))
        self.settled(4, too_long=3)
        # The largest frame that is one.
        biggest = record(self.app, b"y" * (huge - len(record(self.app, ""))))
        self.assertEqual(len(biggest), huge)
        self.router.send(counted(biggest, good))
        self.settled(6, too_long=3)
        self.assertLess(self.router.rss(), 700 << 20)  # sanitizers take their share

    def test_counts_that_are_none(self):
        self.set_up()
        good = record(self.app, "good")
        # With these the `<` does not follow the space of a count: each is a line, a raw one, and has no token.
        odd = [b"0 " + good, b"-1 " + good, b"+5 " + good, b"5\t" + good, b" 5 " + good, b"0" * 1000 + b"2000010 " + good,
               b"12 hello world", b"5", b"123 "]
        self.router.send(b"".join(line + b"\n" + counted(good) for line in odd))
        self.settled(len(odd), unknown_token=len(odd))

    def test_truncated_at_the_end(self):
        self.set_up()
        good = record(self.app, "good")
        for rest in (b"1", b"12 ", b"120 <13>1", counted(good)[:-1], good[:-1], b"<"):
            self.router.send(counted(good) + rest)
        self.settled(6, truncated=6)
        self.router.send(b"")
        self.router.send(counted(good) + b"\n\r\n")
        self.settled(7, truncated=6)

    def test_every_byte_passes_unchanged(self):
        self.set_up()
        http, syslog = self.far_end(HttpFarEnd), self.far_end(SyslogFarEnd)
        self.router.drain(self.channel, http.url)
        self.router.drain(self.channel, syslog.url)
        tail = self.tail(self.router.session(self.channel, tail="1", num="10"))
        messages = [b"nul \0 inside \0\0", b"\xff\xfe invalid \xc3\x28 utf-8 \xe2\x82", bytes(range(1, 10)) + bytes(range(11, 256)),
                    "schön 漢字 \U0001f600".encode(), b"\x1b]0;title\x07\x1b[2J", b"tab\tand  two blanks  ", b"",
                    b"[not structured data] and \\ and \"", b"%s %n %d"]
        self.router.send(counted(*[record(self.app, m) for m in messages]))
        self.settled(len(messages))
        self.assertEqual(http.wait_for(len(messages)), messages)
        self.assertEqual(syslog.wait_for(len(messages)), [m + b"\n" for m in messages])
        end = self.line(messages[-1]) + b"\n"
        wait_until(lambda: tail.text().endswith(end), "the last line of the tail")
        self.assertEqual(tail.text(), b"".join(self.line(m) + b"\n" for m in messages))

    def test_newline_within_an_octet_counted_record_is_one_record(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        forged = b"one\n<13>1 2026-01-01T00:00:00Z host " + self.heroku.encode() + b" router - - forged"
        self.router.send(counted(record(self.app, forged)))
        self.settled(1)
        self.assertEqual(far_end.wait_for(1), [forged])

    def test_long_messages_are_split_and_never_cut(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        exact = b"a" * 10_000
        plus = b"b" * 10_001
        three_bytes = ("漢" * 7000).encode()  # 21,000 bytes, a character ends at 9,999
        garbage = b"\x80" * 10_050
        pieces = [exact, plus[:10_000], plus[10_000:], three_bytes[:9_999], three_bytes[9_999:19_998], three_bytes[19_998:],
                  garbage[:10_000], garbage[10_000:]]
        self.router.send(counted(*[record(self.app, m) for m in (exact, plus, three_bytes, garbage)]))
        self.settled(4)  # as sent
        self.assertEqual(far_end.wait_for(len(pieces)), pieces)
        self.router.wait_for_drain(self.channel, drain, accepted=len(pieces), delivered=len(pieces))
        for line in self.shown():
            self.assertTrue(line.startswith(TIME.encode() + b" app[web.1]: "))

    def test_header_variants(self):
        self.set_up()
        variants = [
            record(self.app, "no structured data", sd=None),
            record(self.app, "with data", sd='[meta sequenceId="518"][x@1 a="\\]\\""]'),
            record(self.app, "[info] is no data", sd=None),
            record(self.app, "priority 0", pri=0), record(self.app, "priority 191", pri=191),
            record(self.app, "no procid", procid="-"), record(self.app, "no time", time="-"),
        ]
        self.router.send(counted(*variants))
        self.settled(len(variants))
        shown = self.shown()
        self.assertEqual(shown[0], self.line(b"no structured data"))
        self.assertEqual(shown[1], self.line(b"with data"))
        self.assertEqual(shown[2], self.line(b"[info] is no data"))
        self.assertEqual(shown[5], self.line(b"no procid", procid=b"-"))
        self.assertEqual(shown[6], b"- app[web.1]: no time")

    def test_priorities_that_are_none_never_end_the_connection(self):
        self.set_up()
        bad = [b"<192>1 ", b"<999>1 ", b"<2147483648>1 ", b"<>1 ", b"<-1>1 ", b"<013>1 ", b"<44444444444444444444<4\xbe\xbe",
               b"<13>Jan", b"<13>1 2026-01-01T00:00:00Z", b"<13>"]
        data = b"".join(counted(b + b"x host " + self.app.encode() + b" - - - m") for b in bad)
        self.router.send(data + counted(record(self.app, "still here")))
        wait_until(lambda: self.router.accepted("tcp") + sum(self.router.rejected("tcp").values()) == len(bad) + 1,
                   "every record judged")
        self.assertIn(self.line(b"still here"), self.shown())

    def test_conservation_over_random_streams(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        rng = random.Random(20260102)
        accepted, rejected, messages = 0, {"unknown_token": 0, "too_long": 0, "truncated": 0}, []
        for connection in range(30):
            data = bytearray()
            for i in range(rng.randrange(1, 200)):
                kind = rng.random()
                message = b"%d-%d %s" % (connection, i, b"x" * rng.randrange(400))
                if kind < 0.45:
                    data += counted(record(self.app, message))
                elif kind < 0.9:
                    data += record(self.app, message) + rng.choice([b"\n", b"\r\n", b"\n\n"])
                elif kind < 0.97:
                    data += counted(record("t.11111111-2222-4333-8444-555555555555", message))
                    rejected["unknown_token"] += 1
                    continue
                else:
                    data += b"1048577 <13>1 too long\n"
                    rejected["too_long"] += 1
                    continue
                accepted += 1
                messages.append(message)
            if rng.random() < 0.5:
                data += b"300 <13>1 cut"
                rejected["truncated"] += 1
            pieces, at = [], 0
            while at < len(data):
                end = at + rng.choice([1, 7, 100, 1460, 5000])
                pieces.append(bytes(data[at:end]))
                at = end
            self.router.send(None, pieces=pieces)
        self.settled(accepted, **{k: v for k, v in rejected.items() if v})
        # One connection after the other, so the order is known too.
        self.assertEqual(far_end.wait_for(accepted), messages)
        account = self.router.wait_for_drain(self.channel, drain, accepted=accepted, delivered=accepted)
        self.assertEqual((account["dropped"], account["buffered"]), ({}, 0))

    def test_a_removed_token_writes_no_more(self):
        self.set_up()
        other, tokens = self.router.channel("short-lived", ["app"])
        self.router.send(counted(record(tokens["app"], "alive")))
        self.settled(1)
        self.assertEqual(self.router.api("DELETE", f"/v2/channels/{other}").status, 200)
        self.router.send(counted(record(tokens["app"], "late"), record(self.app, "here")))
        self.settled(2, unknown_token=1)


if __name__ == "__main__":
    unittest.main()
