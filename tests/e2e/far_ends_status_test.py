"""Far ends that answer no 2xx: for long, later please, and never this record (A4 #3, #4, #5), of cpp-httplib."""

import email.utils
import time
import unittest

from far_ends import MICROS, FarEndCase
from harness import wait_until


class StatusFarEnds(FarEndCase):
    def start(self, *names, flags=(), **options):
        self.begin(*flags, "--channel-drains", "20", **options)
        self.others = self.far_process()
        return {name: self.drain(self.others.url(name)) for name in names}

    def test_03_answers_503_for_long(self):
        drains = self.start("a", "b", "c", flags=("--channel-bytes", "256K"), size=100)
        self.fault()
        for name in drains:
            self.others.set(name, status=503, times=4)
        since = {name: self.failing(drain, "answered 503") for name, drain in drains.items()}
        for name, drain in drains.items():
            self.recovered(drain, since[name])
            self.assertGreaterEqual(self.outage, int(0.75 * 15))  # told in whole seconds
        self.stop_sending()
        shortened = []
        for name, drain in drains.items():
            self.caught_up(drain)
            notices = lambda n=name: [notice.encode() for notice in self.others.books(n)["notices"]]
            lost = self.check_losses(drain, notices)
            self.assertGreater(lost, 0)
            books = self.check_books(drain, self.others, name, dropped=lost)
            # The same batch 1, 2, 4, 8 s later, each shortened by up to a quarter and not by the same.
            batch = [one for one in self.others.tries(name) if one["id"] == self.others.tries(name, 503)[0]["id"]]
            self.assertEqual([one["status"] for one in batch], [503] * 4 + [200])
            for i, (earlier, later) in enumerate(zip(batch, batch[1:])):
                gap = later["at"] - earlier["at"]
                self.assertGreaterEqual(gap, 0.75 * 2 ** i)
                self.assertLess(gap, 2 ** i + 2)
                shortened.append(gap / 2 ** i)
            self.assertEqual(books["repeated_frames"], 0)
            self.story(drain, f"failing since {MICROS}: answered 503",
                       f"recovered after .*: {lost} dropped, \\d+ delivered late")
        self.assertGreater(max(shortened) - min(shortened), 0.01)
        self.finish(memory=12 << 20)

    def test_04_says_when_to_come_back(self):
        answers = {"seven": (429, "7"), "three": (503, "3"), "date": (429, None), "words": (429, "soon"), "past": (503, "-5"),
                   "hour": (429, "99999999")}
        drains = self.start(*answers)
        self.fault()
        for name, (status, after) in answers.items():
            at = time.time() + 6
            if name == "date":
                after, date = email.utils.formatdate(int(at), usegmt=True), int(at)
            self.others.set(name, status=status, headers={"Retry-After": after}, times=1)
        since = {name: self.failing(drain, f"answered {answers[name][0]}") for name, drain in drains.items()}
        for name, drain in drains.items():
            if name != "hour":
                self.recovered(drain, since[name], dropped=0)
        clock = time.time() - time.monotonic()
        least = {"seven": 7, "three": 3, "words": 0.75, "past": 0.75}
        hour = self.router.account(self.channel, drains["hour"])
        self.assertEqual(hour["dropped"], {})
        self.assertGreater(hour["buffered"], 6 * self.RATE)
        status, = self.others.tries("hour", 429)
        self.assertEqual(self.others.tries("hour")[-1], status)
        self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drains['hour']['id']}")
        self.flaky.remove(drains.pop("hour"))
        self.stop_sending()
        for name, drain in drains.items():
            books = self.check_books(drain, self.others, name)
            refused, = self.others.tries(name, answers[name][0])
            again = [one for one in self.others.tries(name) if one["id"] == refused["id"]][1]
            if name == "date":
                self.assertGreaterEqual(again["at"] + clock, date - 0.1)
                self.assertLess(again["at"] + clock, date + 4)
            else:
                self.assertGreaterEqual(again["at"] - refused["at"], least[name])
                self.assertLess(again["at"] - refused["at"], least[name] + 4)
            self.story(drain, f"failing since {MICROS}: answered {answers[name][0]}", "recovered after .*")
        self.finish()

    def test_05_refuses_for_good(self):
        pauses = {"401": 401, "403": 403, "404": 404, "410": 410}
        drains = self.start("400", "422", "413", *pauses)
        first = self.fault()
        bad = first + 2 * self.RATE
        for name in ("400", "422"):
            self.others.set(name, status=int(name), refuse=f" {bad} ")
        # One that is late has large bodies, which are then too large.
        self.others.set("413", status=503, times=1)
        late_since = self.failing(drains["413"], "answered 503")
        self.others.set("413", status=413, most=1000)
        for name, status in pauses.items():
            self.others.set(name, status=status)
        paused = {name: self.wait_for_state(drains[name], f"paused since {MICROS}: answered {status}")
                  for name, status in pauses.items()}
        self.recovered(drains["413"], late_since, dropped=0)
        self.wait_for_phase("beside", 4 * self.RATE)
        self.stop_sending()

        for name in ("400", "422"):
            drain = drains[name]
            account = self.caught_up(drain)
            self.assertEqual(account["dropped"], {"refused": 1})
            books = self.check_books(drain, self.others, name, dropped=1)
            self.assertEqual(books["gaps"], [[bad, bad + 1]])
            # Halved until it was alone, and then no more.
            refused = self.others.tries(name, int(name))
            self.assertEqual(refused[-1]["count"], "1")
            self.assertLessEqual(len(refused), 12)
            self.assertEqual(len({one["id"] for one in refused}), len(refused))
            self.assertEqual(self.tail.told_lost(drain), 1)
            self.story(drain)
        self.check_books(drains["413"], self.others, "413")
        self.assertGreater(len(self.others.tries("413", 413)), 2)
        self.assertTrue(all(one["bytes"] <= 1000 for one in self.others.tries("413", 200)
                            if one["at"] > self.others.tries("413", 413)[0]["at"]))
        for name in pauses:
            # One request, nothing lost, and nothing more until its owner or a probe in three minutes.
            account = self.router.account(self.channel, drains[name])
            self.assertEqual((account["dropped"], len(self.others.tries(name, pauses[name]))), ({}, 1))
            self.assertEqual(self.others.books(name)["records"], account["delivered"])
            self.assertEqual(account["accepted"], account["delivered"] + account["buffered"])
            self.assertGreater(account["buffered"], 3 * self.RATE)
            self.assertTrue(paused[name])
            self.story(drains[name], f"paused since {MICROS}: answered {name}")
            # Its owner has put it right.
            self.others.set(name)
            self.router.good("POST", f"/v3/channels/{self.channel}/drains/{drains[name]['id']}/resume")
            self.check_books(drains[name], self.others, name)
            self.story(drains[name], f"paused since {MICROS}: answered {name}",
                       f"resumed after .*: {account['buffered']} waiting")
        self.finish()


if __name__ == "__main__":
    unittest.main()
