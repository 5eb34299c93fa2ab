"""Drains whose names are the trouble: a name server of the test's own says no, lies, changes its mind or says nothing."""

import ipaddress
import socket
import struct
import threading
import time
import unittest

from harness import EndToEnd, HttpFarEnd, SyslogFarEnd, counted, record, wait_until

A, AAAA = 1, 28
NXDOMAIN, SERVFAIL = 3, 2


class NameServer:
    """Answers over UDP what `names` says: a list of addresses, a code, None for silence, or a function of the number of
    times the name was asked for (of A) that gives one of these."""

    def __init__(self):
        self.names, self.asked = {}, {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(1500)
            except OSError:
                return
            answer = self._answer(question)
            if answer:
                self.socket.sendto(answer, peer)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, (kind, _) = ".".join(labels).lower(), struct.unpack_from("!HH", question, at + 1)
        said = self.names.get(name, NXDOMAIN)
        if kind == A:
            self.asked[name] = self.asked.get(name, 0) + 1
        if callable(said):
            said = said(self.asked.get(name, 1))
        if said is None:
            return None
        code, addresses = (said, []) if isinstance(said, int) else (0, [ipaddress.ip_address(a) for a in said])
        records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 1, len(a.packed)) + a.packed
                           for a in addresses if (a.version == 4) == (kind == A))
        count = sum((a.version == 4) == (kind == A) for a in addresses)
        return question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, count, 0, 0) + question[12:at + 5] + records

    def close(self):
        self.socket.close()


class DrainsDns(EndToEnd):
    def set_up(self, *flags):
        self.names = NameServer()
        self.addCleanup(self.names.close)
        self.router = self.node(*flags, environment={"TAILRACE_DNS": self.names.address})
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.app = tokens["app"]

    def send(self, first, past):
        self.router.send(counted(*[record(self.app, b"%d" % i) for i in range(first, past)]))

    def health(self, drain):
        return self.router.good("GET", f"/v3/channels/{self.channel}/drains/{drain['id']}/health")

    def failing(self, drain, cause):
        wait_until(lambda: self.health(drain)["cause"] == cause, lambda: f"{cause}: {self.health(drain)}")
        account = self.router.account(self.channel, drain)
        self.assertEqual((account["delivered"], account["dropped"]), (0, {}))

    def urls(self, name, port):
        return [f"http://{name}:{port}/in", f"syslog://{name}:{port}", f"https://{name}:{port}/in", f"syslog+tls://{name}:{port}"]

    def listener(self, host="127.0.0.1"):
        """Counts who connects."""
        listener, came = socket.create_server((host, 0)), []

        def accept():
            while True:
                try:
                    came.append(listener.accept())
                except OSError:
                    return
        threading.Thread(target=accept, daemon=True).start()
        self.addCleanup(listener.close)
        return listener.getsockname()[1], came

    def test_no_such_name_and_a_server_that_failed(self):
        self.set_up("--channel-drains", "20")
        self.names.names = {"broken.example": SERVFAIL}
        drains = {}
        for name, cause in (("missing.example", "resolve: no such name (missing.example)"),
                            ("broken.example", "resolve: no name server answers (broken.example)")):
            for url in self.urls(name, 601):
                drains[url] = self.router.drain(self.channel, url), cause
        self.send(0, 10)
        for url, (drain, cause) in drains.items():
            with self.subTest(url=url):
                self.failing(drain, cause)

    def test_names_are_asked_for_again(self):
        self.set_up()
        far_ends = [self.far_end(HttpFarEnd), self.far_end(SyslogFarEnd)]
        self.names.names = {"late.example": lambda asked: SERVFAIL if asked <= 4 else ["127.0.0.1"]}
        drains = [self.router.drain(self.channel, far_end.url.replace("127.0.0.1", "late.example")) for far_end in far_ends]
        self.send(0, 10)
        for drain, far_end in zip(drains, far_ends):
            self.router.wait_for_drain(self.channel, drain, delivered=10)
            self.assertEqual([m.rstrip() for m in far_end.messages()], [b"%d" % i for i in range(10)])

    def test_a_silent_name_server_delays_nobody_else(self):
        self.set_up()
        self.names.names = {"silent.example": None}
        steady = self.far_end(HttpFarEnd)
        good = self.router.drain(self.channel, steady.url)
        drains = [self.router.drain(self.channel, url) for url in self.urls("silent.example", 601)]
        tail = self.tail(self.router.session(self.channel, tail="1", num="1"))
        worst, sent, began = 0, 0, time.monotonic()
        while time.monotonic() < began + 8:
            start = time.monotonic()
            self.send(sent, sent + 1)
            sent += 1
            wait_until(lambda: len(steady.messages()) >= sent and tail.messages().count(b"%d" % (sent - 1)), "the record everywhere")
            worst = max(worst, time.monotonic() - start)
        self.assertLess(worst, 2)  # a look-up of 5 s that held up a loop would show
        for drain in drains:
            self.failing(drain, "resolve: timed out (silent.example)")
        self.router.wait_for_drain(self.channel, good, delivered=sent)

    def test_a_forbidden_address_is_never_connected_to(self):
        """Rebinding: what a name resolved to first allows nothing later."""
        self.set_up("--drain-allow", "127.0.0.2/32", "--channel-drains", "20")
        port, came = self.listener()
        allowed, came_allowed = self.listener("127.0.0.2")
        self.names.names = {
            "turns.example": lambda asked: ["127.0.0.2"] if asked == 1 else ["127.0.0.1"],
            "loopback.example": ["127.0.0.1"],
            "both.example": ["127.0.0.2", "127.0.0.1"],
            "mixed.example": ["127.0.0.2", "::1"],
            "mapped.example": ["::ffff:127.0.0.1"],
            "failed.example": lambda asked: SERVFAIL if asked <= 4 else ["127.0.0.1"],
        }
        drains = {}
        for name in self.names.names:
            for url in self.urls(name, port)[:2]:
                drains[url] = self.router.drain(self.channel, url)
        self.send(0, 10)
        for url, drain in drains.items():
            with self.subTest(url=url):
                self.failing(drain, "address not allowed")
                answer = self.router.api("POST", f"/v3/channels/{self.channel}/drains/{drain['id']}/test").json()
                self.assertEqual([(s["step"], s["ok"], s["outcome"]) for s in answer["steps"]],
                                 [("resolve", False, "address not allowed")])
        self.assertEqual((came, came_allowed), ([], []))
        good = self.router.drain(self.channel, f"syslog://127.0.0.2:{allowed}")
        self.send(10, 20)
        self.router.wait_for_drain(self.channel, good, delivered=10)
        self.assertEqual((came, len(came_allowed)), ([], 1))

    def test_an_address_that_changes_while_the_old_one_is_dead(self):
        self.set_up()
        first, second = self.far_end(SyslogFarEnd), self.far_end(HttpFarEnd)
        for far_end in (first, second):
            name = f"moves{far_end.port}.example"
            # 127.0.0.3 has nobody at that port.
            self.names.names[name] = ["127.0.0.3"]
            drain = self.router.drain(self.channel, far_end.url.replace("127.0.0.1", name))
            sent = self.router.account(self.channel, drain)["accepted"]
            self.send(0, 10)
            self.failing(drain, f"connect: connection refused (127.0.0.3:{far_end.port})")
            self.names.names[name] = ["127.0.0.1"]
            self.router.wait_for_drain(self.channel, drain, delivered=10 - sent)
            self.assertEqual([m.rstrip() for m in far_end.messages()], [b"%d" % i for i in range(10)])
            # And away again: a connection that ends is made to where the name points then.
            self.names.names[name] = ["127.0.0.3"]
            far_end.set_mode("refuse")
            self.send(10, 20)
            wait_until(lambda d=drain: "127.0.0.3" in (self.health(d)["cause"] or ""), "a look-up that was made again")
            self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")

    def test_every_notation_of_a_forbidden_address(self):
        """Refused with 422 at creation, and where a name hides it at the connect."""
        self.set_up("--drain-allow", "127.0.0.2/32", "--channel-drains", "100")
        literals = ["127.0.0.1", "127.1", "0", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",
                    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "10.0.0.1",
                    "172.16.0.1", "192.168.0.1", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
                    "[fc00::1]", "[fe80::1]", "127.0.0.1.", "0x7f.1", "017700000001", "0.0.0.0", "[::127.0.0.1]",
                    "[0:0:0:0:0:ffff:7f00:1]"]
        port, came = self.listener()
        for literal in literals:
            for url in self.urls(literal, port):
                with self.subTest(url=url):
                    answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": url})
                    self.assertEqual((answer.status, answer.json()), (422, {"error": "Invalid drain destination: address not allowed"}))
        hidden = [a for a in literals if a.startswith("[") or a.count(".") == 3 and not a.startswith("0177") and not a.endswith(".")]
        drains = []
        for i, literal in enumerate(hidden):
            self.names.names[f"hides{i}.example"] = [literal.strip("[]")]
            drains.append(self.router.drain(self.channel, f"syslog://hides{i}.example:{port}"))
        for name in ("localhost", "LOCALHOST"):
            drains.append(self.router.drain(self.channel, f"syslog://{name}:{port}"))
        self.send(0, 1)
        for drain in drains:
            with self.subTest(drain=drain):
                self.failing(drain, "address not allowed")
        self.assertEqual(came, [])


if __name__ == "__main__":
    unittest.main()
