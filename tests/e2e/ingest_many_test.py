"""Many at once: POSTs beside each other, channels that go away under them, answers that nobody reads."""

import socket
import threading
import time
import unittest

from harness import AUTH, HttpFarEnd, RawHttp, counted, record, wait_until
from ingest_case import IngestCase, chunked

LINES, NDJSON = "text/plain", "application/x-ndjson"


class IngestMany(IngestCase):
    def in_threads(self, *jobs):
        """Runs them beside each other; what they raise is raised here."""
        failures = []

        def run(job):
            try:
                job()
            except BaseException as failure:  # noqa: B902
                failures.append(failure)
        threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def test_each_post_keeps_its_order_and_none_is_lost_or_doubled(self):
        # Large ones are appended in rounds, and others come in between.
        count, posts = 15_000, 4
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)

        def post(number):
            body = b"".join(b"%d %d\n" % (number, i) for i in range(count))
            self.accepts(body, count, kind=LINES)
        self.in_threads(*[lambda n=n: post(n) for n in range(posts)])
        self.router.wait_for_drain(self.channel, drain, delivered=posts * count)
        got = [tuple(map(int, message.split())) for message in far_end.messages()]
        for number in range(posts):
            self.assertEqual([i for n, i in got if n == number], list(range(count)))

    def test_tcp_and_http_into_one_channel(self):
        count = 5_000
        far_end = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        frames = counted(*[record(self.app, f"tcp {i}") for i in range(count)])
        posts = [counted(*[record(self.app, f"http {i}") for i in range(start, start + 50)]) for start in range(0, count, 50)]

        def post():
            for body in posts:
                self.accepts(body, 50)
        self.in_threads(lambda: self.router.send(frames), post)
        self.enter("tcp", accepted=count)
        self.balance()
        self.router.wait_for_drain(self.channel, drain, delivered=2 * count)
        for way in (b"tcp", b"http"):
            self.assertEqual([m for m in far_end.messages() if m.startswith(way)], [b"%s %d" % (way, i) for i in range(count)])

    def test_one_post_to_hundreds_of_channels(self):
        channels = [self.router.channel(f"c{i}", ["web"]) for i in range(300)]
        body = b"".join(counted(record(tokens["web"], f"{i} {turn}"))
                        for turn in range(3) for i, (_, tokens) in enumerate(channels))
        self.accepts(body, 900, auth=AUTH)
        for i, (channel, _) in enumerate(channels):
            self.assertEqual(self.messages(channel), [b"%d %d" % (i, turn) for turn in range(3)])

    def test_a_channel_removed_under_a_post(self):
        # Whatever comes of it, the answer accounts for each record.
        count, statuses = 300_000, []
        body = b"x\n" * count
        for _ in range(8):
            channel, tokens = self.router.channel("short-lived", ["web"])
            with RawHttp(self.router.public) as connection:
                connection.send(self.head(len(body), auth="token:" + tokens["web"], kind=LINES) + body[:-1])
                self.in_threads(lambda: connection.send(body[-1:]),
                                lambda: self.assertEqual(self.router.api("DELETE", f"/v2/channels/{channel}").status, 200))
                answer = connection.answer()
                self.enter_answer(answer, count)
                statuses.append(answer.status)
        print(f"\n  answers where a channel goes away: {statuses}", flush=True)
        self.assertLessEqual(set(statuses), {204, 200, 400, 401})

    def test_answers_that_nobody_reads(self):
        """A sender that pipelines and never reads stops being read itself: its answers are not piled up."""
        body = counted(record(self.app, "x"))
        request = self.head(len(body)) + body
        count, sent = 200_000, [0]
        before = self.router.rss()
        with socket.socket() as out:
            out.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            out.connect(("127.0.0.1", self.router.public))

            def send():
                for _ in range(count // 1000):
                    out.sendall(request * 1000)
                    sent[0] += 1000
            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            seen = [0, 0]

            def stuck():
                seen[:] = [sent[0], seen[1] + 1 if sent[0] == seen[0] else 0]
                return seen[1] > 50 or not sender.is_alive()
            wait_until(stuck, "the sender to be held up")
            self.assertTrue(sender.is_alive(), "so many answers were piled up somewhere")
            self.accepts(counted(record(self.app, "others")), 1)
            self.memory_grew_less(before, 64)
            out.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            answers, rest = 0, b""
            while answers < count:  # now it reads
                piece = rest + out.recv(1 << 20)
                self.assertGreater(len(piece), len(rest), "the connection has ended")
                answers += piece.count(b"HTTP/1.1 204 ")
                rest = piece[-12:]  # a status line may be cut; a whole one has 13 bytes
            self.assertEqual(answers, count)
            sender.join()
        self.enter("http", accepted=count)

    def test_chunks_of_one_byte(self):
        # Five bytes of framing for each of the body: it costs its sender more than the router.
        body = b"".join(b"line %d\n" % i for i in range(50_000))
        data = chunked(body, 1)
        started = time.monotonic()
        with RawHttp(self.router.public) as connection:
            connection.send(self.head(None, "Transfer-Encoding: chunked", kind=LINES) + data)
            self.enter_answer(connection.answer(), 50_000)
        print(f"\n  {len(body)} chunks of a byte: {time.monotonic() - started:.2f} s", flush=True)
        self.assertEqual(self.messages(), [b"line %d" % i for i in range(50_000)][-1500:])

    def test_forms_beside_each_other(self):
        """Each loop has one intake for all of its connections: nothing of one request gets into another."""
        rounds = 40

        def frames(i):
            self.accepts(counted(*[record(self.heroku, f"f{i}.{n}", "router") for n in range(20)]), 20)

        def lines(i):
            self.accepts(b"".join(b"l%d.%d\n" % (i, n) for n in range(20)), 20, kind=LINES)

        def objects(i):
            self.accepts(b"".join(b'{"message":"o%d.%d","procid":"p%d"}\n' % (i, n, n) for n in range(20)), 20, kind=NDJSON)

        def pieces(i):
            data = chunked(counted(*[record(self.app, f"c{i}.{n}") for n in range(20)]), 17)
            with RawHttp(self.router.public) as connection:
                connection.send(self.head(None, "Transfer-Encoding: chunked") + data[:-5])
                connection.send(data[-5:])
                self.enter_answer(connection.answer(), 20)
        self.in_threads(*[lambda form=form: [form(i) for i in range(rounds)] for form in (frames, lines, objects, pieces)])
        shown = self.router.history(self.channel, num=1500).split(b"\n")[:-1]
        for line in shown:
            where, message = line.split(b" ", 1)[1].split(b"]: ")
            wanted = {b"f": b"heroku[router", b"l": b"app[-", b"c": b"app[web.1", b"o": b"app[p" + message.split(b".")[-1]}
            self.assertEqual(where, wanted[message[:1]], line)
        self.assertEqual(len(shown), 1500)


if __name__ == "__main__":
    unittest.main()
