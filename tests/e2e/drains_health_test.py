"""A drain's health, as its owner reads it over the API."""

import datetime
import tempfile
import unittest

from harness import EndToEnd, HttpFarEnd, counted, record, wait_until


def age(text):
    """Seconds since a time of the API."""
    then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()


class Health(EndToEnd):
    def set_up(self, *flags, path="/in"):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.app = tokens["app"]
        self.far_end_ = self.far_end(HttpFarEnd)
        self.url = f"http://user:hush@127.0.0.1:{self.far_end_.port}{path}"
        self.drain = self.router.drain(self.channel, self.url)
        self.base = f"/v3/channels/{self.channel}/drains/{self.drain['id']}"

    def send(self, *messages):
        self.router.send(counted(*[record(self.app, m) for m in messages]))

    def health(self):
        return self.router.good("GET", self.base + "/health")

    def wait_for(self, **wanted):
        def there():
            health = self.health()
            return health if all(health[k] == v for k, v in wanted.items()) else None
        return wait_until(there, f"{wanted}")

    def test_from_pending_to_ok(self):
        self.set_up()
        health = self.health()
        self.assertEqual({k: health[k] for k in ("state", "cause", "last_status", "last_error", "next_try", "lag_records",
                                                 "lag_seconds", "delivered", "dropped", "answer_seconds")},
                         {"state": "pending", "cause": None, "last_status": None, "last_error": None, "next_try": None,
                          "lag_records": 0, "lag_seconds": 0, "delivered": 0, "dropped": {}, "answer_seconds": {}})
        self.assertEqual(health["url"], self.url.replace("hush", "***"))
        self.send("one", "two")
        health = self.wait_for(state="ok", delivered=2)
        self.assertLess(age(health["since"]), 30)
        self.assertIn(health["last_status"], (200, 204))
        self.assertGreaterEqual(health["answers"], 1)
        self.assertGreater(health["answer_seconds"]["p50"], 0)
        self.assertGreaterEqual(health["answer_seconds"]["p99"], health["answer_seconds"]["p50"])
        self.assertEqual(self.router.good("GET", f"/v3/channels/{self.channel}/drains/{self.drain['token']}/health")["id"],
                         self.drain["id"])

    def test_failing_says_why_since_when_and_until_when(self):
        self.set_up()
        self.far_end_.set_mode(503)
        self.send("one", "two", "three")
        health = self.wait_for(state="failing")
        self.assertEqual((health["cause"], health["last_error"], health["last_status"]),
                         ("answered 503", "answered 503", 503))
        self.assertEqual((health["lag_records"], health["delivered"]), (3, 0))
        self.assertGreater(health["lag_seconds"], 0)
        wait_until(lambda: self.health()["next_try"], "a next try")
        self.assertGreater(self.health()["lag_seconds"], health["lag_seconds"])
        self.far_end_.set_mode(200)
        health = self.wait_for(state="ok", lag_records=0)
        self.assertEqual((health["cause"], health["next_try"], health["last_error"]), (None, None, "answered 503"))

    def test_what_was_refused_can_be_read(self):
        self.set_up()
        self.far_end_.set_mode(422)
        self.send("poison \N{SNOWMAN}".encode())
        health = self.wait_for(dead_letters=1)
        self.assertEqual(health["dropped"], {"refused": 1})
        self.assertEqual([(lost["records"], lost["reason"]) for lost in health["lost"]], [(1, "refused")])
        letters = self.router.good("GET", self.base + "/dead_letters")["dead_letters"]
        self.assertEqual(len(letters), 1)
        self.assertTrue(letters[0]["record"].endswith(" app web.1 - - poison \N{SNOWMAN}"), letters)
        self.assertEqual(letters[0]["cause"], "answered 422")
        self.assertLess(age(letters[0]["refused_at"]), 30)
        self.assertEqual(letters[0]["number"], health["lost"][0]["first"])

    def test_what_a_bound_took_is_a_range(self):
        self.set_up("--channel-bytes", "256K", "--channel-records", "10")
        self.far_end_.set_mode(503)
        self.send("0")
        self.wait_for(state="failing")
        for first in range(1, 4001, 500):
            self.send(*[b"%d %s" % (i, b"x" * 300) for i in range(first, first + 500)])
        lost = wait_until(lambda: self.health()["lost"], "a loss")
        self.assertEqual({range_["reason"] for range_ in lost}, {"overflow"})
        self.far_end_.set_mode(200)
        self.wait_for(state="ok", lag_records=0)
        health = self.health()
        wait_until(lambda: sum(r["records"] for r in self.health()["lost"]) == health["dropped"]["overflow"],
                   "every loss in a range")
        self.assertEqual(health["accepted"], health["delivered"] + health["dropped"]["overflow"])

    def test_an_address_that_is_not_allowed_any_more(self):
        with tempfile.TemporaryDirectory(prefix="tailrace-e2e-") as folder:
            self.set_up("--data-dir", folder)
            self.send("one")
            self.wait_for(state="ok", delivered=1)
            self.router.stop()
            self.router = self.node("--data-dir", folder, "--drain-allow", "192.0.2.1")
            self.send("two")
            health = self.wait_for(state="failing", cause="address not allowed")
            self.assertEqual((health["lag_records"], health["delivered"]), (1, 1))
            self.router.stop(errors=True)
            self.router = self.node("--data-dir", folder)
            self.wait_for(state="ok", delivered=2)
            self.router.stop()

    def test_unknown_ones_are_404(self):
        self.set_up()
        for path in (f"/v3/channels/{self.channel}/drains/99/health", "/v3/channels/99/drains/1/health",
                     f"/v3/channels/{self.channel}/drains/d.00000000-0000-0000-0000-000000000000/dead_letters"):
            self.assertEqual(self.router.api("GET", path).status, 404)
        self.assertEqual(self.router.api("GET", self.base + "/health", auth=None).status, 401)


if __name__ == "__main__":
    unittest.main()
