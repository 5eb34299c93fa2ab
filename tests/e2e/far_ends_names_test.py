"""Far ends whose name is the trouble: nobody answers, no such name, an address that moves (A4 #9, #10)."""

import unittest

from far_ends import MICROS, FarEndCase, NameServer, WildFarEnd, numbers_of
from harness import wait_until


class Names(FarEndCase):
    def name_server(self):
        names = NameServer()
        self.addCleanup(names.close)
        return names

    def test_09_silent(self):
        names = self.name_server()
        self.begin("--dns", f"127.0.0.1:{names.port}")
        far_end = self.wild()
        far_end.keep = False  # each request needs a connection, and that its address
        drain = self.drain(far_end.url.replace("127.0.0.1", "drain.example.com"))
        self.fault()
        names.silent = True
        since = self.failing(drain, r"resolve: timed out \(drain\.example\.com\)")
        wait_until(lambda: self.router.account(self.channel, drain)["buffered"] > 4 * self.RATE, "records that wait")
        names.silent = False
        self.recovered(drain, since, dropped=0)
        self.stop_sending()
        self.check_http(drain, far_end)
        self.story(drain, f"failing since {MICROS}: resolve: .*", "recovered after .*")
        self.finish()

    def test_09_no_such_name(self):
        names = self.name_server()
        self.begin("--dns", f"127.0.0.1:{names.port}")
        # To c-ares, servers that all fail are servers that do not answer.
        causes = {"gone.example.com": (3, "resolve: no such name"),
                  "broken.example.com": (2, "resolve: (name server failed|no name server answers)")}
        far_ends = {name: self.wild() for name in causes}
        drains = {}
        for name, far_end in far_ends.items():
            far_end.keep = False
            drains[name] = self.drain(far_end.url.replace("127.0.0.1", name))
        self.fault()
        names.wrong = {name: error for name, (error, _) in causes.items()}
        since = {name: self.failing(drain, f"{causes[name][1]}.*") for name, drain in drains.items()}
        names.wrong = {}
        for name, drain in drains.items():
            self.recovered(drain, since[name], dropped=0)
        self.stop_sending()
        for name, drain in drains.items():
            self.check_http(drain, far_ends[name])
            self.story(drain, f"failing since {MICROS}: {causes[name][1]}.*", "recovered after .*")
        self.finish()

    def test_10_moves(self):
        names = self.name_server()
        self.begin("--dns", f"127.0.0.1:{names.port}")
        old = self.wild()
        new = self.wild(lambda: MovedFarEnd(old.port))
        drain = self.drain(old.url.replace("127.0.0.1", "drain.example.com"))
        self.fault()
        self.wait_for_phase("beside", self.RATE)
        self.assertEqual((old.connections, new.connections), (1, 0))  # one that is kept is not asked for
        names.address = new.host
        old.set_mode("refuse")
        wait_until(lambda: len(numbers_of(new)) > 2 * self.RATE, "records at the new address")
        self.stop_sending()
        account = self.caught_up(drain)
        # What the old one had in hand, and could not answer any more, came again under its frame id.
        batches = {one.id: one for one in old.taken() + new.taken()}
        self.assertLessEqual(len(old.taken()) + len(new.taken()) - len(batches), 1)
        numbers = sorted(set(numbers_of(old) + numbers_of(new)))
        self.assertEqual(numbers, list(range(self.total - account["accepted"], self.total)))
        self.assertEqual((account["delivered"], account["dropped"]), (len(numbers), {}))
        self.assertEqual(numbers_of(new), list(range(numbers_of(new)[0], self.total)))
        self.story(drain)  # it was never away
        self.finish()


class MovedFarEnd(WildFarEnd):
    host = "127.0.0.2"

    def __init__(self, port):
        self._wanted = port
        super().__init__()

    def _listen(self):
        self.port = self._wanted
        super()._listen()


if __name__ == "__main__":
    unittest.main()
