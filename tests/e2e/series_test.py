"""Series that users make: a channel's budget, what happens past it, who is told, and what the API says of it."""

import math
import random
import re
import shutil
import subprocess
import unittest

from exposition import read_exposition
from harness import EndToEnd, counted, record, wait_until
from peers import NO_PEERS, PEERS

NOTICE = re.compile(rb"\S+\+00:00 tailrace\[metrics\]: Error L16 \(series limit\): (\d+) series folded into _overflow since \S+\+00:00\.")


class Series(EndToEnd):
    def families(self, node):
        return read_exposition(node.api("GET", "/metrics", auth=None).body, False)

    def samples(self, node, family):
        """Values by labels, as a frozen set of pairs without the channel."""
        found = self.families(node).get(family)
        return {(sample.name, frozenset(sample.labels.items()) - {("channel", self.channel)}): sample.value
                for sample in (found.samples if found else [])}

    def post(self, node, *lines, app="app", procid="web.1"):
        self.assertEqual(node.post(counted(*[record(app, line, procid=procid) for line in lines]), token=self.tokens[app]).status, 204)

    def start(self, limit, **environment):
        node = self.node(environment={"TAILRACE_CHANNEL_SERIES": str(limit), **environment})
        self.channel, self.tokens = node.channel("series", ["app", "heroku"])
        return node

    def series(self, node, query=""):
        return node.api("GET", f"/v3/channels/{self.channel}/series{query}").json()

    def test_values_agree_with_exact_computation(self):
        node = self.start(1000)
        made = random.Random(7)
        times = [round(made.lognormvariate(2, 1), 3) for _ in range(2000)]
        jobs = [made.randrange(9) for _ in times]
        self.post(node, *[f"measure#db.time={time}ms count#jobs={job} sample#depth={job - 4} source=web.1" for time, job in zip(times, jobs)])
        labels = {("source", "web.1")}
        measure = self.samples(node, "tailrace_measure")
        name = labels | {("name", "db.time"), ("unit", "seconds")}
        self.assertEqual(measure["tailrace_measure_count", frozenset(name)], len(times))
        self.assertAlmostEqual(measure["tailrace_measure_sum", frozenset(name)], math.fsum(times) / 1000, delta=1e-9)
        for q in (0.5, 0.95, 0.99, 1):
            exact = sorted(times)[math.ceil(q * len(times)) - 1] / 1000
            self.assertAlmostEqual(measure["tailrace_measure", frozenset(name | {("quantile", f"{q:g}")})], exact, delta=exact * 0.01)
        self.assertEqual(self.samples(node, "tailrace_count_total"),
                         {("tailrace_count_total", frozenset(labels | {("name", "jobs"), ("unit", "")})): sum(jobs)})

    def test_past_the_budget_counts_stay_whole_and_the_tenant_is_told(self):
        node = self.start(10)
        self.post(node, *[f"count#api.users.{user}.hits={user} source=web.1" for user in range(300)])
        counts = self.samples(node, "tailrace_count_total")
        self.assertEqual(len(counts), 11)
        self.assertEqual(sum(counts.values()), sum(range(300)))
        overflow = frozenset({("name", "_overflow"), ("source", ""), ("unit", "")})
        self.assertEqual(counts["tailrace_count_total", overflow], sum(range(10, 300)))
        self.assertEqual(node.metric("tailrace_series", channel=self.channel), 10)
        self.assertEqual(node.metric("tailrace_series_rejected_total", channel=self.channel), 290)

        told = wait_until(lambda: NOTICE.findall(node.history(self.channel, 1)), "the notice L16")
        self.assertEqual(told, [b"290"])

        answer = self.series(node)
        self.assertEqual([answer[key] for key in ("series", "limit", "rejected")], [10, 10, 290])
        self.assertEqual(answer["process"]["series"], 10)
        self.assertEqual(answer["top"], [{"template": "api.users.*.hits", "source": "web.*", "series": 300, "example": "api.users.0.hits",
                                          "example_source": "web.1", "kind": "count"}])
        self.assertEqual(len(answer["list"]), 11)
        self.assertIsNone(answer["next"])

    def test_hostile_labels_leave_the_scrape_whole(self):
        node = self.start(1000)
        self.post(node, 'count#a=1 source="x\\"} 1', "count#" + "n" * 9000 + "=1", 'measure#b=1 source="a\nevil 2"', "count#\xff=1",
                  "measure#c= measure#c=1,234 count#c=-1")
        families = self.families(node)
        self.assertNotIn("evil", families)
        rejected = {sample.labels["reason"]: sample.value for sample in families["tailrace_pairs_rejected_total"].samples}
        self.assertEqual({key: rejected[key] for key in ("empty", "not_a_number", "negative")}, {"empty": 1, "not_a_number": 1, "negative": 1})
        self.assertGreaterEqual(rejected["label"], 1)

    def test_dynos_and_hosts(self):
        node = self.start(1000, TAILRACE_ROUTER_BY="dyno,host")
        self.post(node, "source=web.1 dyno=heroku.1 sample#memory_total=180.5MB sample#memory_quota=512.00MB",
                  "source=web.1 dyno=heroku.1 sample#load_avg_1m=0.25", app="heroku")
        self.post(node, *['at=info method=GET path="/" host=a.example fwd="1.2.3.4" dyno=web.2 connect=1ms service=20ms status=204 bytes=5'] * 3,
                  'at=error code=H12 desc="Request timeout" method=GET path="/" host=a.example dyno=web.2 connect= service=30000ms status=503 bytes=0',
                  app="heroku", procid="router")
        self.assertEqual(self.samples(node, "tailrace_dyno_memory_bytes"), {
            ("tailrace_dyno_memory_bytes", frozenset({("dyno", "web.1"), ("kind", "total")})): 180.5 * 2 ** 20,
            ("tailrace_dyno_memory_bytes", frozenset({("dyno", "web.1"), ("kind", "quota")})): 512 * 2 ** 20})
        self.assertEqual(node.metric("tailrace_dyno_load", dyno="web.1", window="1m"), 0.25)
        for of, source in (("dyno", "web.2"), ("host", "a.example")):
            self.assertEqual(node.metric(f"tailrace_router_{of}_requests_total", **{of: source, "class": "2xx"}), 3)
            self.assertEqual(node.metric(f"tailrace_router_{of}_requests_total", **{of: source, "class": "5xx"}), 1)
            self.assertAlmostEqual(node.metric(f"tailrace_router_{of}_service_quantile_seconds_sum", **{of: source}), 30.06)

    def test_the_route_refuses_what_it_should(self):
        node = self.start(5)
        self.assertEqual(self.series(node)["limit"], 5)
        self.assertEqual(node.api("GET", "/v3/channels/404/series").status, 404)
        self.assertEqual(node.api("GET", f"/v3/channels/{self.channel}/series", auth=None).status, 401)
        self.assertEqual(node.api("GET", f"/v3/channels/{self.channel}/series?after=x").status, 422)

    @unittest.skipUnless((PEERS / "promtool").exists() or shutil.which("promtool"), NO_PEERS)
    def test_promtool_has_nothing_to_say(self):
        node = self.start(20, TAILRACE_ROUTER_BY="dyno,host")
        self.post(node, *[f"measure#n{i}=1ms count#c{i}=1 sample#s{i}=1% source=\"a b\\\"\"" for i in range(30)], "measure#x=")
        self.post(node, "sample#memory_rss=1MB sample#load_avg_1m=1", app="heroku")
        text = node.api("GET", "/metrics", auth=None).body
        promtool = PEERS / "promtool" if (PEERS / "promtool").exists() else "promtool"
        said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=60)
        self.assertEqual((said.returncode, said.stdout + said.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
