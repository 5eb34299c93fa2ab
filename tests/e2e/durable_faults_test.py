"""A disk that is full, fails, writes less than it was asked to, or loses what was not synced when the power goes."""

import random
import socket
import threading
import unittest

from durable import Durable, Replays, Writer, check_writers, rounds
from faults import UNBOUNDED, Faults
from harness import counted, record, wait_until


class FailingDisk(Durable):
    def lay_faults(self, journal=False):
        self.faults = Faults(self.dir, self.root, journal)
        self.addCleanup(self.faults.close)

    def filled(self, *flags, drain=True):
        self.start(*flags)
        self.channel, self.tokens = self.router.channel("shop", ["app"])
        self.token = self.tokens["app"]
        self.far_end_ = self.far_end(Replays)
        self.drain = self.router.drain(self.channel, self.far_end_.url) if drain else None

    def post(self, *messages):
        return self.router.post(counted(*[record(self.token, m) for m in messages]), self.token)

    def fill_up(self, size=200_000):
        """POSTs until one is answered 503; what was accepted."""
        accepted = []

        def refused():
            messages = [f"fill {len(accepted) + i} " + "y" * 4000 for i in range(size // 4000)]
            answer = self.post(*messages)
            if answer.status == 503:
                return answer
            self.assertEqual(answer.status, 204, answer)
            accepted.extend(m.encode() for m in messages)
            return None
        return wait_until(refused, "a 503"), accepted

    def reasons(self):
        answer = self.router.api("GET", "/readyz", auth=None)
        return answer.status, answer.json()["reasons"]

    def balanced(self, messages):
        account = self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        self.assertEqual((account["delivered"], account["dropped"]), (len(messages), {}))
        self.assertEqual(self.far_end_.messages(), messages)

    # ---- full

    def test_a_full_disk_is_503_and_recovers(self):
        self.lay_faults()
        self.filled("--disk-bytes", "64M")
        self.assertEqual(self.reasons(), (200, []))
        self.faults.space = 3 << 20
        answer, accepted = self.fill_up()
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        self.assertIn("no room", (answer.json().get("error") or " ".join(answer.json()["reasons"])).replace("_", " "))
        self.assertGreater(self.faults.no_space, 0)
        status, reasons = wait_until(lambda: self.reasons() if self.reasons()[0] == 503 else None, "not ready")
        self.assertRegex(" ".join(reasons), "(?i)space|disk|room")
        # What is there is delivered and shown meanwhile; nothing that was refused is.
        self.balanced(accepted)
        self.assertEqual(self.history_messages(self.channel, 50), accepted[-50:])
        # A change of the catalog is refused too, or kept.
        made = self.router.api("POST", "/channels", {"name": "while full", "tokens": []})
        self.assertIn(made.status, (200, 201, 503), made)
        self.assertEqual(self.router.api("GET", "/healthz", auth=None).status, 200)

        self.faults.space = UNBOUNDED
        wait_until(lambda: self.reasons() == (200, []), "readiness")
        self.assertEqual(self.post("after").status, 204)
        accepted.append(b"after")
        self.balanced(accepted)
        self.router.stop(errors=True)
        self.inspect()
        self.start()
        self.assertEqual(self.history_messages(self.channel, 50), accepted[-50:])
        if made.status in (200, 201):
            names = [c.get("name") for c in self.router.good("GET", "/v3/channels")["channels"]]
            self.assertIn("while full", names)

    def test_syslog_over_tcp_is_not_read_while_the_disk_is_full(self):
        self.lay_faults()
        self.filled("--disk-bytes", "64M")
        self.faults.space = 0
        answer, accepted = self.fill_up()
        self.assertEqual(answer.status, 503)
        total = 40_000
        sent = threading.Event()

        def send():
            with socket.create_connection(("127.0.0.1", self.router.syslog)) as out:
                out.sendall(counted(*[record(self.token, f"tcp {i} " + "z" * 1000) for i in range(total)]))
                out.shutdown(socket.SHUT_WR)
                out.recv(1)
            sent.set()
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        before = self.router.accepted("tcp")
        wait_until(lambda: self.router.api("GET", "/healthz", auth=None).status == 200, "an answer")
        self.assertLess(self.router.accepted("tcp") - before, total)
        self.assertFalse(sent.is_set())
        self.assertEqual(self.router.rejected("tcp"), {})
        self.faults.space = UNBOUNDED
        self.assertTrue(sent.wait(60))
        wait_until(lambda: self.router.accepted("tcp") == before + total, "all that was sent")
        self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        got = self.far_end_.messages()[len(accepted):]
        self.assertEqual([int(m.split(b" ")[1]) for m in got], list(range(total)))
        self.router.stop(errors=True)

    def test_starts_on_a_full_disk(self):
        self.lay_faults()
        self.filled("--disk-bytes", "64M")
        self.far_end_.set_mode(503)
        self.assertEqual(self.post("one", "two").status, 204)
        self.kill()
        self.faults.space = 0
        self.faults.neighbour = 1  # else the start would free its prepared segments and make them anew
        self.start("--disk-bytes", "64M")
        self.assertEqual(self.reasons()[0], 503)
        self.assertEqual(self.post("three").status, 503)
        self.assertEqual(self.history_messages(self.channel), [b"one", b"two"])
        self.far_end_.set_mode(200)
        self.balanced([b"one", b"two"])
        self.faults.space = UNBOUNDED
        wait_until(lambda: self.reasons() == (200, []), "readiness")
        self.assertEqual(self.post("three").status, 204)
        self.balanced([b"one", b"two", b"three"])
        self.router.stop(errors=True)

    def test_full_and_killed_and_started_again_and_again(self):
        self.lay_faults()
        self.filled("--disk-bytes", "64M")
        generator = random.Random(4)
        writers = [Writer(self, self.token, f"w{i}", batch=200).start() for i in range(2)]
        for _ in range(rounds(3, 50)):
            self.faults.space = generator.randrange(0, 6 << 20)
            seen = self.faults.no_space
            wait_until(lambda seen=seen: self.faults.no_space > seen, "a full disk")
            self.kill()
            self.start("--disk-bytes", "64M")
            self.faults.space = UNBOUNDED
            target = sum(w.accepted for w in writers) + 400
            wait_until(lambda target=target: sum(w.accepted for w in writers) >= target, "records again")
        for writer in writers:
            writer.stop()
        account = self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        messages = self.far_end_.messages()
        check_writers(self, writers, messages)  # what was refused and is there all the same was sent again
        self.assertEqual((account["delivered"], account["dropped"]), (len(messages), {}))
        self.router.stop(errors=True)

    # ---- syncs that fail

    def test_a_failed_sync_costs_nothing_that_was_acknowledged(self):
        self.lay_faults(journal=True)
        self.filled()
        writers = [Writer(self, self.token, f"w{i}", batch=100).start() for i in range(3)]
        for turn in range(rounds(6, 200)):
            failed = self.faults.syncs_failed
            self.faults.fail_sync_in = 1 + turn % 4
            wait_until(lambda failed=failed: self.faults.syncs_failed > failed, "a failed sync")
            target = sum(w.accepted for w in writers) + 300
            wait_until(lambda target=target: sum(w.accepted for w in writers) >= target, "records after it")
            if turn % 3 == 2:
                self.kill()
                self.faults.power_cut()
                self.start()
        for writer in writers:
            writer.stop()
        account = self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        messages = self.far_end_.messages()
        check_writers(self, writers, messages)
        self.assertEqual((account["delivered"], account["dropped"]), (len(messages), {}))
        self.router.stop(errors=True)
        self.inspect()

    def test_syncs_that_all_fail_are_503_and_recover(self):
        self.lay_faults(journal=True)
        self.filled()
        self.assertEqual(self.post("one").status, 204)
        self.faults.fail_syncs = 1
        answer = self.post("never")
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        wait_until(lambda: self.reasons()[0] == 503, "not ready")
        self.faults.fail_syncs = 0
        wait_until(lambda: self.reasons() == (200, []), "readiness")
        self.assertEqual(self.post("two").status, 204)
        self.balanced([b"one", b"two"])
        self.assertEqual(self.history_messages(self.channel), [b"one", b"two"])
        self.router.stop(errors=True)
        self.start()
        self.assertEqual(self.history_messages(self.channel), [b"one", b"two"])

    def test_a_crash_after_a_failed_sync(self):
        """The crash point `group.failed`: the group in two segments, or in none."""
        self.lay_faults(journal=True)
        self.filled()
        self.assertEqual(self.post("one").status, 204)
        self.router.stop()
        writer = Writer(self, self.token, "w", batch=100)

        def work(process):
            if not writer._thread.is_alive():  # pylint: disable=protected-access
                writer.start()
            if writer.accepted >= 300 and self.faults.fail_sync_in == 0:
                self.faults.fail_sync_in = 1
        code = self.restart_until_gone(environment={**self.faults.environment, "TAILRACE_CRASHPOINT": "group.failed"},
                                       during=work)
        self.assertIn(code, (-9, 137))
        self.faults.power_cut()
        self.inspect()
        self.start()
        writer.stop()
        self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        messages = self.far_end_.messages()
        self.assertEqual(messages[0], b"one")
        check_writers(self, [writer], messages[1:])

    def test_slow_syncs_hold_up_nobody_but_who_waits_for_them(self):
        self.lay_faults()
        self.filled()
        self.faults.sync_micros = 100_000
        before = self.faults.syncs
        writers = [Writer(self, self.token, f"w{i}", batch=10).start() for i in range(8)]
        wait_until(lambda: sum(w.accepted for w in writers) >= 1600, "groups of all writers")
        syncs, posts = self.faults.syncs - before, sum(w.accepted for w in writers) // 10
        for writer in writers:
            writer.stop()
        # One sync for all that waited, not one for each.
        self.assertLess(syncs, posts // 2)
        self.faults.sync_micros = 0
        self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        check_writers(self, writers, self.far_end_.messages())

    # ---- writes and reads

    def test_short_writes(self):
        self.lay_faults()
        self.faults.short_percent = 50
        self.filled()
        writer = Writer(self, self.token, "w", batch=300).start()
        wait_until(lambda: writer.accepted >= 6000 or writer.failure, "records")
        self.kill()
        self.start()
        writer.stop()
        self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        check_writers(self, [writer], self.far_end_.messages())
        self.assertGreater(self.faults.shortened, 10)
        self.router.stop(errors=True)
        self.faults.short_percent = 0
        self.inspect()

    def test_writes_that_fail(self):
        self.lay_faults()
        self.filled()
        self.assertEqual(self.post("one").status, 204)
        self.faults.fail_writes = 1
        self.assertEqual(self.post("never").status, 503)
        self.faults.fail_writes = 0
        wait_until(lambda: self.reasons() == (200, []), "readiness")
        self.assertEqual(self.post("two").status, 204)
        self.balanced([b"one", b"two"])
        self.router.stop(errors=True)

    # ---- the power goes

    def test_lost_power_under_load(self):
        self.lay_faults(journal=True)
        self.filled()
        generator = random.Random(11)
        writers = [Writer(self, self.token, f"w{i}", batch=generator.choice((1, 30, 300))).start() for i in range(3)]
        known = []
        for turn in range(rounds(6, 300)):
            target = sum(w.accepted for w in writers) + generator.randrange(50, 2000)
            wait_until(lambda target=target: sum(w.accepted for w in writers) >= target or any(w.failure for w in writers),
                       lambda: f"records; {[(w.accepted, w.statuses, w.failure) for w in writers]}")
            known.append(str(self.router.channel(f"round-{turn}")[0]))
            self.kill()
            self.faults.power_cut(None if turn % 3 == 0 else turn)
            report = self.inspect(whole=None)
            self.assertLessEqual(set(known), {c["channel"] for c in report["channels"]})
            self.start()
        for writer in writers:
            writer.stop()
        account = self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        messages = self.far_end_.messages()
        self.check_after_lost_power(writers, messages)
        delivered, dropped = account["delivered"], account["dropped"]
        self.assertEqual((account["accepted"], set(dropped) - {"damaged"}),
                         (delivered + sum(dropped.values()), set()))
        self.router.stop()

    def check_after_lost_power(self, writers, messages):
        """As check_writers, but of a batch that was under way any records may be there, in their order: a group whose
        sectors came to the disk in part. All of its records follow with the repeat."""
        for writer in writers:
            numbers = [int(m.split(b" ")[1]) for m in messages if m.split(b" ")[0].decode() == writer.name]
            last_begin, expected = {}, 0
            for at, number in enumerate(numbers):
                last_begin[number // writer.batch] = at if number % writer.batch == 0 else last_begin.get(
                    number // writer.batch, at)
            for batch in range(writer.accepted // writer.batch):
                first = batch * writer.batch
                begin = last_begin.get(batch)
                self.assertIsNotNone(begin, f"{writer.name}: batch {first} is missing")
                self.assertEqual(numbers[begin:begin + writer.batch], list(range(first, first + writer.batch)),
                                 f"{writer.name}: batch {first}")
                between = [n for n in numbers[expected:begin]]
                if between:
                    self.assertIn(first, writer.doubtful, f"{writer.name}: {between[:5]} before {first}")
                    self.assertEqual({n // writer.batch for n in between}, {batch})
                expected = begin + writer.batch
            self.assertEqual(len(numbers), expected, f"{writer.name}: more than was accepted")


if __name__ == "__main__":
    unittest.main()
