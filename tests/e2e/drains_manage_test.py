"""Drains as their owner manages them: where one begins, pause and resume, replay; also over a kill, with a data dir."""

import datetime
import json
import unittest

from durable import Durable
from harness import EndToEnd, HttpFarEnd, SyslogFarEnd, counted, record, wait_until


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")


class Managing:
    """What holds with and without a data dir."""

    def begin(self, *flags):
        self.router = self.open(*flags)
        self.channel, tokens = self.router.channel("shop")
        self.app = tokens["app"]
        self.sent = 0

    def send(self, count):
        """So many numbered records more, each of which is accepted when it returns."""
        body = counted(*[record(self.app, b"%d" % n) for n in range(self.sent, self.sent + count)])
        self.assertEqual(self.router.post(body, self.app).status, 204)
        self.sent += count

    def add(self, far_end, **fields):
        return self.router.good("POST", f"/v2/channels/{self.channel}/drains", {"url": far_end.url, **fields})

    def path(self, drain, what="", by="token"):
        return f"/v3/channels/{self.channel}/drains/{drain[by]}{what}"

    def order(self, drain, what, by="token", **body):
        return self.router.good("POST", self.path(drain, "/" + what, by), body)

    def shown(self, drain):
        drains = self.router.good("GET", f"/v3/channels/{self.channel}/drains")["drains"]
        return next(d for d in drains if d["id"] == drain["id"])

    def numbers(self, far_end):
        return [int(message) for message in far_end.messages()]

    def wait_for_state(self, drain, state):
        return wait_until(lambda: self.shown(drain).get("state") == state, lambda: f"{state}: {self.shown(drain)}")

    def delivered_by(self, far_end, drain, numbers, **wanted):
        far_end.wait_for(len(numbers))
        self.assertEqual(self.numbers(far_end), numbers)
        return self.router.wait_for_drain(self.channel, drain, buffered=0, **wanted)

    # ---- where it begins

    def test_begins_with_what_is_kept_at_a_time_or_behind_all(self):
        self.begin()
        self.send(100)
        between = now()
        self.send(50)
        far_ends = {}
        for name, fields in (("all", {"since": "oldest"}), ("time", {"since": between}), ("hour", {"since": "1h"}),
                             ("none", {}), ("later", {"since": "2099-01-01T00:00:00Z"})):
            far_end = self.far_end(SyslogFarEnd if name == "hour" else HttpFarEnd)
            far_ends[name] = (far_end, self.add(far_end, **fields))
        far_end = self.far_end(HttpFarEnd)
        reserved = self.router.good("POST", f"/channels/{self.channel}/drains/tokens")
        self.send(7)
        self.router.good("POST", f"/v2/channels/{self.channel}/drains/{reserved['token']}",
                         {"url": far_end.url, "since": between})
        far_ends["reserved"] = (far_end, reserved)
        begins = {"all": 0, "hour": 0, "time": 100, "reserved": 100, "none": 150, "later": 150}
        for name, (far_end, drain) in far_ends.items():
            expected = list(range(begins[name], self.sent))
            account = self.delivered_by(far_end, drain, expected, delivered=len(expected))
            self.assertEqual(account["accepted"], len(expected))
            self.assertEqual(account["dropped"], {})

    # ---- pause and resume

    def test_pause_holds_one_drain_and_resume_sends_what_waited(self):
        self.begin()
        held, steady = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        drain, other = self.add(held), self.add(steady)
        self.send(10)
        self.delivered_by(held, drain, list(range(10)))
        tail = self.tail(self.router.session(self.channel, tail="1", num="1500"))
        self.assertTrue(self.order(drain, "pause")["paused"])
        self.wait_for_state(drain, "paused")
        tail.wait_for(f"drain '{drain['token']}' paused since ")
        self.send(500)
        self.delivered_by(steady, other, list(range(510)))
        self.order(drain, "pause", by="id")  # it is already
        self.assertEqual(self.numbers(held), list(range(10)))
        self.assertEqual(self.router.account(self.channel, drain)["buffered"], 500)
        self.assertTrue(self.shown(drain)["paused"])
        self.assertFalse(self.shown(other)["paused"])
        self.assertFalse(self.order(drain, "resume")["paused"])
        self.delivered_by(held, drain, list(range(510)), delivered=510)
        tail.wait_for(f"drain '{drain['token']}' resumed after [^:]*: 500 waiting")
        self.assertFalse(self.shown(drain)["paused"])

    def test_resume_helps_one_that_its_far_end_paused(self):
        self.begin()
        far_end = self.far_end(HttpFarEnd)
        far_end.set_mode(401)
        drain = self.add(far_end)
        self.send(3)
        self.wait_for_state(drain, "paused")
        self.assertFalse(self.shown(drain)["paused"])  # not by its owner
        far_end.set_mode(200)
        self.order(drain, "resume")
        self.delivered_by(far_end, drain, [0, 1, 2])

    # ---- replay

    def test_replay_sends_again_and_adds_to_accepted(self):
        for kind in (HttpFarEnd, SyslogFarEnd):
            with self.subTest(kind=kind.__name__):
                self.begin()
                far_end, steady = self.far_end(kind), self.far_end(HttpFarEnd)
                drain, other = self.add(far_end), self.add(steady)
                self.send(100)
                self.delivered_by(far_end, drain, list(range(100)))
                between = now()
                self.send(20)
                self.delivered_by(far_end, drain, list(range(120)))
                self.assertEqual(self.order(drain, "replay", since=between)["replayed"], 20)
                again = list(range(120)) + list(range(100, 120))
                account = self.delivered_by(far_end, drain, again, delivered=140)
                self.assertEqual((account["accepted"], account["dropped"]), (140, {}))
                self.assertEqual(self.order(drain, "replay", by="id", since="15m")["replayed"], 120)
                again += list(range(120))
                self.delivered_by(far_end, drain, again, accepted=260, delivered=260)
                self.assertEqual(self.order(drain, "replay", since="2099-01-01T00:00:00Z")["replayed"], 0)
                self.send(5)
                again += list(range(120, 125))
                self.delivered_by(far_end, drain, again, accepted=265, delivered=265)
                self.delivered_by(steady, other, list(range(125)), accepted=125)
                self.stop_node()

    def test_replay_while_the_far_end_is_away(self):
        self.begin()
        far_end = self.far_end(HttpFarEnd)
        drain = self.add(far_end)
        self.send(50)
        self.delivered_by(far_end, drain, list(range(50)))
        far_end.set_mode(503)
        self.send(50)
        self.wait_for_state(drain, "failing")
        self.assertEqual(self.order(drain, "replay", since="oldest")["replayed"], 50)
        self.assertEqual(self.router.account(self.channel, drain)["accepted"], 150)
        self.assertEqual(self.shown(drain)["state"], "failing")
        far_end.set_mode(200)
        self.delivered_by(far_end, drain, list(range(50)) + list(range(100)), accepted=150, delivered=150)
        self.wait_for_state(drain, "ok")

    def test_a_paused_drain_stays_so_over_a_replay(self):
        self.begin()
        far_end, steady = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        drain, other = self.add(far_end), self.add(steady)
        self.send(30)
        self.delivered_by(far_end, drain, list(range(30)))
        self.order(drain, "pause")
        self.wait_for_state(drain, "paused")
        self.assertEqual(self.order(drain, "replay", since="oldest")["replayed"], 30)
        self.send(10)
        self.delivered_by(steady, other, list(range(40)))
        self.assertEqual(len(far_end.messages()), 30)
        self.assertEqual(self.router.account(self.channel, drain)["buffered"], 40)
        self.assertEqual(self.shown(drain)["state"], "paused")
        self.order(drain, "resume")
        self.delivered_by(far_end, drain, list(range(30)) + list(range(40)), accepted=70)

    # ---- what is refused, and what is shown

    def test_refusals(self):
        self.begin()
        far_end = self.far_end(HttpFarEnd)
        drain = self.add(far_end)
        reserved = self.router.good("POST", f"/channels/{self.channel}/drains/tokens")
        status = lambda method, path, body=None: self.router.api(method, path, body).status  # noqa: E731
        for what in ("pause", "resume", "replay"):
            body = {"since": "oldest"}
            self.assertEqual(status("POST", f"/v3/channels/{self.channel}/drains/99/{what}", body), 404)
            self.assertEqual(status("POST", f"/v3/channels/99/drains/{drain['id']}/{what}", body), 404)
            self.assertEqual(self.router.api("POST", self.path(drain, "/" + what), body, auth=None).status, 401)
        self.assertEqual(status("GET", "/v3/channels/99/drains"), 404)
        self.assertEqual(status("POST", self.path(reserved, "/replay"), {"since": "oldest"}), 409)
        self.assertEqual(status("POST", self.path(drain, "/replay"), "{"), 400)
        for since in (None, "", "yesterday", "15", -1, [], {"a": 1}):
            self.assertEqual(status("POST", self.path(drain, "/replay"), {"since": since}), 422, since)
            if since is not None:
                answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": far_end.url + "2", "since": since})
                self.assertEqual(answer.status, 422, since)
        answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": far_end.url + "2", "batch_bytes": "9T"})
        self.assertEqual(answer.status, 422)
        self.assertIn("batch_bytes", answer.json()["error"])
        self.assertEqual(len(self.router.good("GET", f"/v3/channels/{self.channel}/drains")["drains"]), 2)

    def test_options_are_kept_and_their_secrets_shown_to_nobody(self):
        self.begin()
        far_end = self.far_end(HttpFarEnd)
        secret = "whsec-0123456789abcdef"
        drain = self.add(far_end, format="rfc5424", batch_bytes="64K", headers={"X-Team": "team-secret"}, signing_secret=secret)
        for found in (drain, self.shown(drain), self.again(drain)):
            self.assertEqual(found["options"], {"format": "rfc5424", "batch_bytes": "64K", "headers": {"X-Team": "***"},
                                                "signing_secret": "***"})
        everything = json.dumps([self.router.good("GET", path) for path in (
            f"/v2/channels/{self.channel}", f"/v3/channels/{self.channel}/drains", "/v3/ledger")]) + self.router.log()
        self.assertNotIn(secret, everything)
        self.assertNotIn("team-secret", everything)


class InMemory(Managing, EndToEnd):
    def open(self, *flags):
        return self.node(*flags)

    def stop_node(self):
        self.router.stop()

    def again(self, drain):
        return self.shown(drain)


class WithDataDir(Managing, Durable):
    def open(self, *flags):
        return self.start(*flags)

    def stop_node(self):
        self.router.stop()

    def again(self, drain):
        self.kill()
        self.start()
        return self.shown(drain)

    def test_a_pause_survives_a_kill(self):
        self.begin()
        far_end, steady = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        drain, other = self.add(far_end), self.add(steady)
        self.send(10)
        self.delivered_by(far_end, drain, list(range(10)))
        self.order(drain, "pause")
        self.wait_for_state(drain, "paused")
        for _ in range(2):
            self.send(10)
            self.delivered_by(steady, other, list(range(self.sent)))
            wait_until(lambda: self.waiting(other) == 0, "its position in the data dir")
            self.kill()
            self.start()
            self.assertTrue(self.shown(drain)["paused"])
            self.wait_for_state(drain, "paused")
        self.send(5)
        self.delivered_by(steady, other, list(range(35)))
        self.assertEqual(self.router.account(self.channel, drain)["buffered"], 25)
        self.assertEqual(len(far_end.messages()), 10)
        self.order(drain, "resume")
        self.delivered_by(far_end, drain, list(range(35)), delivered=35, accepted=35)
        self.kill()
        self.start()
        self.assertFalse(self.shown(drain)["paused"])

    def waiting(self, drain):
        """Records that wait for it, as the data dir has it; None: nothing of it is stored."""
        report = self.inspect(whole=None)
        return next(d["buffered"] if d["stored"] else None for d in report["drains"] if d["id"] == str(drain["id"]))

    def test_a_replay_survives_a_kill_with_its_account(self):
        self.begin()
        far_end = self.far_end(HttpFarEnd)
        drain = self.add(far_end)
        self.send(300)
        self.delivered_by(far_end, drain, list(range(300)))
        wait_until(lambda: self.waiting(drain) == 0, "its position in the data dir")
        self.order(drain, "pause")
        self.wait_for_state(drain, "paused")
        self.assertEqual(self.order(drain, "replay", since="oldest")["replayed"], 300)
        wait_until(lambda: self.waiting(drain) == 300, "the replay in the data dir")
        self.kill()
        self.start()
        account = self.router.account(self.channel, drain)
        self.assertEqual((account["accepted"], account["delivered"], account["buffered"]), (600, 300, 300))
        self.send(20)
        self.order(drain, "resume")
        self.delivered_by(far_end, drain, list(range(300)) + list(range(320)), accepted=620, delivered=620)
        wait_until(lambda: self.waiting(drain) == 0, "its position in the data dir")
        self.kill()
        self.start()
        account = self.router.account(self.channel, drain)
        self.assertEqual((account["accepted"], account["delivered"], account["dropped"]), (620, 620, {}))

    def test_a_time_before_the_last_start_is_found_on_disk(self):
        self.begin()
        self.send(2000)
        between = now()
        self.send(2000)
        self.kill()
        self.start()
        self.send(10)
        all_, part = self.far_end(HttpFarEnd), self.far_end(HttpFarEnd)
        first, second = self.add(all_, since="oldest"), self.add(part, since=between)
        self.delivered_by(all_, first, list(range(4010)), accepted=4010)
        self.delivered_by(part, second, list(range(2000, 4010)), accepted=2010)
        self.assertEqual(self.order(second, "replay", since="oldest")["replayed"], 4010)
        self.delivered_by(part, second, list(range(2000, 4010)) + list(range(4010)), accepted=6020)

    def test_a_new_drain_that_began_with_the_oldest_goes_on_behind_a_kill(self):
        self.begin()
        self.send(1000)
        far_end = self.far_end(HttpFarEnd)
        far_end.set_mode(503)
        drain = self.add(far_end, since="oldest")
        self.wait_for_state(drain, "failing")
        self.kill()
        self.start()
        self.assertEqual(self.router.account(self.channel, drain)["buffered"], 1000)
        far_end.set_mode(200)
        self.delivered_by(far_end, drain, list(range(1000)), accepted=1000)


if __name__ == "__main__":
    unittest.main()
