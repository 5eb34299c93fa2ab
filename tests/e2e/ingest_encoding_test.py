"""Content-Encoding: bodies of gzip and zstd in every shape that is one, and those that are broken, cut or bombs."""

import gzip
import io
import os
import struct
import unittest
import zlib

from harness import RawHttp, counted, record
from ingest_case import LIBZSTD, IngestCase, chunked, zstd

LINES, NDJSON = "text/plain", "application/x-ndjson"
LIMIT = 16 << 20  # bytes, inflated


def gz(data, level=6, name=b""):
    """One member; `name` stands in its header."""
    if name:
        out = io.BytesIO()
        with gzip.GzipFile(name.decode(), "wb", level, out, 1) as file:
            file.write(data)
        return out.getvalue()
    return gzip.compress(data, level, mtime=0)


def gz_with_every_field(data):
    """RFC 1952: FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT."""
    head = b"\x1f\x8b\x08\x1f\x01\x02\x03\x04\x02\x03" + struct.pack("<H", 6) + b"AB\x02\x00xy" + b"name\0" + b"comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + deflate.compress(data) + deflate.flush() + struct.pack("<II", zlib.crc32(data), len(data))


def gz_flushed(pieces):
    """One member whose writer flushed behind each piece, as a streaming sender does."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"".join(deflate.compress(p) + deflate.flush(zlib.Z_SYNC_FLUSH) for p in pieces) + deflate.flush()


def zstd_frame(blocks, window=0x58, tail=b""):
    """A zstd frame by hand (RFC 8878), without content size and checksum. A block is bytes as they are, or (byte, count)
    for a run. `window` is the descriptor: 0x58 is 2 MiB."""
    out = b"\x28\xb5\x2f\xfd\x00" + bytes([window])
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        kind, size, data = (0, len(block), block) if isinstance(block, bytes) else (1, block[1], block[0])
        out += struct.pack("<I", size << 3 | kind << 1 | last)[:3] + data
    return out + tail


def skippable(data):
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", len(data)) + data


def lines_of(size):
    """Lines of exactly so many bytes that shrink to a quarter, as logs do."""
    line = lambda: os.urandom(24).hex().encode() + b" status=200 " * 10 + b"\n"  # noqa: E731
    data = b"".join(line() for _ in range(size // 168 + 1))[:size - 1] + b"\n"
    assert len(data) == size
    return data


class IngestEncoding(IngestCase):
    def encoded(self, encoding, **headers):
        return {"headers": {"Content-Encoding": encoding, **headers}}

    def refuses_as_too_large(self, body, encoding):
        """413, and counted as one: how many records it holds nobody knows."""
        self.assertEqual(self.post(body, 0, kind=LINES, **self.encoded(encoding)).status, 413)
        self.enter("http", too_long=1)

    # ---- taken

    def test_gzip_of_every_type(self):
        frames = counted(*[record(self.app, f"frame {i}") for i in range(100)])
        for encoding in ("gzip", "x-gzip", "GZIP", " gzip "):
            with self.subTest(encoding=encoding):
                self.accepts(gz(frames), 100, **self.encoded(encoding))
        self.accepts(gz(b"one\ntwo\n"), 2, kind=LINES, **self.encoded("gzip"))
        self.accepts(gz(b'{"message":"three"}\n'), 1, kind=NDJSON, **self.encoded("gzip"))
        self.accepts(gz(b""), 0, **self.encoded("gzip"))
        self.assertEqual(self.messages(), [b"frame %d" % i for i in range(100)] * 4 + [b"one", b"two", b"three"])

    @unittest.skipUnless(LIBZSTD, "libzstd is not installed")
    def test_zstd_of_every_type(self):
        frames = counted(*[record(self.app, f"frame {i}") for i in range(100)])
        for level in (1, 3, 19):
            self.accepts(zstd(frames, level), 100, **self.encoded("zstd"))
        self.accepts(zstd(frames), 100, **self.encoded("ZSTD"))
        self.accepts(zstd(b"one\ntwo\n"), 2, kind=LINES, **self.encoded("zstd"))
        self.accepts(zstd(b'{"message":"three"}\n'), 1, kind=NDJSON, **self.encoded("zstd"))
        self.accepts(zstd(b""), 0, **self.encoded("zstd"))
        self.assertEqual(self.messages(), [b"frame %d" % i for i in range(100)] * 4 + [b"one", b"two", b"three"])

    def test_identity_is_none(self):
        for encoding in ("identity", "Identity", ""):
            with self.subTest(encoding=encoding):
                self.accepts(counted(record(self.app, "x")), 1, **self.encoded(encoding))

    def test_gzip_members_of_every_shape(self):
        frames = counted(record(self.app, "first"), record(self.app, "second"), record(self.app, "third"))
        shapes = {"stored": gz(frames, 0), "best": gz(frames, 9), "with a name": gz(frames, 6, b"app.log"),
                  "every field": gz_with_every_field(frames), "flushed": gz_flushed([frames[:7], frames[7:60], b"", frames[60:]]),
                  "many members": b"".join(gz(frames[i:i + 1]) for i in range(len(frames))),
                  "empty members": gz(b"") + gz(frames[:50]) + gz(b"") + gz(frames[50:]) + gz(b"")}
        for name, body in shapes.items():
            with self.subTest(name):
                self.accepts(body, 3, **self.encoded("gzip"))
        self.assertEqual(self.messages(), [b"first", b"second", b"third"] * len(shapes))

    def test_zstd_frames_of_every_shape(self):
        frames = counted(record(self.app, "first"), record(self.app, "second"), record(self.app, "run " + "r" * 500))
        run = frames.index(b"r" * 500)
        shapes = {"one block": zstd_frame([frames]), "blocks": zstd_frame([frames[:9], b"", frames[9:run], (b"r", 500)]),
                  "frames": zstd_frame([frames[:30]]) + zstd_frame([frames[30:run]]) + zstd_frame([(b"r", 500)]),
                  "skippable": skippable(b"index") + zstd_frame([frames]) + skippable(b""),
                  "smallest window": zstd_frame([frames[i:i + 1000] for i in range(0, len(frames), 1000)], 0),
                  "8 MiB of window": zstd_frame([frames], 0x68)}
        for name, body in shapes.items():
            with self.subTest(name):
                self.accepts(body, 3, **self.encoded("zstd"))

    def test_gzip_in_chunks_of_every_size_with_trailers(self):
        # "log-shuttle -gzip": Transfer-Encoding and Content-Encoding together.
        body = gz_flushed([counted(record(self.app, f"{i}")) for i in range(20)])
        sizes = (1, 2, 3, 7, 100, 4096)
        with RawHttp(self.router.public) as connection:
            for size in sizes:
                data = chunked(body, size)[:-2] + b"X-Checksum: abc\r\nContent-Encoding: br\r\n\r\n"
                head = self.head(None, "Transfer-Encoding: chunked", "Content-Encoding: gzip", "Trailer: X-Checksum")
                connection.send(head + data)
                self.enter_answer(connection.answer(), 20)
        self.assertEqual(self.messages(), [b"%d" % i for i in range(20)] * len(sizes))

    def test_expect_100_continue(self):
        body = gz(counted(record(self.app, "patient")))
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body), "Expect: 100-continue", "Content-Encoding: gzip"))
            self.assertEqual(connection.answer().status, 100)
            connection.send(body)
            self.enter_answer(connection.answer(), 1)
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(len(body), "Expect: 100-continue", "Content-Encoding: br"))
            self.assertEqual(connection.answer().status, 415)  # at once: no byte of the body was sent
        self.assertEqual(self.messages(), [b"patient"])

    def test_small_but_extreme_bodies_pass(self):
        # A program that repeats itself for 3 MiB is no attack.
        line = b"the same line again and again\n"
        count = (3 << 20) // len(line)
        self.accepts(gz(line * count), count, kind=LINES, **self.encoded("gzip"))
        if LIBZSTD:
            self.accepts(zstd(line * count), count, kind=LINES, **self.encoded("zstd"))

    def test_16_mib_inflated_and_one_byte_more(self):
        exactly = lines_of(LIMIT)
        count = exactly.count(b"\n")
        bodies = [("gzip", gz(exactly, 1), gz(exactly + b"\n", 1))]
        if LIBZSTD:
            bodies.append(("zstd", zstd(exactly, 1), zstd(exactly + b"\n", 1)))
        for encoding, fits, too_large in bodies:
            with self.subTest(encoding=encoding):
                self.assertLess(len(too_large), 8 << 20)
                self.accepts(fits, count, kind=LINES, **self.encoded(encoding))
                self.refuses_as_too_large(too_large, encoding)
        self.assertEqual(self.messages(), (exactly.split(b"\n")[:-1])[-1500:])

    # ---- refused

    def test_encodings_that_are_none_of_ours(self):
        body = gz(counted(record(self.app, "x")))
        for encoding in ("deflate", "br", "compress", "gzip, gzip", "gzip,zstd", "zstd, gzip", "identity, gzip", "gzipp",
                         "gzip;q=1",
                         "aws-chunked", "*", "x-zstd\t!"):
            with self.subTest(encoding=encoding):
                self.assertEqual(self.post(body, 0, **self.encoded(encoding)).status, 415)
        # Two fields are a list (RFC 9110 section 5.3).
        for first, second in (("gzip", "gzip"), ("identity", "gzip"), ("gzip", "br"), ("zstd", "gzip")):
            with self.subTest(first=first, second=second), RawHttp(self.router.public) as connection:
                head = self.head(len(body), f"Content-Encoding: {first}", f"Content-Encoding: {second}", kind=LINES)
                connection.send(head + body)
                self.assertEqual(connection.answer().status, 415)
        self.assertEqual(self.messages(), [])

    def cut(self, body, encoding):
        """Every prefix of a body is one truncated record, and nothing of it is appended."""
        for at in range(0, len(body)):
            with self.subTest(at=at):
                self.rejects(body[:at], 400, options=self.encoded(encoding), truncated=1)
        self.accepts(body, 3, **self.encoded(encoding))
        self.assertEqual(len(self.messages()), 3)

    def test_every_prefix_of_gzip(self):
        self.cut(gz_with_every_field(counted(*[record(self.app, f"{i}") for i in range(3)])), "gzip")

    @unittest.skipUnless(LIBZSTD, "libzstd is not installed")
    def test_every_prefix_of_zstd(self):
        self.cut(zstd(counted(*[record(self.app, f"{i}") for i in range(3)])), "zstd")

    def test_second_member_cut_off(self):
        frame = counted(record(self.app, "x"))
        for body, encoding in ((gz(frame) + gz(frame)[:-1], "gzip"), (gz(frame) + b"\x1f", "gzip"),
                               (gz(frame) + b"\x1f\x8b\x08\0\0", "gzip"),
                               (zstd_frame([frame]) + zstd_frame([frame])[:-1], "zstd"), 
                               (zstd_frame([frame]) + b"\x28\xb5", "zstd"),
                               (zstd_frame([frame]) + skippable(b"abc")[:-1], "zstd")):
            with self.subTest(body=body[-20:]):
                self.rejects(body, 400, options=self.encoded(encoding), truncated=1)
        self.assertEqual(self.messages(), [])

    def test_broken(self):
        frame = counted(record(self.app, "x"))
        good, by_hand = gz(frame), zstd_frame([frame])
        cases = {
            "no gzip": (frame, "gzip"), "zstd as gzip": (by_hand, "gzip"), "gzip as zstd": (good, "zstd"),
                 "no zstd": (frame, "zstd"),
            "zlib": (zlib.compress(frame), "gzip"), "raw deflate": (zlib.compress(frame)[2:-4], "gzip"),
            "another method": (good[:2] + b"\x07" + good[3:], "gzip"), "reserved flags": (good[:3] + b"\xe0" + good[4:], "gzip"),
            "wrong CRC": (good[:-8] + b"\0\0\0\0" + good[-4:], "gzip"), "wrong size": (good[:-4] + b"\0\0\0\0", "gzip"),
            "wrong CRC of the head": (gz_with_every_field(frame).replace(b"comment\0", b"Comment\0"), "gzip"),
            "bytes behind": (good + b"more of it", "gzip"), "zeros behind": (good + b"\0" * 12, "gzip"),
            "a newline behind": (good + b"\n", "gzip"), "a third block type": (by_hand[:6] + b"\x07" + by_hand[7:], "zstd"),
            "a dictionary": (b"\x28\xb5\x2f\xfd\x01\x58\x07" + by_hand[6:], "zstd"),
            "bytes behind zstd": (by_hand + b"more of it", "zstd"),
            "reserved bit": (by_hand[:4] + b"\x08" + by_hand[5:], "zstd"),
            "block beyond the window": (zstd_frame([(b"x", 200_000)]), "zstd"),
        }
        if LIBZSTD:
            compressed = zstd(frame * 50)
            cases["damaged zstd"] = (compressed[:12] + bytes(b ^ 0x55 for b in compressed[12:40]) + compressed[40:], "zstd")
        for name, (body, encoding) in cases.items():
            with self.subTest(name):
                self.rejects(body, 400, options=self.encoded(encoding), malformed=1)
        self.assertEqual(self.messages(), [])

    def test_every_flipped_bit(self):
        """Nothing of a damaged body is appended: CRC-32 finds every single bit of what gzip carries."""
        frames = counted(*[record(self.app, f"{i}") for i in range(3)])
        body = gz(frames)
        taken = 0
        for at in range(len(body)):
            for bit in (1, 128) if at > 10 else (1, 2, 4, 8, 16, 32, 64, 128):
                flipped = body[:at] + bytes([body[at] ^ bit]) + body[at + 1:]
                status = self.router.post(flipped, token=self.app, headers={"Content-Encoding": "gzip"})
                if status.status == 204:  # time, level, operating system, padding behind the last block: they carry nothing
                    self.assertTrue(at < 10 or at == len(body) - 9, at)
                    taken += 1
                    self.enter("http", accepted=3)
                else:
                    self.assertEqual((status.status, status.json()["accepted"], status.json()["rejected"]), (400, 0, 1))
                    self.enter("http", **status.json()["reasons"])
        self.assertEqual(self.messages(), [b"0", b"1", b"2"] * taken)

    def test_bad_records_within_are_judged_one_by_one(self):
        frame = counted(record(self.app, "good"))
        self.rejects(gz(frame + b"garbage\n" + frame + b"300 <13>1 cut"), 200, accepted=2, malformed=1, truncated=1,
                     options=self.encoded("gzip"))

    # ---- bombs

    def bombs(self):
        giga = zlib.compressobj(9, zlib.DEFLATED, 31)
        zeros = b"\n" * (1 << 20)
        one = b"".join(giga.compress(zeros) for _ in range(256)) + giga.flush()  # 256 MiB in 260 kB
        yield "gzip", one
        yield "gzip", one * 8
        yield "gzip", gz(b"") * 200_000 + one  # 4 MB of empty members first
        yield "zstd", zstd_frame([(b"x", 131_072)] * 8192)  # 1 GiB in 32 kB
        yield "zstd", zstd_frame([(b"x", 131_072)] * 512) * 16
        yield "zstd", zstd_frame([b"x"] + [(b"\n", 131_072)] * 8192, 0x68)

    def test_bombs_are_413_and_cost_no_memory(self):
        bombs = list(self.bombs())
        before = self.router.rss()
        for encoding, body in bombs:
            with self.subTest(encoding=encoding, size=len(body)):
                for _ in range(3):
                    self.refuses_as_too_large(body, encoding)
        grown = self.memory_grew_less(before, 64)
        print(f"\n  bombs: {grown / 1e6:.1f} MB more resident after {3 * len(bombs)}", flush=True)
        self.assertEqual(self.messages(), [])
        self.accepts(gz(b"still here"), 1, kind=LINES, **self.encoded("gzip"))

    def test_bombs_in_parallel(self):
        body = list(self.bombs())[0][1]
        connections = [RawHttp(self.router.public) for _ in range(40)]
        try:
            before = self.router.rss()
            for connection in connections:  # whole but for a byte: forty bodies are held at once
                connection.send(self.head(len(body), "Content-Encoding: gzip", kind=LINES) + body[:-1])
            for connection in connections:
                connection.send(body[-1:])
            self.accepts(b"others are served", 1, kind=LINES)
            for connection in connections:
                status = connection.answer().status
                self.assertIn(status, (413, 503))  # forty times what shows that one is a bomb may be more than there is room for
                self.enter("http", too_long=int(status == 413))
            self.memory_grew_less(before, 200)
        finally:
            for connection in connections:
                connection.close()

    def test_large_bodies_in_parallel_stay_within_the_room(self):
        # Each inflates to 16 MiB; what is in flight counts in the bound of the process, and past it the answer is 503.
        plain = lines_of(LIMIT)
        body, count = gz(plain, 1), plain.count(b"\n")
        connections = [RawHttp(self.router.public) for _ in range(16)]
        try:
            before = self.router.rss()
            for connection in connections:
                connection.send(self.head(len(body), "Content-Encoding: gzip", kind=LINES) + body[:-1])
            for connection in connections:
                connection.send(body[-1:])
            self.accepts(b"others are served", 1, kind=LINES)
            statuses = []
            for connection in connections:
                answer = connection.answer()
                statuses.append(answer.status)
                if answer.status == 503:
                    self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
                else:
                    self.enter_answer(answer, count)
            self.assertIn(204, statuses)
            self.assertLessEqual(set(statuses), {204, 503})
            self.memory_grew_less(before, 300)
        finally:
            for connection in connections:
                connection.close()

    def test_a_window_beyond_8_mib_is_not_allocated(self):
        frame = counted(record(self.app, "x"))
        before = self.router.rss()
        for window in (0x70, 0x88, 0xA0, 0xF8):  # 16 MiB to 2 TiB
            answer = self.router.post(zstd_frame([frame], window), token=self.app, headers={"Content-Encoding": "zstd"})
            self.assertIn(answer.status, (400, 413), answer)
            self.enter("http", **(answer.json()["reasons"] if answer.status == 400 else {"too_long": 1}))
        self.memory_grew_less(before, 16)
        self.assertEqual(self.messages(), [])


if __name__ == "__main__":
    unittest.main()
