"""kill -9: what was answered 2xx is delivered, in order and once; what was made by the API is there."""

import random
import re
import signal
import subprocess
import unittest

from durable import Durable, Replays, Writer, check_writers, rounds
from harness import AUTH, HttpFarEnd, counted, free_port, port_is_free, record, wait_until

BATCH = 10_000
FRAME_ID = re.compile(rb"\r\nLogplex-Frame-Id: ([^\r]*)")


class Kills(Durable):
    def post_numbers(self, token, first, end):
        """Records `seq=N`, as `tailrace sink` verifies them."""
        for start in range(first, end, BATCH):
            body = b"".join(b"seq=%d of a drain that is down\n" % n for n in range(start, min(start + BATCH, end)))
            answer = self.router.post(body, token, headers={"Content-Type": "text/plain"})
            self.assertEqual(answer.status, 204, answer)

    def test_a_drain_that_was_down_gets_all_of_it_after_a_kill(self):
        total = 400_000
        self.start()
        channel, tokens = self.router.channel("shop", ["app"])
        port = free_port()
        drain = self.router.drain(channel, f"http://127.0.0.1:{port}/in")
        self.post_numbers(tokens["app"], 0, total)
        self.kill()

        report = self.inspect()
        self.assertIsNone(report["holder"])
        self.assertEqual([(c["channel"], c["name"], c["records"], c["missing"]) for c in report["channels"]],
                         [(channel, "shop", total, 0)])
        self.assertEqual([(d["id"], d["buffered"], d["missing"]) for d in report["drains"]], [(str(drain["id"]), total, 0)])
        self.assertEqual(sum(s["records"] for s in report["segments"]), total)

        sink = self.process("sink", "--listen", f"127.0.0.1:{port}", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: not port_is_free(port), "the sink")
        self.start()
        self.assertEqual(self.router.account(channel, drain)["accepted"], total)
        account = self.router.wait_for_drain(channel, drain, delivered=total, buffered=0)
        self.assertEqual((account["accepted"], account["dropped"], account["filtered"]), (total, {}, 0))
        sink.send_signal(signal.SIGINT)
        out = sink.communicate()[0]
        self.assertRegex(out, rb'"received":400000,.*"unique":400000,"missing":0,"repeated":0,"reordered":0,"unnumbered":0')

    def test_under_load(self):
        generator = random.Random(20261121)
        far_end = self.far_end(Replays)
        self.start()
        channel, tokens = self.router.channel("shop", ["app"])
        drain = self.router.drain(channel, far_end.url)
        writers = [Writer(self, tokens["app"], f"w{i}", batch=generator.choice((1, 20, 100, 700))).start() for i in range(4)]
        known = {}
        for turn in range(rounds(5, 200)):
            target = sum(w.accepted for w in writers) + generator.randrange(100, 3000)
            wait_until(lambda target=target: sum(w.accepted for w in writers) >= target or any(w.failure for w in writers),
                       lambda: f"records; {[(w.accepted, w.statuses, w.failure) for w in writers]}")
            name = f"round-{turn}"
            known[name] = self.router.channel(name, ["app", "web"])
            self.kill()
            if turn % 2 == 0:
                report = self.inspect()
                self.assertLessEqual(set(known), {c["name"] for c in report["channels"]})
            self.start()
            # What the API had answered is there.
            for made, (id_, its_tokens) in list(known.items())[-3:]:
                answer = self.router.post(counted(record(its_tokens["web"], f"to {made}")), its_tokens["web"])
                self.assertEqual(answer.status, 204, answer)
                self.assertIn(f"to {made}".encode(), self.history_messages(id_))
        for writer in writers:
            writer.stop()
        account = self.router.wait_for_drain(channel, drain, buffered=0)
        messages = far_end.messages()
        check_writers(self, writers, messages)
        self.assertEqual((account["accepted"], account["delivered"], account["dropped"]), (len(messages), len(messages), {}))
        self.assertEqual(self.history_messages(channel), messages[-1500:])
        self.router.stop()
        self.inspect()
        self.assertEqual(self.exported(channel), [m.decode() for m in messages])

    def test_a_batch_that_was_in_flight_is_the_same_batch(self):
        """A far end that honours Logplex-Frame-Id takes it once."""
        far_end = self.far_end(HttpFarEnd)
        far_end.set_mode(503)
        self.start()
        channel, tokens = self.router.channel("shop", ["app"])
        drain = self.router.drain(channel, far_end.url)
        self.post_numbers(tokens["app"], 0, 10)
        wait_until(lambda: far_end.requests, "a batch")
        wait_until(lambda: self.inspect()["files"]["positions.db"] == "ok", "a stored position")
        self.post_numbers(tokens["app"], 10, 500)
        self.kill()
        far_end.set_mode(200)
        self.start()
        self.router.wait_for_drain(channel, drain, delivered=500, buffered=0)
        first, again = far_end.requests[0], far_end.taken()[0]
        self.assertEqual((again.body, FRAME_ID.search(again.head)[1]), (first.body, FRAME_ID.search(first.head)[1]))

    def test_credentials_and_the_generated_one_survive(self):
        self.start("--auth", AUTH)
        channel, _ = self.router.channel("shop")
        made = self.router.api("POST", "/v3/credentials", {"name": "reader", "permissions": [f"read:{channel}"]})
        if made.status == 404:
            self.skipTest("the API has no credentials yet")
        self.assertEqual(made.status, 201, made)
        auth = f"{made.json()['name']}:{made.json()['password']}"
        self.kill()
        self.start("--auth", AUTH)
        self.assertEqual(self.router.api("POST", "/v2/sessions", {"channel_id": channel}, auth=auth).status, 201)

    def test_a_repeated_post_is_known_after_a_restart(self):
        """Same answer, nothing appended; another body or another token's is not it."""
        for end in (self.kill, lambda: self.router.stop()):
            with self.subTest(end=end):
                self.start()
                channel, tokens = self.router.channel("", ["app"])
                token = tokens["app"]
                good = counted(record(token, "one"), record(token, "two"))
                some = counted(record(token, "three")) + b"garbage\n" + b"300 <13>1 cut"
                none = b"garbage\nmore of it\n"
                first = [self.router.post(body, token, headers={"Logplex-Frame-Id": frame_id})
                         for body, frame_id in ((good, "good"), (some, "some"), (none, "none"))]
                self.assertEqual([a.status for a in first], [204, 200, 400])
                end()
                self.start()
                again = [self.router.post(body, token, headers={"Logplex-Frame-Id": frame_id})
                         for body, frame_id in ((good, "good"), (some, "some"), (none, "none"))]
                self.assertEqual([(a.status, a.body, a.header("Tailrace-Accepted")) for a in again],
                                 [(a.status, a.body, a.header("Tailrace-Accepted")) for a in first])
                self.assertEqual(self.history_messages(channel), [b"one", b"two", b"three"])
                self.assertGreaterEqual(self.router.metric("tailrace_ingest_duplicate_requests_total"), 2)
                self.router.post(some, token, headers={"Logplex-Frame-Id": "good"})
                self.assertEqual(self.history_messages(channel), [b"one", b"two", b"three", b"three"])
                self.router.stop()

    def test_numbers_never_repeat_and_go_on(self):
        self.start()
        channel, tokens = self.router.channel("", ["app"])
        last = 0
        for turn in range(4):
            for _ in range(3):
                self.assertEqual(self.router.post(counted(record(tokens["app"], f"turn {turn}")), tokens["app"]).status, 204)
            (self.kill if turn % 2 else self.router.stop)()
            ranges = self.inspect()["channels"][0]["ranges"]
            numbers = [n for r in ranges for n in range(r["first"], r["last"] + 1)]
            self.assertEqual(len(numbers), 3 * (turn + 1))
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertGreater(numbers[-3], last)
            last = numbers[-1]
            self.start()


if __name__ == "__main__":
    unittest.main()
