"""Syslog of the wild: RFC 3164 in its forms, raw lines, tokens wherever they stand. Over TCP and, by the same judge, HTTP."""

import calendar
import datetime
import re
import time
import unittest

from harness import TIME, HttpFarEnd, counted, record, wait_until
from ingest_case import RFC3339, UNKNOWN, IngestCase

LISTENER_TOKEN = "t.0a0a0a0a-0000-4000-8000-000000000004"


def nearest(month, day, clock="07:45:54"):
    """The slow way to find the year of a date that has none: of three the one that is nearest to now."""
    now, best = time.time(), None
    this = datetime.datetime.now(datetime.timezone.utc).year
    for year in (this - 1, this, this + 1):
        if month == 2 and day == 29 and not calendar.isleap(year):
            continue
        text = f"{year}-{month:02}-{day:02}T{clock}+00:00"
        away = abs(datetime.datetime.fromisoformat(text).timestamp() - now)
        if best is None or away < best[0]:
            best = (away, text)
    return best[1]


def months_from_now(months):
    """A month and day, so far from today."""
    today = datetime.datetime.now(datetime.timezone.utc)
    return (today.month - 1 + months) % 12 + 1, min(today.day, 28)


def bsd(month, day, clock="07:45:54"):
    return f"{calendar.month_abbr[month]} {day:2} {clock}"


class IngestSyslog(IngestCase):
    options = {"syslog": f"127.0.0.1:0,127.0.0.1:0?token={LISTENER_TOKEN}"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bound, _ = cls.router.channel("bound", [])
        cls.router.good("POST", f"/v2/channels/{cls.bound}/tokens", {"name": "app", "token": LISTENER_TOKEN})

    def shown_as(self, cases):
        """Frames, and what readers see of each: (time, app, procid, message), time in RFC 3339 as an instant. By HTTP in two
        forms, by a listener with a token in newline framing, and counted if all begin with `<`."""
        frames = [frame if isinstance(frame, bytes) else frame.encode() for frame, *_ in cases]
        self.accepts(counted(*frames), len(frames))
        self.accepts(b"\n".join(frames), len(frames), kind="text/plain")
        mark = len(self.lines(self.bound))
        if all(frame.startswith(b"<") for frame in frames):
            self.send(counted(*frames), len(frames), port=self.router.syslog_ports[1])
            self.balance()
        self.send(b"\r\n".join(frames) + b"\r\n", len(frames), port=self.router.syslog_ports[1])
        self.balance()
        shown = self.lines() + self.lines(self.bound)[mark:]
        self.assertGreaterEqual(len(shown), 3 * len(frames))
        for number, line in enumerate(shown):
            frame, when, app, procid, message = cases[number % len(cases)]
            with self.subTest(frame=frame, way=number // len(cases)):
                message = message if isinstance(message, bytes) else message.encode()
                parts = re.fullmatch(b"(" + RFC3339 + rb") ([^ \[]+)\[([^]]*)\]: (.*)", line, re.S)
                self.assertTrue(parts, line)
                self.assertEqual((parts[2].decode(), parts[3].decode(), parts[4]), (app, procid, message))
                if when:
                    self.assertEqual(datetime.datetime.fromisoformat(parts[1].decode()), datetime.datetime.fromisoformat(when))
                else:  # the time of arrival
                    age = time.time() - datetime.datetime.fromisoformat(parts[1].decode()).timestamp()
                    self.assertLess(abs(age), 600)

    def test_rfc3164(self):
        t = nearest(11, 21)
        self.shown_as([
            ("<13>Nov 21 07:45:54 host tag: msg", t, "tag", "-", "msg"),
            ("<34>Nov 21 07:45:54 mymachine su[12]: 'su root' failed", t, "su", "12", "'su root' failed"),
            ("<13>Nov 21 07:45:54 tag: from syslog(3)", t, "tag", "-", "from syslog(3)"),
            ("<13>Nov 21 07:45:54 tag[7]: from syslog(3)", t, "tag", "7", "from syslog(3)"),
            ("<13>Nov  1 07:45:54 host tag: blank", nearest(11, 1), "tag", "-", "blank"),
            ("<13>Nov 01 07:45:54 host tag: zero", nearest(11, 1), "tag", "-", "zero"),
            ("<13>Nov 1 07:45:54 host tag: nothing", nearest(11, 1), "tag", "-", "nothing"),
            ("<13>Nov 21 07:45:54 10.0.0.99 postfix/smtpd[4]: m", t, "postfix/smtpd", "4", "m"),
            ("<13>Nov 21 07:45:54 fe80::1 tag: m", t, "tag", "-", "m"),
            ("<13>Nov 21 07:45:54 host org.example.daemon[1]: m", t, "org.example.daemon", "1", "m"),
            ("<13>Nov 21 07:45:54 host su failed for root", t, "-", "-", "su failed for root"),
            ("<13>Nov 21 07:45:54.123 host tag: m", nearest(11, 21, "07:45:54.123"), "tag", "-", "m"),
            ("<13>Nov 21 2025 07:45:54 host tag: m", "2025-11-21T07:45:54+00:00", "tag", "-", "m"),
            ("<13>2026-11-21T07:45:54.123456+00:00 host tag: m", "2026-11-21T07:45:54.123456+00:00", "tag", "-", "m"),
            ("<13>2026-11-21T07:45:54+02:00 host tag[1]: m", "2026-11-21T07:45:54+02:00", "tag", "1", "m"),
            ("<0>Nov 21 07:45:54 host tag: m", t, "tag", "-", "m"), ("<191>Nov 21 07:45:54 host tag: m", t, "tag", "-", "m"),
            (b"<13>Nov 21 07:45:54 host tag: \xff nul \0 in it", t, "tag", "-", b"\xff nul \0 in it"),
            ("<13>Nov 21 07:45:54 host tag:   blanks", t, "tag", "-", "  blanks"),
            ("<13>Nov 21 07:45:54 host tag: ", t, "tag", "-", ""),
            ("<13>Nov 21 07:45:54 host tag: long " + "x" * 5000, t, "tag", "-", "long " + "x" * 5000),
        ])

    def test_year_is_the_nearest(self):
        cases = []
        for months in (-5, -3, -1, 0, 1, 3, 5):
            month, day = months_from_now(months)
            cases.append((f"<13>{bsd(month, day)} host tag: {months}", nearest(month, day), "tag", "-", str(months)))
        self.shown_as(cases)

    def test_what_parses_as_neither_is_raw(self):
        self.shown_as([(frame, None, "app", "-", frame) for frame in (
            "hello world", "<13>", "<13>hello", "<13>Jan", "<13>Nov 32 07:45:54 host tag: m", "<13>Nov 21 25:45:54 host tag: m",
            "<13>Nov 21 07:45 host tag: m", "<192>Nov 21 07:45:54 host tag: m", "<13>1", "<13>1 ", "<13>1 2026-01-01T00:00:00Z",
            "<13>Feb 30 07:45:54 host tag: m", "Nov 21 07:45:54 host tag: no PRI", "<>Nov 21 07:45:54 host tag: m", "<-1>x",
            " <13>1 - - - - -",
            "\t", "{\"message\":\"x\"}", "\ufeffhello", "<13>Nob 21 07:45:54 host tag: m", "11 hello world")])

    def test_tokens_wherever_they_stand(self):
        web, shop = self.app, self.channel
        routed = [record(web, "APP-NAME"), f"<13>Nov 21 07:45:54 host {web}: TAG".encode(),
                  f"<13>Nov 21 07:45:54 {web}[7]: TAG alone".encode(),
                  f"<13>2026-11-21T07:45:54Z host {web}[7]: rsyslog".encode(),
                  record("nginx", "SD", sd=f'[tailrace@32473 token="{web}"]'),
                  record("nginx", "SD-ID", sd=f"[{web}@32473]"),
                  record("nginx", "second", sd=f'[x@1 a="b"][tailrace@32473 a="b" token="{web}"]')]
        self.send(counted(*routed), accepted=len(routed))
        self.balance()
        self.send(b"".join(frame + b"\n" for frame in routed), accepted=len(routed))
        self.balance()
        names = [line.split(b" ")[1].split(b"[")[0] for line in self.lines(shop)]
        self.assertEqual(names, [b"app", b"app", b"app", b"app", b"nginx", b"nginx", b"nginx"] * 2)
        self.assertNotIn(web.encode(), self.router.history(shop))

    def test_tokens_that_are_of_no_use(self):
        bad = [record(UNKNOWN, "x"), f"<13>Nov 21 07:45:54 host {UNKNOWN}: x".encode(),
               record("a", "x", sd=f'[tailrace@32473 token="{UNKNOWN}"]'),
               record("a", "x", sd=f"[{UNKNOWN}@1]"), record("a", f"token={self.app}"),
               record("a", "x", sd=f'[tailrace@1 token="{self.app}"]'),
               record("a", "x", sd=f'[tailrace@32473 Token="{self.app}"]'),
               record("a", "x", sd=f'[tailrace@32473 token="{self.app} "]'), record("a", "x", host=self.app),
               record("a", "x", procid=self.app)]
        self.send(counted(*bad) + b"hello\n", unknown_token=len(bad) + 1)
        self.balance()
        self.assertEqual(self.lines(), [])

    def test_tokens_in_structured_data_never_reach_anybody(self):
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        other = self.router.channel("other", ["web"])[1]["web"]
        escaped = self.app.replace("t.", "t\\.", 1)
        frames = [record(self.app, "1", sd=f'[tailrace@32473 token="{self.app}" token="{other}"]'),
                  record(self.app, "2", sd=f"[{other}@1][{self.app}@2]"),
                  record(self.app, "3", sd=f'[x@1 a="b"][tailrace@32473 token="{other}"][y@2]'),
                  record(self.app, "4", sd=f'[tailrace@32473 token="{UNKNOWN}"]'),
                  record(self.app, "5", sd=f'[tailrace@32473 token="{escaped}"]')]
        self.send(counted(*frames), accepted=len(frames))
        self.balance()
        self.accepts(counted(*frames), len(frames))
        far_end.wait_for(2 * len(frames))
        seen = self.router.history(self.channel) + b"".join(request.head + request.body for request in far_end.requests)
        for secret in (self.app, other, UNKNOWN, escaped):
            self.assertNotIn(secret.encode(), seen)
        self.assertEqual(self.messages(), [b"1", b"2", b"3", b"4", b"5"] * 2)

    def test_precedence_of_tokens(self):
        # The credentials' or the listener's, then APP-NAME's, then STRUCTURED-DATA's.
        second, tokens = self.router.channel("second", ["web"])
        both = record(self.app, "x", sd=f'[tailrace@32473 token="{tokens["web"]}"]')
        self.send(counted(both), accepted=1)
        self.balance()
        self.accepts(counted(both), 1, auth=tokens["web"])
        mark = len(self.lines(self.bound))
        self.send(counted(both), accepted=1, port=self.router.syslog_ports[1])
        self.balance()
        self.assertEqual((len(self.lines()), len(self.lines(second)), len(self.lines(self.bound)) - mark), (1, 1, 1))

    def test_a_listeners_token_may_be_removed(self):
        channel, _ = self.router.channel("of the listener", [])
        token = "t.0a0a0a0a-0000-4000-8000-000000000005"
        node_options = {"syslog": f"127.0.0.1:0?token={token}"}
        node = self.node(**node_options)
        channel, _ = node.channel("late", [])
        node.send(b"before\n")
        wait_until(lambda: node.rejected("tcp") == {"unknown_token": 1}, "a refusal")
        node.good("POST", f"/v2/channels/{channel}/tokens", {"name": "late", "token": token})
        node.send(b"now\n")
        wait_until(lambda: node.accepted("tcp") == 1, "an acceptance")
        self.assertEqual(node.api("DELETE", f"/v2/channels/{channel}").status, 200)
        node.send(b"after\n")
        wait_until(lambda: node.rejected("tcp") == {"unknown_token": 2}, "a second refusal")
        self.assertEqual(node.accepted("tcp"), 1)

    def test_framings_change_from_frame_to_frame(self):
        # A count counts only where `<` follows its space.
        port = self.router.syslog_ports[1]
        mark = len(self.lines(self.bound))
        frame = record("a", "m")
        data = counted(frame) + b"11 hello world\n" + frame + b"\r\n" + b"5 <13>x" + b"3 <1\n" + counted(frame + b"\n")
        self.send(data + b"5\n" + b"12 <13>1 - - -\n", accepted=8, port=port)
        self.balance()
        messages = [line.split(b"]: ", 1)[1] for line in self.lines(self.bound)[mark:]]
        self.assertEqual(messages, [b"m", b"11 hello world", b"m", b"<13>x", b"<1", b"m", b"5", b"<13>1 - - -"])

    def test_drains_get_the_priority(self):
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.accepts(counted(b"<34>Nov 21 07:45:54 host su[12]: m", record("a", "m", pri=0), record("a", "m", pri=191)), 3)
        far_end.wait_for(3)
        when = re.match(rb"<34>1 (\S+) host su 12 - m$", far_end.frames()[0])
        self.assertTrue(when, far_end.frames())
        self.assertEqual(far_end.frames()[1:], [f"<{pri}>1 {TIME} host a web.1 - m".encode() for pri in (0, 191)])


if __name__ == "__main__":
    unittest.main()
