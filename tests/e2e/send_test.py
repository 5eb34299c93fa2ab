"""`tailrace send`: lines in are lines at the far end, in order and once, or counted as lost, on every way to fail."""

import collections
import gzip
import os
import pathlib
import pty
import re
import signal
import subprocess
import tempfile
import threading
import unittest

from certificates import Authority
from harness import BINARY, PATIENCE, EndToEnd, HttpFarEnd, basic, command_environment, counted, record, run, split_frames, wait_until

TOKEN = "t.3f1c1f2e-0000-4000-8000-000000000001"
PARTS = re.compile(rb"<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|\[.*?\]) (.*)", re.S)
TIMES = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"

Frame = collections.namedtuple("Frame", "pri time host app procid msgid sd message")


def parts(frame):
    return Frame(*PARTS.fullmatch(frame).groups())


def is_loss(frame):
    return b" log-shuttle - - Error L1" in frame


class Collector(HttpFarEnd):
    """Takes what a sender sends. `most`: larger bodies are 413. `script`: the statuses of the next requests."""

    def __init__(self):
        self.most, self.script = None, collections.deque()
        super().__init__()

    @property
    def url(self):
        return f"http://token:{TOKEN}@127.0.0.1:{self.port}/logs"

    @property
    def mode(self):
        return self.script.popleft() if self.script else self._mode

    @mode.setter
    def mode(self, mode):
        self._mode = mode

    def set_mode(self, mode):
        was, self._mode = self._mode, mode
        if mode == "refuse":
            self._close()
        elif was == "refuse":
            self._listen()

    def hang(self):
        wait_until(lambda: self._mode != "hang" or self._stopped, "the end of a hang", 600)

    def serve(self, connection):
        with connection.makefile("rb") as file:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = file.readline()
                    if not line:
                        return
                    head += line
                length = int(re.search(rb"\r\nContent-Length: (\d+)\r\n", head)[1])
                body = file.read(length)
                if len(body) < length:
                    return
                status = self.mode
                if status == "hang":
                    self.hang()
                    return
                if not isinstance(status, int):
                    return
                if self.refuses and self.refuses in body:
                    status = 400
                if self.most and len(body) > self.most:
                    status = 413
                with self.lock:
                    self.requests.append(self.Request(head, body, status))
                connection.sendall(b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\n\r\n" % status)

    @staticmethod
    def field(request, name):
        found = re.search(rf"\r\n{name}: ([^\r]*)\r\n".encode(), request.head)
        return found and found[1].decode()

    def lines(self):
        """What was taken, as lines."""
        return [parts(frame).message for frame in self.frames() if not is_loss(frame)]

    def losses(self, code):
        """The counts of one code, as told in requests that were taken."""
        told = [re.search(rb"Error (L1\d): (\d+) messages (dropped|lost) since", f) for f in self.frames() if is_loss(f)]
        return [int(found[2]) for found in told if found[1] == code]

    def wait_for_lines(self, count):
        wait_until(lambda: len(self.lines()) >= count, lambda: f"{count} lines; there are {len(self.lines())}")
        return self.lines()


class Sender:
    """A `tailrace send` whose stdin is open."""

    def __init__(self, test, *flags, url=None, environment=None, **options):
        variables = {"LOGS_URL": url} if url else {}
        self.process = test.process("send", *flags, environment={**variables, **(environment or {})}, stdin=subprocess.PIPE,
                                    stderr=subprocess.PIPE, **options)
        self._said = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while piece := self.process.stderr.read1(65536):
            self._said += piece

    def said(self):
        return bytes(self._said).decode()

    def wait_for(self, pattern):
        return wait_until(lambda: re.search(pattern, self.said()), lambda: f"{pattern}; it said {self.said()!r}")

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ended(self):
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def end(self):
        self.process.stdin.close()
        return self.ended()

    def signal(self, number):
        self.process.send_signal(number)

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def numbered(first, count, size=0):
    return [b"line %d" % n + b"." * size + b"\n" for n in range(first, first + count)]


def reported(said):
    """What it says at its end: sent, lost, and the reasons."""
    found = re.search(r"send: sent (\d+), lost (\d+)(?: \((.*)\))?\n\Z", said)
    if not found:
        raise AssertionError(f"no report at the end of {said!r}")
    return int(found[1]), int(found[2]), found[3]


class Wire(EndToEnd):
    def send(self, feed, *flags, url=None, environment=None):
        """All of it from a pipe that ends: exit code and stderr."""
        variables = {"LOGS_URL": url} if url else {}
        code, out, error = run("send", *flags, environment={**variables, **(environment or {})}, feed=feed)
        self.assertEqual(out, "")
        return code, error

    def test_frames_and_head(self):
        """What log-shuttle writes, with a length instead of chunks and a frame id."""
        far = self.far_end(Collector)
        code, error = self.send(b'first line\nat=info "quoted"\n\nlast l\xc3\xafne', "--procid", "web.1", "--hostname", "host1",
                                url=far.url)
        self.assertEqual((code, error), (0, "tailrace: send: sent 4, lost 0\n"))
        frames, rest = split_frames(b"".join(request.body for request in far.taken()))
        self.assertEqual(rest, b"")
        form = rf"<190>1 {TIMES} host1 {re.escape(TOKEN)} web\.1 - - ".encode()
        for frame, message in zip(frames, [b"first line\n", b'at=info "quoted"\n', b"\n", b"last l\xc3\xafne"], strict=True):
            self.assertRegex(frame, b"^" + form + re.escape(message) + b"$")
        request = far.taken()[0]
        self.assertTrue(request.head.startswith(b"POST /logs HTTP/1.1\r\n"))
        self.assertEqual(far.field(request, "Host"), f"127.0.0.1:{far.port}")
        self.assertEqual(far.field(request, "Authorization"), basic(f"token:{TOKEN}"))
        self.assertEqual(far.field(request, "Content-Type"), "application/logplex-1")
        self.assertEqual(sum(int(far.field(r, "Logplex-Msg-Count")) for r in far.taken()), 4)
        self.assertRegex(far.field(request, "Logplex-Frame-Id"), "^[0-9A-F]{32}$")
        self.assertEqual(far.field(request, "X-Request-Id"), far.field(request, "Logplex-Frame-Id"))
        self.assertTrue(far.field(request, "User-Agent").startswith("tailrace-send/"))
        self.assertIsNone(far.field(request, "Logplex-Drain-Token"))
        self.assertNotIn(TOKEN, error)

    def test_fields(self):
        far = self.far_end(Collector)
        plain = f"http://127.0.0.1:{far.port}/in?format=json&x=1"
        code, _ = self.send(b"m\n", "--url", plain, "--appname", "shop", "--msgid", "- -", "--prival", "13",
                            environment={"DYNO": "worker.2"})
        self.assertEqual(code, 0)
        frame = parts(far.frames()[0])
        self.assertEqual((frame.pri, frame.app, frame.procid, frame.msgid, frame.sd), (b"13", b"shop", b"worker.2", b"-", b"-"))
        self.assertEqual(frame.host.decode(), os.uname().nodename)
        # The query is the far end's; and who has no user is `token`, as with log-shuttle.
        self.assertTrue(far.taken()[0].head.startswith(b"POST /in?format=json&x=1 HTTP/1.1\r\n"))
        self.assertEqual(far.field(far.taken()[0], "Authorization"), basic("token:shop"))
        self.assertEqual(self.send(b"m\n", "--url", plain)[0], 0)
        self.assertEqual(parts(far.frames()[1]).app, b"app")
        self.assertIsNone(far.field(far.taken()[1], "Authorization"))

    def test_secrets_from_files(self):
        far = self.far_end(Collector)
        with tempfile.TemporaryDirectory() as folder:
            url, bearer = pathlib.Path(folder, "url"), pathlib.Path(folder, "bearer")
            url.write_text(f"http://127.0.0.1:{far.port}\n")
            bearer.write_text(TOKEN + "\n")
            code, _ = self.send(b"m\n", environment={"LOGS_URL_FILE": str(url), "LOGS_BEARER_TOKEN_FILE": str(bearer)})
        self.assertEqual(code, 0)
        self.assertEqual(far.field(far.taken()[0], "Authorization"), f"Bearer {TOKEN}")
        self.assertTrue(far.taken()[0].head.startswith(b"POST /logs "))
        self.assertEqual(parts(far.frames()[0]).app.decode(), TOKEN)

    def test_compressed(self):
        far = self.far_end(Collector)
        self.assertEqual(self.send(b"".join(numbered(0, 500)), "--gzip", url=far.url)[0], 0)
        self.assertEqual({far.field(r, "Content-Encoding") for r in far.taken()}, {"gzip"})
        frames = [f for r in far.taken() for f in split_frames(gzip.decompress(r.body))[0]]
        self.assertEqual([parts(f).message for f in frames], numbered(0, 500))

    def test_any_bytes(self):
        """NUL, what is no UTF-8, and carriage returns arrive as they are."""
        lines = [b"a\0b\n", b"\xff\xfe\x80\n", b"dos\r\n", bytes(range(11, 256)) + b"\n", b"\0\n", b" \n"]
        far = self.far_end(Collector)
        self.assertEqual(self.send(b"".join(lines), url=far.url)[0], 0)
        self.assertEqual(far.lines(), lines)

    def test_long_lines(self):
        """In pieces of 10,000 bytes that cut no character; a stream without a newline needs no more memory than a piece."""
        umlauts = "ä".encode() * 12_500 + b"\n"  # an odd byte in front makes 10,000 fall into one
        lines = [b"x" * 10_000 + b"\n", b"y" * 10_001 + b"\n", b"." + umlauts, b"z" * 300_000]
        far = self.far_end(Collector)
        code, error = self.send(b"".join(lines), url=far.url)
        self.assertEqual(code, 0, error)
        pieces = far.lines()
        self.assertEqual(b"".join(pieces), b"".join(lines))
        self.assertEqual([len(piece) for piece in pieces[:6]], [10_001, 10_000, 2, 9_999, 10_000, 5_003])
        self.assertEqual({len(piece) for piece in pieces[6:]}, {10_000})
        for piece in pieces:
            piece.decode()
        far.requests.clear()
        self.assertEqual(self.send(b"abcdefgh" * 10 + b"\n", "--max-line-length", "64", url=far.url)[0], 0)
        self.assertEqual([len(piece) for piece in far.lines()], [64, 17])

    def test_syslog_in(self):
        """Records by line or by count keep their fields; what is none is a line's record."""
        far = self.far_end(Collector)
        records = [record("app", "one", procid="web.7", pri=134), record("app", "two", sd='[x@1 a="b"]', msgid="ID47")]
        feed = records[0] + b"\n" + counted(records[1]) + b"no syslog\n" + records[0]
        code, error = self.send(feed, "--input-format", "logplex", "--procid", "p", url=far.url)
        self.assertEqual((code, error), (0, "tailrace: send: sent 4, lost 0\n"))
        got = far.frames()
        self.assertEqual([got[0], got[1], got[3]], [*records, records[0]])
        self.assertEqual(parts(got[2])[3:], (TOKEN.encode(), b"p", b"-", b"-", b"no syslog"))
        # A frame that was cut off by the end is counted.
        code, error = self.send(b"500 " + records[0], "--input-format", "rfc5424", url=far.url)
        self.assertEqual((code, reported(error)), (1, (0, 1, "no record 1")))

    def test_tee(self):
        far = self.far_end(Collector)
        code, out, _ = run("send", "--tee", "--quiet", environment={"LOGS_URL": far.url}, feed=b"a\nb")
        self.assertEqual((code, out), (0, "a\nb"))
        self.assertEqual(far.lines(), [b"a\n", b"b"])

    def test_usage(self):
        far = self.far_end(Collector)
        for flags, environment, why in (
                ([], {}, "where to? --url or LOGS_URL"),
                (["--url", f"token:{TOKEN}@host"], {}, "the URL is not http"),
                (["--url", f"syslog://token:{TOKEN}@host"], {}, "the URL is not http"),
                ([], {"LOGS_URL_FILE": "/nonexistent/url"}, "LOGS_URL_FILE: /nonexistent/url cannot be read"),
                (["--url", far.url, "--batch-size", "500"], {}, "--batch-size takes 1K to 8M: bytes, not lines"),
                (["--url", far.url, "--full", "maybe"], {}, "--full takes drop or block"),
                (["--url", far.url, "--procid", "a b"], {}, "--procid takes visible ASCII"),
                (["--url", far.url, "--gzip", "--zstd"], {}, "one of them"),
                (["--url", far.url], {"LOGS_BEARER_TOKEN": "x"}, "one of them"),
                (["--url", far.url, "--prival", "192"], {}, "--prival takes 0 to 191"),
                (["--url", far.url, "--ca-file", "/nonexistent"], {}, "/nonexistent")):
            code, error = self.send(b"lost\n", *flags, environment=environment)
            self.assertEqual(code, 2, error)
            self.assertIn(why, error)
            self.assertNotIn(TOKEN, error)
        self.assertEqual(far.requests, [])

    def test_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        with os.fdopen(theirs, "rb") as stdin:
            done = subprocess.run([BINARY, "send", "--url", "http://127.0.0.1:1"], stdin=stdin, capture_output=True, timeout=PATIENCE,
                                  env=command_environment(), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"stdin is a terminal", done.stderr)

    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(folder, "ca")
            certificate, key = pathlib.Path(folder, "s.pem"), pathlib.Path(folder, "s.key")
            authority.sign("server", certificate, key)
            router = self.node("--https-listen", "127.0.0.1:0", "--tls-cert", str(certificate), "--tls-key", str(key))
            channel, tokens = router.channel()
            port = re.search(r"https=https://127\.0\.0\.1:(\d+)", router.log())[1]
            url = f"https://token:{tokens['app']}@localhost:{port}/logs"
            for flags, environment in ((["--ca-file", str(authority.pem)], {}), ([], {"SSL_CERT_FILE": str(authority.pem)})):
                code, error = self.send(b"hello\n", "--zstd", *flags, url=url, environment=environment)
                self.assertEqual(code, 0, error)
            code, error = self.send(b"hello\n", "--grace", "1s", url=url)
            self.assertEqual(code, 5, error)
            self.assertIn("failing since", error)
            self.assertIn("certificate", error)
        self.assertEqual(router.history(channel).count(b"app[-]: hello\n"), 2)


class Trouble(EndToEnd):
    def sender(self, far, *flags, **options):
        return Sender(self, *flags, url=far.url, **options)

    def test_slow_lines(self):
        """A line goes at once, though the pipe stays open."""
        far = self.far_end(Collector)
        sender = self.sender(far)
        for n, line in enumerate(numbered(0, 3)):
            sender.write(line)
            self.assertEqual(far.wait_for_lines(n + 1)[n], line)
        self.assertEqual(len(far.taken()), 3)
        sender.write(b"no newline yet")
        self.assertEqual(sender.end(), 0)
        self.assertEqual(far.lines()[3], b"no newline yet")

    def test_order_and_retries(self):
        """5xx, 429 and broken connections are no success; every batch comes once, in order, under its id."""
        far = self.far_end(Collector)
        far.script.extend([500, 200, "close", 200, 429, 503, 200])
        lines = numbered(0, 3000)
        sender = self.sender(far, "--batch-size", "16K")
        sender.write(b"".join(lines))
        self.assertEqual(sender.end(), 0, sender.said())
        self.assertEqual(far.lines(), lines)
        ids = [far.field(r, "Logplex-Frame-Id") for r in far.taken()]
        self.assertEqual(len(ids), len(set(ids)))
        bodies = collections.defaultdict(set)
        for request in far.requests:
            bodies[far.field(request, "Logplex-Frame-Id")].add(request.body)
        self.assertEqual({len(all_) for all_ in bodies.values()}, {1})
        self.assertIn([500, 200], [[r.status for r in far.requests][:2]])
        self.assertRegex(sender.said(), rf"tailrace: send: failing since {TIMES}: answered 500\n")
        self.assertRegex(sender.said(), r"tailrace: send: recovered after \S+: 0 dropped, \d+ delivered late\n")
        self.assertEqual(reported(sender.said()), (3000, 0, None))

    def test_everything_failed(self):
        far = self.far_end(Collector)
        far.set_mode(500)
        code, _, error = run("send", "--grace", "1s", environment={"LOGS_URL": far.url}, feed=b"".join(numbered(0, 7)))
        self.assertEqual((code, reported(error)), (1, (0, 7, "not sent in time 7; answered 500")))

    def test_never_reached(self):
        far = self.far_end(Collector)
        far.set_mode("refuse")
        code, _, error = run("send", "--grace", "1s", environment={"LOGS_URL": far.url}, feed=b"a\n")
        self.assertEqual(code, 5)
        self.assertEqual(error.count("failing since"), 1)
        self.assertIn("connection refused", error)

    def test_wrong_token(self):
        """Said at once with its cure; what was cured by the end of the input is sent."""
        router = self.node()
        channel, tokens = router.channel()
        wrong = f"http://token:{TOKEN}@127.0.0.1:{router.public}/logs"
        sender = Sender(self, url=wrong)
        sender.write(b"a\n")
        sender.wait_for(rf"paused since {TIMES}: answered 401 \(the token or user of the URL is not known there")
        self.assertNotIn(TOKEN, sender.said())
        sender.write(b"b\n")
        self.assertEqual(sender.end(), 3)
        self.assertEqual(reported(sender.said()), (0, 2, "not sent in time 2; answered 401"))

        far = self.far_end(Collector)
        far.set_mode(403)
        sender = self.sender(far)
        sender.write(b"a\n")
        sender.wait_for("paused since .*: answered 403 ")
        far.set_mode(200)
        sender.write(b"b\n")
        self.assertEqual(sender.end(), 0, sender.said())
        self.assertEqual(far.lines(), [b"a\n", b"b\n"])
        code, _, error = run("send", environment={"LOGS_URL": f"http://token:{tokens['app']}@127.0.0.1:{router.public}/nowhere"},
                             feed=b"a\n")
        self.assertEqual(code, 4, error)
        self.assertEqual(router.history(channel), b"")

    def test_too_large(self):
        """413 halves until it fits."""
        far = self.far_end(Collector)
        far.most = 3000
        lines = numbered(0, 1000)
        sender = self.sender(far)
        sender.write(b"".join(lines))
        self.assertEqual(sender.end(), 0, sender.said())
        self.assertEqual(far.lines(), lines)
        self.assertIn(413, [request.status for request in far.requests])

    def test_refused_lines(self):
        """A line that is refused for good is L13 with its count; its neighbours arrive."""
        far = self.far_end(Collector)
        far.refuses = b"poison"
        lines = numbered(0, 200)
        lines[77], lines[150] = b"poison 77\n", b"poison 150\n"
        sender = self.sender(far)
        sender.write(b"".join(lines))
        self.assertEqual(sender.end(), 1, sender.said())
        self.assertEqual(far.lines(), [line for line in lines if b"poison" not in line])
        self.assertEqual((sum(far.losses(b"L13")), far.losses(b"L12")), (2, []))
        self.assertEqual(reported(sender.said()), (198, 2, "refused 2"))
        told = [r for r in far.taken() if far.field(r, "Logplex-Lost-Count")]
        self.assertEqual(sum(int(far.field(r, "Logplex-Lost-Count")) for r in told), 2)
        frame = next(f for f in far.frames() if is_loss(f))
        self.assertRegex(frame, rf"^<172>1 {TIMES} heroku {re.escape(TOKEN)} log-shuttle - - Error L13: \d+ messages lost since {TIMES}\n$"
                         .encode())

    def across_restarts(self, ends):
        """20,000 lines to a router with a data dir that ends as told each time, while they come; what it has of them."""
        with tempfile.TemporaryDirectory() as folder:
            flags = ["--data-dir", folder, "--channel-records", "100000"]
            router = self.node(*flags)
            channel, tokens = router.channel()
            port = router.public
            sender = Sender(self, "--full", "block", "--batch-size", "16K", url=f"http://token:{tokens['app']}@127.0.0.1:{port}/logs")
            lines = numbered(0, 20_000, size=20)
            feeder = threading.Thread(target=lambda: (sender.write(b"".join(lines)), sender.process.stdin.close()))
            feeder.start()
            for end in ends:
                wait_until(lambda: router.accepted("http") > 0, "records in the router")  # pylint: disable=cell-var-from-loop
                end(router)
                router = self.node(*flags, public=port)
            feeder.join(PATIENCE)
            self.assertEqual(sender.ended(), 0, sender.said())
            self.assertEqual(reported(sender.said()), (20_000, 0, None))
            history = router.history(channel, 100_000)
            router.stop()
        return lines, [line.split(b"]: ", 1)[1] + b"\n" for line in history.splitlines() if b" app[-]: " in line]

    def test_router_restarted(self):
        lines, got = self.across_restarts([lambda router: router.stop()] * 3)
        self.assertEqual(got, lines)

    def test_router_killed(self):
        """kill -9: no line is missing. What a kill cut off between the sync and the answer may be there twice, as the
        router's own guarantees have it: that batch, behind itself."""
        lines, got = self.across_restarts([lambda router: router.kill()] * 3)
        at, repeats = 0, 0
        for line in got:
            if at < len(lines) and line == lines[at]:
                at += 1
                continue
            back = lines.index(line)
            self.assertLess(at - back, 16 * 1024 // 40)
            at, repeats = back + 1, repeats + 1
        self.assertEqual(at, len(lines))
        self.assertLessEqual(repeats, 3)


class End(EndToEnd):
    def test_sigterm(self):
        """What it holds, what is in the pipe, and the last words that follow are sent."""
        for number in (signal.SIGTERM, signal.SIGINT):
            far = self.far_end(Collector)
            far.set_mode(503)
            sender = Sender(self, url=far.url)
            sender.write(b"".join(numbered(0, 100)))
            sender.wait_for("failing since")
            sender.write(b"".join(numbered(100, 100)))
            sender.signal(number)
            sender.write(b"last words\n")
            wait_until(lambda: len(far.requests) > 1, "a retry at once")  # pylint: disable=cell-var-from-loop
            far.set_mode(200)
            self.assertEqual(sender.ended(), 0, sender.said())  # stdin is still open
            self.assertEqual(far.lines(), [*numbered(0, 200), b"last words\n"])
            self.assertEqual(reported(sender.said()), (201, 0, None))

    def test_ignored_signals(self):
        """`trap '' TERM` in front of it: it ends with its input."""
        far = self.far_end(Collector)
        sender = Sender(self, url=far.url, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
        sender.write(b"a\n")
        far.wait_for_lines(1)
        sender.signal(signal.SIGTERM)
        for n in range(5):
            sender.write(b"b\n")
            far.wait_for_lines(n + 2)
        self.assertIsNone(sender.process.poll())
        self.assertEqual(sender.end(), 0)

    def test_grace_ends(self):
        far = self.far_end(Collector)
        far.set_mode("hang")
        sender = Sender(self, "--grace", "500ms", url=far.url)
        sender.write(b"a\nb\n")
        wait_until(lambda: far.connections, "a connection")
        sender.signal(signal.SIGTERM)
        self.assertEqual(sender.ended(), 1)
        self.assertEqual(reported(sender.said()), (0, 2, "not sent in time 2"))

    def test_second_signal(self):
        far = self.far_end(Collector)
        far.set_mode("hang")
        sender = Sender(self, "--grace", "1h", url=far.url)
        sender.write(b"a\n")
        wait_until(lambda: far.connections, "a connection")
        sender.signal(signal.SIGTERM)
        # The first one has been taken when the next is no longer blocked.
        def taken():
            with open(f"/proc/{sender.process.pid}/status", encoding="ascii") as file:
                return not int(re.search(r"SigBlk:\s*(\w+)", file.read())[1], 16) & 1 << signal.SIGTERM - 1
        wait_until(taken, "the first signal")
        sender.signal(signal.SIGTERM)
        self.assertEqual(sender.ended(), -signal.SIGTERM)

    def test_busy_pipe(self):
        """Who never stops writing is left after the last words, and all that was read is sent or counted."""
        far = self.far_end(Collector)
        yes = subprocess.Popen(["yes", "line"], stdout=subprocess.PIPE)
        sender = self.process("send", "--grace", "2s", environment={"LOGS_URL": far.url}, stdin=yes.stdout, stderr=subprocess.PIPE)
        yes.stdout.close()
        far.wait_for_lines(1000)
        sender.send_signal(signal.SIGTERM)
        error = sender.communicate(timeout=PATIENCE)[1].decode()
        yes.wait(PATIENCE)
        sent, lost, _ = reported(error)
        self.assertEqual(sender.returncode, 1 if lost else 0)
        self.assertEqual(len(far.lines()), sent)


class Full(EndToEnd):
    """A buffer of 256K and a far end that takes nothing for a while."""

    def test_drop(self):
        """The writer is never stopped; lines in are lines there, and those that L12 counts, though its posts fail too."""
        far = self.far_end(Collector)
        far.set_mode(503)
        sender = Sender(self, "--buffer", "256K", url=far.url)
        lines = numbered(0, 30_000, size=80)
        sender.write(b"".join(lines))
        sender.wait_for("losing lines: sent 0, lost [1-9]")
        rss = sender.rss()
        sender.write(b"".join(numbered(30_000, 70_000, size=80)))
        lines += numbered(30_000, 70_000, size=80)
        self.assertLess(sender.rss() - rss, 8 << 20)
        far.script.extend([500, 503, "close"])  # the first that carry the loss
        far.set_mode(200)
        self.assertEqual(sender.end(), 1, sender.said())
        got, lost = far.lines(), sum(far.losses(b"L12"))
        self.assertEqual(len(got) + lost, len(lines))
        numbers = [int(line.split(b".")[0][5:]) for line in got]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(got[-1], lines[-1])
        sent, reported_lost, reasons = reported(sender.said())
        self.assertEqual((sent, reported_lost), (len(got), lost))
        self.assertEqual(reasons, f"overflow {lost}")
        self.assertEqual(sum(int(far.field(r, "Logplex-Drop-Count") or 0) for r in far.taken()), lost)
        self.assertEqual(sender.said().count("losing lines"), 1)

    def test_both_kinds(self):
        """What the buffer lost and what the far end refused are told apart, each exactly."""
        far = self.far_end(Collector)
        far.refuses = b"poison"
        far.set_mode(503)
        sender = Sender(self, "--buffer", "256K", url=far.url)
        lines = [b"poison %d\n" % n if n % 100 == 7 else b"line %d" % n + b"." * 80 + b"\n" for n in range(20_000)]
        sender.write(b"".join(lines))
        sender.wait_for("losing lines")
        far.set_mode(200)
        self.assertEqual(sender.end(), 1, sender.said())
        sent, lost, reasons = reported(sender.said())
        overflow, refused = map(int, re.fullmatch(r"overflow (\d+), refused (\d+)", reasons).groups())
        self.assertEqual((len(far.lines()), sum(far.losses(b"L12")), sum(far.losses(b"L13"))), (sent, overflow, refused))
        self.assertEqual(sent + overflow + refused, len(lines))
        self.assertGreater(min(sent, overflow, refused), 0)
        self.assertEqual(lost, overflow + refused)

    def test_block(self):
        far = self.far_end(Collector)
        far.set_mode(503)
        sender = Sender(self, "--buffer", "256K", "--full", "block", url=far.url)
        lines = numbered(0, 50_000, size=80)
        feeder = threading.Thread(target=lambda: (sender.write(b"".join(lines)), sender.process.stdin.close()))
        feeder.start()
        wait_until(lambda: len(far.requests) > 1, "two tries")
        self.assertTrue(feeder.is_alive())  # nobody reads on
        self.assertLess(sender.rss(), 64 << 20)
        far.set_mode(200)
        feeder.join(PATIENCE)
        self.assertEqual(sender.ended(), 0, sender.said())
        self.assertEqual(far.lines(), lines)
        self.assertEqual(far.losses(b"L12"), [])

    def test_file(self):
        """Nobody writes whom it would hold up."""
        far = self.far_end(Collector)
        far.script.extend([503, 503])
        lines = numbered(0, 50_000, size=80)
        with tempfile.TemporaryFile() as file:
            file.write(b"".join(lines))
            file.seek(0)
            sender = self.process("send", "--buffer", "256K", environment={"LOGS_URL": far.url}, stdin=file, stderr=subprocess.PIPE)
            error = sender.communicate(timeout=PATIENCE)[1].decode()
        self.assertEqual(sender.returncode, 0, error)
        self.assertEqual(far.lines(), lines)

    def test_healthy(self):
        """A far end that takes what comes, a little slower than it is written, loses nothing by default."""
        router = self.node("--channel-bytes", "64M", "--channel-records", "200000")
        channel, tokens = router.channel()
        url = f"http://token:{tokens['app']}@127.0.0.1:{router.public}/logs"
        code, _, error = run("send", "--buffer", "256K", environment={"LOGS_URL": url}, feed=b"".join(numbered(0, 200_000)))
        self.assertEqual((code, error), (0, "tailrace: send: sent 200000, lost 0\n"))
        self.assertEqual(router.ledger(channel)["accepted"], 200_000)

    def test_stats(self):
        far = self.far_end(Collector)
        sender = Sender(self, "--stats-interval", "100ms", "--quiet", url=far.url)
        sender.write(b"a\nb\n")
        sender.wait_for(r"send: at=stats lines=2 bytes=4 records=2 sent=2 dropped=0 buffered=0 lag=0ms state=ok status=200\n")
        self.assertEqual(sender.end(), 0)
        self.assertNotIn("lost", sender.said())


if __name__ == "__main__":
    unittest.main()
