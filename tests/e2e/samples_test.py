"""Heroku's lines of fifteen years (heroku_lines.txt, as found in public), through every way in, read back byte for byte."""

import collections
import gzip
import json
import math
import os
import re
import socket
import unittest

from exposition import read_exposition, samples_of
from harness import AUTH, HttpFarEnd, RawHttp, TIME, counted, record, wait_until
from ingest_case import LIBZSTD, RFC3339, IngestCase, RawHttps, chunked, zstd
from line_values import families_of

LISTENER_TOKEN = "t.0a0a0a0a-0000-4000-8000-000000000002"

Sample = collections.namedtuple("Sample", "time app procid message pri")

HEADER = re.compile(r"<(?P<pri>\d+)>\d+ (?P<time>\S+) \S+ (?P<app>\S+) (?P<procid>\S+) - (?:- )?(?P<message>.*)", re.S)
SHOWN = re.compile(r"(?:(?P<time>\S+) )?(?P<app>app|heroku)\[(?P<procid>[^]]+)\]: (?P<message>.*)")
WITHOUT_PRI = re.compile(r"(?P<time>\d\S+) \S+ (?P<app>app|heroku) (?P<procid>\S+) - (?:- )?(?P<message>.*)")
ONLY_TIME = re.compile(r"(?P<time>\d{4}-\S+) (?P<message>source=.*)")


def file_lines():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "heroku_lines.txt"), encoding="utf-8") as file:
        return file.read().splitlines()


def without_length(line):
    return re.sub(r"^\d+ (?=<)", "", line)


def sample(line):
    """What a line means, whichever way its finder wrote it down."""
    found = {"time": TIME, "app": "heroku", "procid": "web.1", "pri": "190"}
    for form in (HEADER, SHOWN, WITHOUT_PRI, ONLY_TIME):
        if match := form.fullmatch(without_length(line)):
            found.update({key: value for key, value in match.groupdict().items() if value})
            break
    else:
        found["message"] = line
    return Sample(found["time"], found["app"], found["procid"], found["message"].encode(), int(found["pri"]))


SAMPLES = [sample(line) for line in file_lines()]


def shown(samples):
    return b"".join(f"{s.time} {s.app}[{s.procid}]: ".encode() + s.message + b"\n" for s in samples)


class SampleCase(IngestCase):
    def frames(self, samples=None, ids=False, **options):
        """RFC 5424 records; `ids`: a token's id for APP-NAME, as senders to Logplex write."""
        ids = {"app": self.app, "heroku": self.heroku} if ids else {"app": "app", "heroku": "heroku"}
        return [record(ids[s.app], s.message, s.procid, s.pri, s.time, **options) for s in samples or SAMPLES]

    def came_through(self, times=1):
        self.balance()
        self.assertEqual(self.router.history(self.channel), shown(SAMPLES) * times)
        # And the metrics saw the same, whichever way it came: a router line counts once, whatever it says.
        routed = sum(s.app == "heroku" and s.procid == "router" for s in SAMPLES)
        self.assertEqual(self.router.metric("tailrace_router_requests_total", channel=self.channel), routed * times)
        self.assertEqual(self.router.metric("tailrace_channel_records_total", channel=self.channel), len(SAMPLES) * times)


class Samples(SampleCase):
    options = {"syslog": f"127.0.0.1:0,127.0.0.1:0?token={LISTENER_TOKEN}"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bound, _ = cls.router.channel("bound", [])
        cls.router.good("POST", f"/v2/channels/{cls.bound}/tokens", {"name": "app", "token": LISTENER_TOKEN})

    def test_the_samples_are_read_as_meant(self):
        self.assertEqual(len(SAMPLES), 87)
        self.assertEqual({s.app for s in SAMPLES}, {"app", "heroku"})
        self.assertEqual({s.procid.split(".")[0] for s in SAMPLES}, {
            "router", "nginx", "web", "worker", "run", "api", "logplex", "log-shuttle", "heroku-postgres", "heroku-redis",
            "heroku-pgbouncer"})
        self.assertFalse([s for s in SAMPLES if re.match(rb"<\d|\d+ <|\d{4}-", s.message)])

    def test_logplex_1_with_and_without_structured_data(self):
        self.accepts(counted(*self.frames()), len(SAMPLES))
        self.accepts(counted(*self.frames(sd=None)), len(SAMPLES), headers={"Content-Type": "application/x-logplex-1"})
        self.came_through(2)

    def test_logplex_1_by_a_credential(self):
        self.accepts(counted(*self.frames(ids=True)), len(SAMPLES), auth=AUTH)
        self.accepts(counted(*self.frames(ids=True, sd=None)), len(SAMPLES), auth=AUTH)
        self.came_through(2)

    def test_logplex_1_to_the_admin_listener(self):
        self.accepts(counted(*self.frames()), len(SAMPLES), port=self.router.admin)
        self.came_through()

    def test_metrics_say_what_the_lines_say(self):
        self.accepts(counted(*self.frames()), len(SAMPLES))
        self.balance()
        answer = self.router.api("GET", f"/v3/channels/{self.channel}/prometheus", headers={"Accept": "text/plain"})
        shown = samples_of(read_exposition(answer.body))
        wanted = families_of(self.channel, [(s.app, s.procid, s.time, s.message.decode()) for s in SAMPLES])
        self.assertGreater(len(wanted), 150)
        self.assertEqual({key[0] for key in wanted} - {key[0] for key in shown}, set())
        for key, value in wanted.items():
            self.assertAlmostEqual(shown.get(key, math.nan), value, delta=abs(value) * 1e-12, msg=key)
        # And nothing else in the families that are wholly known.
        known = {key[0] for key in wanted}
        self.assertEqual([key for key in shown if key[0] in known and key not in wanted], [])
        # All of these lines are older than any window that is kept.
        late = shown["tailrace_late_records_total", ("channel", self.channel)]
        self.assertGreaterEqual(late, sum(s.procid == "router" and s.app == "heroku" or b" sample#" in s.message for s in SAMPLES))
        self.assertLessEqual(late, len(SAMPLES))

    def test_frames_with_the_length_that_they_were_found_with(self):
        # Some count a newline, those of add-ons do not; two had something blacked out, and their length is not theirs.
        whole = []
        for line in file_lines():
            if match := re.fullmatch(r"(\d+) (<.*)", line):
                missing = int(match[1]) - len(match[2])
                if missing in (0, 1):
                    whole.append(line + "\n" * missing)
        self.assertEqual(len(whole), 13)
        self.accepts("".join(whole).encode(), len(whole))
        self.assertEqual(self.router.history(self.channel), shown([sample(line.strip()) for line in whole]))

    def test_drains_get_them_too(self):
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.accepts(counted(*self.frames()), len(SAMPLES))
        wait_until(lambda: len(far_end.frames()) >= len(SAMPLES), "the records at the far end")
        self.assertEqual(far_end.frames(), self.frames(sd=None))

    def test_gzip_zstd_and_chunks(self):
        body = counted(*self.frames())
        self.accepts(gzip.compress(body), len(SAMPLES), headers={"Content-Encoding": "gzip"})
        if LIBZSTD:
            self.accepts(zstd(body), len(SAMPLES), headers={"Content-Encoding": "zstd"})
        packed = gzip.compress(body)
        with RawHttp(self.router.public) as connection:
            for size in (1, 100, 1 << 20):
                connection.send(self.head(None, "Transfer-Encoding: chunked") + chunked(body, size))
                self.enter_answer(connection.answer(), len(SAMPLES))
                connection.send(self.head(None, "Transfer-Encoding: chunked", "Content-Encoding: gzip") + chunked(packed, size))
                self.enter_answer(connection.answer(), len(SAMPLES))
        self.came_through(8 if LIBZSTD else 7)

    def test_text_plain(self):
        for end in (b"\n", b"\r\n"):
            self.accepts(end.join(self.frames()), len(SAMPLES), kind="text/plain")
            self.accepts(end.join(self.frames(sd=None)) + end, len(SAMPLES), kind="text/plain")
        self.accepts(b"\n".join(self.frames(ids=True)), len(SAMPLES), kind="text/plain", auth=AUTH)
        self.came_through(5)

    def verbatim(self, shown_lines):
        """Lines as they stand in the file: with a header they are syslog, without one they are raw records."""
        lines = file_lines()
        self.assertEqual(len(shown_lines), len(lines))
        for line, is_shown in zip(lines, shown_lines):
            if HEADER.fullmatch(line):
                self.assertEqual(is_shown + b"\n", shown([sample(line)]))
            else:
                self.assertRegex(is_shown, b"^" + RFC3339 + rb" app\[-\]: " + re.escape(line.encode()) + b"$")

    def test_text_plain_of_the_file_itself(self):
        self.accepts("\n".join(file_lines()).encode(), len(SAMPLES), kind="text/plain")
        self.verbatim(self.lines())

    def test_raw_frames_of_the_file_itself(self):
        self.accepts(counted(*[line.encode() for line in file_lines()]), len(SAMPLES))
        self.verbatim(self.lines())

    def test_ndjson(self):
        # APP-NAME is the token's; so each app's lines by its own token.
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        in_order = []
        for app, token in (("heroku", self.heroku), ("app", self.app)):
            mine = [s for s in SAMPLES if s.app == app]
            self.accepts("\n".join(json.dumps({"message": s.message.decode(), "time": s.time, "procid": s.procid,
                                               "severity": s.pri % 8})
                                   for s in mine), len(mine), kind="application/x-ndjson", auth=token)
            in_order += mine
        self.assertEqual(self.router.history(self.channel), shown(in_order))
        wait_until(lambda: len(far_end.frames()) >= len(SAMPLES), "the records at the far end")
        for frame, meant in zip(far_end.frames(), in_order):
            self.assertEqual(int(frame[1:frame.index(b">")]) % 8, meant.pri % 8)

    def test_tcp_octet_counting(self):
        self.send(counted(*self.frames(ids=True)), accepted=len(SAMPLES))
        self.balance()
        data = counted(*self.frames(ids=True, sd=None))
        self.send(None, pieces=[data[at:at + 100] for at in range(0, len(data), 100)], accepted=len(SAMPLES))
        self.came_through(2)

    def test_tcp_newlines(self):
        self.send(b"\n".join(self.frames(ids=True)) + b"\n", accepted=len(SAMPLES))
        self.balance()
        self.send(b"\r\n".join(self.frames(ids=True, sd=None)) + b"\r\n", accepted=len(SAMPLES))
        self.came_through(2)

    def test_tcp_framings_in_turn(self):
        data = b"".join(counted(frame) if i % 3 else frame + b"\n" for i, frame in enumerate(self.frames(ids=True)))
        self.send(data, accepted=len(SAMPLES))
        self.came_through()

    def test_tcp_of_the_file_itself(self):
        # The listener knows the channel. The lines with a length are octet counting, but for the two whose length is not theirs.
        lines = [line if re.match(r"\d+ <", line) is None else without_length(line) for line in file_lines()]
        mark = len(self.lines(self.bound))
        self.send("\n".join(lines).encode() + b"\n", accepted=len(lines), port=self.router.syslog_ports[1])
        self.balance()
        for line, is_shown in zip(lines, self.lines(self.bound)[mark:], strict=True):
            if HEADER.fullmatch(line):
                self.assertEqual(is_shown + b"\n", shown([sample(line)]))
            else:
                self.assertRegex(is_shown, b"^" + RFC3339 + rb" app\[-\]: " + re.escape(line.encode()) + b"$")


class SamplesOverUdp(SampleCase):
    flags = ("--syslog-udp-listen", "127.0.0.1:0")

    def test_udp(self):
        address = self.router.udp()[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for number, frame in enumerate(self.frames(ids=True)):
                out.sendto(frame, address)
                self.enter("udp", accepted=1)
                if number % 20 == 19:
                    self.balance()  # far from what the kernel's buffer holds
        self.came_through()


class SamplesOverTls(SampleCase):
    @classmethod
    def setUpClass(cls):
        cls.flags = ("--syslog-tls-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0", *cls.certify())
        super().setUpClass()

    def test_tls_in_both_framings(self):
        data = counted(*self.frames(ids=True)) + b"\n".join(self.frames(ids=True, sd=None)) + b"\n"
        for size in (len(data), 100):
            with RawHttps(self.port_of("syslog over TLS"), self.tls_client).socket as out:
                for at in range(0, len(data), size):
                    out.sendall(data[at:at + size])
                out.unwrap()  # close_notify, and the listener's
            self.enter("tls", accepted=2 * len(SAMPLES))
            self.balance()
        self.came_through(4)

    def test_https(self):
        body = counted(*self.frames())
        with RawHttps(self.port_of("public listener, TLS"), self.tls_client) as connection:
            connection.send((self.head(len(body)) + body) * 2)
            for _ in range(2):
                self.enter_answer(connection.answer(), len(SAMPLES))
        self.came_through(2)


if __name__ == "__main__":
    unittest.main()
