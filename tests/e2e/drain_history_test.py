"""What a drain did over time: an outage minute by minute, what was dropped and why, and that the points add up to the ledger."""

import datetime
import json
import threading
import unittest

from harness import AUTH, EndToEnd, HttpFarEnd, counted, pause, record, wait_until
from openapi import document_of
from pages import block


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class DrainHistory(EndToEnd):
    def set_up(self, *flags, **options):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.app = tokens["app"]
        self.far = self.far_end(HttpFarEnd)
        self.drain = self.router.drain(self.channel, self.far.url, **options)
        self.base = f"/v3/channels/{self.channel}/drains/{self.drain['id']}"

    def send(self, count=1, text=b"hello", size=0):
        self.router.send(counted(*[record(self.app, text.ljust(size, b".")) for _ in range(count)]))

    def history(self, query=""):
        return self.router.good("GET", self.base + "/history" + query)

    def health(self):
        return self.router.good("GET", self.base + "/health")

    def sums(self, query=""):
        points = self.history(query)["points"]
        dropped = {}
        for point in points:
            for reason, records in point["dropped"].items():
                dropped[reason] = dropped.get(reason, 0) + records
        return {"delivered": sum(p["delivered"] for p in points), "filtered": sum(p["filtered"] for p in points), "dropped": dropped}

    def account(self):
        health = self.health()
        return {key: health[key] for key in ("delivered", "filtered", "dropped")}

    def test_a_drain_that_did_nothing_has_no_points(self):
        self.set_up()
        history = self.history()
        self.assertEqual(history["points"], [])
        self.assertEqual(history["step"], 60)
        self.assertIn((when(history["to"]) - when(history["from"])).total_seconds() / 60, (60, 61))
        self.assertLess(when(history["whole_from"]), datetime.datetime.now(datetime.timezone.utc))

    def test_an_outage_of_a_real_far_end(self):
        self.set_up("--channel-bytes", "64K", filter="-noise")
        self.send(5)
        self.send(3, b"noise")
        self.router.wait_for_drain(self.channel, self.drain, delivered=5, filtered=3)
        self.assertEqual(self.sums(), {"delivered": 5, "filtered": 3, "dropped": {}})
        self.assertGreaterEqual(sum(p["answers"] for p in self.history()["points"]), 1)

        self.far.set_mode(503)
        for _ in range(10):
            self.send(100, size=300)
        wait_until(lambda: self.health()["state"] == "failing", "an outage")
        wait_until(lambda: self.health()["dropped"], "what the bounds take")
        failing = [p for p in self.history()["points"] if p["state"] == "failing"]
        self.assertTrue(failing)
        self.assertGreater(max(p["buffered"] for p in failing), 0)
        wait_until(lambda: max(p["lag_seconds"] for p in self.history()["points"]) > 0, "a lag")

        self.far.set_mode(200)
        self.router.good("POST", self.base + "/resume")
        wait_until(lambda: self.health()["lag_records"] == 0, "the end of the outage")
        account = self.account()
        self.assertEqual(set(account["dropped"]), {"overflow"})
        self.assertEqual(self.sums(), account)
        self.assertEqual(self.sums("?step=10m&from=2h"), account)
        self.assertEqual(self.sums("?step=1h&from=3d"), account)
        l10 = [frame for frame in self.far.frames() if b"Error L10" in frame]
        self.assertEqual(len(self.far.frames()), account["delivered"] + len(l10))

        points = self.history()["points"]
        self.assertEqual([p["time"] for p in points], sorted({p["time"] for p in points}))
        for point in points:
            self.assertEqual(when(point["time"]).second, 0)
            self.assertEqual(point["p50"] is None, point["answers"] == 0)
            if point["answers"]:
                self.assertGreater(point["p50"], 0)
                self.assertGreaterEqual(point["p99"], point["p50"])
        self.assertEqual(self.history("?from=2h&to=1h")["points"], [])

    def test_while_records_flow_no_point_is_ahead_of_the_ledger_or_behind_it(self):
        self.set_up(filter="-noise")
        stop = threading.Event()

        def flow():
            while not stop.is_set():
                self.send(20)
                self.send(5, b"noise")
                pause()

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            for _ in range(100):
                before, sums, after = self.account(), self.sums(), self.account()
                for key in ("delivered", "filtered"):
                    self.assertLessEqual(before[key], sums[key])
                    self.assertLessEqual(sums[key], after[key])
        finally:
            stop.set()
            thread.join()
        wait_until(lambda: self.health()["lag_records"] == 0, "all of it")
        self.assertEqual(self.sums(), self.account())
        self.assertGreater(self.account()["delivered"], 100)

    def test_refused_and_paused(self):
        self.set_up()
        self.far.set_mode(422)
        self.send(2)
        wait_until(lambda: self.health()["dropped"] == {"refused": 2}, "two that are refused")
        self.assertEqual(self.sums(), self.account())
        self.far.set_mode(200)
        self.router.good("POST", self.base + "/pause")
        self.send(4)
        wait_until(lambda: self.health()["lag_records"] == 4, "what waits")
        last = self.history()["points"][-1]
        self.assertEqual(last["buffered"], 4)
        self.assertIn(last["state"], ("paused", "failing"))

    def test_the_example_of_the_page(self):
        self.set_up()
        example = json.loads(block("docs/console.md", "drain-history").text)
        self.assertEqual(document_of(self.router).errors({"$ref": "#/components/schemas/DrainPast"}, example), "")
        self.send()
        history = wait_until(lambda: (h := self.history())["points"] and h["points"][0]["delivered"] and h, "a point")
        self.assertEqual(set(history), set(example))
        self.assertEqual(set(history["points"][0]), set(example["points"][0]))

    def test_who_may_and_what_is_wrong(self):
        self.set_up()
        path = self.base + "/history"
        self.router.good("POST", "/v3/credentials", {"id": "mine", "password": "p" * 12, "permissions": [f"read:{self.channel}"]})
        self.router.good("POST", "/v3/credentials", {"id": "other", "password": "p" * 12, "permissions": ["read:99"]})
        for auth, status in ((None, 401), ("other:" + "p" * 12, 403), ("mine:" + "p" * 12, 200), (AUTH, 200)):
            self.assertEqual(self.router.api("GET", path, auth=auth).status, status, auth)
        for query, field in (("step=90s", "step"), ("from=x", "from"), ("to=x", "to"), ("from=1h&to=2h", "from"), ("from=7d&step=30", "step"),
                             ("from=9d", "step")):
            answer = self.router.api("GET", f"{path}?{query}")
            self.assertEqual(answer.status, 422, query)
            self.assertTrue(answer.json()["error"].startswith(field + ": "), answer)
        self.assertEqual(self.router.api("GET", f"/v3/channels/{self.channel}/drains/999/history").status, 404)
        reserved = self.router.good("POST", f"/channels/{self.channel}/drains/tokens")
        self.assertEqual(self.router.api("GET", f"/v3/channels/{self.channel}/drains/{reserved['id']}/history").status, 404)


if __name__ == "__main__":
    unittest.main()
