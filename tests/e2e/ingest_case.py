"""What the tests of ingest share: one node for a class, a channel of its own for each test, and the books.

Conservation: each test says how many records it sent. What the answers said must add up to that, and at the test's end
/metrics must have counted the same: sent = accepted + rejected by reason + duplicates.
"""

import collections
import ctypes
import pathlib
import re
import shutil
import socket
import ssl
import tempfile
import unittest

from certificates import Authority
from harness import BINARY, PATIENCE, EndToEnd, Node, RawHttp, basic, wait_until

UNKNOWN = "t.11111111-2222-4333-8444-555555555555"
RFC3339 = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
BOUND = 20  # seconds; counters that are right reach their value at once

try:
    LIBZSTD = ctypes.CDLL("libzstd.so.1")
    LIBZSTD.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    LIBZSTD.ZSTD_compressBound.restype = ctypes.c_size_t
    LIBZSTD.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    LIBZSTD.ZSTD_compress.restype = ctypes.c_size_t
except OSError:
    LIBZSTD = None


def is_sanitized():
    with open(BINARY, "rb") as file:
        return re.search(rb"__(?:asan|tsan)_init", file.read()) is not None


SANITIZED = bool(BINARY) and is_sanitized()


def zstd(data, level=3):
    """One zstd frame. Python 3.11 has no module for it."""
    out = ctypes.create_string_buffer(LIBZSTD.ZSTD_compressBound(len(data)))
    size = LIBZSTD.ZSTD_compress(out, len(out), data, len(data), level)
    return out.raw[:size]


def chunked(body, size=1000):
    """A body in HTTP chunks of that size, with the last one."""
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class RawHttps(RawHttp):
    """The same over TLS."""

    def __init__(self, port, context):
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.file = self.socket.makefile("rb")


class IngestCase(EndToEnd):
    """`flags` and `options` are the node's."""

    flags = ()
    options = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.router = Node(*cls.flags, **cls.options)
        cls.addClassCleanup(cls.router.stop)

    @classmethod
    def certify(cls):
        """Flags that name a certificate; clients trust it by `cls.tls_client`."""
        if not shutil.which("openssl"):
            raise unittest.SkipTest("openssl is not installed")
        directory = tempfile.TemporaryDirectory(prefix="tailrace-e2e-")
        cls.addClassCleanup(directory.cleanup)
        folder = pathlib.Path(directory.name)
        authority = Authority(folder, "authority")
        authority.sign("node", folder / "node.pem", folder / "node.key")
        cls.tls_client = ssl.create_default_context(cafile=str(authority.pem))
        return "--tls-cert", str(folder / "node.pem"), "--tls-key", str(folder / "node.key")

    @classmethod
    def port_of(cls, listener):
        """Of the first listener that the log tells of by this name."""
        said = re.compile(f'msg="{listener}" \\S*127\\.0\\.0\\.1:(\\d+)')
        return int(wait_until(lambda: said.search(cls.router.log()), listener)[1])

    def same_list(self, got, wanted, msg=None):
        """What assertEqual does with lists here: unittest's own takes minutes over the difference of long ones."""
        if got != wanted:
            at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
            self.fail(self._formatMessage(msg, f"lists of {len(got)} and {len(wanted)} differ first at {at}: "
                                               f"{str(got[at:at + 1])[:500]} and {str(wanted[at:at + 1])[:500]}"))

    def setUp(self):
        self.addTypeEqualityFunc(list, self.same_list)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]
        self.entered = collections.Counter()
        self.before = self.counters()

    def tearDown(self):
        self.balance()

    def memory_grew_less(self, before, megabytes):
        """Since router.rss() was `before`. Sanitizers keep what was freed, so with them nothing is said."""
        grown = self.router.rss() - before
        if not SANITIZED:
            self.assertLess(grown, megabytes << 20)
        return grown

    # ---- the books

    def counters(self):
        """What /metrics says of ingest: (protocol, what), where `what` is accepted, duplicate or a reason."""
        found = collections.Counter()
        for key, value in self.router.metrics().items():
            name, _, labels = key.partition("{")
            protocol = re.search(r'protocol="([^"]*)"', labels)
            protocol = protocol[1] if protocol else "http"
            if name == "tailrace_ingest_records_total":
                found[protocol, "accepted"] += int(value)
            elif name == "tailrace_ingest_rejected_total":
                found[protocol, re.search(r'reason="([^"]*)"', labels)[1]] += int(value)
            elif name == "tailrace_ingest_duplicate_records_total":
                found[protocol, "duplicate"] += int(value)
        return found

    def counted_since(self):
        """Only what is not 0."""
        return {key: value - self.before[key] for key, value in self.counters().items() if value != self.before[key]}

    def enter(self, protocol, accepted=0, duplicate=0, **rejected):
        """What must be counted by the end of the test."""
        for what, count in {"accepted": accepted, "duplicate": duplicate, **rejected}.items():
            self.entered[protocol, what] += count

    def balance(self):
        expected = {key: value for key, value in self.entered.items() if value}
        if not any(protocol != "http" for protocol, _ in expected):
            self.assertEqual(self.counted_since(), expected)  # counted before it was answered
            return
        wait_until(lambda: self.counted_since() == expected,
                   lambda: f"{expected} to be counted; it is {self.counted_since()}", BOUND)

    # ---- records in

    def head(self, length=None, *fields, method="POST", path="/logs", auth=None, kind="application/logplex-1"):
        """A request's head; `fields` are lines of it."""
        lines = [f"{method} {path} HTTP/1.1", "Host: tailrace", "Authorization: " + basic(auth or f"token:{self.app}"),
                 f"Content-Type: {kind}", *fields]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def post(self, body, records, kind="application/logplex-1", repeat=False, auth=None, headers=None, port=None):
        """A POST of so many records, whose answer is checked in itself and entered into the books. `auth`: a token's id
        or `user:password`."""
        auth = auth or self.app
        auth = f"token:{auth}" if auth.startswith("t.") else auth
        answer = self.router.post(body, auth=auth, headers={"Content-Type": kind, **(headers or {})}, port=port)
        return self.enter_answer(answer, records, repeat)

    def enter_answer(self, answer, records, repeat=False):
        """Checks an answer against the table of outcomes: it must account for each record that was sent."""
        if answer.status in (401, 403, 405, 413, 415):
            return answer
        self.assertIn(answer.status, (200, 204, 400, 429, 503), answer)
        accepted, reasons = int(answer.header("Tailrace-Accepted") or 0), {}
        if answer.status == 204:
            self.assertEqual((answer.body, accepted), (b"", records))
        else:
            self.assertEqual(answer.header("Content-Type"), "application/json")
            verdict = answer.json()
            self.assertEqual(set(verdict), {"accepted", "rejected", "reasons"})
            reasons = verdict["reasons"]
            self.assertEqual((verdict["accepted"], verdict["rejected"]), (accepted, sum(reasons.values())), answer)
            self.assertEqual(accepted + sum(reasons.values()), records, answer)
            self.assertGreater(sum(reasons.values()), 0)
            self.assertNotIn(0, reasons.values())
            self.assertEqual(accepted > 0, answer.status == 200, answer)
        if answer.status in (429, 503):
            self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        if repeat:
            self.enter("http", duplicate=records)
        else:
            self.enter("http", accepted=accepted, **reasons)
        return answer

    def accepts(self, body, records, **options):
        """A POST that must be taken whole."""
        answer = self.post(body, records, **options)
        self.assertEqual(answer.status, 204, answer)

    def rejects(self, body, status, accepted=0, options=None, **reasons):
        """A POST with this verdict."""
        answer = self.post(body, accepted + sum(reasons.values()), **(options or {}))
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.json()["reasons"], reasons)

    def send(self, data, accepted=0, port=None, pieces=None, **rejected):
        """Bytes over TCP, and what must come of them."""
        self.router.send(data, port, pieces)
        self.enter("tcp", accepted, **rejected)

    # ---- records out

    def lines(self, channel=None):
        """What a reader sees, one line each; a newline within a message makes two."""
        return self.router.history(channel or self.channel).split(b"\n")[:-1]

    def messages(self, channel=None):
        return [line.split(b"]: ", 1)[1] for line in self.lines(channel)]
