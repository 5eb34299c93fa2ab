"""Metrics as scrapers get them: exact, the same in every form and place, and read by a real Prometheus and promtool."""

import datetime
import gzip
import http.client
import http.server
import json
import math
import pathlib
import random
import re
import subprocess
import threading
import unittest
import urllib.parse

from exposition import read_exposition, samples_of
from harness import AUTH, PATIENCE, TIME, HttpFarEnd, basic, counted, free_port, record, wait_until
from line_values import line_time
from peers import NO_PEERS, PEERS, PeerCase

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
TEXT, OPEN = "text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"
BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
# What a scrape changes by itself, and what time does.
MOVES = re.compile(r"tailrace_http_|process_|tailrace_drain_lag_seconds|tailrace_drain_answer_quantile_seconds$")


def nearest_rank(values, q):
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)]


def documented_config():
    return re.search(r"```yaml \w+\n(scrape_configs:.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)[1]


class TextOnly(http.server.BaseHTTPRequestHandler):
    """Between Prometheus and the node: asks for the text format alone, which this Prometheus never would."""

    def do_GET(self):
        answer = self.server.router.api("GET", self.path, auth=None, headers={"Accept": TEXT})
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.header("Content-Type"))
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_):
        pass


class MetricsCase(PeerCase):
    def setUp(self):
        super().setUp()
        self.router = self.node()
        self.channels = {}

    def lines(self, seed, requests):
        """Router lines of a channel, and what they are: service, connect, wait, queue, status, bytes, code."""
        made = random.Random(seed)
        facts, lines = [], []
        for number in range(requests):
            fact = {"service": round(made.lognormvariate(3, 2)), "connect": made.randrange(4), "status": made.choice((200, 201, 404, 503)),
                    "bytes": made.randrange(100_000), "wait": made.randrange(90), "queue": made.randrange(30)}
            fact["code"] = made.choice(("H12", "H18")) if fact["status"] == 503 else None
            facts.append(fact)
            level = f"at=error code={fact['code']} desc=\"x\"" if fact["code"] else "at=info"
            lines.append(f'{level} method=GET path="/" host=h request_id={seed}-{number} dyno=web.1 queue={fact["queue"]} '
                         f'wait={fact["wait"]}ms connect={fact["connect"]}ms service={fact["service"]}ms status={fact["status"]} '
                         f'bytes={fact["bytes"]}')
        return facts, lines

    def make_channel(self, name, requests=500):
        channel, tokens = self.router.channel(name, ["app", "heroku"])
        facts, lines = self.lines(int(channel), requests)
        self.assertEqual(self.router.post(counted(*[record("heroku", line, procid="router") for line in lines]),
                                          token=tokens["heroku"]).status, 204)
        self.channels[channel] = {"tokens": tokens, "facts": facts}
        return channel

    def scrape(self, path="/metrics", accept=TEXT, auth=None):
        answer = self.router.api("GET", path, auth=auth, headers={"Accept": accept})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.header("Content-Type"), ("text/plain; version=0.0.4" if accept == TEXT else
                                                         "application/openmetrics-text; version=1.0.0") + "; charset=utf-8")
        return read_exposition(answer.body, accept == OPEN)

    def expected(self, channel):
        """Every sample of the router's families, computed from the lines."""
        facts = self.channels[channel]["facts"]
        base = ("channel", channel)
        wanted = {}
        for timing in ("service", "connect", "wait"):
            values = [fact[timing] / 1000 for fact in facts]
            name = f"tailrace_router_{timing}_seconds"
            for bound in BOUNDS:
                le = repr(bound) if bound % 1 else str(int(bound))
                wanted[f"{name}_bucket", base, ("le", le)] = sum(value <= bound for value in values)
            wanted[f"{name}_bucket", base, ("le", "+Inf")] = len(values)
            quantiles = f"tailrace_router_{timing}_quantile_seconds"
            for one in (name, quantiles):
                wanted[f"{one}_sum", base] = math.fsum(values)
                wanted[f"{one}_count", base] = len(values)
            for q in ("0.5", "0.95", "0.99", "1"):
                wanted[quantiles, base, ("quantile", q)] = nearest_rank(values, float(q))
        for fact in facts:
            status = ("tailrace_router_requests_total", base, ("status", str(fact["status"])))
            wanted[status] = wanted.get(status, 0) + 1
            if fact["code"]:
                code = ("tailrace_router_errors_total", base, ("code", fact["code"]))
                wanted[code] = wanted.get(code, 0) + 1
        wanted["tailrace_router_response_bytes_total", base] = sum(fact["bytes"] for fact in facts)
        wanted["tailrace_router_queue_depth_count", base] = len(facts)
        wanted["tailrace_router_queue_depth_sum", base] = sum(fact["queue"] for fact in facts)
        wanted["tailrace_channel_records_total", base] = len(facts)
        return wanted

    def agrees(self, found, channel):
        for key, value in self.expected(channel).items():
            self.assertIn(key, found)
            if "_quantile_seconds" in key[0] and not key[0].endswith(("_sum", "_count")):
                self.assertAlmostEqual(found[key], value, delta=value * 0.01, msg=key)
            else:
                self.assertAlmostEqual(found[key], value, delta=abs(value) * 1e-12, msg=key)


class Scrapes(MetricsCase):
    def test_values_are_exact_in_both_formats(self):
        for name in ("one", "two"):
            self.make_channel(name)
        for accept in (TEXT, OPEN):
            found = samples_of(self.scrape(accept=accept))
            for channel in self.channels:
                self.agrees(found, channel)

    def test_gzip(self):
        channel = self.make_channel("one")
        for path in ("/metrics", f"/v3/channels/{channel}/prometheus"):
            packed = self.router.api("GET", path, headers={"Accept-Encoding": "gzip", "Accept": TEXT})
            self.assertEqual(packed.header("Content-Encoding"), "gzip")
            self.agrees(samples_of(read_exposition(gzip.decompress(packed.body))), channel)
            for encoding in ("identity", "gzip;q=0", "br"):
                plain = self.router.api("GET", path, headers={"Accept-Encoding": encoding, "Accept": TEXT})
                self.assertEqual(plain.header("Content-Encoding"), None)
                self.agrees(samples_of(read_exposition(plain.body)), channel)

    def test_head(self):
        channel = self.make_channel("one", 1)
        for path in ("/metrics", f"/v3/channels/{channel}/prometheus"):
            answer = self.router.api("HEAD", path)
            self.assertEqual((answer.status, answer.body), (200, b""))

    def test_a_channels_scrape_is_its_part_of_the_whole(self):
        far_end = self.far_end(HttpFarEnd)
        for name in ("one", "two"):
            channel = self.make_channel(name)
            drain = self.router.drain(channel, far_end.url)
            self.router.post(counted(record("app", "x")), token=self.channels[channel]["tokens"]["app"])
            self.router.wait_for_drain(channel, drain, delivered=1)
        for accept in (TEXT, OPEN):
            whole = samples_of(self.scrape(accept=accept))
            for channel, made in self.channels.items():
                part = samples_of(self.scrape(f"/v3/channels/{channel}/prometheus", accept, "token:" + made["tokens"]["app"]))
                mine = {key: value for key, value in whole.items() if ("channel", channel) in key}
                self.assertEqual(set(part), set(mine))
                for key, value in mine.items():
                    if not MOVES.match(key[0]):
                        self.assertEqual(part[key], value, key)
                self.assertIn(("tailrace_drain_answer_quantile_seconds_count", ("channel", channel),
                               ("drain", self.router.ledger(channel)["drains"][0]["token"])), part)

    def test_who_may_scrape_a_channel(self):
        channel, other = self.make_channel("one", 1), self.make_channel("two", 1)
        token = self.channels[channel]["tokens"]["app"]
        path = f"/v3/channels/{channel}/prometheus"

        def status(authorization, path=path, port=None):
            headers = {"Authorization": authorization} if authorization else {}
            return self.router.api("GET", path, auth=None, headers=headers, port=port).status
        self.assertEqual([status(basic(AUTH)), status(basic("token:" + token)), status("Bearer " + token), status("bearer  " + token)],
                         [200] * 4)
        self.assertEqual([status(None), status("Bearer"), status("Bearer t.no"), status(basic("token:no")), status(basic("local:no")),
                          status(basic("nocolon")), status("Basic ?"), status("Digest x")], [401] * 8)
        self.assertEqual(self.router.api("GET", path, auth=None).header("WWW-Authenticate"), 'Basic realm="tailrace"')
        strange = self.channels[other]["tokens"]["app"]
        self.assertEqual([status(basic("token:" + strange)), status("Bearer " + strange)], [403] * 2)
        # A token learns nothing of other channels, not even whether they are there.
        self.assertEqual([status("Bearer " + token, f"/v3/channels/{c}/prometheus") for c in (other, "999", "x%20y")], [403] * 3)
        self.assertEqual(status(basic(AUTH), "/v3/channels/999/prometheus"), 404)
        # Nothing of it on the public listener.
        self.assertEqual([status(basic(AUTH), at, self.router.public) for at in (path, "/metrics", "/v3/prometheus/targets")],
                         [404] * 3)
        self.router.good("DELETE", f"/v2/channels/{channel}")
        self.assertEqual([status("Bearer " + token), status(basic(AUTH))], [401, 404])

    def test_targets(self):
        self.assertEqual(self.router.good("GET", "/v3/prometheus/targets"), [])
        hostile = 'a"} 1\\\nevil 2'.replace("\n", "")
        names = {self.router.channel(name)[0]: name for name in ("one", hostile, "é")}
        connection = http.client.HTTPConnection("127.0.0.1", self.router.admin, timeout=PATIENCE)
        for host in (f"127.0.0.1:{self.router.admin}", "router.example:8001", "[::1]:9"):
            connection.request("GET", "/v3/prometheus/targets", headers={"Host": host, "Authorization": basic(AUTH)})
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "application/json"))
            self.assertEqual(json.loads(answer.read()), [
                {"targets": [host], "labels": {"__metrics_path__": f"/v3/channels/{channel}/prometheus", "channel": channel,
                                               "channel_name": name}} for channel, name in names.items()])
        connection.close()
        self.assertEqual(self.router.api("GET", "/v3/prometheus/targets", auth=None).status, 401)

    def test_hostile_names_and_values(self):
        channel, tokens = self.router.channel("users", ["app"])
        lines = ['measure#a"}=1 count#evil{x="=2 sample#back\\slash=3 source=a\\b', "measure#tab\tname=5", 'count#q="7"',
                 'measure#db=4ms measure#db=6ms measure#db=1e999 measure#db=NaN measure#db= measure#db=1.2.3s measure#db=-0.5s',
                 "count#jobs=2.5 count#jobs=-1 count#jobs=1e3", 'sample#depth=7 source="x y"', "measure#é=1 source=ü",
                 'count#cut=1 message="no end count#never=1']
        records = [record("app", line) for line in lines]
        records += [record("app", b"count#bad\xff\xfe=1 source=\xc3("), record("app", b"count#nul\x00=1"),
                    record("app", 'a"} 1\nevil 2'), record("app", "count#" + "n" * 3000 + "=1")]
        self.assertEqual(self.router.post(counted(*records), token=tokens["app"]).status, 204)
        for accept in (TEXT, OPEN):
            found = samples_of(self.scrape(accept=accept))
            base = ("channel", channel)

            def value(family, name, source="", unit=""):
                return found.get((family, base, ("name", name), ("source", source), ("unit", unit)))
            self.assertEqual(value("tailrace_measure_count", "db", unit="seconds"), 3)
            self.assertAlmostEqual(value("tailrace_measure_sum", "db", unit="seconds"), 0.004 + 0.006 - 0.5)
            self.assertEqual(value("tailrace_count_total", "jobs"), 1002.5)
            self.assertEqual(value("tailrace_count_total", "q"), 7)
            self.assertEqual(value("tailrace_sample", "depth", "x y"), 7)
            self.assertEqual(value("tailrace_measure_count", "é", "ü"), 1)
            self.assertEqual(value("tailrace_count_total", "cut"), 1)
            self.assertEqual([key for key in found if "never" in str(key) or key[0] == "evil"], [])
            self.assertLess(max(len(label) for key in found for _, label in key[1:]), 300)
            rejected = {dict(key[1:])["reason"]: count for key, count in found.items() if key[0] == "tailrace_pairs_rejected_total"}
            self.assertEqual((rejected["empty"], rejected["negative"]), (1, 1))
            self.assertGreaterEqual(rejected["not_a_number"], 3)

    def test_exemplars(self):
        channel = self.make_channel("one")
        facts = self.channels[channel]["facts"]
        family = self.scrape(accept=OPEN)["tailrace_router_service_seconds"]
        exemplars = [sample.exemplar for sample in family.samples if sample.exemplar]
        self.assertGreater(len(exemplars), 3)
        for exemplar in exemplars:
            number = int(exemplar.labels.pop("request_id").removeprefix(f"{channel}-"))
            self.assertEqual((exemplar.labels, exemplar.value), ({}, facts[number]["service"] / 1000))
            self.assertAlmostEqual(exemplar.time, line_time(TIME), places=5)
        shown = self.scrape(accept=OPEN)
        self.assertEqual([name for name, one in shown.items() if name != family.name and any(s.exemplar for s in one.samples)], [])
        self.assertNotIn(b" # {", self.router.api("GET", "/metrics", headers={"Accept": TEXT}).body)

    def test_rollups_say_the_same_as_the_families(self):
        channel, tokens = self.router.channel("now", ["heroku"])
        facts, lines = self.lines(7, 300)
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self.router.post(counted(*[record("heroku", line, procid="router", time=now) for line in lines]), token=tokens["heroku"])
        answer = self.router.good("GET", f"/v3/channels/{channel}/metrics")
        series = {one["name"]: one["points"] for one in answer["series"]}
        for timing in ("service", "connect", "wait"):
            values = [fact[timing] / 1000 for fact in facts]
            points = series[f"router.{timing}"]
            self.assertEqual(sum(point["count"] for point in points), len(values))
            self.assertAlmostEqual(math.fsum(point["sum"] for point in points), math.fsum(values))
            self.assertEqual((min(p["min"] for p in points), max(p["max"] for p in points)), (min(values), max(values)))
            if len(points) == 1:
                for name, q in (("median", 0.5), ("p95", 0.95), ("p99", 0.99)):
                    exact = nearest_rank(values, q)
                    self.assertAlmostEqual(points[0][name], exact, delta=exact * 0.01)
        for status in (200, 404, 503):
            count = sum(fact["status"] // 100 == status // 100 for fact in facts)
            self.assertEqual(sum(point["count"] for point in series[f"router.status.{status // 100}xx"]), count)

    def test_values_that_are_none(self):
        channel, tokens = self.router.channel("odd", ["heroku"])
        hostile = ["NaN", "1e999", "-1ms", "Inf", "0x10", "1,234", "1.2.3s", "", '"', "1e-999", "9" * 400]
        lines = [f"at=info service={value} connect={value} wait={value} queue={value} bytes={value} status={value}" for value in hostile]
        lines.append("at=info connect=1ms service=5ms status=200 bytes=7")
        self.router.post(counted(*[record("heroku", line, procid="router") for line in lines]), token=tokens["heroku"])
        found = samples_of(self.scrape(accept=OPEN))
        base = ("channel", channel)
        self.assertEqual(found["tailrace_router_requests_total", base, ("status", "none")], len(hostile))
        self.assertEqual(found["tailrace_router_requests_total", base, ("status", "200")], 1)
        self.assertEqual(found["tailrace_router_response_bytes_total", base], 7)
        for name, value in samples_of(self.scrape()).items():
            if name[0].startswith("tailrace_router_"):
                self.assertTrue(math.isfinite(value), name)


@unittest.skipUnless((PEERS / "prometheus").exists(), NO_PEERS)
class WithPrometheus(MetricsCase):
    def prometheus(self, config, *flags):
        self.port = free_port()
        path = self.write("prometheus.yml", "global: {scrape_interval: 1s}\n" + config)
        self.start("prometheus", f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{self.port}", *flags, port=self.port)

    def query(self, text):
        answer = self.router.api("GET", "/api/v1/query?query=" + urllib.parse.quote(text), auth=None, port=self.port)
        return json.loads(answer.body)["data"]["result"] if answer.status == 200 else []

    def samples(self, job):
        """What Prometheus holds of a job, as samples_of() has it."""
        found = {}
        for result in self.query(f'{{job="{job}",__name__=~"tailrace_.*"}}'):
            labels = {k: v for k, v in result["metric"].items() if k not in ("__name__", "job", "instance", "channel_name")}
            found[result["metric"]["__name__"], *sorted(labels.items())] = float(result["value"][1])
        return found

    def wait_for_jobs(self, **jobs):
        """Until each job has so many targets, and all are up."""
        def up():
            states = {job: [r["value"][1] for r in self.query(f'up{{job="{job.replace("_", "-")}"}}')] for job in jobs}
            return states == {job: ["1"] * count for job, count in jobs.items()}
        wait_until(up, lambda: f"{jobs} up: {self.query('up')} {self.targets()}")

    def targets(self):
        answer = self.router.api("GET", "/api/v1/targets", auth=None, port=self.port).json()
        return [(target["labels"], target["lastError"]) for target in answer["data"]["activeTargets"]]

    def test_the_documented_configuration(self):
        for name in ("one", 'hostile"} 1 \\ evil'):
            self.make_channel(name)
        first = next(iter(self.channels))
        token = self.channels[first]["tokens"]["app"]
        config = documented_config().replace("127.0.0.1:8001", f"127.0.0.1:{self.router.admin}")
        config = config.replace("/v3/channels/1/", f"/v3/channels/{first}/")
        config = config.replace("t.01234567-89ab-4def-8123-456789abcdef", token)
        checked = subprocess.run([PEERS / "promtool", "check", "config", "--syntax-only", "/dev/stdin"], input=config.encode(),
                                 capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.prometheus(config, "--enable-feature=exemplar-storage")
        self.wait_for_jobs(tailrace=1, tailrace_channels=2, my_app=1)
        whole, by_channel, mine = (self.samples(job) for job in ("tailrace", "tailrace-channels", "my-app"))
        for channel in self.channels:
            self.agrees(whole, channel)
            self.agrees(by_channel, channel)
        self.agrees(mine, first)
        self.assertEqual({labels["channel_name"] for labels, _ in self.targets() if "channel_name" in labels},
                         {"one", 'hostile"} 1 \\ evil'})
        self.assertEqual([error for _, error in self.targets() if error], [])
        exemplars = self.router.api("GET", f"/api/v1/query_exemplars?start={line_time(TIME) - 1}&end={line_time(TIME) + 1}&query="
                                    "tailrace_router_service_seconds_bucket", auth=None, port=self.port).json()["data"]
        ids = {one["labels"]["request_id"] for series in exemplars for one in series["exemplars"]}
        self.assertEqual({one.split("-")[0] for one in ids}, set(self.channels))
        self.assertEqual(self.query("sum(scrape_samples_post_metric_relabeling) by (job) == 0"), [])

    def test_the_text_format(self):
        channel = self.make_channel("one")
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TextOnly)
        proxy.router = self.router
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        self.prometheus(f"scrape_configs: [{{job_name: text, static_configs: [{{targets: ['127.0.0.1:{proxy.server_port}']}}]}}]")
        self.wait_for_jobs(text=1)
        self.agrees(self.samples("text"), channel)
        rate = self.query(f'histogram_quantile(0.5, tailrace_router_service_seconds_bucket{{channel="{channel}"}})')
        median = nearest_rank([fact["service"] / 1000 for fact in self.channels[channel]["facts"]], 0.5)
        upper = next(bound for bound in BOUNDS if median <= bound)
        self.assertLessEqual(float(rate[0]["value"][1]), upper)

    def test_promtool_has_nothing_to_say(self):
        channel = self.make_channel("one")
        self.router.drain(channel, self.far_end(HttpFarEnd).url)
        for path in ("/metrics", f"/v3/channels/{channel}/prometheus"):
            answer = self.router.api("GET", path, headers={"Accept": TEXT})
            checked = subprocess.run([PEERS / "promtool", "check", "metrics"], input=answer.body, capture_output=True,
                                     timeout=PATIENCE, check=False)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))


if __name__ == "__main__":
    unittest.main()
