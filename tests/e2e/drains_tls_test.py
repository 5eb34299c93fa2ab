"""Drains over TLS, syslog and HTTP: whom they trust, who they are, and what their owner hears when that goes wrong."""

import datetime
import pathlib
import re
import socket
import ssl
import tempfile
import threading
import unittest
import warnings

from certificates import Authority, self_signed
from harness import EndToEnd, HttpFarEnd, PATIENCE, SyslogFarEnd, counted, record, wait_until

RECORDS = 500
MICROS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


def secure(far_end, scheme, path=""):
    """A far end of this kind behind TLS, with `context` and `host` that a test sets."""
    class Secure(far_end):
        def __init__(self, context=None, host="localhost"):
            self.context, self.host = context, host
            self.names, self.subjects, self.refused = [], [], []
            super().__init__()

        @property
        def url(self):
            return f"{scheme}://{self.host}:{self.port}{path}"

        def serve(self, connection):
            connection.settimeout(PATIENCE)
            try:
                self.context.sni_callback = lambda _, name, __: self.names.append(name)
                secured = self.context.wrap_socket(connection, server_side=True)
            except (OSError, ssl.SSLError) as error:
                self.refused.append(str(error))
                return
            with self.lock:
                self._open.add(secured)  # which has taken the connection over
            certificate = secured.getpeercert()
            if certificate:
                self.subjects.append(dict(pair[0] for pair in certificate["subject"])["commonName"])
            with secured:
                super().serve(secured)

    return Secure


SecureSyslog = secure(SyslogFarEnd, "syslog+tls")
SecureHttp = secure(HttpFarEnd, "https", "/in")
KINDS = {"syslog+tls": SecureSyslog, "https": SecureHttp}


class DrainsTls(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="tailrace-drains-tls-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.authority = Authority(folder.name, "authority")
        cls.other = Authority(folder.name, "other")
        cls.authority.sign("good", *cls.files("good"))
        cls.authority.sign("expired", *cls.files("expired"), days=-1)
        cls.authority.sign("elsewhere", *cls.files("elsewhere"), alternative="DNS:elsewhere.example")
        cls.other.sign("unknown", *cls.files("unknown"))
        self_signed("alone", *cls.files("alone"))
        cls.authority.sign("client", *cls.files("client"))

    @classmethod
    def files(cls, name):
        return cls.folder / f"{name}.crt", cls.folder / f"{name}.key"

    @classmethod
    def text(cls, name):
        return cls.files(name)[0].read_text()

    @classmethod
    def key(cls, name):
        return cls.files(name)[1].read_text()

    def server(self, name, version=None, clients_of=None):
        """A context with this certificate; `clients_of`: the authority that clients must have theirs from."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.files(name))
        if version:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
        if clients_of:
            context.load_verify_locations(clients_of.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def set_up(self, *flags):
        """A node that trusts the authority, as it trusts the system's otherwise."""
        self.router = self.node("--channel-drains", "20", *flags, environment={"SSL_CERT_FILE": str(self.authority.pem)})
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.app = tokens["app"]
        self.tail_ = self.tail(self.router.session(self.channel, tail="1", num="1500"))

    def far(self, kind, *arguments, **options):
        far_end = KINDS[kind](*arguments, **options)
        self.addCleanup(far_end.stop)
        return far_end

    def send(self, first=0, past=RECORDS, size=0):
        self.router.send(counted(*[record(self.app, b"%d %s" % (i, b"x" * size)) for i in range(first, past)]))

    def numbers(self, far_end):
        return [int(message.split(b" ")[0]) for message in far_end.messages()]

    def health(self, drain):
        return self.router.good("GET", f"/v3/channels/{self.channel}/drains/{drain['id']}/health")

    def failing(self, drain, cause):
        wait_until(lambda: self.health(drain)["cause"] == cause, lambda: f"{cause}: {self.health(drain)}")

    def l14(self, far_end):
        """The reasons that the channel was told about this far end."""
        pattern = r'heroku\[logplex\]: Error L14 \(certificate validation\): error="([^"]*)" uri="%s"\n' % re.escape(far_end.url)
        return [reason.decode() for reason in re.findall(pattern.encode(), self.tail_.text())]

    def delivered(self, drain, far_end, count=RECORDS):
        self.router.wait_for_drain(self.channel, drain, accepted=count, delivered=count, buffered=0)
        self.assertEqual(self.numbers(far_end), list(range(count)))

    def test_good(self):
        self.set_up()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            far_ends = [self.far(kind, self.server("good", version), host) for kind in KINDS for host in ("localhost", "127.0.0.1")]
            drains = [self.router.drain(self.channel, far_end.url) for far_end in far_ends]
            self.send()
            for drain, far_end in zip(drains, far_ends):
                self.delivered(drain, far_end)
                self.assertEqual(set(far_end.names), {"localhost" if far_end.host == "localhost" else None})
                self.assertEqual((self.health(drain)["state"], far_end.refused), ("ok", []))
                self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")
        self.assertNotIn(b"heroku[logplex]", self.tail_.text())

    def test_bad_certificates(self):
        self.set_up()
        reasons = {"expired": "certificate has expired", "elsewhere": "host name mismatch", "alone": "self-signed certificate",
                   "unknown": "unable to get local issuer certificate"}
        cases = []
        for kind in KINDS:
            for name, reason in reasons.items():
                far_end = self.far(kind, self.server(name))
                cases.append((far_end, self.router.drain(self.channel, far_end.url), reason))
        self.send()
        for far_end, drain, reason in cases:
            with self.subTest(url=far_end.url, reason=reason):
                wait_until(lambda e=far_end: len(e.refused) >= 2, "a second try")
                self.failing(drain, f"tls: {reason}")
                self.tail_.wait_for(f"drain '{drain['token']}' failing since \\S+: tls: {reason}\n")
                self.assertEqual(self.l14(far_end), [reason])  # once, however often it is tried
                self.assertEqual(far_end.messages(), [])
                self.assertEqual(self.router.account(self.channel, drain)["delivered"], 0)
        for far_end, drain, reason in cases:
            far_end.context = self.server("unknown" if reason.startswith("cert") else "good")
        for far_end, drain, reason in cases:
            with self.subTest(url=far_end.url, reason=reason):
                if reason.startswith("cert"):  # another reason is told at once, and then it is repaired as well
                    wait_until(lambda e=far_end: len(self.l14(e)) == 2, "the other reason")
                    self.assertEqual(self.l14(far_end), [reason, reasons["unknown"]])
                    far_end.context = self.server("good")
                self.delivered(drain, far_end)
                self.tail_.wait_for(f"drain '{drain['token']}' recovered after \\S+: 0 dropped, {RECORDS} delivered late\n")

    def test_pinned(self):
        self.set_up()
        cases = []
        for kind in KINDS:
            for ca, name, reason in ((self.other.pem.read_text(), "unknown", None), (self.text("alone"), "alone", None),
                                     (self.other.pem.read_text() + self.text("alone"), "alone", None),
                                     (self.text("good"), "good", None),
                                     (self.text("good"), "unknown", "unable to get local issuer certificate"),
                                     (self.other.pem.read_text(), "good", "unable to get local issuer certificate"),
                                     (self.text("elsewhere"), "elsewhere", "host name mismatch")):
                far_end = self.far(kind, self.server(name))
                cases.append((far_end, self.router.drain(self.channel, far_end.url, tls_ca=ca), reason))
        self.send()
        for far_end, drain, reason in cases:
            with self.subTest(url=far_end.url, reason=reason):
                if not reason:
                    self.delivered(drain, far_end)
                    continue
                self.failing(drain, f"tls: {reason}")
                wait_until(lambda e=far_end: self.l14(e), "L14")
                self.assertEqual((self.l14(far_end), far_end.messages()), ([reason], []))

    def test_mutual(self):
        self.set_up()
        own = {"tls_cert": self.text("client"), "tls_key": self.key("client")}
        versions = {ssl.TLSVersion.TLSv1_2: r"s?sl\w* alert handshake failure|sslv3 alert bad certificate",
                    ssl.TLSVersion.TLSv1_3: "tlsv13 alert certificate required"}
        good, bad = [], []
        for kind in KINDS:
            for version, reason in versions.items():
                far_end = self.far(kind, self.server("good", version, clients_of=self.authority))
                good.append((far_end, self.router.drain(self.channel, far_end.url, **own)))
                far_end = self.far(kind, self.server("good", version, clients_of=self.authority))
                bad.append((far_end, self.router.drain(self.channel, far_end.url), reason))
                far_end = self.far(kind, self.server("good", version, clients_of=self.other))
                bad.append((far_end, self.router.drain(self.channel, far_end.url, **own), "tlsv1 alert unknown ca"))
        self.send()
        for far_end, drain in good:
            with self.subTest(url=far_end.url):
                self.delivered(drain, far_end)
                self.assertEqual(set(far_end.subjects), {"client"})
        for far_end, drain, reason in bad:
            with self.subTest(url=far_end.url, reason=reason):
                wait_until(lambda d=drain: self.health(d)["state"] == "failing", "failing")
                self.assertRegex(self.health(drain)["cause"], f"^tls: ({reason})$")
                # Nothing that a far end threw away counts as delivered.
                self.assertEqual((self.router.account(self.channel, drain)["delivered"], far_end.messages()), (0, []))
                if "certificate" in reason or "ca" in reason:
                    wait_until(lambda e=far_end: self.l14(e), "L14")
        self.check_no_secret(self.key("client").split("\n")[1].encode())

    def check_no_secret(self, *secrets):
        drains = self.router.api("GET", f"/v3/channels/{self.channel}/drains").body
        old = self.router.api("GET", f"/v2/channels/{self.channel}").body
        shown = [drains, old, self.router.api("GET", "/metrics", auth=None).body, self.router.log().encode(), self.tail_.text()]
        for drain in self.router.good("GET", f"/v3/channels/{self.channel}/drains")["drains"]:
            shown.append(self.router.api("GET", f"/v3/channels/{self.channel}/drains/{drain['id']}/health").body)
        for text in shown:
            for secret in secrets:
                self.assertNotIn(secret, text)

    def test_bad_texts_are_refused_at_creation(self):
        self.set_up()
        url = "syslog+tls://localhost:6514"
        for options, error in (({"tls_ca": "none"}, "tls_ca: "), ({"tls_ca": self.text("good")[:-60]}, "tls_ca: "),
                               ({"tls_cert": self.text("client")}, "tls_key: "), ({"tls_key": self.key("client")}, "tls_cert: "),
                               ({"tls_cert": self.text("client"), "tls_key": self.key("good")}, "tls_key: does not match tls_cert"),
                               ({"tls_cert": "none", "tls_key": self.key("client")}, "tls_cert: ")):
            answer = self.router.api("POST", f"/v2/channels/{self.channel}/drains", {"url": url, **options})
            self.assertEqual(answer.status, 422, answer)
            self.assertIn(error, answer.json()["error"])
            self.assertNotIn(self.key("client").split("\n")[1].encode(), answer.body)

    def test_too_old(self):
        self.set_up()
        context = self.server("good", ssl.TLSVersion.TLSv1_1)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        for kind in KINDS:
            far_end = self.far(kind, context)
            drain = self.router.drain(self.channel, far_end.url)
            self.send(0, 1)
            wait_until(lambda d=drain: self.health(d)["state"] == "failing", "failing")
            self.assertRegex(self.health(drain)["cause"], "^tls: .*protocol")
            self.assertEqual((self.l14(far_end), far_end.messages()), ([], []))

    def test_no_tls_at_all(self):
        self.set_up()
        for scheme, plain, cause in (("syslog+tls", HttpFarEnd, "tls: "), ("https", HttpFarEnd, "tls: ")):
            far_end = self.far_end(plain)
            drain = self.router.drain(self.channel, f"{scheme}://localhost:{far_end.port}")
            self.send(0, 1)
            wait_until(lambda d=drain: self.health(d)["state"] == "failing", "failing")
            self.assertTrue(self.health(drain)["cause"].startswith(cause))

    def test_stalled_handshake(self):
        self.set_up()
        steady = self.far_end(HttpFarEnd)
        good = self.router.drain(self.channel, steady.url)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        drains = [self.router.drain(self.channel, f"{kind}://localhost:{port}") for kind in KINDS]
        self.send()
        self.router.wait_for_drain(self.channel, good, delivered=RECORDS)
        for drain in drains:
            self.failing(drain, "tls: no handshake within 5s")
            account = self.router.account(self.channel, drain)
            self.assertEqual((account["delivered"], account["buffered"]), (0, RECORDS))
        self.assertNotIn(b"L14", self.tail_.text())

    def test_a_far_end_that_hangs_then_reads(self):
        """More than the kernels hold: everything arrives, whole and in order, whatever was cut where."""
        self.set_up("--channel-bytes", "64M")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            far_end = self.far("syslog+tls", self.server("good", version))
            drain = self.router.drain(self.channel, far_end.url)
            self.send(0, 1)
            far_end.wait_for(1)
            far_end.set_mode("hang")
            for first in range(1, 20_001, 2000):
                self.send(first, first + 2000, size=400)
            self.assertGreater(self.router.account(self.channel, drain)["buffered"], 1000)
            far_end.set_mode(200)
            self.delivered(drain, far_end, 20_001)
            self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")

    def test_a_far_end_that_hangs_is_told_since_it_did(self):
        self.set_up("--channel-bytes", "64M")
        far_end = self.far("syslog+tls", self.server("good"))
        drain = self.router.drain(self.channel, far_end.url)
        self.send(0, 1)
        far_end.wait_for(1)
        far_end.set_mode("hang")
        for first in range(1, 20_001, 2000):
            self.send(first, first + 2000, size=400)
        told = self.tail_.wait_for(
            f"({MICROS}) heroku\\[logplex\\]: drain '{drain['token']}' failing since ({MICROS}): no acknowledgement for 15s\n")
        found, since = (datetime.datetime.fromisoformat(time.decode()) for time in told.groups())
        self.assertGreaterEqual(found - since, datetime.timedelta(seconds=15))
        far_end.set_mode(200)
        self.router.wait_for_drain(self.channel, drain, delivered=20_001)
        self.tail_.wait_for(f"drain '{drain['token']}' recovered after \\S+: 0 dropped, \\d+ delivered late\n")
        self.assertEqual(self.tail_.text().count(b"failing since"), 1)

    def test_a_connection_that_breaks_comes_back_with_its_session(self):
        self.set_up("--channel-bytes", "64M")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.server("good", version)
            far_end = self.far("syslog+tls", context)
            drain = self.router.drain(self.channel, far_end.url)
            self.send(0, 1)
            far_end.wait_for(1)
            for i in range(1, 4):
                far_end.set_mode("refuse")
                far_end.set_mode(200)
                self.send(i, i + 1)
                wait_until(lambda e=far_end, n=i: n in self.numbers(e), "the next record")
            self.assertEqual(context.session_stats()["hits"], 3)
            self.assertEqual(sorted(set(self.numbers(far_end))), list(range(4)))
            self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")

    def test_the_end_is_said(self):
        """A drain that is removed says close_notify: the far end knows that nothing was cut off."""
        self.set_up()
        ends = []

        class Reader(SecureSyslog):
            def serve(self, connection):
                with self.context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as secured:
                    try:
                        while secured.recv(65536):
                            pass
                        ends.append("in order")
                    except ssl.SSLEOFError:
                        ends.append("cut off")

        far_end = Reader(self.server("good"))
        self.addCleanup(far_end.stop)
        drain = self.router.drain(self.channel, far_end.url)
        self.send()
        self.router.wait_for_drain(self.channel, drain, delivered=RECORDS)
        self.router.good("DELETE", f"/v2/channels/{self.channel}/drains/{drain['id']}")
        wait_until(lambda: ends, "an end")
        self.assertEqual(ends, ["in order"])


    # ---- POST …/test

    def report(self, drain):
        path = f"/v3/channels/{self.channel}/drains/{drain['id']}/test"
        answer = wait_until(lambda: (lambda a: a.status != 409 and a)(self.router.api("POST", path)), "leave to test")
        self.assertEqual(answer.status, 200, answer)
        report = answer.json()
        self.assertEqual(report["ok"], all(step["ok"] for step in report["steps"]))
        for step in report["steps"]:
            self.assertTrue(0 <= step["seconds"] < PATIENCE, report)
        return report, [(step["step"], step["ok"], step["outcome"]) for step in report["steps"]]

    def test_a_test_of_good_far_ends(self):
        self.set_up()
        for kind, far_end in ((kind, self.far(kind, self.server("good"))) for kind in KINDS):
            drain = self.router.drain(self.channel, far_end.url)
            report, steps = self.report(drain)
            self.assertEqual(steps[0][:2] + steps[1], ("resolve", True, "connect", True, f"127.0.0.1:{far_end.port}"))
            self.assertEqual(steps[2:], [("handshake", True, "TLSv1.3"), ("send", True, "answered 200" if kind == "https"
                                                                          else "acknowledged by TCP")])
            self.assertEqual(report.get("status"), 200 if kind == "https" else None)
            text = f"Test record of Tailrace for drain {drain['token']}".encode()
            self.assertEqual([message.rstrip(b"\n") for message in far_end.wait_for(1)], [text])
            self.assertIn(b" tailrace test - ", far_end.frames()[0])
            account = self.router.account(self.channel, drain)
            self.assertEqual({account[k] for k in ("accepted", "delivered", "buffered")}, {0})
            self.assertEqual(self.health(drain)["state"], "pending")
        http = next(r for r in far_end.requests)
        self.assertIn(b"Logplex-Msg-Count: 1\r\n", http.head)

    def test_a_test_says_where_it_ended(self):
        self.set_up()
        for kind in KINDS:
            expired = self.far(kind, self.server("expired"))
            mutual = self.far(kind, self.server("good", clients_of=self.authority))
            for far_end, last in ((expired, ("handshake", False, "certificate has expired")), (mutual, None)):
                drain = self.router.drain(self.channel, far_end.url)
                report, steps = self.report(drain)
                if last:
                    self.assertEqual(steps[-1], last)
                else:
                    self.assertRegex(steps[-1][2], "tlsv13 alert certificate required$")
                self.assertFalse(report["ok"])
            far_end = self.far(kind, self.server("good"))
            far_end.set_mode("refuse")
            drain = self.router.drain(self.channel, far_end.url)
            self.assertEqual(self.report(drain)[1][-1],
                             ("connect", False, f"connection refused (127.0.0.1:{far_end.port})"))
        self.assertEqual(self.l14(expired), [])  # its owner asked, and was answered

    def test_a_test_of_http_shows_no_body(self):
        self.set_up()
        far_end = self.far("https", self.server("good"))
        far_end.answer = b"HTTP/1.1 403 Secret words\r\nContent-Length: 6\r\n\r\nhush-h"
        drain = self.router.drain(self.channel, far_end.url)
        report, steps = self.report(drain)
        self.assertEqual((report["ok"], report["status"], steps[-1]), (False, 403, ("send", False, "answered 403")))
        self.assertNotRegex(str(report), "hush|Secret")

    def test_one_test_at_a_time(self):
        self.set_up()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        url = f"syslog+tls://localhost:{listener.getsockname()[1]}"
        drain, path = self.router.drain(self.channel, url), f"/v3/channels/{self.channel}/drains/"
        answers = []
        first = threading.Thread(target=lambda: answers.append(self.router.api("POST", f"{path}{drain['id']}/test")))
        first.start()
        connection = listener.accept()[0]
        self.addCleanup(connection.close)
        self.assertEqual(self.router.api("POST", f"{path}{drain['id']}/test").status, 409)
        first.join(PATIENCE)
        self.assertEqual(answers[0].json()["steps"][-1]["outcome"], "no handshake within 5s")
        self.assertEqual(self.router.api("POST", f"{path}{drain['id']}/test").status, 409)  # within the same second
        self.assertEqual(self.router.api("POST", f"{path}999/test").status, 404)

    # ---- POST …/drains/test: before there is a drain

    def try_out(self, url, **options):
        path, body = f"/v3/channels/{self.channel}/drains/test", {"url": url, **options}
        answer = wait_until(lambda: (lambda a: a.status != 409 and a)(self.router.api("POST", path, body)), "leave to test")
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def test_a_far_end_is_tried_before_there_is_a_drain(self):
        self.set_up()
        for kind in KINDS:
            far_end = self.far(kind, self.server("unknown"))
            report = self.try_out(far_end.url)
            self.assertEqual([(s["step"], s["ok"]) for s in report["steps"]], [("resolve", True), ("connect", True), ("handshake", False)])
            self.assertFalse(report["ok"])
            report = self.try_out(far_end.url, tls_ca=self.other.pem.read_text(), since="oldest")  # options hold
            self.assertEqual((report["ok"], report.get("status")), (True, 200 if kind == "https" else None))
            self.assertEqual([m.rstrip(b"\n") for m in far_end.wait_for(1)],
                             [b"Test record of Tailrace for drain d.00000000-0000-0000-0000-000000000000"])
        self.assertEqual(self.router.good("GET", f"/v3/channels/{self.channel}/drains"), {"drains": []})
        channels = {c["channel"]: c for c in self.router.good("GET", "/v3/ledger")["channels"]}
        self.assertEqual((channels[self.channel]["accepted"], channels[self.channel]["drains"]), (0, []))

    def test_what_could_not_be_added_is_not_tried(self):
        self.set_up()
        path = f"/v3/channels/{self.channel}/drains"
        for body in ({}, {"url": "ftp://h/"}, {"url": "http://10.1.2.3/"}, {"url": "https://h/", "filter": "status>="},
                     {"url": "syslog://h", "gzip": True}, {"url": "https://h/", "since": "soon"}, {"url": 7}):
            with self.subTest(body=body):
                tried = self.router.api("POST", f"{path}/test", body)
                self.assertEqual(tried.status, 422, tried)
                if body:  # without a URL a drain is reserved; there is nothing to try
                    self.assertEqual(tried.json(), self.router.api("POST", path, body).json())
        self.assertEqual(self.router.api("POST", "/v3/channels/no-such/drains/test", {"url": "https://h/"}).status, 404)
        self.router.good("POST", "/v3/credentials", {"id": "reader", "password": "long enough to be one", "permissions": [f"read:{self.channel}"]})
        self.assertEqual(self.router.api("POST", f"{path}/test", {"url": "https://h/"}, "reader:long enough to be one").status, 403)

    def test_one_trial_of_a_channel_at_a_time(self):
        self.set_up()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        body = {"url": f"syslog+tls://localhost:{listener.getsockname()[1]}"}
        path, other = f"/v3/channels/{self.channel}/drains/test", self.router.channel("other")[0]
        answers = []
        first = threading.Thread(target=lambda: answers.append(self.router.api("POST", path, body)))
        first.start()
        connection = listener.accept()[0]
        self.addCleanup(connection.close)
        self.assertEqual(self.router.api("POST", path, body).status, 409)
        far_end = self.far("https", self.server("good"))
        self.assertTrue(self.router.good("POST", f"/v3/channels/{other}/drains/test", {"url": far_end.url})["ok"])  # another's turn
        first.join(PATIENCE)
        self.assertEqual(answers[0].json()["steps"][-1]["outcome"], "no handshake within 5s")


if __name__ == "__main__":
    unittest.main()
