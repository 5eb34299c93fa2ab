"""GET /v3/system (docs/console.md): what the process says of itself is what others see of it."""

import json
import os
import pathlib
import tempfile
import time
import unittest

from harness import EndToEnd, RawHttp, counted, free_port, record, wait_until
from openapi import document_of
from overview_test import shape
from pages import block


class System(EndToEnd):
    def system(self):
        return self.router.good("GET", "/v3/system")

    def part(self, name):
        return next(part for part in self.system()["memory"]["parts"] if part["name"] == name)

    def data_dir(self):
        directory = tempfile.TemporaryDirectory(prefix="tailrace-system-")
        self.addCleanup(directory.cleanup)
        return directory.name

    def threads(self):
        tasks = pathlib.Path(f"/proc/{self.router.process.pid}/task")
        return {int(task.name): (task / "comm").read_text().strip() for task in tasks.iterdir()}

    def test_threads_have_names_and_their_share(self):
        for flags, some in ((("--data-dir", self.data_dir()), {"disk writer", "disk teller", "disk keeper", "disk reader", "positions",
                                                               "catalog copier"}),
                            ((), {"memory keeper"})):
            with self.subTest(flags=flags):
                self.router = self.node("--threads", "3", *flags)
                some |= {"tailrace", "loop 0", "loop 1", "loop 2", "blocking 0", "blocking 1", "scrape 0", "scrape 1", "rollups"}
                wait_until(lambda: some == set(self.threads().values()), lambda: f"{some}, not {self.threads()}")
                threads = self.system()["threads"]
                self.assertEqual(sorted(t["name"] for t in threads), sorted(self.threads().values()))
                self.router.stop()

    def test_who_works_is_seen(self):
        self.router = self.node("--threads", "1")
        _, tokens = self.router.channel()
        ticks = os.sysconf("SC_CLK_TCK")

        def worked():
            self.router.post(counted(*(record(tokens["app"], "x" * 50) for _ in range(2000))), tokens["app"])
            loop = next(t for t in self.system()["threads"] if t["name"] == "loop 0")
            return loop if loop["cpu_seconds"] > 0.2 else None
        loop = wait_until(worked, "work")
        self.assertGreater(loop["cpu_share"], 0.02)
        self.assertLess(loop["cpu_share"], 1.2)
        stat = next(text for task in pathlib.Path(f"/proc/{self.router.process.pid}/task").iterdir()
                    if "(loop 0)" in (text := (task / "stat").read_text())).rsplit(")", 1)[1].split()
        self.assertLessEqual(loop["cpu_seconds"], (int(stat[11]) + int(stat[12])) / ticks)

    def test_memory_and_files(self):
        self.router = self.node("--memory-bytes", "64M")
        _, tokens = self.router.channel()
        before = self.system()
        self.assertEqual(before["memory"]["bound"], 64 << 20)
        self.assertEqual({part["name"]: part["bound"] for part in before["memory"]["parts"] if part["name"] in ("channels", "bodies")},
                         {"channels": 64 << 20, "bodies": 16 << 20})
        self.assertEqual(before["memory"]["parts"][0]["used"], 0)
        now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        self.router.post(counted(*(record(tokens["app"], "y" * 900 + f" measure#a{i}=1", time=now) for i in range(1000))), tokens["app"],
                         headers={"Logplex-Frame-Id": "one"})
        after = self.system()
        parts = {part["name"]: part for part in after["memory"]["parts"]}
        self.assertGreaterEqual(parts["channels"]["used"], 900_000)
        self.assertEqual((parts["series"]["used"], parts["series"]["unit"]), (self.router.metric("tailrace_series"), "series"))
        self.assertEqual(parts["repeats"]["used"], 96)
        self.assertGreater(parts["open windows"]["used"] + parts["rollups"]["used"], 0)
        for part in parts.values():
            self.assertLessEqual(part["used"], part["bound"], part)
        self.assertAlmostEqual(after["memory"]["resident"], self.router.rss(), delta=20e6)
        self.assertIsNone(after["disk"])
        session = self.router.session("1", num="1")
        self.assertTrue(session)
        self.assertEqual(self.part("sessions"), {"name": "sessions", "used": 1, "bound": 100_000, "unit": "sessions"})
        # A body that is on its way, and a frame that has begun.
        with RawHttp(self.router.public) as one, RawHttp(self.router.syslog) as two:
            one.send(b"POST /logs HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dG9rZW46" + b"\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 500_000)
            two.send(b"900000 <190>1 " + b"x" * 600_000)
            wait_until(lambda: self.part("begun frames")["used"] >= 500_000, lambda: self.system()["memory"])
            connections = self.system()["connections"]
            self.assertEqual((connections["syslog"], connections["admin"]), (1, 1))
        wait_until(lambda: self.part("begun frames")["used"] == 0, lambda: self.system()["memory"])
        files = self.system()["open_files"]
        self.assertGreater(files["used"], 5)
        self.assertEqual(files["bound"], self.router.metric("process_max_fds"))

    def test_disk(self):
        directory = self.data_dir()
        self.router = self.node("--data-dir", directory, "--disk-bytes", "64M")
        _, tokens = self.router.channel()
        self.router.post(counted(*(record(tokens["app"], "z" * 900) for _ in range(100))), tokens["app"])
        disk = self.system()["disk"]
        self.assertEqual((disk["directory"], disk["bound"]), (directory, 64 << 20))
        self.assertEqual(disk["segments"], self.router.metric("tailrace_store_segments"))
        on_disk = sum(file.stat().st_size for file in pathlib.Path(directory).rglob("*") if file.is_file())
        self.assertAlmostEqual(disk["used"], on_disk, delta=8 << 20)
        self.assertGreater(disk["used"], 4 << 20)
        found = os.statvfs(directory)
        self.assertAlmostEqual(disk["free"], found.f_bavail * found.f_frsize, delta=4e9)
        self.assertEqual(self.part("waiting for the disk")["used"], 0)

    def test_the_ledger_and_ingest(self):
        self.router = self.node("--channel-bytes", "64K", "--channel-records", "10")
        far_end = self.far_end()
        one, tokens = self.router.channel("one")
        two, others = self.router.channel("two")
        self.router.drain(one, far_end.url)
        self.router.drain(one, f"http://127.0.0.1:{free_port()}/")
        self.router.drain(two, far_end.url + "/two", filter="severity<=3")
        empty = {"accepted": 0, "delivered": 0, "filtered": 0, "dropped": {}, "buffered": 0, "balanced": True}
        self.assertEqual(self.system()["ledger"], empty)
        for _ in range(10):
            self.router.post(counted(*(record(tokens["app"], "x" * 900) for _ in range(20))), tokens["app"])
        self.router.post(counted(*(record(others["app"], "x") for _ in range(7))) + b"rest", others["app"])
        self.router.send(counted(record(others["app"], "by syslog")))
        wait_until(lambda: self.router.accepted("tcp") == 1, "the syslog line")

        def settled():
            """The sum of what the ledger has per drain, once that does not change any more."""
            drains = [drain for channel in self.router.ledger() for drain in channel["drains"]]
            total = {name: sum(drain[name] for drain in drains) for name in ("accepted", "delivered", "filtered", "buffered")}
            ledger = self.system()["ledger"]
            done = total["filtered"] == 8 and total["accepted"] == 408 and drains[0]["buffered"] == 0 and drains[1]["dropped"]
            return ledger if done and {name: ledger[name] for name in total} == total else None
        ledger = wait_until(settled, lambda: (self.system()["ledger"], self.router.ledger()))
        self.assertTrue(ledger["balanced"])
        self.assertGreater(ledger["delivered"], 0)
        self.assertEqual(ledger["dropped"], {"overflow": self.router.metric("tailrace_drain_dropped_records_total")})
        ingest = {one["protocol"]: one for one in self.system()["ingest"]}
        self.assertEqual(set(ingest), {"http", "tcp", "udp", "tls"})
        self.assertEqual((ingest["http"]["accepted"], ingest["http"]["rejected"]), (207, self.router.rejected("http")))
        self.assertEqual(sum(ingest["http"]["rejected"].values()), 1)
        self.assertEqual(ingest["tcp"]["accepted"], 1)
        self.assertEqual(ingest["tcp"]["bytes"], self.router.metric("tailrace_ingest_bytes_total", protocol="tcp"))

    def test_who_may_and_what_else_it_says(self):
        began = time.time()
        self.router = self.node("--api-state", "read_only")
        system = self.system()
        self.assertEqual((system["api_state"], system["ready"]), ("read_only", {"ok": True, "reasons": []}))
        started = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began - 1))
        self.assertLess(started, system["started_at"])
        self.assertLess(system["started_at"], system["now"])
        self.assertEqual(self.router.api("GET", "/v3/system", auth=None).status, 401)

        self.router = self.node()
        channel, tokens = self.router.channel()
        self.router.good("POST", "/v3/credentials", {"id": "reader", "password": "long enough to be one", "permissions": [f"read:{channel}"]})
        self.assertEqual(self.router.api("GET", "/v3/system", auth="reader:long enough to be one").status, 403)
        self.assertEqual(self.system()["tails"], {"open": 0, "skipped": 0})
        tail = self.tail(self.router.session(channel, tail="1"))
        wait_until(lambda: self.system()["tails"]["open"] == 1, "a tail")
        self.assertEqual(tail.status, 200)
        example = json.loads(block("docs/console.md", "system").text)
        document = document_of(self.router)
        self.assertEqual(document.errors({"$ref": "#/components/schemas/System"}, example), "")
        self.router.post(counted(record(tokens["app"], "x")), tokens["app"])
        answer = shape(self.system())
        self.assertIn(answer["disk"], ("value",))
        answer["disk"] = shape(example["disk"])
        example["ready"]["reasons"] = []
        self.assertEqual(answer, shape(example))


if __name__ == "__main__":
    unittest.main()
