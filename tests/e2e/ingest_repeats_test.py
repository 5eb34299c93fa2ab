"""A POST that is sent again: the same answer, nothing appended, counted as duplicate. And what is no repeat."""

import gzip
import re
import socket
import threading
import unittest

from harness import AUTH, TIME, FarEnd, RawHttp, counted, record, wait_until
from ingest_case import IngestCase, chunked

LINES, NDJSON = "text/plain", "application/x-ndjson"
FRAME_ID, REQUEST_ID = "Logplex-Frame-Id", "X-Request-Id"


class IngestRepeats(IngestCase):
    def setUp(self):
        super().setUp()
        self.requests_before = self.router.metric("tailrace_ingest_duplicate_requests_total")
        self.repeats = 0

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.router.metric("tailrace_ingest_duplicate_requests_total") - self.requests_before, self.repeats)

    def first(self, body, records, frame_id, name=FRAME_ID, **options):
        return self.post(body, records, headers={name: frame_id}, **options)

    def again(self, answer, body, records, frame_id, name=FRAME_ID, **options):
        """The same POST once more must be answered as it was."""
        repeated = self.post(body, records, headers={name: frame_id}, repeat=True, **options)
        self.repeats += 1
        self.assertEqual((repeated.status, repeated.body, repeated.header("Tailrace-Accepted"), repeated.header("Content-Type")),
                         (answer.status, answer.body, answer.header("Tailrace-Accepted"), answer.header("Content-Type")))

    def body(self, *messages):
        return counted(*[record(self.app, m) for m in messages])

    # ---- repeats

    def test_the_same_answer_and_nothing_appended(self):
        body = self.body("one", "two")
        answer = self.first(body, 2, "EAF49EE4E5F4CC2A2C8927F9349CBCF5")
        self.assertEqual(answer.status, 204)
        for _ in range(3):
            self.again(answer, body, 2, "EAF49EE4E5F4CC2A2C8927F9349CBCF5")
        self.again(answer, body, 2, "EAF49EE4E5F4CC2A2C8927F9349CBCF5", port=self.router.admin)
        self.assertEqual(self.messages(), [b"one", b"two"])

    def test_a_verdict_is_repeated_too(self):
        some = self.body("good") + b"garbage\n" + self.body("good") + b"300 <13>1 cut"
        answer = self.first(some, 4, "some")
        self.assertEqual(answer.status, 200)
        self.again(answer, some, 4, "some")
        none = b"garbage\nmore of it\n"
        answer = self.first(none, 2, "none")
        self.assertEqual(answer.status, 400)
        self.again(answer, none, 2, "none")
        self.assertEqual(self.messages(), [b"good", b"good"])

    def test_request_id_of_log_shuttle(self):
        # Chunked, one chunk a line, no frame id; the same X-Request-Id on each retry.
        frames = [counted(record(self.app, f"line {i}\n")) for i in range(3)]
        request_id = "14d43658-2254-459f-be94-85ca8474bfe5"
        data = self.head(None, "Transfer-Encoding: chunked", "Logplex-Msg-Count: 3", f"X-Request-Id: {request_id}")
        data += b"".join(b"%x\r\n%s\r\n" % (len(f), f) for f in frames) + b"0\r\n\r\n"
        with RawHttp(self.router.public) as connection:
            connection.send(data)
            self.enter_answer(connection.answer(), 3)
            connection.send(data)
            self.enter_answer(connection.answer(), 3, repeat=True)
        with RawHttp(self.router.public) as connection:  # chunked otherwise: the body is the same
            head = self.head(None, "Transfer-Encoding: chunked", f"X-Request-Id: {request_id}")
            connection.send(head + chunked(b"".join(frames), 11))
            self.enter_answer(connection.answer(), 3, repeat=True)
        self.repeats = 2
        self.assertEqual(self.messages(), [b"line 0", b"line 1", b"line 2"])

    def test_pipelined(self):
        body = self.body("once")
        data = self.head(len(body), "Logplex-Frame-Id: pipelined") + body
        with RawHttp(self.router.public) as connection:
            connection.send(data * 20)
            for i in range(20):
                self.enter_answer(connection.answer(), 1, repeat=i > 0)
        self.repeats = 19
        self.assertEqual(self.messages(), [b"once"])

    def test_frame_id_on_every_type_and_encoding(self):
        for number, (kind, body) in enumerate(((LINES, b"one\ntwo"), (NDJSON, b'{"message":"one"}\n{"message":"two"}\n'),
                                               ("application/x-logplex-1", self.body("one", "two")))):
            answer = self.first(body, 2, f"kind {number}", kind=kind)
            self.again(answer, body, 2, f"kind {number}", kind=kind)
        body = gzip.compress(self.body("one", "two"), mtime=0)
        headers = {"Content-Encoding": "gzip", FRAME_ID: "packed"}
        self.post(body, 2, headers=headers)
        self.post(body, 2, headers=headers, repeat=True)
        self.repeats += 1
        self.assertEqual(self.messages(), [b"one", b"two"] * 4)

    def test_a_split_record_counts_once_in_a_repeat_too(self):
        body = self.body("x" * 25_000)
        answer = self.first(body, 1, "long")
        self.again(answer, body, 1, "long")
        self.assertEqual(len(self.messages()), 3)

    def test_an_empty_body(self):
        answer = self.first(b"", 0, "empty")
        self.assertEqual(answer.status, 204)
        self.assertEqual(self.post(b"", 0, headers={FRAME_ID: "empty"}).status, 204)
        self.repeats = int(self.router.metric("tailrace_ingest_duplicate_requests_total") - self.requests_before)
        self.assertIn(self.repeats, (0, 1))  # nothing is there that could be appended twice

    def test_a_credential(self):
        body = self.body("one") + counted(record("app", "nobody's"))
        answer = self.first(body, 2, "x", auth=AUTH)
        self.assertEqual(answer.status, 200)
        self.again(answer, body, 2, "x", auth=AUTH)
        self.assertEqual(self.messages(), [b"one"])

    def test_many_retries_at_once(self):
        # "A retry while the first still waits gets the first's outcome."
        rounds, threads = 20, 8
        for number in range(rounds):
            body = self.body(*[f"{number} {i}" for i in range(50)])
            data = self.head(len(body), f"Logplex-Frame-Id: round {number}") + body
            connections = [RawHttp(self.router.public) for _ in range(threads)]
            try:
                for connection in connections:
                    connection.send(data[:-1])
                barrier = threading.Barrier(threads)

                def finish(connection, barrier=barrier, end=data[-1:]):
                    barrier.wait()
                    connection.send(end)
                workers = [threading.Thread(target=finish, args=(connection,)) for connection in connections]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
                for i, connection in enumerate(connections):
                    answer = connection.answer()
                    self.assertEqual(answer.status, 204)
                    self.enter_answer(answer, 50, repeat=i > 0)
            finally:
                for connection in connections:
                    connection.close()
        self.repeats = rounds * (threads - 1)
        self.assertEqual(self.messages(), [b"%d %d" % (number, i) for number in range(rounds) for i in range(50)][-1500:])

    def test_a_first_try_that_was_cut_off_is_no_first_try(self):
        body = self.body("whole")
        data = self.head(len(body), "Logplex-Frame-Id: cut") + body
        for at in (len(data) - 1, len(data) - len(body), len(data) - len(body) // 2):
            with RawHttp(self.router.public) as connection:
                connection.send(data[:at])
                connection.half_close()
                connection.answer()
        self.first(body, 1, "cut")
        self.assertEqual(self.messages(), [b"whole"])

    def test_an_answer_that_got_lost(self):
        # What retries are for: the POST arrived, its answer did not.
        body = self.body("once")
        for number in range(10):
            data = self.head(len(body), f"Logplex-Frame-Id: lost {number}") + body
            accepted = self.router.accepted("http")
            with socket.create_connection(("127.0.0.1", self.router.public)) as sender:
                sender.sendall(data)
                wait_until(lambda before=accepted: self.router.accepted("http") > before, "the POST to arrive")
            self.enter("http", accepted=1)
            self.post(body, 1, headers={FRAME_ID: f"lost {number}"}, repeat=True)
        self.repeats = 10
        self.assertEqual(self.messages(), [b"once"] * 10)

    # ---- no repeats

    def test_another_body_under_a_known_id_is_appended(self):
        one, two = self.body("one"), self.body("two")
        first, second = self.first(one, 1, "same"), self.first(two, 1, "same")
        self.again(first, one, 1, "same")
        self.again(second, two, 1, "same")
        self.assertEqual(self.messages(), [b"one", b"two"])

    def test_another_id(self):
        body = self.body("x")
        for frame_id in ("a", "b", "A", "a" * 8_000, "a" * 7_999, "a b", "\"a\"", "é"):
            with self.subTest(frame_id=frame_id[:10]):
                self.first(body, 1, frame_id.encode("utf-8").decode("latin-1"))
        self.assertEqual(len(self.messages()), 8)

    def test_no_id(self):
        body = self.body("x")
        for headers in ({}, {}, {FRAME_ID: ""}, {FRAME_ID: ""}, {REQUEST_ID: ""}, {REQUEST_ID: " "}, {"Logplex-Msg-Count": "1"}):
            self.accepts(body, 1, headers=headers)
        self.assertEqual(len(self.messages()), 7)

    def test_another_token_or_credential(self):
        body = self.body("x")
        for auth in (self.app, self.heroku, AUTH):
            answer = self.first(body, 1, "same", auth=auth)
            self.again(answer, body, 1, "same", auth=auth)
        self.assertEqual(len(self.messages()), 3)

    def test_basic_and_bearer_are_the_same_token(self):
        body = self.body("x")
        answer = self.first(body, 1, "same")
        headers = {"Content-Type": "application/logplex-1", FRAME_ID: "same", "Authorization": "Bearer " + self.app}
        self.enter_answer(self.router.api("POST", "/logs", body, None, self.router.public, headers), 1, repeat=True)
        self.repeats += 1
        self.assertEqual(answer.status, 204)
        self.assertEqual(self.messages(), [b"x"])

    def test_request_id_counts_on_logplex_bodies_alone(self):
        # Proxies write one on everything, and two lines may well be the same.
        for kind, body in ((LINES, b"x"), (NDJSON, b'{"message":"x"}')):
            for _ in range(2):
                self.first(body, 1, "proxy", name=REQUEST_ID, kind=kind)
        self.assertEqual(self.messages(), [b"x"] * 4)

    def test_frame_id_goes_before_request_id(self):
        body = self.body("x")
        for frame_id, request_id, repeat in (("1", "r", False), ("2", "r", False), ("1", "other", True)):
            self.post(body, 1, headers={FRAME_ID: frame_id, REQUEST_ID: request_id}, repeat=repeat)
            self.repeats += repeat
        self.assertEqual(len(self.messages()), 2)

    def test_what_was_refused_is_not_remembered(self):
        body = self.body("x")
        headers = {FRAME_ID: "refused"}
        for wrong, status in (({"Content-Type": "application/json"}, 415), ({"Content-Encoding": "br"}, 415),
                              ({"Origin": "http://x.example"}, 403)):
            self.assertEqual(self.post(body, 1, headers={**headers, **wrong}).status, status)
        self.assertEqual(self.post(body, 1, headers=headers, auth="local:wrong").status, 401)
        self.accepts(body, 1, headers=headers)
        self.assertEqual(self.messages(), [b"x"])

    def test_a_removed_token_opens_nothing_with_a_known_id(self):
        other, tokens = self.router.channel("short-lived", ["app"])
        body = counted(record(tokens["app"], "x"))
        self.first(body, 1, "same", auth=tokens["app"])
        self.assertEqual(self.router.api("DELETE", f"/v2/channels/{other}").status, 200)
        self.assertEqual(self.first(body, 1, "same", auth=tokens["app"]).status, 401)

    def test_many_ids_are_bounded_in_memory(self):
        count = 20_000
        frame_id = "i" * 1_000
        body = self.body("x")
        before = self.router.rss()
        with RawHttp(self.router.public) as connection:
            for start in range(0, count, 500):
                connection.send(b"".join(self.head(len(body), f"Logplex-Frame-Id: {frame_id}{start + i}") + body
                                         for i in range(500)))
                for _ in range(500):
                    self.enter_answer(connection.answer(), 1)
        grown = self.memory_grew_less(before, 12)  # the ids themselves are 20
        print(f"\n  {count} ids: {grown / 1e6:.1f} MB more resident", flush=True)


class RepeatsOverQuota(IngestCase):
    flags = ("--channel-rate", "1000")

    def test_429_is_not_remembered_and_a_repeat_costs_nothing(self):
        body = counted(*[record(self.app, f"{i}") for i in range(3000)])
        headers = {FRAME_ID: "big"}
        self.accepts(body, 3000, headers=headers)  # and owes 2000
        self.post(body, 3000, headers=headers, repeat=True)
        late = counted(record(self.app, "late"))
        statuses = []

        def taken():
            statuses.append(self.post(late, 1, headers={FRAME_ID: "late"}).status)
            return statuses[-1] == 204
        wait_until(taken, "room in the bucket")
        self.assertEqual(statuses[0], 429)
        self.post(late, 1, headers={FRAME_ID: "late"}, repeat=True)
        self.assertEqual(self.messages()[-2:], [b"2999", b"late"])


class LosesAnswers(FarEnd):
    """A proxy to a node's public listener. Every other request arrives there, but its answer does not come back."""

    def __init__(self, port):
        self.to, self.requests = port, 0
        super().__init__()

    def serve(self, connection):
        with connection.makefile("rb") as file, RawHttp(self.to) as upstream:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = file.readline()
                    if not line:
                        return
                    head += line
                body = file.read(int(re.search(rb"\r\nContent-Length: (\d+)\r\n", head)[1]))
                upstream.send(head + body)
                answer = upstream.answer()
                with self.lock:
                    self.requests += 1
                    lost = self.requests % 2 == 1
                if lost:
                    return
                connection.sendall(b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\n\r\n" % answer.status)


class RepeatsOfADrain(IngestCase):
    def test_one_router_drains_into_another_and_each_record_arrives_once(self):
        """A drain repeats a request whose answer it did not get; by its frame id the next router knows it again."""
        proxy = LosesAnswers(self.router.public)
        self.addCleanup(proxy.stop)
        first = self.node()
        channel, tokens = first.channel("upstream", ["app", "heroku"])
        drain = first.drain(channel, f"http://token:{self.app}@127.0.0.1:{proxy.port}/logs")
        sent = 0
        for _ in range(3):
            senders = ((tokens["app"], "web.1"), (tokens["heroku"], "router"))
            frames = [record(senders[i % 2][0], f"{sent + i}", senders[i % 2][1]) for i in range(1000)]
            sent += len(frames)
            self.assertEqual(first.post(counted(*frames), auth=AUTH).status, 204)
            first.wait_for_drain(channel, drain, delivered=sent)
        self.assertEqual(self.router.accepted("http") - self.before["http", "accepted"], sent)
        repeated = self.counters()["http", "duplicate"] - self.before["http", "duplicate"]
        self.assertGreater(repeated, 0)
        self.enter("http", accepted=sent, duplicate=repeated)
        self.assertEqual(self.messages(), [b"%d" % i for i in range(sent)][-1500:])
        self.assertEqual(self.lines()[-2:], [f"{TIME} app[web.1]: {sent - 2}".encode(),
                                             f"{TIME} heroku[router]: {sent - 1}".encode()])


if __name__ == "__main__":
    unittest.main()
