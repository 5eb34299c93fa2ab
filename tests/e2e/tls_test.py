"""TLS on the way in: HTTPS, syslog over TLS, certificates read again, mutual TLS, and peers that do it wrong."""

import http.client
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import warnings

from certificates import Authority
from harness import EndToEnd, PATIENCE, TIME, basic, counted, record, run, wait_until

LISTENER_TOKEN = "t.0a0a0a0a-0000-4000-8000-000000000000"


class TlsTest(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._authorities = tempfile.TemporaryDirectory(prefix="tailrace-tls-")
        cls.addClassCleanup(cls._authorities.cleanup)
        cls.authority = Authority(cls._authorities.name, "authority")
        cls.other = Authority(cls._authorities.name, "other")

    def set_up(self, mutual=False):
        folder = tempfile.TemporaryDirectory(prefix="tailrace-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        self.authority.sign("first", self.cert, self.key)
        flags = ["--https-listen", "127.0.0.1:0", "--syslog-tls-listen", f"127.0.0.1:0,127.0.0.1:0?token={LISTENER_TOKEN}",
                 "--tls-cert", self.cert, "--tls-key", self.key]
        if mutual:
            self.client_ca = self.folder / "ca.pem"
            self.client_ca.write_bytes(self.authority.pem.read_bytes())
            flags += ["--tls-client-ca", self.client_ca]
        self.router = self.node(*map(str, flags))
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app = tokens["app"]
        https = r'msg="public listener, TLS" https=https://127\.0\.0\.1:(\d+)'
        syslog = r'msg="syslog over TLS" address=127\.0\.0\.1:(\d+)'
        wait_until(lambda: len(re.findall(syslog, self.router.log())) == 2, "the TLS listeners in the log")
        self.https = int(re.search(https, self.router.log())[1])
        self.syslog, self.syslog_of_token = map(int, re.findall(syslog, self.router.log()))

    def context(self, version=None, client=None):
        """A client's; `client` is its certificate and key."""
        context = ssl.create_default_context(cafile=str(self.authority.pem))
        if version:
            context.minimum_version = context.maximum_version = version
        if client:
            context.load_cert_chain(*client)
        return context

    def connect(self, port, context=None):
        raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.addCleanup(raw.close)
        wrapped = (context or self.context()).wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(wrapped.close)
        return wrapped

    def say(self, data, port=None, context=None):
        """One connection's worth of syslog; its close_notify is answered."""
        connection = self.connect(port or self.syslog, context)
        connection.sendall(data)
        connection.unwrap()

    def settled(self, accepted, **rejected):
        def sums():
            return self.router.accepted("tls"), self.router.rejected("tls")
        wait_until(lambda: sums() == (accepted, rejected), lambda: f"{accepted} and {rejected}; it is {sums()}")

    def shown(self):
        return [line.split(b"]: ", 1)[1] for line in self.router.history(self.channel).split(b"\n")[:-1]]

    def handshakes(self, listener):
        """Those by result that are not 0."""
        found = {}
        for key, value in self.router.metrics().items():
            match = re.fullmatch(rf'tailrace_tls_handshakes_total{{listener="{listener}",result="(\w+)"}}', key)
            if match and value:
                found[match[1]] = int(value)
        return found

    def common_name(self, connection):
        return dict(field[0] for field in connection.getpeercert()["subject"])["commonName"]

    def reread(self, times=1):
        """SIGHUP, and what the log says of it."""
        self.router.process.send_signal(signal.SIGHUP)
        line = r'msg="(certificates (?:read again|kept: .*))"'
        wait_until(lambda: len(re.findall(line, self.router.log())) == times, "a line about the certificates")
        return re.findall(line, self.router.log())[-1]

    # ---- HTTPS

    def test_https(self):
        self.set_up()
        good = record(self.app, "over curl")
        for version in ("--tlsv1.2 --tls-max 1.2", "--tlsv1.3"):
            done = subprocess.run(["curl", "-sS", "-i", "--cacert", self.authority.pem, *version.split(), "-u",
                                   f"token:{self.app}", "-H", "Content-Type: application/logplex-1", "--data-binary", "@-",
                                   f"https://localhost:{self.https}/logs"], input=counted(good), capture_output=True,
                                  timeout=PATIENCE, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertTrue(done.stdout.startswith(b"HTTP/1.1 204 "), done.stdout)
        connection = http.client.HTTPSConnection("localhost", self.https, context=self.context(), timeout=PATIENCE)
        self.addCleanup(connection.close)
        headers = {"Authorization": basic(f"token:{self.app}"), "Content-Type": "application/logplex-1"}
        for status, body in ((204, counted(record(self.app, "x" * 9000)) * 800), (204, counted(good)), (400, b"garbage")):
            connection.request("POST", "/logs", body, headers)
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, status)
        # A session made elsewhere is read here too.
        url = self.router.session(self.channel, num="1")
        connection.request("GET", url[url.index("/sessions"):])
        self.assertEqual(connection.getresponse().read(), f"{TIME} app[web.1]: over curl\n".encode())
        self.assertEqual(self.router.accepted("http"), 803)
        self.assertEqual(self.handshakes("https"), {"full": 3})
        answers = {code: self.router.metric("tailrace_http_responses_total", listener="https", code=code)
                   for code in ("200", "204", "400", "401")}
        self.assertEqual(answers, {"200": 1, "204": 4, "400": 1, "401": 0})

    def test_answers_that_no_route_gave_are_counted(self):
        self.set_up()
        connection = self.connect(self.https)
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000)
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 431 "))
        with socket.create_connection(("127.0.0.1", self.router.public), timeout=PATIENCE) as plain:
            plain.sendall(b"no HTTP at all\r\n\r\n")
            self.assertTrue(plain.recv(100).startswith(b"HTTP/1.1 400 "))
        self.assertEqual(self.router.api("GET", "/nowhere").status, 404)
        for listener, code in (("https", "431"), ("public", "400"), ("admin", "404")):
            self.assertEqual(self.router.metric("tailrace_http_responses_total", listener=listener, code=code), 1, listener)

    # ---- syslog

    def test_syslog_in_both_framings_and_versions(self):
        self.set_up()
        for i, version in enumerate((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
            r = [record(self.app, f"{i} record {n}") for n in range(5)]
            self.say(counted(r[0]) + r[1] + b"\n" + counted(r[2], r[3] + b"\n") + r[4] + b"\r\n", context=self.context(version))
            self.settled(5 * (i + 1))
        self.assertEqual(self.shown(), [b"%d record %d" % (i, n) for i in range(2) for n in range(5)])
        self.assertEqual(self.router.accepted("tcp"), 0)
        self.assertEqual(self.handshakes("syslog"), {"full": 2})

    def test_syslog_in_any_pieces(self):
        # Small records of TLS, their bytes one by one on the wire, and long frames in many records.
        self.set_up()
        frames = counted(record(self.app, "short"), record(self.app, "y" * 9000)) + record(self.app, "line") + b"\n"
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection(("127.0.0.1", self.syslog), timeout=PATIENCE) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def flush():
                for byte in outgoing.read():
                    raw.sendall(bytes([byte]))
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    flush()
                    incoming.write(raw.recv(65536))
            for at in range(0, len(frames), 37):
                tls.write(frames[at:at + 37])
            tls.write(counted(record(self.app, "z" * 60_000)))
            flush()
            self.settled(4)
            self.assertEqual([len(m) for m in self.shown()], [5, 9000, 4] + [10_000] * 6)

    def test_syslog_that_is_rejected(self):
        self.set_up()
        good = record(self.app, "good")
        self.say(counted(good, record("nobody", "x")) + b"2000000 <13>1\n" + counted(good)[:-1])
        self.settled(1, unknown_token=1, too_long=1, truncated=1)
        wait_until(lambda: "records without a usable token were rejected\" protocol=tls" in self.router.log(), "a line in the log")

    def test_syslog_listener_with_a_token(self):
        self.set_up()
        self.say(counted(record("sshd", "early")), port=self.syslog_of_token)
        self.settled(0, unknown_token=1)
        self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "console", "token": LISTENER_TOKEN})
        self.say(counted(record("sshd", "one")) + b"no syslog at all\n", port=self.syslog_of_token)
        self.settled(2, unknown_token=1)
        self.assertEqual(self.shown(), [b"one", b"no syslog at all"])
        self.assertNotIn(LISTENER_TOKEN, self.router.log())

    def test_syslog_from_openssl(self):
        self.set_up()
        data = b"".join(counted(record(self.app, f"number {i}")) for i in range(1000))
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.syslog}", "-CAfile", self.authority.pem,
                        "-verify_return_error", "-quiet", "-no_ign_eof"], input=data, check=True, capture_output=True,
                       timeout=PATIENCE)
        self.settled(1000)
        self.assertEqual(self.shown(), [b"number %d" % i for i in range(1000)])

    def test_a_sender_that_never_reads_loses_nothing_when_it_closes(self):
        # A ticket that lies unread would turn its close into a reset, and cost what its kernel had still to send.
        self.set_up()
        rounds, each = 5, 20_000
        for n in range(rounds):
            connection = self.connect(self.syslog, self.context(ssl.TLSVersion.TLSv1_3))
            connection.sendall(b"".join(counted(record(self.app, b"%d-%d" % (n, i))) for i in range(each)))
            connection.close()
        self.settled(rounds * each)

    def test_the_end_takes_what_has_arrived_and_says_goodbye(self):
        self.set_up()
        connection = self.connect(self.syslog)
        idle = self.connect(self.https)
        connection.sendall(counted(record(self.app, "one")))
        self.settled(1)
        self.router.stop()
        self.assertEqual((connection.recv(1), idle.recv(1)), (b"", b""))  # a close_notify; without it an SSLEOFError

    # ---- certificates

    def test_certificates_are_read_again(self):
        self.set_up()
        https, syslog = self.connect(self.https), self.connect(self.syslog)
        self.assertEqual((self.common_name(https), self.common_name(syslog)), ("first", "first"))
        self.authority.sign("second", self.cert, self.key)
        self.assertEqual(self.reread(), "certificates read again")
        for port in (self.https, self.syslog):
            self.assertEqual(self.common_name(self.connect(port)), "second")
        # Those under way go on.
        syslog.sendall(counted(record(self.app, "still here")))
        https.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertTrue(https.recv(100).startswith(b"HTTP/1.1 200 "))
        self.settled(1)

    def test_bad_certificates_are_not_taken(self):
        self.set_up()
        key = self.key.read_bytes()
        self.authority.sign("second", self.cert, self.folder / "other.pem")
        self.assertEqual(self.reread(1), f"certificates kept: TAILRACE_TLS_KEY={self.key}: key values mismatch")
        self.cert.write_text("garbage")
        self.assertEqual(self.reread(2), f"certificates kept: TAILRACE_TLS_CERT={self.cert}: no start line")
        self.cert.unlink()
        self.assertEqual(self.reread(3), f"certificates kept: TAILRACE_TLS_CERT={self.cert}: No such file or directory")
        for port in (self.https, self.syslog):
            self.assertEqual(self.common_name(self.connect(port)), "first")
        for line in key.splitlines()[1:-1]:
            self.assertNotIn(line.decode(), self.router.log())

    def test_sighup_without_tls_changes_nothing(self):
        self.router = self.node()
        self.router.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "no certificates to read again" in self.router.log(), "a line in the log")
        self.assertEqual(self.router.api("GET", "/healthz").status, 200)

    def test_a_start_without_usable_files(self):
        self.set_up()
        flags = ["serve", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--syslog-listen", "off",
                 "--https-listen", "127.0.0.1:0"]
        self.assertEqual(run(*flags), (2, "", "tailrace: TAILRACE_TLS_CERT: TAILRACE_HTTPS_LISTEN needs it\n"))
        self.assertEqual(run(*flags, "--tls-cert", str(self.cert)),
                         (2, "", "tailrace: TAILRACE_TLS_KEY: TAILRACE_HTTPS_LISTEN needs it\n"))
        self.assertEqual(run(*flags, "--tls-cert", "/nonexistent", "--tls-key", str(self.key)),
                         (2, "", "tailrace: TAILRACE_TLS_CERT=/nonexistent: No such file or directory\n"))
        other = self.folder / "other.pem"
        self.authority.sign("other", self.folder / "unused.pem", other)
        self.assertEqual(run(*flags, "--tls-cert", str(self.cert), "--tls-key", str(other)),
                         (2, "", f"tailrace: TAILRACE_TLS_KEY={other}: key values mismatch\n"))

    def test_mutual(self):
        self.set_up(mutual=True)
        client = (self.folder / "client.pem", self.folder / "client.key")
        self.authority.sign("client", *client)
        stranger = (self.folder / "stranger.pem", self.folder / "stranger.key")
        self.other.sign("stranger", *stranger)
        frame = counted(record(self.app, "known"))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.say(frame, context=self.context(version, client))
            for bad in (None, stranger):
                with self.assertRaises(ssl.SSLError):
                    connection = self.connect(self.syslog, self.context(version, bad))
                    connection.sendall(frame)  # TLS 1.3 hears of it here
                    connection.recv(1)
        self.settled(2)
        self.assertEqual(self.handshakes("syslog"), {"full": 2, "no_certificate": 2, "bad_certificate": 2})
        done = subprocess.run(["curl", "-sS", "--cacert", self.authority.pem, "--cert", client[0], "--key", client[1],
                               f"https://localhost:{self.https}/healthz"], capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"ok\n"), done.stderr)
        done = subprocess.run(["curl", "-sS", "--cacert", self.authority.pem, f"https://localhost:{self.https}/healthz"],
                              capture_output=True, timeout=PATIENCE, check=False)
        self.assertNotEqual(done.returncode, 0)
        # Other authorities: who was good is so no longer, whatever ticket it holds.
        self.client_ca.write_bytes(self.other.pem.read_bytes())
        self.assertEqual(self.reread(), "certificates read again")
        with self.assertRaises(ssl.SSLError):
            self.connect(self.syslog, self.context(ssl.TLSVersion.TLSv1_2, client))
        self.say(frame, context=self.context(None, stranger))
        self.settled(3)

    def test_resumption(self):
        self.set_up()
        context = self.context(ssl.TLSVersion.TLSv1_3)
        first = self.connect(self.https, context)
        first.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertTrue(first.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertTrue(first.session.has_ticket)
        raw = socket.create_connection(("127.0.0.1", self.https), timeout=PATIENCE)
        second = context.wrap_socket(raw, server_hostname="localhost", session=first.session)
        self.addCleanup(second.close)
        self.assertTrue(second.session_reused)
        wait_until(lambda: self.handshakes("https") == {"full": 1, "resumed": 1}, lambda: self.handshakes("https"))

    # ---- peers that do it wrong

    def test_what_is_no_tls_ends_at_once(self):
        self.set_up()
        for port in (self.https, self.syslog):
            for data in (b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", counted(record(self.app, "in clear")), b"\xff" * 70_000):
                with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
                    plain.sendall(data)
                    heard = b""
                    try:
                        while piece := plain.recv(65536):
                            heard += piece
                    except ConnectionResetError:
                        pass
                    self.assertNotIn(b"HTTP", heard)
        for listener in ("https", "syslog"):
            wait_until(lambda: self.handshakes(listener) == {"protocol": 3}, lambda: self.handshakes(listener))
        self.settled(0)

    def test_old_versions_are_refused(self):
        self.set_up()
        for port in (self.https, self.syslog):
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_1", "-cipher",
                                   "DEFAULT:@SECLEVEL=0"], input=b"", capture_output=True, timeout=PATIENCE, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"alert protocol version", done.stderr)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old = self.context(ssl.TLSVersion.TLSv1_1)
            old.set_ciphers("DEFAULT:@SECLEVEL=0")
            with self.assertRaises(ssl.SSLError):
                self.connect(self.https, old)
        self.assertEqual((self.handshakes("https"), self.handshakes("syslog")), ({"protocol": 2}, {"protocol": 1}))

    def test_a_client_that_does_not_know_the_authority_is_counted(self):
        self.set_up()
        for port in (self.https, self.syslog):
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.connect(port, ssl.create_default_context(cafile=str(self.other.pem)))
        for listener in ("https", "syslog"):
            wait_until(lambda: self.handshakes(listener) == {"refused": 1}, lambda: self.handshakes(listener))

    def test_a_handshake_that_never_comes(self):
        self.set_up()
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
                   for port in (self.https, self.syslog, self.https, self.syslog)]
        for one in waiting[2:]:
            one.sendall(b"\x16\x03\x01\x02\x00\x01")  # begun
        self.say(counted(record(self.app, "others are served")))
        self.settled(1)
        for one in waiting:
            with one:
                self.assertEqual(one.recv(1), b"")
        self.assertEqual((self.handshakes("https"), self.handshakes("syslog")),
                         ({"deadline": 2}, {"full": 1, "deadline": 2}))

    def test_idle_connections_hold_little(self):
        self.set_up()
        context = self.context()
        for port in (self.https, self.syslog):
            self.connect(port, context)  # what the first one costs
        before, count = self.router.rss(), 400
        for i in range(count):
            self.connect((self.https, self.syslog)[i % 2], context)
        wait_until(lambda: sum(self.handshakes(l).get("full", 0) for l in ("https", "syslog")) == count + 2, "all handshakes")
        each = (self.router.rss() - before) / count
        if os.environ.get("TAILRACE_SHOW"):
            print(f"{each / 1024:.1f} KiB for each idle TLS connection")
        self.assertLess(each, (1000 if os.environ.get("TAILRACE_SANITIZED") else 64) << 10)


if __name__ == "__main__":
    unittest.main()
