"""A channel's metrics over time: what GET /v3/channels/:c/metrics says, line by line."""

import csv
import datetime
import io
import math
import time
import unittest

from harness import AUTH, EndToEnd, counted, record

MINUTE = 60


def text_of(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_time(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def router_line(at, service, status=200, extra=""):
    message = (f'at=info method=GET path="/" host=example.com request_id=1 fwd="1.2.3.4" dyno=web.1 connect=1ms '
               f"service={service}ms status={status} bytes=512 {extra}")
    return record("heroku", message, procid="router", time=text_of(at))


def nearest_rank(values, q):
    return sorted(values)[max(0, math.ceil(q * len(values) - 1e-6) - 1)]


class Rollups(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.channel, tokens = self.router.channel("shop", ["heroku"])
        self.token = tokens["heroku"]

    def post(self, *records):
        answer = self.router.post(counted(*records), self.token)
        self.assertEqual(answer.status, 204, answer)

    def ask(self, query="", headers=None):
        return self.router.api("GET", f"/v3/channels/{self.channel}/metrics{query}", headers=headers)

    def series(self, query=""):
        answer = self.ask(query)
        self.assertEqual(answer.status, 200, answer)
        return {(s["name"], s["source"]): {p["time"]: p for p in s["points"]} for s in answer.json()["series"]}

    def test_each_line_is_in_its_own_minute(self):
        now = time.time()
        here = now - now % MINUTE
        services = {age: [age * 10 + i for i in range(1, 8)] for age in (0, 1, 7, 55, 118)}
        self.post(*(router_line(here - age * MINUTE + (i if age else 0), service)
                    for age, all_of_it in services.items() for i, service in enumerate(all_of_it)))
        answer = self.ask("?from=2h").json()
        self.assertEqual(answer["step"], 60)
        self.assertEqual(answer["late"], 0)
        self.assertEqual(answer["events"], [])
        by_name = {s["name"]: s for s in answer["series"]}
        self.assertEqual(by_name["router.service"]["unit"], "seconds")
        points = by_name["router.service"]["points"]
        self.assertEqual([p["time"] for p in points], [json_time(here - age * MINUTE) for age in sorted(services, reverse=True)])
        for point, age in zip(points, sorted(services, reverse=True)):
            values = [s / 1000 for s in services[age]]
            self.assertEqual(point["count"], len(values))
            self.assertAlmostEqual(point["sum"], math.fsum(values), delta=1e-15)
            self.assertEqual((point["min"], point["max"], point["last"]), (values[0], values[-1], values[-1]))
            self.assertAlmostEqual(point["mean"], math.fsum(values) / len(values), delta=1e-15)
            for name, q in (("median", 0.5), ("p95", 0.95), ("p99", 0.99)):
                exact = nearest_rank(values, q)
                self.assertLess(abs(point[name] - exact), exact / 100)
        statuses = [(p["count"], p["sum"]) for p in by_name["router.status.2xx"]["points"]]
        self.assertEqual(statuses, [(7, 7)] * 5)

        tens = self.series("?from=2h&step=10m&name=router.service")[("router.service", "")]
        self.assertEqual(sum(p["count"] for p in tens.values()), 35)
        self.assertTrue(all(t[15:] == "0:00.000Z" for t in tens))
        hours = self.series("?from=3h&step=3600&name=router.service")[("router.service", "")]
        self.assertEqual(sum(p["count"] for p in hours.values()), 35)

    def test_late_lines_and_those_from_the_future(self):
        now = time.time()
        three_hours, four_days = now - 3 * 3600, now - 4 * 24 * 3600
        self.post(router_line(three_hours, 20), router_line(four_days, 30), router_line(now - 9 * 24 * 3600, 40),
                  router_line(now - 10 * 24 * 3600, 41), router_line(now + 3600, 50))
        answer = self.ask("?from=1h").json()
        self.assertEqual(answer["late"], 2)
        service = [s for s in answer["series"] if s["name"] == "router.service"][0]["points"]
        self.assertEqual([(p["count"], p["max"]) for p in service], [(1, 0.05)])  # where it arrived
        # As fine as its age allows.
        self.assertNotIn(("router.service", ""), self.series("?from=4h&to=2h&step=60"))
        self.assertEqual([(t, p["max"]) for t, p in self.series("?from=4h&to=2h&step=600")[("router.service", "")].items()],
                         [(json_time(three_hours - three_hours % 600), 0.02)])
        self.assertNotIn(("router.service", ""), self.series("?from=5d&to=3d&step=10m"))
        self.assertEqual([(t, p["max"]) for t, p in self.series("?from=5d&to=3d&step=1h")[("router.service", "")].items()],
                         [(json_time(four_days - four_days % 3600), 0.03)])
        self.assertEqual(self.router.metric("tailrace_late_records_total", channel=self.channel), 2)

    def test_users_own_series_filters_and_csv(self):
        now = time.time()
        lines = ["measure#db.latency=4ms measure#db.latency=-8ms count#jobs=3 source=a,b",
                 "sample#queue=7 source=web.1", "sample#queue=9 source=web.2", "count#jobs=2"]
        self.post(*(record("app", line, time=text_of(now)) for line in lines))
        series = self.series()
        (latency,) = series[("db.latency", "a,b")].values()
        self.assertEqual((latency["count"], latency["min"], latency["max"], latency["mean"]), (2, -0.008, 0.004, -0.002))
        (jobs,) = series[("jobs", "")].values()
        self.assertEqual((jobs["sum"], jobs["count"]), (2, 1))
        self.assertEqual(set(self.series("?name=queue")), {("queue", "web.1"), ("queue", "web.2")})
        self.assertEqual(set(self.series("?name=queue,jobs&source=web.2")), {("queue", "web.2")})
        self.assertEqual(set(self.series("?name=queue&name=jobs&source=web.2,web.1")), {("queue", "web.1"), ("queue", "web.2")})
        self.assertEqual(self.series("?name=nobody"), {})

        for answer in (self.ask("?format=csv"), self.ask(headers={"Accept": "text/csv"})):
            self.assertTrue(answer.header("Content-Type").startswith("text/csv"), answer)
            self.assertEqual(answer.header("Tailrace-Late"), "0")
            rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
            self.assertEqual({(r["name"], r["source"]) for r in rows}, set(series))
            row = next(r for r in rows if r["name"] == "db.latency")
            self.assertEqual((row["source"], row["unit"], row["kind"], row["count"], float(row["min"])),
                             ("a,b", "seconds", "measure", "2", -0.008))
            self.assertEqual(row["time"], next(iter(series[("db.latency", "a,b")])))

    def test_a_deploy_is_an_event(self):
        now = time.time()
        self.post(record("app", "Deploy 4e2f9d1 by user@example.com", procid="api", time=text_of(now)))
        events = self.ask().json()["events"]
        self.assertEqual([(e["event"], e["procid"]) for e in events], [("deploy", "api")])
        self.assertIn("Deploy 4e2f9d1", events[0]["text"])
        self.assertEqual(self.ask("?from=3h&to=1h").json()["events"], [])

    def test_what_is_asked_wrongly(self):
        for query, field in (("?step=90", "step"), ("?step=0", "step"), ("?step=30s", "step"), ("?step=8d", "step"),
                             ("?step=x", "step"), ("?from=x", "from"), ("?from=1h&to=2h", "from"), ("?to=2026-13-01T00:00:00Z", "to"),
                             ("?from=2000-01-01T00:00:00Z", "step"), ("?format=xml", "format"),
                             ("?to=99999999999999999999", "to"), ("?from=-5", "from")):
            with self.subTest(query):
                answer = self.ask(query)
                self.assertEqual(answer.status, 422, answer)
                self.assertTrue(answer.json()["error"].startswith(field + ":"), answer)
        self.assertEqual(self.router.api("GET", "/v3/channels/999/metrics").status, 404)
        self.assertEqual(self.router.api("GET", f"/v3/channels/{self.channel}/metrics", auth=None).status, 401)
        self.assertEqual(self.router.api("POST", f"/v3/channels/{self.channel}/metrics", "").status, 405)
        # Times of every form, and a `+` that was not encoded.
        for query in ("?from=1795000000&to=1795003600", "?from=2026-11-20T00:00:00Z&to=2026-11-20T01:00:00.5+00:00&step=1h",
                      "?from=90m&to=now", "?from=7d&step=1h"):
            self.assertEqual(self.ask(query).status, 200, query)

    def test_a_channel_that_was_removed_has_no_metrics(self):
        self.post(router_line(time.time(), 10))
        self.assertEqual(len(self.series("?name=router.service")), 1)
        self.router.good("DELETE", f"/channels/{self.channel}")
        self.assertEqual(self.ask().status, 404)


if __name__ == "__main__":
    unittest.main()
