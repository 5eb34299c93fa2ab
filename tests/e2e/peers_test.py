"""The path with programs that nobody here wrote: logger, rsyslog, syslog-ng, Prometheus and promtool."""

import json
import re
import shutil
import socket
import subprocess
import unittest
import urllib.parse

from certificates import Authority
from harness import HttpFarEnd, counted, free_port, record, run, wait_until
from peers import NO_PEERS, PEERS, PeerCase

LISTENER_TOKEN = "t.0a0a0a0a-0000-4000-8000-000000000000"
TOTAL = 2000


@unittest.skipUnless(PEERS.is_dir(), NO_PEERS)
class Peers(PeerCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder, "authority")
        self.authority.sign("router", self.folder / "cert.pem", self.folder / "key.pem")
        self.router = self.node("--syslog-tls-listen", "127.0.0.1:0", "--tls-cert", str(self.folder / "cert.pem"), "--tls-key",
                                str(self.folder / "key.pem"), syslog=f"127.0.0.1:0,127.0.0.1:0?token={LISTENER_TOKEN}")
        self.tls_port = int(wait_until(lambda: re.search(r'"syslog over TLS" address=127\.0\.0\.1:(\d+)', self.router.log()),
                                       "the TLS listener in the log")[1])
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]
        self.router.good("POST", f"/v2/channels/{self.channel}/tokens", {"name": "console", "token": LISTENER_TOKEN})

    def feed(self, port):
        """TOTAL numbered records to a peer."""
        with socket.create_connection(("127.0.0.1", port)) as out:
            out.sendall(counted(*[record("program", f"number {i}", procid="77", host="elsewhere") for i in range(TOTAL)]))

    def all_came(self, app, procid, protocol="tcp"):
        """Every record of the feed came, once and in order, under this name."""
        wait_until(lambda: self.router.accepted(protocol) >= TOTAL,
                   lambda: f"{TOTAL} records; {self.router.accepted(protocol)} came, {self.router.rejected(protocol)} did not")
        lines = [line.split(b" ", 1)[1] for line in self.router.history(self.channel, num=TOTAL).splitlines()]
        self.assertEqual(lines[-1500:], [b"%s[%s]: number %d" % (app, procid, i) for i in range(TOTAL - 1500, TOTAL)])
        self.assertEqual((self.router.accepted(protocol), self.router.rejected(protocol)), (TOTAL, {}))

    def drained(self, path, drain):
        """What a drain's far end wrote into a file: exactly what the ledger says was delivered."""
        self.router.send(counted(*[record(self.app, f"number {i}") for i in range(TOTAL)]))
        self.router.wait_for_drain(self.channel, drain, accepted=TOTAL, delivered=TOTAL)

        def lines():
            return path.read_text().splitlines() if path.exists() else []
        wait_until(lambda: len(lines()) >= TOTAL, lambda: f"{TOTAL} lines in the file; it has {len(lines())}: {lines()[:2]}")
        self.assertEqual(lines(), [f"{drain['token']} app web.1 number {i}" for i in range(TOTAL)])

    # ---- logger

    def logger(self, *arguments, port=None, feed=None):
        program = PEERS / "logger" if (PEERS / "logger").exists() else shutil.which("logger")
        subprocess.run([program, "-T", "-n", "127.0.0.1", "-P", str(port or self.router.syslog), *arguments], check=True,
                       input=feed, timeout=60)

    def test_logger(self):
        self.logger("--rfc5424", "--octet-count", "-t", self.app, "--id=11", "hello from logger")
        self.logger("--rfc5424", "-t", self.app, "--id=11", "framed by newlines")
        self.logger("--rfc5424", "--octet-count", "-t", self.app, "--id=7", "--msgid", "ID", "--sd-id", "a@1", "--sd-param",
                    'b="c d"', "-p", "local0.err", "with data")
        self.logger("--rfc5424", "--octet-count", "-t", self.app, "--id=7", feed=b"".join(b"line %d\n" % i for i in range(200)))
        wait_until(lambda: self.router.accepted("tcp") == 203, lambda: f"203 records; {self.router.metrics()}")
        self.assertEqual(self.router.rejected("tcp"), {})
        lines = [line.split(b" ", 1)[1] for line in self.router.history(self.channel).splitlines()]
        self.assertEqual([line.split(b": ", 1)[1] for line in lines],
                         [b"hello from logger", b"framed by newlines", b"with data"] + [b"line %d" % i for i in range(200)])
        self.assertTrue(all(line.startswith(b"app[") for line in lines), lines[:3])

    def test_logger_through_a_listener_with_a_token(self):
        port = self.router.syslog_ports[1]
        self.logger("--rfc5424", "--octet-count", "-t", "cron", "--id=42", "new style", port=port)
        self.logger("--rfc3164", "-t", "cron", "old style", port=port)
        wait_until(lambda: self.router.accepted("tcp") == 2, "two records")
        new, old = [line.split(b" ", 1)[1] for line in self.router.history(self.channel).splitlines()]
        self.assertRegex(new, rb"^cron\[\S+\]: new style$")
        self.assertRegex(old, rb"old style$")

    # ---- rsyslog

    def test_rsyslog_sends_with_the_token_as_app_name(self):
        port = free_port()
        self.rsyslog(port, f"""
template(name="tailrace" type="string" string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% {self.app} %PROCID% %MSGID% - %msg%")
action(type="omfwd" target="127.0.0.1" port="{self.router.syslog}" protocol="tcp" TCP_Framing="octet-counted" template="tailrace")
""")
        self.feed(port)
        self.all_came(b"app", b"77")

    def test_rsyslog_sends_to_a_listener_with_a_token(self):
        port = free_port()
        self.rsyslog(port, f"""
action(type="omfwd" target="127.0.0.1" port="{self.router.syslog_ports[1]}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format")
""")
        self.feed(port)
        self.all_came(b"program", b"77")

    def rsyslog_sends_over_tls(self, framing):
        port = free_port()
        self.rsyslog(port, f"""
global(DefaultNetstreamDriverCAFile="{self.authority.pem}")
template(name="tailrace" type="string" string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% {self.app} %PROCID% %MSGID% - %msg%\n")
action(type="omfwd" target="127.0.0.1" port="{self.tls_port}" protocol="tcp" StreamDriver="ossl" StreamDriverMode="1"
       StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost" TCP_Framing="{framing}" template="tailrace")
""")
        self.feed(port)
        self.all_came(b"app", b"77", "tls")

    @unittest.skipUnless(any(PEERS.parent.glob("rsyslog-openssl/**/lmnsd_ossl.so")), "no rsyslog-openssl")
    def test_rsyslog_sends_over_tls_octet_counted(self):
        self.rsyslog_sends_over_tls("octet-counted")

    @unittest.skipUnless(any(PEERS.parent.glob("rsyslog-openssl/**/lmnsd_ossl.so")), "no rsyslog-openssl")
    def test_rsyslog_sends_over_tls_in_lines(self):
        self.rsyslog_sends_over_tls("traditional")

    def test_rsyslog_receives(self):
        port, out = free_port(), self.folder / "out"
        self.rsyslog(port, f"""
template(name="line" type="string" string="%HOSTNAME% %APP-NAME% %PROCID% %msg%\\n")
action(type="omfile" file="{out}" template="line")
""")
        self.drained(out, self.router.drain(self.channel, f"syslog://127.0.0.1:{port}"))

    # ---- syslog-ng

    def test_syslog_ng_sends_with_the_token_as_app_name(self):
        port = free_port()
        self.syslog_ng(port, f"""
rewrite name {{ set("{self.app}", value("PROGRAM")); }};
destination out {{ syslog("127.0.0.1" port({self.router.syslog}) transport("tcp")); }};
log {{ source(in); rewrite(name); destination(out); flags(flow-control); }};
""")
        self.feed(port)
        self.all_came(b"app", b"77")

    def test_syslog_ng_sends_to_a_listener_with_a_token(self):
        port = free_port()
        self.syslog_ng(port, f"""
destination out {{ network("127.0.0.1" port({self.router.syslog_ports[1]}) flags(syslog-protocol)); }};
log {{ source(in); destination(out); flags(flow-control); }};
""")
        self.feed(port)
        self.all_came(b"program", b"77")

    def test_syslog_ng_sends_over_tls(self):
        port = free_port()
        self.syslog_ng(port, f"""
rewrite name {{ set("{self.app}", value("PROGRAM")); }};
destination out {{ syslog("127.0.0.1" port({self.tls_port}) transport("tls") tls(ca-file("{self.authority.pem}"))); }};
log {{ source(in); rewrite(name); destination(out); flags(flow-control); }};
""")
        self.feed(port)
        self.all_came(b"app", b"77", "tls")

    def test_syslog_ng_receives(self):
        port, out = free_port(), self.folder / "out"
        self.syslog_ng(port, f"""
destination out {{ file("{out}" template("$HOST $PROGRAM $PID $MSG\\n")); }};
log {{ source(in); destination(out); flags(flow-control); }};
""")
        self.drained(out, self.router.drain(self.channel, f"syslog://127.0.0.1:{port}"))

    # ---- Prometheus

    def traffic(self):
        """Router lines, drains that work and that do not, tails, refused input: every family has samples."""
        self.tail(self.router.session(self.channel, tail="1"))
        working = self.far_end(HttpFarEnd)
        drain = self.router.drain(self.channel, working.url)
        self.router.drain(self.channel, f"http://127.0.0.1:{free_port()}/")
        code, _, err = run("simulate", "--url", f"syslog://127.0.0.1:{self.router.syslog}", "--heroku-token", self.heroku,
                           "--app-token", self.app, "--rate", "300", "--duration", "3s", "--unpaced")
        self.assertEqual(code, 0, err)
        sent = int(re.search(r"(\d+) sent", err)[1])
        self.router.wait_for_drain(self.channel, drain, accepted=sent, delivered=sent)
        self.router.send(counted(record("nobody", "x"), record(self.heroku, 'at=error code=H12 desc="x" method=GET path="/" '
                                                               "dyno=web.1 connect=1ms service=30000ms status=503 bytes=0",
                                                               procid="router"),
                                 record(self.heroku, "GET myapp.com/ dyno=web.1 queue=0 wait=3ms service=8ms status=200 bytes=35",
                                        procid="router")) + b"30 <13>1 cut")
        self.router.post(b"garbage", token=self.app)
        wait_until(lambda: self.router.rejected("tcp").get("truncated") == 1, "the end of the traffic")
        return sent + 2

    def test_promtool_has_nothing_to_say(self):
        self.traffic()
        for accept in ("text/plain", "*/*"):
            answer = self.router.api("GET", "/metrics", auth=None, headers={"Accept": accept})
            self.assertEqual(answer.status, 200)
            checked = subprocess.run([PEERS / "promtool", "check", "metrics"], input=answer.body, capture_output=True, timeout=60,
                                     check=False)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))
        for family in ("tailrace_router_requests_total", "tailrace_router_service_seconds", "tailrace_router_connect_seconds",
                       "tailrace_router_wait_seconds", "tailrace_router_service_quantile_seconds", "tailrace_router_errors_total",
                       "tailrace_channel_records_total", "tailrace_channel_bytes_total", "tailrace_ingest_records_total",
                       "tailrace_ingest_bytes_total", "tailrace_ingest_rejected_total", "tailrace_drain_accepted_records_total",
                       "tailrace_drain_delivered_records_total", "tailrace_drain_dropped_records_total",
                       "tailrace_drain_buffered_records", "tailrace_drain_lag_seconds", "tailrace_drain_up",
                       "tailrace_tail_sessions", "tailrace_build_info", "process_cpu_seconds_total"):
            with self.subTest(family):
                self.assertEqual(answer.body.count(f"\n# TYPE {family} ".encode()), 1)
                self.assertRegex(answer.body, rf"(?m)^{family}(_count|)(\{{[^\n]*\}})? \S+$".encode())

    def test_prometheus_scrapes(self):
        sent = self.traffic()
        port = free_port()
        path = self.write("prometheus.yml", f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: tailrace
    static_configs: [{{targets: ['127.0.0.1:{self.router.admin}']}}]
""")
        self.start("prometheus", f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{port}", port=port)

        def value(query):
            answer = self.router.api("GET", "/api/v1/query?query=" + urllib.parse.quote(query), auth=None, port=port)
            result = json.loads(answer.body)["data"]["result"] if answer.status == 200 else []
            return [float(sample["value"][1]) for sample in result]
        wait_until(lambda: value('up{job="tailrace"}') == [1], lambda: f"up; it is {value('up')}")
        wait_until(lambda: value(f'sum(tailrace_channel_records_total{{channel="{self.channel}"}})') == [sent],
                   lambda: f"{sent} records; it says {value('tailrace_channel_records_total')}")
        self.assertEqual(value("sum(tailrace_router_requests_total)"), [self.router.metric("tailrace_router_requests_total")])
        self.assertEqual(len(value('tailrace_router_service_quantile_seconds{quantile="0.95"}')) > 0, True)
        self.assertGreater(value("histogram_quantile(0.5, sum by (le) (tailrace_router_service_seconds_bucket))")[0], 0)
        targets = self.router.api("GET", "/api/v1/targets", auth=None, port=port).json()["data"]["activeTargets"]
        self.assertEqual([(t["health"], t["lastError"]) for t in targets], [("up", "")])


if __name__ == "__main__":
    unittest.main()
