"""Input that is none: attacks on lengths, prefixes of what is valid, forged records, cut connections, floods, full rooms."""

import fcntl
import re
import resource
import socket
import ssl
import statistics
import struct
import termios
import time
import unittest

from harness import AUTH, PATIENCE, HttpFarEnd, Node, RawHttp, TIME, counted, record, wait_until
from ingest_case import BOUND, RFC3339, UNKNOWN, IngestCase, RawHttps, chunked

LINES, NDJSON = "text/plain", "application/x-ndjson"
LISTENER_TOKEN = "t.0a0a0a0a-0000-4000-8000-000000000003"


def reset(connection):
    """Closes so that the other side is told of a reset, not of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class IngestBad(IngestCase):
    options = {"syslog": f"127.0.0.1:0,127.0.0.1:0?token={LISTENER_TOKEN}"}

    @classmethod
    def setUpClass(cls):
        cls.flags = ("--https-listen", "127.0.0.1:0", *cls.certify())
        super().setUpClass()
        https = cls.port_of("public listener, TLS")
        cls.listeners = {"public": lambda: RawHttp(cls.router.public), "admin": lambda: RawHttp(cls.router.admin),
                         "https": lambda: RawHttps(https, cls.tls_client)}
        cls.bound, _ = cls.router.channel("bound", [])
        cls.router.good("POST", f"/v2/channels/{cls.bound}/tokens", {"name": "bound", "token": LISTENER_TOKEN})
        # Heads and bodies of which a byte comes now and then. They have 10 s and 30 s in total; other tests run meanwhile.
        cls.slow = {(kind, name): connect() for name, connect in cls.listeners.items() for kind in ("silent", "head", "body")}
        for (kind, _), connection in cls.slow.items():
            cls.addClassCleanup(connection.close)
            if kind == "head":
                connection.send(b"POST /logs HT")

    def setUp(self):
        super().setUp()
        for (kind, _), connection in self.slow.items():
            if kind == "body" and connection.socket.gettimeout():
                connection.send(self.head(1 << 20))
            connection.socket.setblocking(False)
            if kind != "silent":
                connection.send(b"P")  # what comes in between buys no time

    def to_bound(self, data, accepted=0, **rejected):
        """Through the listener that knows the channel; what its readers then see."""
        mark = len(self.lines(self.bound))
        self.send(data, accepted, port=self.router.syslog_ports[1], **rejected)
        self.balance()
        return self.lines(self.bound)[mark:]

    # ---- lengths

    def test_attacks_on_lengths_cost_one_record_each(self):
        frame = counted(record(self.app, "good"))
        attacks = [b"99999999999999999999 <13>1 x", b"9" * 1000 + b" <13>1 x", b"0" * 1000 + b"2000010 <120>1 x",
                   b"0 <13>1 x", b"00 <13>1 x",
                   b"+5 <13>1 x", b"-1 <13>1 x", b"5\t<13>1 x", b" 5 <13>1 x", b"05 <13>1 x", b"5", b"5x", b"0x10 <13>1",
                   b"1e3 <13>1 x",
                   b"18446744073709551616 <13>1 x", b"9223372036854775808 <13>1 x", b"4294967296 <13>1 x", b"2147483648 <13>1 x",
                   "٥ <13>1 x".encode(), b"5,0 <13>1 x", b"<13>1 x", b"-", b"\0" * 50, b"\xff" * 50]
        for attack in attacks:
            with self.subTest(attack=attack[:40]):
                answer = self.post(frame + attack + b"\n" + frame, 3)
                self.assertEqual((answer.status, answer.json()["accepted"]), (200, 2))
        body = frame + b"".join(attack + b"\n" + frame for attack in attacks)
        answer = self.post(body, 2 * len(attacks) + 1)
        self.assertEqual(answer.json()["rejected"], len(attacks))
        self.assertEqual(self.messages(), [b"good"] * (3 * len(attacks) + 1))

    def test_a_count_that_reaches_into_the_next_frame(self):
        # Nobody can know: the frame is taken as long as it says, and what is left over is judged for itself.
        frame = counted(record(self.app, "next"))
        short, long = record(self.app, "short"), record(self.app, "long")
        self.rejects(b"%d %s\n%s" % (len(short) - 2, short, frame), 200, accepted=2, malformed=1)
        answer = self.post(b"%d %s%s" % (len(long) + 5, long, frame), 2)
        self.assertEqual(answer.json()["accepted"], 1)
        self.assertEqual(self.messages()[:2], [b"sho", b"next"])

    def test_frames_of_a_mebibyte(self):
        big = b"y" * (1 << 20)
        records = [record(self.app, big[:(1 << 20) - len(record(self.app, b""))]), record(self.app, big)]
        self.assertEqual((len(records[0]), len(records[1]) > 1 << 20), (1 << 20, True))
        # Over TCP a MiB is the most; in a body only the body's own bound counts.
        self.send(counted(records[0]), accepted=1)
        self.send(counted(records[1]) + b"\n" + counted(record(self.app, "behind")), accepted=1, too_long=1)
        self.accepts(counted(*records), 2)
        self.balance()

    def test_a_tiny_record_is_a_record(self):
        # As many as fit in a body; others are served meanwhile.
        many, before = (8 << 20) // 3, self.router.rss()
        started = time.monotonic()
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(3 * many) + b"1 x" * many)
            self.accepts(counted(record(self.app, "in between")), 1)
            self.enter_answer(connection.answer(), many)
        frames = time.monotonic() - started
        for body, records, kind in ((b"x\n" * (4 << 20), 4 << 20, LINES), (b"\n" * (8 << 20), 0, LINES)):
            self.accepts(body, records, kind=kind)
        for body, records, kind in ((b"{}\n" * many, many, NDJSON), (b"\n" * (8 << 20), 8 << 20, "application/logplex-1")):
            self.rejects(body, 400, malformed=records, options={"kind": kind})
        grown = self.memory_grew_less(before, 150)
        print(f"\n  {many} frames of a byte: {frames:.1f} s; {grown / 1e6:.0f} MB more resident", flush=True)

    # ---- prefixes

    def valid(self):
        """One of each form."""
        return [record(self.app, "a [b] c", sd='[x@1 y="z\\]"]'), record(self.app, "a", sd=None),
                record(self.app, "a\n", "router"),
                b"<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed", b"<13>2026-01-02T03:04:05.678901+00:00 host tag: m"]

    def test_every_prefix_as_a_frame(self):
        # A whole frame is a record, whatever is in it.
        prefixes = [frame[:at] for frame in self.valid() for at in range(1, len(frame) + 1)]
        self.accepts(counted(*prefixes), len(prefixes))
        shown = self.lines()
        self.assertEqual(len(shown), len(prefixes))
        for prefix, line in zip(prefixes, shown):
            # Either it was read as syslog, or the reader sees it all.
            raw = re.fullmatch(RFC3339 + rb" app\[-\]: (.*)", line, re.S)
            self.assertTrue((raw and raw[1] == prefix.rstrip(b"\n")) or prefix[:prefix.find(b">")].lstrip(b"<").isdigit(), line)

    def test_every_prefix_as_a_line(self):
        prefixes = [frame[:at] for frame in self.valid() for at in range(1, len(frame) + 1) if not frame[:at].endswith(b"\n")]
        self.accepts(b"\n".join(prefixes), len(prefixes), kind=LINES)
        self.assertEqual(len(self.lines()), len(prefixes))
        self.assertEqual(len(self.to_bound(b"\n".join(prefixes) + b"\n", accepted=len(prefixes))), len(prefixes))
        self.assertEqual(len(self.to_bound(counted(*prefixes), accepted=len(prefixes))), len(prefixes))

    def test_every_prefix_of_a_body(self):
        # Whole frames in front are accepted, the begun one is rejected.
        first, second = counted(record(self.app, "1")), counted(record(self.app, "2"))
        for at in range(1, len(second)):
            with self.subTest(at=at):
                self.rejects(first + second[:at], 200, accepted=1, truncated=1)
        self.assertEqual(self.messages(), [b"1"] * (len(second) - 1))

    def test_every_prefix_of_a_stream(self):
        first, second = counted(record(self.app, "1")), counted(record(self.app, "2"))
        line = record(self.app, "3") + b"\n"
        for data, ends in ((first + second, (len(first), len(first + second))), (line + line, (len(line), 2 * len(line)))):
            for at in range(1, len(data)):
                whole = sum(end <= at for end in ends)
                self.send(data[:at], accepted=whole, truncated=int(at not in ends))
        self.balance()

    # ---- what is in a record

    def test_priorities_beyond_191_are_raw_records(self):
        bad = [b"<192>1 ", b"<999>1 ", b"<2147483648>1 ", b"<>1 ", b"<-1>1 ", b"<+1>1 ", b"< 13>1 ", b"<1 3>1 ",
               b"<44444444444444444444<4\xbe\xbe",
               b"<192>", b"<999>", b"<13", b"13>1 ", b"<1a>1 ", b"<13>0 ", b"<13>-1 ", b"<13>1\0 "]
        frames = [b + f"{TIME} host app web.1 - - m".encode() for b in bad]
        frames += [b"<192>Oct 11 22:14:15 host su: m", b"<300>Oct 11 22:14:15 su: m"]
        self.accepts(counted(*frames), len(frames))
        self.accepts(b"\n".join(frames), len(frames), kind=LINES)
        shown = self.messages()
        self.assertEqual(shown, frames * 2)
        # From these, none of which is a count, a listener's stream cannot be told apart from lines.
        shown = self.to_bound(b"\n".join(frames) + b"\n", accepted=len(frames))
        self.assertEqual([line.split(b"]: ", 1)[1] for line in shown], frames)

    def test_odd_headers_are_kept_or_shown_whole(self):
        odd = [record("a" * 10_000, "m"), record("a" * 20_000, "m"), record(self.app, "m", host="h" * 20_000),
               record(self.app, "m", procid="p" * 20_000),
               record(self.app, "m", sd="[" + "x" * 20_000 + '@1 y="z"]'), b"<13>1 " + b"x" * 30_000, b"<13>1 " + b" " * 1000,
               record("a\0b", "m"), record("a\x1bb", "m"), record("app", "m", procid="a\nb"), record("app", "m", time="now\0"),
               b"<13>1 - - - - - -", b"<13>1  - - - - - m", record("\u202e", "m"), b"<13>1 - - \xff\xfe \xc3\x28 - - m",
               b"<13>1 " + b"[" * 5000, b"<13>1 - - - - - " + b"[a b=\"" * 3000, b"<13>1 - - - - - " + b"[a@1]" * 6000 + b" m"]
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        self.accepts(counted(*odd), len(odd))
        account = self.router.wait_for_drain(self.channel, drain, buffered=0)
        self.assertEqual(account["delivered"], account["accepted"])
        for frame in far_end.frames():  # one line of header each, whatever was sent
            self.assertRegex(frame, rb"^<\d{1,3}>1 [^ \0-\x1f]+ host [^ \0-\x1f]+ [^ \0-\x1f]+ - ")

    def test_a_newline_within_a_record_forges_none(self):
        forged = b"one\n<13>1 2026-01-01T00:00:00Z host heroku router - - forged\n9 <13>1 - -"
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.accepts(counted(record(self.app, forged), b"raw\n" + forged), 2)
        self.accepts(b'{"message":"one\\n<13>1 2026-01-01T00:00:00Z host heroku router - - forged"}', 1, kind=NDJSON)
        messages = far_end.wait_for(3)
        self.assertEqual(messages, [forged, b"raw\n" + forged, forged.rsplit(b"\n", 1)[0]])

    def test_a_token_in_a_message_is_the_senders_business_but_none_of_ours_is_shown(self):
        # Of a record that was routed or named by a token, its id is shown nowhere: not by readers, drains, log or metrics.
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.accepts(counted(record(self.app, "1"), record(self.heroku, "2", sd=None)), 2, auth=AUTH)
        self.accepts(counted(record(self.app, "3"), record(UNKNOWN, "4"), b"raw"), 3)
        self.post(counted(record(UNKNOWN, "5")), 1, auth=AUTH)
        self.send(counted(record(UNKNOWN, "6"), record(self.app, "7")) + b"junk\n", accepted=1, unknown_token=2)
        self.balance()
        far_end.wait_for(6)
        seen = self.router.history(self.channel) + b"".join(r.head + r.body for r in far_end.requests)
        seen += self.router.log().encode() + self.router.api("GET", "/metrics", auth=None).body
        for secret in (self.app, self.heroku, UNKNOWN, LISTENER_TOKEN):
            self.assertNotIn(secret.encode(), seen)

    # ---- connections that end as they should not

    def test_a_reset_within_a_frame(self):
        frame = counted(record(self.app, "good"))
        for begun in (b"1", b"200 <13>1 cut", record(self.app, "a line without its end"), b"5000 " + b"<" * 3000):
            with self.subTest(begun=begun[:20]):
                out = socket.create_connection(("127.0.0.1", self.router.syslog))
                out.sendall(frame)
                self.enter("tcp", accepted=1)
                self.balance()  # it has been read: what a reset takes along is not known to anybody
                out.sendall(begun)
                wait_until(lambda: unread(out) == 0, "the far side to have taken it")
                reset(out)
                self.enter("tcp", truncated=1)
                self.balance()
        self.assertEqual(self.messages(), [b"good"] * 4)

    def test_posts_reset_at_every_stage(self):
        body = counted(record(self.app, "never"))
        data = self.head(len(body)) + body
        spread = self.head(None, "Transfer-Encoding: chunked") + chunked(body, 10)
        for data, step in ((data[:-1], 11), (spread[:-1], 17)):
            for at in range(1, len(data), step):
                connection = socket.create_connection(("127.0.0.1", self.router.public))
                connection.sendall(data[:at])
                reset(connection)
        self.assertEqual(self.messages(), [])
        self.accepts(counted(record(self.app, "fine")), 1)

    def test_requests_that_end_before_they_are_whole_are_counted(self):
        body = counted(record(self.app, "never"))
        whole = self.head(len(body)) + body
        spread = self.head(None, "Transfer-Encoding: chunked") + chunked(body, 10)
        before = self.router.metric("tailrace_http_requests_cut_off_total", listener="public")
        cuts = [data[:at] for data in (whole[:-1], spread[:-1]) for at in range(1, len(data), 23)]
        for data in cuts:
            with socket.create_connection(("127.0.0.1", self.router.public)) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(connection.recv(1), b"")
        self.assertEqual(self.router.metric("tailrace_http_requests_cut_off_total", listener="public") - before, len(cuts))
        self.assertEqual(self.messages(), [])

    def test_a_request_that_is_cut_off_is_counted(self):
        whole = self.head(100, kind=LINES)
        cut_off = lambda name: int(self.router.metric("tailrace_http_requests_cut_off_total", listener=name))  # noqa: E731
        for name, connect in self.listeners.items():
            before, cases = cut_off(name), (whole + b"x" * 50, whole, whole[:50], b"P")
            for data in cases:
                with connect() as connection:
                    connection.send(data)
            for data in cases[:2]:
                connection = connect()
                connection.send(self.head(0))  # an answer shows that the handshake is over
                self.enter_answer(connection.answer(), 0)
                connection.send(data)
                connection.file.close()
                reset(connection.socket)
            with self.subTest(listener=name):
                wait_until(lambda name=name, wanted=before + 6: cut_off(name) == wanted,
                           lambda name=name, before=before: f"6 to be counted; it is {cut_off(name) - before}", BOUND)
        with RawHttp(self.router.public):  # a connection without a request is none
            pass
        self.assertEqual(self.messages(), [])

    def test_a_token_removed_while_its_sender_is_connected(self):
        other, tokens = self.router.channel("short-lived", ["app"])
        body = counted(record(tokens["app"], "x"))
        auth = "token:" + tokens["app"]
        with socket.create_connection(("127.0.0.1", self.router.syslog)) as tcp, RawHttp(self.router.public) as idle, \
                RawHttp(self.router.public) as in_the_middle:
            tcp.sendall(body)
            self.enter("tcp", accepted=1)
            idle.send(self.head(len(body), auth=auth) + body)
            self.enter_answer(idle.answer(), 1)
            in_the_middle.send(self.head(len(body), "Expect: 100-continue", auth=auth))
            self.assertEqual(in_the_middle.answer().status, 100)
            self.balance()
            self.assertEqual(self.router.api("DELETE", f"/v2/channels/{other}").status, 200)
            tcp.sendall(body + counted(record(self.app, "here")))
            self.enter("tcp", accepted=1, unknown_token=1)
            idle.send(self.head(len(body), auth=auth) + body)
            self.assertEqual(idle.answer().status, 401)
            in_the_middle.send(body)
            self.assertEqual(in_the_middle.answer().status, 401)
        self.balance()
        self.assertEqual(self.messages(), [b"here"])

    def test_no_usable_token_is_told_once_a_second_at_most(self):
        said = lambda: self.router.log().count("records without a usable token")  # noqa: E731
        senders = [socket.create_connection(("127.0.0.1", self.router.syslog)) for _ in range(8)]  # on every loop
        before, started = said(), time.monotonic()

        def told():
            for sender in senders:
                sender.sendall(counted(record(UNKNOWN, "x")) * 20)
                self.enter("tcp", unknown_token=20)
            return said() > before
        try:
            for _ in range(20):
                told()
            wait_until(told, "a line in the log")
            self.balance()
            self.assertLessEqual(said() - before, time.monotonic() - started + 1)
        finally:
            for sender in senders:
                sender.close()

    def test_limits_on_every_listener(self):
        cases = ((self.head(0, "X-Long: " + "a" * 16_500), 431), (self.head(0, *["X: y"] * 97), 431),
                 (self.head(0, *["X: y"] * 95), 204),
                 (self.head((8 << 20) + 1), 413),
                 (self.head(None, "Transfer-Encoding: chunked") + chunked(b"x" * ((8 << 20) + 1), 1 << 20), 413),
                 (self.head(5, "Expect: 100-continue"), 100), (self.head(5, kind="text/html"), 415),
                 (self.head(5, "Content-Encoding: br"), 415),
                 (self.head(5, method="PUT"), 405), (self.head(5, auth="token:x"), 401),
                 (self.head(5, "Origin: http://evil.example"), 403),
                 (self.head(5, "Content-Length: 6"), 400))
        def answered():
            return {name: {code: int(self.router.metric("tailrace_http_responses_total", listener=name, code=str(code)))
                           for code in {status for _, status in cases} - {100}} for name in self.listeners}
        before = answered()
        for name, connect in self.listeners.items():
            for data, status in cases:
                with self.subTest(listener=name, status=status, head=data[-60:]), connect() as connection:
                    connection.send(data)
                    self.assertEqual(connection.answer().status, status)
        now = answered()  # every outcome is counted, also those that no route came to know
        for name in self.listeners:
            for code, count in now[name].items():
                with self.subTest(listener=name, counted=code):
                    self.assertEqual(count - before[name][code], sum(status == code for _, status in cases))

    def test_a_second_authorization_opens_nothing(self):
        body = counted(record(self.app, "x"))
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body), f"Authorization: Bearer {self.app}", auth=f"token:{UNKNOWN}") + body)
            self.assertIn(connection.answer().status, (400, 401))
        self.assertEqual(self.messages(), [])

    def test_without_a_descriptor_it_waits_and_goes_on(self):
        node = self.node()
        channel, tokens = node.channel("shop")
        soft, hard = resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (64, hard))
        connections = [socket.create_connection(("127.0.0.1", port)) for port in (node.public, node.syslog) * 100]
        try:
            wait_until(lambda: "no descriptor" in node.log(), "a word about it")
            with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
                before = sum(map(int, file.read().split()[13:15]))
            self.accepts(counted(record(self.app, "elsewhere")), 1)
        finally:
            for connection in connections:
                connection.close()
        self.assertEqual(node.post(counted(record(tokens["app"], "x")), tokens["app"]).status, 204)
        with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
            spent = sum(map(int, file.read().split()[13:15])) - before
        self.assertLess(spent, 200)  # ticks: it did not spin
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (soft, hard))

    def test_zz_slow_heads_and_bodies_are_408(self):
        """In total, however often a byte comes, on every listener. They began with the first test."""
        for (kind, name), connection in self.slow.items():
            def drip(kind=kind, connection=connection):
                if kind != "silent":
                    connection.send(b"P")
                try:
                    return [connection.socket.recv(4096)]
                except (BlockingIOError, ssl.SSLWantReadError):
                    return None
                except (ConnectionResetError, ssl.SSLEOFError):  # its end, and a byte that came behind it
                    return [b""]
            with self.subTest(kind=kind, listener=name):
                said = wait_until(drip, "the end of it")[0]
                if kind != "silent" or said:
                    self.assertTrue(said.startswith(b"HTTP/1.1 408 "), said)
                connection.socket.setblocking(True)
                self.assertEqual(connection.ended(), b"")
        self.assertEqual(self.messages(), [])


def unread(sender):
    """Bytes that the other side's kernel has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(sender, termios.TIOCOUTQ, b"\0" * 4))[0]


class SlowClients(IngestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the node inherits it
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        cls.count = min(10_000, hard - 500) // 4 * 4
        super().setUpClass()

    def test_ten_thousand_that_say_a_byte_at_a_time(self):
        """Memory stays bounded, others are served at once, and every begun frame is counted when it ends."""
        self.accepts(counted(record(self.app, "warm")), 1)
        before = self.router.rss()
        body = counted(record(self.app, "x" * 1000))
        begun = {"head": (self.router.public, b"POST /logs HTTP/1.1\r\nHost: x\r\nX-Slow: "),
                 "body": (self.router.public, self.head(len(body)) + body[:10]),
                 "counted": (self.router.syslog, body[:10]),
                 "line": (self.router.syslog, record(self.app, "x" * 10))}
        connections = {kind: [] for kind in begun}
        took = []

        def probe():
            started = time.monotonic()
            self.accepts(counted(record(self.app, "quick")), 1)
            took.append(time.monotonic() - started)
        try:
            for _ in range(self.count // len(begun)):
                for kind, (port, data) in begun.items():
                    connection = socket.create_connection(("127.0.0.1", port))
                    connection.setblocking(False)
                    connection.send(data)
                    connections[kind].append(connection)
            for _ in range(3):  # a byte each, with no pause: harder than one a second
                for kind in begun:
                    for number, connection in enumerate(connections[kind]):
                        try:
                            connection.send(b"y")
                        except OSError:
                            self.assertEqual(kind, "head")  # its 10 s may be over
                        if number % 250 == 0:
                            probe()
            grown = self.memory_grew_less(before, 100)
        finally:
            for kind in connections:
                for connection in connections[kind]:
                    connection.close()
        print(f"\n  {self.count} slow connections: {grown / self.count / 1024:.1f} KiB each, {grown / 1e6:.0f} MB in all; "
              f"a POST meanwhile {statistics.median(took) * 1e3:.1f} ms (median), {max(took) * 1e3:.1f} ms (worst of {len(took)})",
              flush=True)
        self.assertLess(statistics.median(took), 1)
        self.enter("tcp", truncated=len(connections["counted"]) + len(connections["line"]))
        self.balance()
        self.assertEqual(set(self.messages()), {b"warm", b"quick"})


class SmallRoom(IngestCase):
    flags = ("--memory-bytes", "32M")

    def test_bodies_that_find_no_room_are_503(self):
        # Declared or not, bodies in flight count in the bound of the process.
        size = 7 << 20
        connections = [RawHttp(self.router.public) for _ in range(8)]
        try:
            for number, connection in enumerate(connections):
                if number % 2:
                    connection.send(self.head(size, "Expect: 100-continue", kind=LINES))
                else:
                    connection.send(self.head(None, "Transfer-Encoding: chunked", "Expect: 100-continue", kind=LINES))
            admitted = []
            for number, connection in enumerate(connections):
                answer = connection.answer()
                if answer.status == 503:
                    self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
                    continue
                self.assertEqual(answer.status, 100)
                half = b"x" * (size // 2)
                connection.send(half if number % 2 else b"%x\r\n%s\r\n" % (len(half), half))
                admitted.append((number, connection))
            statuses = []
            for number, connection in admitted:
                half = b"x" * (size - size // 2)
                connection.send(half if number % 2 else b"%x\r\n%s\r\n0\r\n\r\n" % (len(half), half))
                answer = connection.answer()
                statuses.append(answer.status)
                if answer.status == 503:
                    self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
                else:
                    self.enter_answer(answer, 1)
            self.assertIn(204, statuses)
            self.assertTrue(len(admitted) < 8 or 503 in statuses, "all of 56 MiB were taken at once")
            self.assertLessEqual(set(statuses), {204, 503})
        finally:
            for connection in connections:
                connection.close()
        wait_until(lambda: self.router.post(b"y" * size, self.app, headers={"Content-Type": LINES}).status == 204, "room again")
        self.enter("http", accepted=1)

    def test_503_is_not_remembered(self):
        body = counted(record(self.app, "x" * (1 << 20)))
        headers = {"Logplex-Frame-Id": "no room"}
        size, held = 1 << 20, []

        def full():
            """Whether nothing of that size finds room; takes some of it if it does."""
            if self.router.post(b"y" * size, self.app, headers={"Content-Type": LINES}).status == 503:
                return True
            held.append(RawHttp(self.router.public))
            held[-1].send(self.head(size, kind=LINES) + b"x" * (size - 1))
            return False
        try:
            wait_until(full, "no room")
            self.before = self.counters()
            self.assertEqual(self.router.post(body, self.app, headers=headers).status, 503)
        finally:
            for connection in held:
                connection.close()
        wait_until(lambda: self.router.post(body, self.app, headers=headers).status == 204, "room again")
        self.enter("http", accepted=1)
        self.post(body, 1, headers=headers, repeat=True)

    def test_begun_frames_that_find_no_room_are_counted(self):
        count, data, before = 60, b"1048576 <" + b"x" * (900 << 10), self.router.rss()
        connections = [RawHttp(self.router.syslog) for _ in range(count)]
        try:
            for connection in connections:
                if connection.send(data):
                    try:
                        connection.half_close()
                    except OSError:
                        pass  # closed already: no room
            for connection in connections:
                self.assertEqual(connection.ended(), b"")
        finally:
            for connection in connections:
                connection.close()

        def judged():
            now = self.counters()
            cut, no_room = (now["tcp", what] - self.before["tcp", what] for what in ("truncated", "no_room"))
            return (cut, no_room) if cut + no_room == count else None
        cut, no_room = wait_until(judged, "an end of each")
        self.enter("tcp", truncated=cut, no_room=no_room)
        self.memory_grew_less(before, 48)  # of 54 that were sent; the room for them is 8
        self.accepts(counted(record(self.app, "still here")), 1)


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


class Stopping(IngestCase):
    def test_requests_in_flight_are_finished(self):
        node = Node("--grace", "5s")
        try:
            channel, tokens = node.channel("shop")
            far_end = self.far_end(HttpFarEnd)
            node.drain(channel, far_end.url)
            body = counted(record(tokens["app"], "in flight"))
            head = self.head(len(body), auth="token:" + tokens["app"])
            with RawHttp(node.public) as begun, RawHttp(node.public) as idle:
                begun.send(head + body[:-1])
                idle.send(head + body)
                self.assertEqual(idle.answer().status, 204)
                far_end.wait_for(1)
                well, far_end.mode = far_end.mode, 503  # what is accepted from here on takes a second try
                node.process.terminate()
                wait_until(lambda: 'msg="stopping"' in node.log(), "the stop to begin")
                wait_until(lambda: refuses(node.public), "nobody to be accepted")
                begun.send(body[-1:])
                answer = begun.answer()
                self.assertEqual((answer.status, answer.header("Connection")), (204, "close"))
                wait_until(lambda: [r for r in far_end.requests if r.status == 503], "the first try")
                far_end.mode = well
                idle.send(head + body)
                late = idle.answer()  # either it was closed, or it is told to come again
                if late is not None:
                    self.assertEqual(late.status, 503)
                    self.assertGreaterEqual(int(late.header("Retry-After")), 1)
            self.assertEqual(node.process.wait(PATIENCE), 0)  # a second SIGTERM would end it at once
            self.assertEqual(far_end.wait_for(2), [b"in flight"] * 2)
            self.assertNotIn("are gone", node.log().split('msg="stopping"')[1])
        finally:
            node.stop()


if __name__ == "__main__":
    unittest.main()
