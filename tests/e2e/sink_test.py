"""The sink as a third party: each way to fail as a client sees it, its certificates, its schedule, its plot."""

import datetime
import gzip
import json
import pathlib
import re
import select
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import warnings
import xml.etree.ElementTree

from certificates import Authority
from harness import EndToEnd, PATIENCE, RawHttp, counted, record, run, wait_until

SVG = "{http://www.w3.org/2000/svg}"


def post(*numbers, frame_id=None, encoding=None):
    """A drain's request with these records."""
    body = counted(*[record("app", f"line seq=0001-{n}") for n in numbers])
    head = b"POST /in HTTP/1.1\r\nHost: sink\r\nContent-Type: application/logplex-1\r\n"
    if frame_id:
        head += b"Logplex-Frame-Id: " + frame_id + b"\r\n"
    if encoding:
        head += b"Content-Encoding: " + encoding[0] + b"\r\n"
        body = encoding[1](body)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Sink:
    """`tailrace sink` as a process."""

    def __init__(self, test, *arguments):
        self.process = test.process("sink", "--listen", "127.0.0.1:0", "--json", *arguments, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        self.said = ""
        self.port = int(self.wait_for(r"on 127\.0\.0\.1:(\d+)")[1])

    def wait_for(self, pattern):
        """The first match in what it says on stderr."""
        def there():
            if select.select([self.process.stderr], [], [], 0)[0]:
                self.said += self.process.stderr.read1(65536).decode()
            return re.search(pattern, self.said)
        return wait_until(there, lambda: f"{pattern} in {self.said!r}")

    def end(self):
        """Exit code and counts."""
        self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode, json.loads(out.splitlines()[-1])


class SinkModes(EndToEnd):
    def sink(self, mode, *arguments):
        sink = Sink(self, "--schedule", f"0s:{mode}", *arguments)
        if mode != "ok":
            sink.wait_for(re.escape(mode))
        return sink

    def connect(self, sink):
        connection = RawHttp(sink.port)
        self.addCleanup(connection.close)
        return connection

    def assertSilent(self, connection):
        connection.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            connection.recv(1)

    def test_ok(self):
        sink = self.sink("ok")
        connection = self.connect(sink)
        for numbers in ((1, 2), (3,)):
            connection.send(post(*numbers))
            self.assertEqual(connection.answer().status, 204)
        code, counts = sink.end()
        self.assertEqual((code, counts["received"], counts["missing"], counts["requests"]), (0, 3, 0, 2), counts)

    def test_lag_is_arrival_minus_the_records_own_time(self):
        sink = self.sink("ok")
        connection = self.connect(sink)
        for age in (100, 200, 300):
            time = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
            body = counted(record("app", "x", time=time.isoformat()), record("app", "no time", time="-"))
            connection.send(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            self.assertEqual(connection.answer().status, 204)
        lag = sink.end()[1]["lag_seconds"]
        for what, age in (("p50", 200), ("p99", 300), ("most", 300)):
            self.assertAlmostEqual(lag[what], age, delta=age * 0.01 + PATIENCE)
            self.assertGreaterEqual(lag[what], age * 0.99)

    def test_status(self):
        for mode, status, later in (("status=503", 503, None), ("status=429/7", 429, "7"), ("status=503/2m", 503, "120"),
                                    ("status=302", 302, None), ("status=410", 410, None)):
            with self.subTest(mode=mode):
                sink = Sink(self, "--schedule", f"0s:{mode}")
                sink.wait_for("status=")
                connection = self.connect(sink)
                for _ in range(2):  # on one connection
                    connection.send(post(1))
                    answer = connection.answer()
                    self.assertEqual((answer.status, answer.header("Retry-After")), (status, later))
                code, counts = sink.end()
                self.assertEqual((code, counts["received"], counts["turned_away"]), (0, 0, 2), counts)

    def test_a_status_that_is_good_counts(self):
        sink = self.sink("status=200")
        connection = self.connect(sink)
        connection.send(post(1))
        self.assertEqual(connection.answer().status, 200)
        self.assertEqual(sink.end()[1]["received"], 1)

    def test_hang_reads_nothing(self):
        sink = self.sink("hang")
        connection = self.connect(sink).socket
        connection.settimeout(1)
        with self.assertRaises(TimeoutError):
            connection.sendall(b"x" * (64 << 20))

    def test_hang_answer_reads_and_says_nothing(self):
        sink = self.sink("hang=answer")
        connection = self.connect(sink)
        connection.send(post(*range(100_000)))  # more than the kernel keeps
        self.assertSilent(connection.socket)
        code, counts = sink.end()
        self.assertEqual((code, counts["received"], counts["requests"]), (0, 0, 1), counts)

    def test_who_left_before_the_answer_has_none(self):
        sink = Sink(self, "--schedule", "0s:hang=answer,2s:ok")
        sink.wait_for("hang=answer")
        patient, hasty = self.connect(sink), RawHttp(sink.port)
        patient.send(post(1))
        hasty.send(post(2))
        hasty.close()
        self.assertEqual(patient.answer().status, 204)
        code, counts = sink.end()
        self.assertEqual((code, counts["received"], counts["unique"], counts["abandoned"]), (0, 1, 1, 1), counts)

    def test_close(self):
        sink = self.sink("close")
        connection = socket.create_connection(("127.0.0.1", sink.port), timeout=PATIENCE)
        with connection, self.assertRaises(ConnectionError):
            while True:
                connection.sendall(post(1))

    def test_close_in_the_middle_of_an_answer(self):
        sink = self.sink("close=mid")
        connection = self.connect(sink)
        connection.send(post(1))
        status, headers = connection.head()
        self.assertEqual(status, 200)
        self.assertLess(len(connection.ended()), int(dict(headers)["Content-Length"]))
        self.assertEqual(sink.end()[1]["received"], 0)

    def test_refuse(self):
        sink = self.sink("refuse")

        def refused():  # what it says and the kernel's queue are not in step
            try:
                socket.create_connection(("127.0.0.1", sink.port)).close()
                return False
            except ConnectionRefusedError:
                return True
        wait_until(refused, "a refusal")

    def test_drip_is_a_byte_at_a_time(self):
        sink = self.sink("drip")
        connection = self.connect(sink)
        connection.send(post(1))
        self.assertEqual([connection.socket.recv(100) for _ in range(3)], [b"H", b"T", b"T"])

    def test_drip_ends_with_its_time(self):
        sink = Sink(self, "--schedule", "0s:drip,3s:ok")
        sink.wait_for("drip")
        connection = self.connect(sink)
        connection.send(post(1))
        self.assertEqual(connection.answer().status, 204)
        connection.send(post(2))
        self.assertEqual(connection.answer().status, 204)
        self.assertEqual(sink.end()[1]["received"], 2)

    def test_bomb_never_ends(self):
        sink = self.sink("bomb")
        connection = self.connect(sink)
        connection.send(post(1))
        self.assertEqual(connection.head()[0], 200)
        self.assertEqual(len(connection.file.read(16 << 20)), 16 << 20)
        self.assertEqual(sink.end()[1]["received"], 1)  # it said 200

    def test_head_never_ends(self):
        sink = self.sink("head")
        connection = self.connect(sink)
        connection.send(post(1))
        self.assertNotIn(b"\r\n\r\n", connection.file.read(4 << 20))
        self.assertEqual(sink.end()[1]["received"], 0)

    def test_slow(self):
        sink = self.sink("slow=1500ms")
        connection = self.connect(sink)
        connection.send(post(1))
        self.assertSilent(connection.socket)
        connection.socket.settimeout(PATIENCE)
        self.assertTrue(connection.socket.recv(100).startswith(b"HTTP/1.1 204"))

    def test_compressed_bodies_and_repeated_requests(self):
        sink = self.sink("ok")
        connection = self.connect(sink)
        for request in (post(1, 2, frame_id=b"A", encoding=(b"gzip", gzip.compress)), post(3, frame_id=b"B"),
                        post(3, frame_id=b"B"), post(4, encoding=(b"gzip", bytes))):
            connection.send(request)
            self.assertEqual(connection.answer().status, 204)
        code, counts = sink.end()
        self.assertEqual((code, counts["unique"], counts["repeated"], counts["repeated_requests"], counts["malformed"]),
                         (0, 3, 1, 1, 1), counts)

    def test_syslog(self):
        for mode, received in (("ok", 2), ("slow=10ms", 2), ("close=mid", 1)):
            with self.subTest(mode=mode):
                sink = self.sink(mode, "--protocol", "syslog")
                with socket.create_connection(("127.0.0.1", sink.port), timeout=PATIENCE) as out:
                    out.sendall(counted(record("app", "x seq=0001-1")))
                    if mode == "close=mid":
                        with self.assertRaises(ConnectionResetError):
                            out.recv(1)
                    else:
                        out.sendall(counted(record("app", "x seq=0001-2")))
                        out.shutdown(socket.SHUT_WR)
                        self.assertEqual(out.recv(1), b"")
                self.assertEqual(sink.end()[1]["received"], received)

    def test_a_schedule_begins_again(self):
        sink = Sink(self, "--schedule", "0s:status=503,500ms:ok", "--every", "1s")
        for status in (503, 204, 503, 204):
            def answered(wanted=status):
                connection = RawHttp(sink.port)
                connection.send(post(1))
                answer = connection.answer()
                connection.close()
                return answer.status == wanted
            wait_until(answered, f"an answer {status}")
        sink.wait_for(r"(?s)status=503.*: ok\n.*status=503.*: ok\n")

    def test_flags_that_make_no_sense(self):
        for arguments in (["--schedule", "x"], ["--schedule", "5s:hang,2s:ok"], ["--schedule", "5s:hang", "--every", "5s"],
                          ["--schedule", "5s:hang", "--mode", "close"], ["--schedule", "5s:tls=expired"],
                          ["--schedule", "5s:status=503", "--protocol", "syslog"], ["--mode", "nonsense"], ["--every", "5s"],
                          ["--every", "5s", "--for", "5s"], ["--down", "1s:1s", "--every", "5s"], ["--tls-ca", "/tmp/x"],
                          ["--tls-cert", "/tmp/x"], ["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"]):
            with self.subTest(arguments=arguments):
                code, out, err = run("sink", "--listen", "127.0.0.1:0", "--duration", "1ms", *arguments)
                self.assertEqual((code, out), (2, ""), err)
                self.assertTrue(err.startswith("tailrace: sink: "), err)


class SinkTls(EndToEnd):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.ca = self.folder / "ca.pem"

    def sink(self, mode, *arguments):
        sink = Sink(self, "--schedule", f"0s:{mode}", *(arguments or ("--tls", "--tls-ca", str(self.ca))))
        if mode != "ok":
            sink.wait_for(re.escape(mode))
        return sink

    def shake(self, sink, context=None, seconds=PATIENCE):
        plain = socket.create_connection(("127.0.0.1", sink.port), timeout=seconds)
        self.addCleanup(plain.close)
        context = context or ssl.create_default_context(cafile=str(self.ca))
        shaken = context.wrap_socket(plain, server_hostname="localhost")
        self.addCleanup(shaken.close)
        return shaken

    def test_a_client_that_trusts_its_authority(self):
        sink = self.sink("ok")
        connection = self.shake(sink)
        connection.sendall(post(1, 2))
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 204"))
        code, counts = sink.end()
        self.assertEqual((code, counts["received"], counts["failed_handshakes"]), (0, 2, 0), counts)

    def test_syslog_over_tls(self):
        sink = self.sink("ok", "--protocol", "syslog", "--tls", "--tls-ca", str(self.ca))
        connection = self.shake(sink)
        connection.sendall(counted(record("app", "x seq=0001-1"), record("app", "x seq=0001-2")))
        connection.unwrap().close()
        self.assertEqual(sink.end()[1]["unique"], 2)

    def test_bad_certificates(self):
        for mode, reason in (("tls=expired", "certificate has expired"), ("tls=wrong-host", "Hostname mismatch"),
                             ("tls=self-signed", "self-signed certificate")):
            with self.subTest(mode=mode):
                sink = self.sink(mode)
                with self.assertRaisesRegex(ssl.SSLCertVerificationError, reason):
                    self.shake(sink)

    def test_only_what_is_said_is_wrong_with_them(self):
        sink = self.sink("tls=wrong-host")
        careless = ssl.create_default_context(cafile=str(self.ca))
        careless.check_hostname = False
        self.shake(sink, careless)
        sink = self.sink("tls=self-signed")
        careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        connection = self.shake(sink, careless)
        self.assertTrue(connection.getpeercert(binary_form=True))

    def test_an_old_protocol(self):
        sink = self.sink("tls=1.1")
        with self.assertRaises(ssl.SSLError):
            self.shake(sink)
        old = ssl.create_default_context(cafile=str(self.ca))
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = ssl.TLSVersion.TLSv1
        self.assertEqual(self.shake(sink, old).version(), "TLSv1.1")
        self.assertEqual(sink.end()[1]["failed_handshakes"], 1)

    def test_a_handshake_that_stalls_and_goes_on(self):
        sink = Sink(self, "--schedule", "0s:tls=stall,2s:ok", "--tls", "--tls-ca", str(self.ca))
        sink.wait_for("tls=stall")
        with self.assertRaises(TimeoutError):
            self.shake(sink, seconds=0.5)
        self.shake(sink)

    def test_a_bad_time_ends_connections_that_are_there(self):
        sink = Sink(self, "--schedule", "2s:tls=expired", "--tls", "--tls-ca", str(self.ca))
        wait_until(self.ca.exists, "the authority")
        connection = self.shake(sink)
        connection.sendall(post(1))
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 204"))
        self.assertEqual(connection.recv(100), b"")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.shake(sink)

    def test_a_certificate_of_the_users(self):
        authority = Authority(self.folder, "own")
        certificate, key = self.folder / "sink.pem", self.folder / "sink.key"
        authority.sign("sink", certificate, key)
        flags = ("--tls-cert", str(certificate), "--tls-key", str(key))
        context = ssl.create_default_context(cafile=str(authority.pem))
        self.shake(self.sink("ok", *flags), context)
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "self-signed"):
            self.shake(self.sink("tls=self-signed", *flags), context)
        code, _, err = run("sink", "--listen", "127.0.0.1:0", "--schedule", "5s:tls=expired", *flags)
        self.assertEqual(code, 2)
        self.assertIn("needs --tls without --tls-cert", err)
        key.write_text("nonsense")
        self.assertEqual(run("sink", "--listen", "127.0.0.1:0", *flags)[0], 1)


class SinkPlot(EndToEnd):
    def test_it_says_what_the_counts_say(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        plot = pathlib.Path(folder.name) / "sink.svg"
        sink = Sink(self, "--schedule", "0s:status=503,1s:ok,2s:hang=answer,3s:ok", "--plot", str(plot))
        sink.wait_for("status=503")
        connection = RawHttp(sink.port)
        self.addCleanup(connection.close)
        sent = 0
        while not re.search("(?s)hang=answer.*: ok\n", sink.said):
            connection.send(post(*range(sent, sent + 10)))
            answer = connection.answer()
            if answer.status == 204:
                sent += 10
            sink.wait_for("sink: ")
        connection.send(post(0, 1, sent + 1))  # two again, one left out
        self.assertEqual(connection.answer().status, 204)
        self.assertTrue(plot.exists())  # before the end, too
        code, counts = sink.end()
        self.assertEqual((code, counts["unique"], counts["missing"], counts["repeated"]), (1, sent + 1, 1, 2), counts)

        root = xml.etree.ElementTree.parse(plot).getroot()
        self.assertEqual(root.tag, SVG + "svg")
        texts = [element.text or "" for element in root.iter(SVG + "text")]
        self.assertIn(f"{sent + 3:,} records received, 1 missing, 2 repeated", " ".join(texts))
        for text in ("status=503", "hang=answer", "missing 1", "repeated 2", "time since the sink's start, s"):
            self.assertIn(text, texts)
        self.assertTrue(any(text.startswith("received, records per second") for text in texts))
        self.assertTrue(any(text.startswith("lag, ") for text in texts))
        self.assertEqual([e.tag for e in root.iter() if e.tag in (SVG + "script", SVG + "image", SVG + "foreignObject")], [])
        self.assertEqual([a for e in root.iter() for a in e.attrib if a.startswith("on") or "href" in a], [])
        self.assertEqual([p.name for p in plot.parent.iterdir()], ["sink.svg"])  # no draft is left

    def test_a_place_that_cannot_be_written(self):
        code, _, err = run("sink", "--listen", "127.0.0.1:0", "--duration", "1ms", "--plot", "/nonexistent/sink.svg")
        self.assertEqual(code, 1)
        self.assertEqual(err.count("cannot be written"), 1, err)


if __name__ == "__main__":
    unittest.main()
