"""Bodies at random, damaged at random, against slow and obvious judges of every form."""

import collections
import gzip
import json
import random
import re
import unittest

from harness import HttpFarEnd, RawHttp, counted, record
from ingest_case import LIBZSTD, IngestCase, chunked, zstd

LOGPLEX, LINES, NDJSON = "application/logplex-1", "text/plain", "application/x-ndjson"
SEED = 20260102


def judge_frames(body):
    """(messages, reasons) of a logplex-1 body whose frames are no syslog."""
    messages, reasons = [], collections.Counter()
    while body:
        count = re.match(rb"([1-9][0-9]{0,19}) ", body)
        if count and int(count[1]) <= len(body) - count.end():
            end = count.end() + int(count[1])
            messages.append(body[count.end():end])
            body = body[end:]
        elif count and int(count[1]) < 1 << 31:
            reasons["truncated"] += 1
            body = b""
        else:
            reasons["too_long" if count else "truncated" if re.fullmatch(rb"[1-9][0-9]{0,19}", body) else "malformed"] += 1
            body = body.partition(b"\n")[2]
    return messages, reasons


def judge_lines(body):
    lines = [line.removesuffix(b"\r") for line in body.split(b"\n")[:-1]] + [body.split(b"\n")[-1]]
    return [line for line in lines if line], collections.Counter()


def no_constant(name):
    raise ValueError(name)


def judge_objects(body):
    messages, reasons = [], collections.Counter()
    for line in judge_lines(body)[0]:
        try:
            # Bytes that are no UTF-8 must come out as they went in; surrogateescape keeps them apart from what \uXXXX wrote.
            value = json.loads(line.decode("utf-8", "surrogateescape"), parse_constant=no_constant)
            message = value["message"] if isinstance(value, dict) else None
            if not isinstance(message, str):
                raise ValueError
        except (ValueError, KeyError):
            reasons["malformed"] += 1
            continue
        out = b""
        for char in message:
            if 0xDC80 <= ord(char) <= 0xDCFF:
                out += bytes([ord(char) - 0xDC00])
            else:
                out += char.encode("utf-8", "surrogatepass") if not 0xD800 <= ord(char) <= 0xDFFF else "\ufffd".encode()
        messages.append(out)
    return messages, reasons


class IngestRandom(IngestCase):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(SEED)

    def damaged(self, body):
        """A few bytes changed, cut out, doubled or put in."""
        body = bytearray(body)
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 5))):
            at = self.rng.randrange(len(body) + 1)
            kind = self.rng.randrange(4)
            if kind == 0 and at < len(body):
                body[at] = self.rng.choice(b" \n\r0159<>\"{}[],:\\\0\xff") if self.rng.random() < 0.7 else self.rng.randrange(256)
            elif kind == 1:
                del body[at:at + self.rng.randrange(1, 8)]
            elif kind == 2:
                body[at:at] = body[at:at + self.rng.randrange(1, 20)]
            else:
                body[at:at] = self.rng.choice((b"\n", b"0 ", b"99999999999 ", b"-", b" ", b"\r\n", b"12", b"{", b'"',
                                               b"\\u12", b"\0"))
        return bytes(body)

    def request(self, kind, body):
        """Packed and cut in one of the ways there are."""
        way = self.rng.randrange(4)
        fields = []
        if way == 2:
            body, fields = gzip.compress(body), ["Content-Encoding: gzip"]
        elif way == 3 and LIBZSTD:
            body, fields = zstd(body), ["Content-Encoding: zstd"]
        if self.rng.random() < 0.5:
            size = self.rng.choice((1, 7, 64, 5000))
            return self.head(None, "Transfer-Encoding: chunked", *fields, kind=kind) + chunked(body, size)
        return self.head(len(body), *fields, kind=kind) + body

    def compare(self, kind, judge, bodies):
        """The verdict of each, and in the end every byte that a drain gets."""
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        wanted = []
        with RawHttp(self.router.public) as connection:
            for number, body in enumerate(bodies):
                messages, reasons = judge(body)
                connection.send(self.request(kind, body))
                answer = connection.answer()
                self.enter_answer(answer, len(messages) + sum(reasons.values()))
                self.assertEqual((answer.header("Tailrace-Accepted"), answer.json()["reasons"] if answer.body else {}),
                                 (str(len(messages)), dict(reasons)), (number, body))
                wanted += messages
        self.assertGreater(len(wanted), 1000)
        self.assertEqual(far_end.wait_for(len(wanted)), wanted)

    def words(self):
        return b" ".join(self.rng.choice((b"at=info", b"x", b"\xc3\xbc", b"\xff", b"a[b]", b"5", b"10 ", b"\0",
                                          b"measure#a=1ms", b"\"q\""))
                         for _ in range(self.rng.randrange(8)))

    def test_frames(self):
        def body():
            pieces = []
            for _ in range(self.rng.randrange(1, 12)):
                frame = b"raw " + self.words() + self.rng.choice((b"", b"\n", b"\nmore"))
                pieces.append(self.rng.choice((b"", b"", b"", b"junk\n", b"7 \n")) + counted(frame))
            return self.damaged(b"".join(pieces))
        bodies = [body() for _ in range(400)]
        # What is damaged so that it begins with `<` could be syslog; that has its own tests.
        self.compare(LOGPLEX, judge_frames, [b for b in bodies if not any(m.startswith(b"<") for m in judge_frames(b)[0])])

    def test_lines(self):
        def body():
            return self.damaged(b"".join(b"line " + self.words() + self.rng.choice((b"\n", b"\r\n", b"\n\n"))
                                         for _ in range(self.rng.randrange(1, 20))))
        bodies = [body() for _ in range(300)]
        self.compare(LINES, judge_lines, [b for b in bodies if b"<" not in b])

    def value(self, depth=0):
        kind = self.rng.randrange(9 if depth < 4 else 6)
        if kind < 2:
            return self.rng.choice(("", "x", "é漢\U0001f600", "\n\t\"\\/\b\f\r", "\0", "\ud800", "\udfff x", "\x7f"))
        if kind < 6:
            return self.rng.choice((0, -1, 1.5, 1e300, -2.5e-7, 10 ** 30, True, False, None))
        if kind < 7:
            return [self.value(depth + 1) for _ in range(self.rng.randrange(4))]
        keys = ("a", "message", "é", "time", "procid")
        return {self.rng.choice(keys): self.value(depth + 1) for _ in range(self.rng.randrange(4))}

    def test_objects(self):
        def line():
            value = {"message": self.rng.choice(("hello", "é漢\U0001f600", "a\nb\0c", "\ud83d", "\ude00\ud83d", "")),
                     **({} if self.rng.random() < 0.3 else self.value_object())}
            text = json.dumps(value, ensure_ascii=self.rng.random() < 0.5,
                              separators=self.rng.choice(((",", ":"), (" , ", " : "), (",\t", ":\r"))))
            return text.encode("utf-8", "replace").replace(b"\r", b" ")
        bodies = [b"\n".join(self.damaged(line()) for _ in range(self.rng.randrange(1, 30))) for _ in range(300)]
        # A second `message` of another type is where the judges may differ in which one counts: both take the last.
        self.compare(NDJSON, judge_objects, bodies)

    def value_object(self):
        return {key: self.value() for key in ("x", "severity", "time", "host") if self.rng.random() < 0.6}

    def test_syslog_at_random_is_never_lost(self):
        # Whatever a frame is: it is accepted, and the drain gets one record for it.
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.channel, far_end.url)
        seeds = [record(self.app, "m", sd='[x@1 a="b"]'), record("app", "m", sd=None), b"<34>Oct 11 22:14:15 host su[1]: m",
                 b"<13>2026-01-02T03:04:05Z host tag: m", b"<189>12: *Mar  1 00:00:00.123 UTC: %SYS-5-CONFIG_I: m"]
        total = 0
        for _ in range(60):
            frames = [frame for frame in (self.damaged(self.rng.choice(seeds)) for _ in range(50)) if frame]
            self.accepts(counted(*frames), len(frames))
            total += len(frames)
        self.assertEqual(len(far_end.wait_for(total)), total)
        for frame in far_end.frames():
            word = rb"[^ \0-\x1f\x7f]+"
            self.assertRegex(frame, b"^<(?:[0-9]{1,2}|1[0-8][0-9]|19[01])>1 %s host %s %s - " % (word, word, word))


if __name__ == "__main__":
    unittest.main()
