"""Damage between two runs: the start succeeds, what is lost is counted, and the books balance."""

import os
import random
import struct
import unittest

from durable import Durable, Replays, rounds
from harness import HttpFarEnd, counted, record


class Damage(Durable):
    def filled(self, records=2000, flags=(), size=400):
        """Records on disk that a drain has not had: its far end is down."""
        self.flags = flags
        self.start(*flags)
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.token = tokens["app"]
        self.far = self.far_end(Replays)
        self.far.set_mode("refuse")
        self.drain = self.router.drain(self.channel, self.far.url)
        self.sent = [f"{i} " + chr(97 + i % 26) * (i % size) for i in range(records)]
        for first in range(0, records, 100):
            body = counted(*[record(self.token, m) for m in self.sent[first:first + 100]])
            self.assertEqual(self.router.post(body, self.token).status, 204)

    def segments(self):
        return sorted((self.dir / "segments").glob("*.seg"))

    def drained(self):
        """Starts, lets the drain have everything; its account and what came."""
        self.far.set_mode(200)
        self.start(*self.flags)
        account = self.router.wait_for_drain(self.channel, self.drain, buffered=0)
        return account, self.far.messages()

    def check(self, account, messages, lost=None):
        sent = [m.encode() for m in self.sent]
        positions = {m: i for i, m in enumerate(sent)}
        got = [positions[m] for m in messages]  # nothing that was not sent
        self.assertEqual(got, sorted(set(got)), "in order, each once")
        missing = len(sent) - len(got)
        self.assertEqual(account["accepted"], len(sent))
        self.assertEqual(account["delivered"], len(got))
        self.assertEqual(account["dropped"], {"damaged": missing} if missing else {})
        if lost is not None:
            self.assertEqual(missing, lost)
        self.assertEqual(self.router.metric("tailrace_store_damaged_records_total"), missing)
        return missing

    def test_one_flipped_bit_costs_one_record(self):
        self.filled()
        self.kill()
        generator = random.Random(1)
        path = self.segments()[0]
        whole = path.read_bytes()
        at = whole.index(self.sent[1000].encode()) + 2
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(bytes([whole[at] ^ 1 << generator.randrange(8)]))
        report = self.inspect(whole=False)
        self.assertEqual((report["missing_records"], report["channels"][0]["missing"]), (1, 1))
        self.check(*self.drained(), lost=1)
        self.router.stop()

    def test_random_bytes(self):
        for seed in range(rounds(3, 60)):
            with self.subTest(seed=seed):
                self.setUp()
                generator = random.Random(seed)
                self.filled(flags=("--disk-bytes", "64M") if seed % 2 else (), size=3000 if seed % 2 else 400)
                if seed % 3:
                    self.router.stop()
                else:
                    self.kill()
                for _ in range(generator.randrange(1, 20)):
                    path = generator.choice(self.segments())
                    data = path.read_bytes()
                    end = len(data.rstrip(b"\0"))
                    if end <= 8192:
                        continue  # prepared
                    at = generator.randrange(8192, end)
                    with open(path, "r+b") as file:
                        file.seek(at)
                        file.write(generator.randbytes(generator.choice((1, 1, 8, 600))))
                self.inspect(whole=None)
                account, messages = self.drained()
                missing = self.check(account, messages)
                self.assertLess(missing, 200)
                # Nothing is counted, told or lost once more at the next start.
                self.router.stop()
                self.start(*self.flags)
                self.assertEqual(self.router.account(self.channel, self.drain)["dropped"], account["dropped"])
                self.router.stop()

    def test_a_segment_that_is_gone_or_cut(self):
        for how, which in (("gone", 1), ("cut", 1), ("empty", 1), ("headless", 1), ("gone", -1)):
            with self.subTest(how=how, which=which):
                self.setUp()
                self.filled(records=4000, flags=("--disk-bytes", "64M"), size=6000)
                self.router.stop()
                path = [p for p in self.segments() if len(p.read_bytes().rstrip(b"\0")) > 8192][which]
                if how == "gone":
                    path.unlink()
                elif how == "cut":
                    os.truncate(path, path.stat().st_size // 2)
                elif how == "empty":
                    os.truncate(path, 0)
                else:
                    with open(path, "r+b") as file:
                        file.write(bytes(8192))
                report = self.inspect(whole=False)
                missing = self.check(*self.drained())
                self.assertGreater(missing, 10)
                self.assertLess(missing, 2000)
                self.assertEqual((report["missing_records"], report["channels"][0]["missing"]), (missing, missing))
                self.router.stop()

    def test_any_other_file_costs_no_record(self):
        hows = {"positions.db": ("gone", "empty", "garbage"), "catalog.db": ("gone", "empty", "garbage"),
                "catalog.copy.db": ("gone", "garbage"), "lock": ("gone",), "auth": ("gone",)}
        for name, ways in hows.items():
            for how in ways:
                with self.subTest(name=name, how=how):
                    self.setUp()
                    self.filled(records=500)
                    self.far.set_mode(200)
                    self.router.wait_for_drain(self.channel, self.drain, buffered=0)
                    self.far.set_mode("refuse")
                    self.sent += [f"behind {i}" for i in range(100)]
                    self.assertEqual(self.router.post(counted(*[record(self.token, m) for m in self.sent[500:]]),
                                                      self.token).status, 204)
                    self.router.stop()
                    path = self.dir / name
                    if how == "gone":
                        for suffix in ("", "-wal", "-journal"):
                            (self.dir / (name + suffix)).unlink(missing_ok=True)
                    else:
                        path.write_bytes(b"" if how == "empty" else random.Random(3).randbytes(20_000))
                    self.far.set_mode(200)
                    self.start()
                    account = self.router.wait_for_drain(self.channel, self.drain, buffered=0)
                    self.assertEqual(account["dropped"], {})
                    messages = self.far.messages()
                    wanted = [m.encode() for m in self.sent]
                    if name == "positions.db":  # from where the drain began: repeats, no loss
                        self.assertEqual(HttpFarEnd.messages(self.far)[-len(wanted):], wanted)
                    else:
                        self.assertEqual(messages, wanted)
                    self.assertEqual(self.history_messages(self.channel), wanted)
                    self.router.stop()

    def test_without_any_catalog_inspect_still_exports(self):
        self.filled(records=300)
        self.kill()
        for path in self.dir.glob("catalog*"):
            path.unlink()
        report = self.inspect(whole=False)
        [channel] = report["channels"]
        self.assertEqual(channel["records"], 300)
        self.assertEqual(self.exported(channel["channel"]), self.sent)
        # A start makes a new catalog, and mixes nobody's records with old ones.
        self.start()
        made, tokens = self.router.channel("new", ["app"])
        self.assertEqual(self.router.post(counted(record(tokens["app"], "mine")), tokens["app"]).status, 204)
        self.assertEqual(self.history_messages(made), [b"mine"])
        self.router.stop()

    def test_a_newer_version_is_refused_by_name_and_left_alone(self):
        self.filled(records=10)
        self.router.stop()
        path = self.segments()[0]
        data = bytearray(path.read_bytes()[:8192])
        for copy in (0, 4096):
            struct.pack_into("<I", data, copy + 8, 2)
            struct.pack_into("<I", data, copy + 124, crc32c(bytes(data[copy:copy + 124])))
        with open(path, "r+b") as file:
            file.write(data)
        before = {p: p.read_bytes() for p in self.segments()}
        with self.assertRaisesRegex(AssertionError, "has version 2, this is 1"):
            self.start()
        self.assertEqual({p: p.read_bytes() for p in self.segments()}, before)
        self.assertEqual([s["state"] for s in self.inspect(whole=False)["segments"]][0], "newer version")


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


if __name__ == "__main__":
    unittest.main()
