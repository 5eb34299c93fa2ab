"""Known senders, each with the configuration of docs/senders.md as it stands there: what it sends is accepted or counted, and
shows as that page says. Programs that cannot be had speak by their bytes."""

import base64
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

from harness import TIME, counted, free_port, record, wait_until
from peers import NO_PEERS, PEERS, ROOT, PeerCase

TOKEN = "t.8d3fd2f0-5bd2-4a4c-9d0b-6a1f0c0d7e11"
HEROKU = "t.0a0a0a0a-0000-4000-8000-000000000000"
PAGE = (ROOT / "docs" / "senders.md").read_text(encoding="utf-8")


def block(name):
    """The block of the page whose fence says `LANGUAGE name`."""
    found = re.findall(rf"^```\w+ {re.escape(name)}\n(.*?)^```$", PAGE, re.M | re.S)
    if len(found) != 1:
        raise AssertionError(f"{len(found)} blocks {name} in the page")
    return found[0]


def expected(name):
    """What the page says arrives: one pattern per record, with times, PIDs and ports left open."""
    records = re.split(r"^(?=\d{4}-\d\d-\d\dT)", block(name + "-arrives"), flags=re.M)[1:]
    patterns = []
    for text in records:
        pattern = re.escape(text.rstrip("\n"))
        pattern = re.sub(r"^2026\\-11\\-21T08:00:00(\\\.(\d+))?(Z|\\\+00:00)",
                         lambda m: r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d" + (rf"\.\d{{{len(m[2])}}}" if m[2] else "") + m[3], pattern)
        pattern = pattern.replace("4711", r"\d+").replace("127\\.0\\.0\\.1:40000", r"127\.0\.0\.1:\d+")
        pattern = re.sub(r"\\\[21/Nov/2026:08:00:00(\\\.000|\\ \\\+0000)\\\]", r"\\[[^]]+\\]", pattern)
        patterns.append(pattern.encode())
    return patterns


def has(program):
    return unittest.skipUnless((PEERS / program).exists(), f"{program}: {NO_PEERS}")


class Senders(PeerCase):
    def setUp(self):
        super().setUp()
        both = f"127.0.0.1:0,127.0.0.1:0?token={TOKEN}"
        self.router = self.node("--syslog-udp-listen", both, syslog=both)
        self.channel, _ = self.router.channel("shop", [])
        self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "app", "token": TOKEN})
        self.udp_ports = [port for _, port in self.router.udp(2)]

    def settings(self, name):
        """A block with this machine's address and ports."""
        text = block(name).replace("logs.example.com", "127.0.0.1")
        for documented, real in ((8601, self.router.public), (8001, self.router.admin), (6001, self.router.syslog_ports[0]),
                                 (6002, self.router.syslog_ports[1]), (5514, self.udp_ports[0]), (5515, self.udp_ports[1])):
            text = re.sub(rf"\b{documented}\b", str(real), text)
        return text

    def shell(self, name, programs=None):
        """A block run by a shell; `programs` are what its words stand for here."""
        functions = "".join(f"{word}() {{ {what}\n}}\n" for word, what in (programs or {}).items())
        environment = {**os.environ, "PATH": f"{PEERS}:{os.environ['PATH']}", "LC_ALL": "C", "TOKEN": TOKEN}
        script = functions.replace("my-program", "my_program") + self.settings(name).replace("my-program", "my_program")
        return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, timeout=60, check=True).stdout

    def records(self):
        """The channel's history, a record each, however many lines it has."""
        history = self.router.history(self.channel)
        return [text.removesuffix(b"\n") for text in re.split(rb"^(?=\d{4}-\d\d-\d\dT\d\d:)", history, flags=re.M)[1:]]

    def arrives(self, name, protocol, accepted=None, **rejected):
        """Everything that was sent is counted, and the records are the ones that the page shows."""
        patterns = expected(name)
        accepted = len(patterns) if accepted is None else accepted

        def counts():
            return self.router.accepted(protocol), self.router.rejected(protocol)
        wait_until(lambda: counts() == (accepted, rejected),
                   lambda: f"{accepted} and {rejected}; it is {counts()}; {self.records()[:3]}")
        if protocol == "udp":
            self.assertEqual(self.router.metric("tailrace_ingest_kernel_drops_total"), 0)
        shown = self.records()
        self.assertEqual(len(shown), accepted, shown[:5])
        for pattern, text in zip(patterns, shown):
            self.assertRegex(text, re.compile(pattern + rb"\Z", re.S))
        self.no_token_shows()

    def no_token_shows(self):
        url = self.router.session(self.channel, num="1500")
        answer = self.router.api("GET", url[url.index("/sessions"):], auth=None, headers={"Accept": "application/x-ndjson"})
        self.assertNotIn(TOKEN.encode(), answer.body)

    # ---- logger

    def test_the_channel_as_the_page_makes_it(self):
        router = self.node()
        text = block("channel").replace("logs.example.com:8001", f"127.0.0.1:{router.admin}")
        done = subprocess.run(["bash", "-ec", text], env={**os.environ, "TAILRACE_AUTH": "local:password"}, capture_output=True,
                              timeout=60, check=True)
        self.assertIn(f'"token":"{TOKEN}"'.encode(), done.stdout)

    def test_logger(self):
        self.shell("logger-octet")
        self.arrives("logger-octet", "tcp")

    def test_logger_with_a_pipe(self):
        self.shell("logger-pipe", {"my-program": "echo first line; echo second line"})
        self.arrives("logger-pipe", "tcp")

    def test_logger_with_structured_data(self):
        self.shell("logger-sd")
        self.arrives("logger-sd", "tcp")

    def test_logger_in_the_old_style(self):
        self.shell("logger-old")
        self.arrives("logger-old", "tcp")

    def test_logger_over_udp(self):
        for name in ("logger-udp", "logger-udp-listener"):
            with self.subTest(name):
                self.setUp()
                self.shell(name)
                self.arrives(name, "udp")

    def test_logger_keeps_long_lines_whole(self):
        self.shell("logger-pipe", {"my-program": "printf '%05000d\\n' 0"})
        wait_until(lambda: self.router.accepted("tcp") == 1, self.router.metrics)
        self.assertEqual([r.split(b": ", 1)[1] for r in self.records()], [b"0" * 5000])

    # ---- rsyslog

    def feed(self, port, *messages, procid="4711"):
        """Records of a program to a syslog daemon."""
        with socket.create_connection(("127.0.0.1", port)) as out:
            out.sendall(counted(*[record("program", m, procid=procid, host="elsewhere") for m in messages or ["message"]]))

    def rsyslog_with(self, name):
        port = free_port()
        self.rsyslog(port, self.settings(name))
        return port

    @has("rsyslogd")
    def test_rsyslog(self):
        for name in ("rsyslog-octet", "rsyslog-sd"):
            with self.subTest(name):
                self.setUp()
                self.feed(self.rsyslog_with(name))
                self.arrives(name, "tcp")

    @has("rsyslogd")
    def test_rsyslog_to_a_listener_with_a_token(self):
        for name, protocol, form in (("rsyslog-listener", "tcp", "rsyslog-sd"), ("rsyslog-udp", "udp", "rsyslog-sd"),
                                     ("rsyslog-default", "tcp", "rsyslog-default")):
            with self.subTest(name):
                self.setUp()
                self.feed(self.rsyslog_with(name), *(["message"] * 100))
                self.arrives(form, protocol, accepted=100)

    # ---- syslog-ng

    def syslog_ng_with(self, name):
        port = free_port()
        self.syslog_ng(port, self.settings(name).replace("source(s_src)", "source(in)"))
        return port

    @has("syslog-ng")
    def test_syslog_ng(self):
        for name in ("syslog-ng-syslog", "syslog-ng-sd"):
            with self.subTest(name):
                self.setUp()
                self.feed(self.syslog_ng_with(name))
                self.arrives(name, "tcp")

    @has("syslog-ng")
    def test_syslog_ng_to_a_listener_with_a_token(self):
        for name, protocol in (("syslog-ng-network", "tcp"), ("syslog-ng-network-old", "tcp"), ("syslog-ng-udp", "udp")):
            with self.subTest(name):
                self.setUp()
                self.feed(self.syslog_ng_with(name), *(["message"] * 100))
                self.arrives("syslog-ng-sd", protocol, accepted=100)

    @has("syslog-ng")
    def test_syslog_ng_over_http(self):
        self.feed(self.syslog_ng_with("syslog-ng-http"), *(["message"] * 250))
        self.arrives("syslog-ng-sd", "http", accepted=250)

    # ---- TLS

    def secure(self):
        """A router with TLS listeners, and the file of the authority that signed its certificate."""
        authority = self.folder / "authority.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", self.folder / "key.pem", "-out", authority], check=True, capture_output=True)
        self.router = self.node("--tls-cert", authority, "--tls-key", self.folder / "key.pem", "--https-listen", "127.0.0.1:0",
                                "--syslog-tls-listen", f"127.0.0.1:0,127.0.0.1:0?token={TOKEN}")
        self.channel, _ = self.router.channel("shop", [])
        self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "app", "token": TOKEN})
        ports = wait_until(lambda: (p := re.findall(r'msg="syslog over TLS" address=127\.0\.0\.1:(\d+)', self.router.log()))[1:]
                           and p, "TLS listeners")

        def settings(name):
            text = block(name).replace("logs.example.com", "localhost").replace("/etc/ssl/certs/ca-certificates.crt", str(authority))
            return text.replace("6514", ports[0]).replace("6515", ports[1])
        return settings

    @has("rsyslogd")
    def test_rsyslog_over_tls(self):
        settings, port = self.secure(), free_port()
        self.rsyslog(port, settings("rsyslog-tls"))
        self.feed(port, *(["message"] * 100))
        self.arrives("rsyslog-sd", "tls", accepted=100)

    @has("syslog-ng")
    def test_syslog_ng_over_tls(self):
        settings, port = self.secure(), free_port()
        self.syslog_ng(port, settings("syslog-ng-tls").replace("source(s_src)", "source(in)"))
        self.feed(port, *(["message"] * 100))
        self.arrives("syslog-ng-sd", "tls", accepted=100)

    # ---- the journal

    @has("rsyslogd")
    def test_journald_by_way_of_rsyslog(self):
        socket_path = self.folder / "syslog"
        path = self.write("rsyslog.conf", f"""
global(workDirectory="{self.folder}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{socket_path}")
{self.settings("journald-rsyslog")}
""")
        self.start("rsyslogd", "-n", "-f", path, "-i", self.folder / "rsyslog.pid", ready=socket_path.exists)
        # What journald forwards: RFC 3164 without a host, one datagram a line.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            stamp = time.strftime("%b %e %H:%M:%S")
            out.sendto(f"<38>{stamp} sshd[4711]: Server listening on :: port 22.".encode(), str(socket_path))
        self.arrives("journald-rsyslog", "tcp")

    # ---- programs that speak syslog themselves

    def test_docker(self):
        # As its driver writes rfc5424micro over TCP: the tag is APP-NAME and MSGID, and a newline ends the record.
        with socket.create_connection(("127.0.0.1", self.router.syslog)) as out:
            out.sendall(f"<30>1 2026-11-21T08:00:00.123456Z machine {TOKEN} 4711 {TOKEN} - hello\n".encode())
        self.arrives("docker", "tcp")

    def python(self, name):
        text = self.settings(name)
        subprocess.run([sys.executable, "-c", text], capture_output=True, timeout=60, check=True)

    def test_python_over_udp(self):
        self.python("python-udp")
        self.arrives("python-udp", "udp")

    def test_python_over_tcp(self):
        self.python("python-tcp")
        self.arrives("python-tcp", "tcp")

    def test_python_as_it_comes(self):
        script = """
import logging, logging.handlers, socket, sys
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
logging.getLogger().addHandler(logging.handlers.SysLogHandler(address=("127.0.0.1", int(sys.argv[2])), socktype=kind))
for i in range(3): logging.error("number %d", i)
"""
        def run(kind, port):
            subprocess.run([sys.executable, "-c", script, kind, str(port)], timeout=60, check=True)
        run("udp", self.udp_ports[1])
        wait_until(lambda: self.router.accepted("udp") == 3, "three datagrams")
        self.assertEqual([r.split(b" ", 1)[1] for r in self.records()], [b"app[-]: <11>number %d" % i for i in range(3)])
        # Nothing ends a record: the connection is one that never became whole, and is counted.
        run("tcp", self.router.syslog_ports[1])
        wait_until(lambda: self.router.rejected("tcp") == {"truncated": 1}, self.router.metrics)
        self.assertEqual(self.router.accepted("tcp"), 0)

    @has("nginx")
    def test_nginx(self):
        port = free_port()
        path = self.write("nginx.conf", f"""
daemon off; master_process off; pid {self.folder}/nginx.pid;
events {{}}
http {{
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy; fastcgi_temp_path {self.folder}/fastcgi;
  uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  {self.settings("nginx")}
  server {{ listen 127.0.0.1:{port}; root {self.folder}/nothing; }}
}}
""")
        self.start("nginx", "-p", self.folder, "-c", path, "-e", "stderr", port=port, environment={"TZ": "UTC"})
        answer = self.router.api("GET", "/missing", auth=None, port=port, headers={"User-Agent": "curl"})
        self.assertEqual(answer.status, 404)
        # One line of the access log and one of the error log.
        wait_until(lambda: self.router.accepted("udp") == 2, lambda: f"two lines; {self.records()}")
        self.assertEqual(self.router.rejected("udp"), {})
        access = [r for r in self.records() if b"GET /missing HTTP/1.1\" 404" in r]
        self.assertRegex(access[0], re.compile(expected("nginx")[0] + rb"\Z"))
        self.no_token_shows()

    @has("haproxy")
    def test_haproxy(self):
        for name, protocol in (("haproxy-udp", "udp"), ("haproxy-tcp", "tcp")):
            with self.subTest(name):
                self.setUp()
                port = free_port()
                path = self.write("haproxy.cfg", self.settings(name) + f"""
    timeout client 10s
    timeout connect 10s
    timeout server 10s
frontend web
    bind 127.0.0.1:{port}
""")
                self.start("haproxy", "-db", "-f", path, port=port)
                before = self.router.accepted(protocol)
                self.assertEqual(self.router.api("GET", "/cart", auth=None, port=port).status, 503)
                wait_until(lambda: any(b"GET /cart" in r for r in self.records()), lambda: f"a line; {self.records()}")
                line = next(r for r in self.records() if b"GET /cart" in r)
                self.assertRegex(line, re.compile(expected("haproxy")[0] + rb"\Z"))
                self.assertEqual(self.router.rejected(protocol), {})
                self.assertGreater(self.router.accepted(protocol), before)
                self.no_token_shows()

    # ---- HTTP

    def test_curl(self):
        for name in ("curl-logplex", "curl-text", "curl-ndjson", "curl-gzip"):
            with self.subTest(name):
                self.setUp()
                answer = self.shell(name)
                self.assertRegex(answer, rb"^HTTP/1\.1 204 ")
                self.arrives(name, "http")

    def posted(self, body, headers, port=None):
        """A request by its bytes; the whole answer."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        with socket.create_connection(("127.0.0.1", port or self.router.public), timeout=60) as out:
            out.sendall(f"POST /logs HTTP/1.1\r\n{head}\r\n".encode() + body)
            return out.recv(65536)

    AUTHORIZATION = ("Authorization", "Basic " + base64.b64encode(f"token:{TOKEN}".encode()).decode())

    HEROKU_FRAMES = [
        b"<40>1 2012-11-30T06:45:26+00:00 host heroku web.3 - Starting process with command "
        b"`bundle exec rackup config.ru -p 24405`\n",
        b"<40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed from starting to up\n",
        b"<158>1 2026-11-21T08:00:00.000000+00:00 host heroku router - at=info method=GET path=\"/\" host=shop.example.com "
        b"request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd=\"204.204.204.204\" dyno=web.1 connect=1ms service=18ms status=200 "
        b"bytes=13 protocol=https\n"]

    def heroku_headers(self, body, count):
        return [("Host", "logs.example.com"), self.AUTHORIZATION, ("Content-Type", "application/logplex-1"),
                ("Logplex-Msg-Count", str(count)), ("Logplex-Frame-Id", "09C557EAFCFB6CF2740EE62F62971098"),
                ("Logplex-Drain-Token", "d.fc6b856b-3332-4546-93de-7d0ee272c3bd"), ("User-Agent", "Logplex/v72"),
                ("Content-Length", str(len(body)))]

    def test_heroku(self):
        body = counted(*self.HEROKU_FRAMES)
        for again in (False, True):  # a request that was answered and is sent again is taken once
            answer = self.posted(body, self.heroku_headers(body, 3))
            self.assertRegex(answer, rb"^HTTP/1\.1 204 ")
            self.assertIn(b"\r\nTailrace-Accepted: 3\r\n", answer)
        self.arrives("heroku", "http")
        self.assertEqual(self.router.metric("tailrace_router_requests_total", channel=self.channel, status="200"), 1)
        self.assertEqual(self.router.metric("tailrace_ingest_count_mismatches_total"), 0)

    def test_heroku_without_its_headers(self):
        body = counted(*self.HEROKU_FRAMES)
        headers = [h for h in self.heroku_headers(body, 3) if not h[0].startswith("Logplex-")]
        self.assertRegex(self.posted(body, headers), rb"^HTTP/1\.1 204 ")
        self.arrives("heroku", "http")

    def test_add_ons_of_heroku(self):
        # Their frames have no newline, so one begins right behind the other.
        frames = [b"<134>1 2026-11-21T08:00:00+00:00 host app heroku-postgres - source=HEROKU_POSTGRESQL_VIOLET addon=postgresql-x-1 "
                  b"sample#current_transaction=1873 sample#db_size=26219348792bytes sample#load-avg-1m=1.42",
                  b"<134>1 2026-11-21T08:00:00+00:00 host app heroku-redis - source=REDIS addon=redis-x-1 "
                  b"sample#active-connections=1 sample#memory-total=15405636.0kB sample#hit-rate=0.99"]
        body = counted(*frames * 50)
        self.assertRegex(self.posted(body, self.heroku_headers(body, 100)), rb"^HTTP/1\.1 204 ")
        wait_until(lambda: self.router.accepted("http") == 100, self.router.metrics)
        self.assertEqual(self.router.rejected("http"), {})
        self.assertEqual([r.split(b" ", 2)[1] for r in self.records()[:2]], [b"app[heroku-postgres]:", b"app[heroku-redis]:"])

    def test_log_shuttle(self):
        lines = [b"first line\n", b"second line\n"]
        frames = [counted(b"<190>1 2026-11-21T00:51:59.207630+00:00 shuttle token web.1 - - " + line) for line in lines]
        headers = [("Host", "127.0.0.1:9101"), ("User-Agent", "log-shuttle/0.22.0-4d516d9 (go1.19.8; linux; amd64; gc)"),
                   ("Transfer-Encoding", "chunked"), self.AUTHORIZATION, ("Content-Type", "application/logplex-1"),
                   ("Logplex-Msg-Count", "2"), ("X-Request-Id", "14d43658-2254-459f-be94-85ca8474bfe5"),
                   ("Accept-Encoding", "gzip")]
        body = b"".join(b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames) + b"0\r\n\r\n"
        for again in (False, True):
            self.assertRegex(self.posted(body, headers), rb"^HTTP/1\.1 204 ")
        self.arrives("log-shuttle", "http")

    def test_log_shuttle_compressed(self):
        frames = counted(*[b"<190>1 2026-11-21T00:51:59.207630+00:00 shuttle token web.1 - - " + line
                           for line in (b"first line\n", b"second line\n")])
        packed = gzip.compress(frames)
        headers = [("Host", "127.0.0.1:9101"), ("Transfer-Encoding", "chunked"), self.AUTHORIZATION,
                   ("Content-Type", "application/logplex-1"), ("Content-Encoding", "gzip"), ("Logplex-Msg-Count", "2"),
                   ("X-Request-Id", "24d43658-2254-459f-be94-85ca8474bfe5")]
        body = b"".join(b"1\r\n%c\r\n" % byte for byte in packed) + b"0\r\n\r\n"
        self.assertRegex(self.posted(body, headers), rb"^HTTP/1\.1 204 ")
        self.arrives("log-shuttle", "http")

    def test_lpxgen(self):
        # Its Logplex-Msg-Count is the character with the number of the count: `(` for 40. APP-NAME is a token, PROCID no dyno.
        frames = [record(TOKEN, f"source=web.{i} dyno=heroku.1 sample#memory_total=21.00MB", procid="dynomem", pri=150)
                  for i in range(40)]
        body = counted(*frames)
        headers = [("Host", "x"), self.AUTHORIZATION, ("Content-Type", "application/logplex-1"), ("Logplex-Msg-Count", "("),
                   ("Logplex-Frame-Id", "0123456789abcdef0123456789abcdef"),
                   ("Logplex-Drain-Token", "d.fc6b856b-3332-4546-93de-7d0ee272c3bd"), ("Content-Length", str(len(body)))]
        self.assertRegex(self.posted(body, headers), rb"^HTTP/1\.1 204 ")
        wait_until(lambda: self.router.accepted("http") == 40, self.router.metrics)
        self.assertEqual(self.router.rejected("http"), {})
        self.assertEqual(self.records()[0].split(b" ", 2)[:2], [TIME.encode(), b"app[dynomem]:"])
        self.no_token_shows()

    def test_vector(self):
        event = {"host": "machine", "message": "hello from Vector", "source_type": "stdin",
                 "timestamp": "2026-11-21T08:00:00.123456Z", "time": "2026-11-21T08:00:00.123456Z"}
        body = gzip.compress(json.dumps(event).encode() + b"\n")
        headers = [("Content-Type", "application/x-ndjson"), ("Content-Encoding", "gzip"), self.AUTHORIZATION,
                   ("User-Agent", "Vector/0.49.0"), ("Accept-Encoding", "identity"), ("Host", "logs.example.com:8601"),
                   ("Content-Length", str(len(body)))]
        self.assertRegex(self.posted(body, headers), rb"^HTTP/1\.1 204 ")
        self.arrives("vector", "http")

    def test_fluent_bit(self):
        body = gzip.compress(b'{"time":"2026-11-21T08:00:00.123456Z","message":"hello from Fluent Bit","stream":"stdout"}\n')
        headers = [("Host", "logs.example.com:8601"), ("Content-Length", str(len(body))), ("Content-Type", "application/x-ndjson"),
                   ("Content-Encoding", "gzip"), self.AUTHORIZATION, ("User-Agent", "Fluent-Bit")]
        self.assertRegex(self.posted(body, headers), rb"^HTTP/1\.1 204 ")
        with socket.create_connection(("127.0.0.1", self.router.syslog)) as out:
            out.sendall(f"<14>1 2026-11-21T08:00:00.123456Z - {TOKEN} - - - \ufeffhello from Fluent Bit\n".encode())
        wait_until(lambda: (self.router.accepted("http"), self.router.accepted("tcp")) == (1, 1), self.router.metrics)
        self.assertEqual((self.router.rejected("http"), self.router.rejected("tcp")), ({}, {}))
        for pattern, text in zip(expected("fluent-bit"), self.records(), strict=True):
            self.assertRegex(text, re.compile(pattern + rb"\Z"))


if __name__ == "__main__":
    unittest.main()
