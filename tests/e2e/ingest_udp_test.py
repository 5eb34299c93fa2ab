"""Syslog over UDP: a datagram is a record, whatever is in it, and what nobody could take is in a count."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import unittest

from harness import EndToEnd, TIME, SyslogFarEnd, record, run, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = pathlib.Path(os.environ.get("TAILRACE_PEERS") or ROOT / "build" / "peers") / "bin"
TOKEN = "t.0a0a0a0a-0000-4000-8000-000000000000"
LARGEST = 65_507


class IngestUdp(EndToEnd):
    def set_up(self, listen="127.0.0.1:0", *flags, **options):
        self.router = self.node("--syslog-udp-listen", listen, *flags, **options)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]
        self.listeners = self.router.udp(listen.count(",") + 1)
        self.sent = 0

    def send(self, *datagrams, to=0):
        host, port = self.listeners[to]
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as out:
            for datagram in datagrams:
                out.sendto(datagram, (host, port))
        self.sent += len(datagrams)

    def kernel_drops(self, to=None):
        labels = {} if to is None else {"listener": "%s:%d" % self.listeners[to]}
        return int(self.router.metric("tailrace_ingest_kernel_drops_total", protocol="udp", **labels))

    def settled(self, accepted, **rejected):
        """Waits until this much is counted, and nothing but this."""
        def sums():
            return self.router.accepted("udp"), self.router.rejected("udp")
        wait_until(lambda: sums() == (accepted, rejected), lambda: f"{accepted} and {rejected}; it is {sums()}")

    def shown(self):
        return self.router.history(self.channel).split(b"\n")[:-1]

    def line(self, message, app=b"app", procid=b"web.1"):
        return TIME.encode() + b" " + app + b"[" + procid + b"]: " + message

    def test_a_datagram_is_a_record(self):
        self.set_up()
        plain = record(self.app, "plain")
        self.send(plain, record(self.heroku, "at=info", procid="router"), record(self.app, "newline\n"),
                  record(self.app, "both\r\n"), record(self.app, "nul\0"), b"%d %s" % (len(plain), plain),
                  b"%d %s\n" % (len(plain) + 1, plain), record(self.app, "no SD", sd=None),
                  record(self.app, b"bytes \xff\xfe\0 as they are"), record(self.app, "two\nlines\n"))
        self.settled(10)
        self.assertEqual(self.shown(), [
            self.line(b"plain"), self.line(b"at=info", b"heroku", b"router"), self.line(b"newline"), self.line(b"both"),
            self.line(b"nul"), self.line(b"plain"), self.line(b"plain"), self.line(b"no SD"),
            self.line(b"bytes \xff\xfe\0 as they are"), self.line(b"two"), b"lines"])
        self.assertEqual(self.kernel_drops(), 0)

    def test_datagrams_that_stand_for_no_record(self):
        self.set_up()
        self.send(b"", b"\n", b"\r\n", b"\0", b"", record(self.app, "the only one"))
        self.settled(1)
        self.assertEqual(self.shown(), [self.line(b"the only one")])

    def test_listener_with_a_token(self):
        self.set_up(f"127.0.0.1:0,127.0.0.1:0?token={TOKEN}")
        # Until the token exists, no record is taken through that listener.
        self.send(record("sshd", "too early"), b"neither", b"", to=1)
        self.settled(0, unknown_token=2)
        self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "console", "token": TOKEN})
        self.send(record("sshd", "one", procid="77"), record(TOKEN, "two"), b"no syslog \xff at all\n", b"\x80\0\0\1", to=1)
        self.settled(4, unknown_token=2)
        shown = self.shown()
        self.assertEqual(shown[:2], [self.line(b"one", b"sshd", b"77"), self.line(b"two", b"console")])
        self.assertRegex(shown[2], rb"^\d{4}-\d\d-\d\dT\S+ console\[-\]: no syslog \xff at all$")
        self.assertRegex(shown[3], rb"^\d{4}-\d\d-\d\dT\S+ console\[-\]: \x80\0\0\x01$")
        self.assertNotIn(TOKEN, self.router.log())

    def test_unknown_tokens_are_counted_and_told(self):
        self.set_up()
        good = record(self.app, "good")
        bad = [record("t.11111111-2222-4333-8444-555555555555", "unknown"), record("app", "no token"), b"garbage",
               b"\xff" * 2000, b"<13>", b"<999>1 T h a p - - x", b"5 hello"]
        self.send(good, *bad, good)
        self.settled(2, unknown_token=len(bad))
        self.assertEqual(self.shown(), [self.line(b"good")] * 2)
        wait_until(lambda: "records without a usable token" in self.router.log(), "a line in the log")
        self.assertNotIn("11111111-2222", self.router.log())

    def test_the_largest_datagram_is_split_and_not_cut(self):
        self.set_up()
        far_end = self.far_end(SyslogFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        head = len(record(self.app, b""))
        message = (b"0123456789abcdef" * 5000)[:LARGEST - head]
        self.send(*[record(self.app, message)] * 20)
        self.settled(20)
        pieces = [message[at:at + 10_000] for at in range(0, len(message), 10_000)]
        self.router.wait_for_drain(self.channel, drain, accepted=20 * len(pieces), delivered=20 * len(pieces))
        self.assertEqual([piece.removesuffix(b"\n") for piece in far_end.wait_for(20 * len(pieces))], pieces * 20)
        self.assertEqual(self.shown(), [self.line(piece) for piece in pieces] * 20)

    def test_what_the_kernel_drops_is_counted(self):
        self.set_up("127.0.0.1:0,127.0.0.1:0")
        filler = "x" * 7000
        for _ in range(2):
            self.router.process.send_signal(signal.SIGSTOP)  # nobody reads now
            try:
                for i in range(6000):
                    self.send(record(self.app if i % 10 else "nobody", f"{i} {filler}"))
            finally:
                self.router.process.send_signal(signal.SIGCONT)

            def sums():
                return self.router.accepted("udp"), self.router.rejected("udp").get("unknown_token", 0), self.kernel_drops(0)
            wait_until(lambda: sum(sums()) == self.sent, lambda: f"{self.sent} = accepted + rejected + dropped; it is {sums()}")
            accepted, rejected, dropped = sums()
            self.assertTrue(accepted and rejected and dropped, sums())
        self.assertEqual(self.kernel_drops(1), 0)
        # What came through is whole, and in order.
        numbers = [int(line.split(b" ")[2]) for line in self.shown()]
        self.assertEqual(numbers, sorted(numbers))

    def test_a_flood_while_it_reads(self):
        self.set_up("127.0.0.1:0", "--threads", "1")
        far_end = self.far_end(SyslogFarEnd)
        drain = self.router.drain(self.channel, far_end.url)
        datagrams = [record(self.app if i % 7 else "nobody", f"{i} " + "y" * (i % 400)) for i in range(50_000)]
        self.send(*datagrams)

        def sums():
            return self.router.accepted("udp"), self.router.rejected("udp").get("unknown_token", 0), self.kernel_drops()
        wait_until(lambda: sum(sums()) == self.sent, lambda: f"{self.sent} = accepted + rejected + dropped; it is {sums()}")
        account = wait_until(lambda: (a := self.router.account(self.channel, drain)) and a["buffered"] == 0 and a, "an empty drain")
        self.assertEqual(account["accepted"], sums()[0])
        self.assertEqual(account["delivered"] + sum(account["dropped"].values()), account["accepted"])

    def test_what_has_arrived_is_taken_at_the_end(self):
        self.set_up("127.0.0.1:0", "--grace", "20s")
        far_end = self.far_end(SyslogFarEnd)
        self.router.drain(self.channel, far_end.url)
        self.send(record(self.app, "first"))
        far_end.wait_for(1)
        self.router.process.send_signal(signal.SIGSTOP)
        self.send(*[record(self.app, f"number {i}") for i in range(2000)])
        self.router.process.send_signal(signal.SIGTERM)
        self.router.process.send_signal(signal.SIGCONT)
        self.router.process.wait(60)
        self.assertEqual(far_end.wait_for(2001)[1:], [b"number %d\n" % i for i in range(2000)])

    def test_v6(self):
        self.set_up("[::1]:0,127.0.0.1:0")
        self.send(*[record(self.app, f"six {i}") for i in range(100)])
        self.send(record(self.app, "four"), to=1)
        self.settled(101)
        listeners = [key for key in self.router.metrics() if key.startswith("tailrace_ingest_kernel_drops_total{")]
        self.assertEqual(sorted(listeners), sorted(
            f'tailrace_ingest_kernel_drops_total{{protocol="udp",listener="{address}"}}'
            for address in (f"[::1]:{self.listeners[0][1]}", f"127.0.0.1:{self.listeners[1][1]}")))

    def test_both_families_through_one_socket(self):
        self.set_up("[::]:0")
        port = self.listeners[0][1]
        self.listeners = [("::1", port), ("127.0.0.1", port)]
        self.send(record(self.app, "six"))
        self.send(record(self.app, "four"), to=1)
        self.settled(2)

    def test_nobody_is_answered(self):
        self.set_up()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(self.listeners[0])
            for datagram in (record(self.app, "x"), b"garbage", b""):
                out.send(datagram)
            self.settled(1, unknown_token=1)
            out.setblocking(False)
            self.assertRaises(BlockingIOError, out.recv, 1)

    def test_an_address_in_use(self):
        self.set_up()
        port = self.listeners[0][1]
        code, out, err = run("serve", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--syslog-listen", "off",
                             "--syslog-udp-listen", f"127.0.0.1:{port}?token={TOKEN}")
        self.assertEqual((code, out), (2, ""))
        self.assertIn(f"TAILRACE_SYSLOG_UDP_LISTEN=127.0.0.1:{port}: ", err)
        self.assertNotIn(TOKEN, err)

    def test_off_by_default(self):
        router = self.node()
        self.assertNotIn("UDP", router.log())
        self.assertNotIn("tailrace_ingest_kernel_drops_total", router.api("GET", "/metrics", auth=None).body.decode())

    def test_logger(self):
        self.set_up(f"127.0.0.1:0,127.0.0.1:0?token={TOKEN}")
        self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "console", "token": TOKEN})
        program = PEERS / "logger" if (PEERS / "logger").exists() else shutil.which("logger")

        def logger(*arguments, to=0, feed=None):
            subprocess.run([program, "--udp", "-n", "127.0.0.1", "-P", str(self.listeners[to][1]), *arguments], check=True,
                           input=feed, timeout=60)
        logger("--rfc5424", "-t", self.app, "--id=11", "hello over UDP")
        logger("--rfc5424", "-t", self.app, "--id=11", feed=b"".join(b"line %d\n" % i for i in range(200)))
        self.settled(201)  # two sockets on two loops: nothing orders their records
        logger("--rfc5424", "-t", "cron", "--id=42", "through the listener", to=1)
        self.settled(202)
        messages = [line.split(b" ", 1)[1] for line in self.shown()]
        self.assertEqual([m.split(b": ", 1)[1] for m in messages],
                         [b"hello over UDP"] + [b"line %d" % i for i in range(200)] + [b"through the listener"])
        self.assertEqual(messages[-1].split(b"[")[0], b"cron")


if __name__ == "__main__":
    unittest.main()
