"""packaging/: the rules pass their tests, and what dashboard and rules ask for is there."""

import json
import re
import subprocess
import unittest
import urllib.parse

from families_test import labels_of, table_of
from harness import HttpFarEnd, counted, free_port, record, wait_until
from peers import NO_PEERS, PEERS, ROOT, PeerCase

RULES = ROOT / "packaging" / "prometheus" / "rules.yml"
RULES_TEST = ROOT / "packaging" / "prometheus" / "rules_test.yml"
DASHBOARD = json.loads((ROOT / "packaging" / "grafana" / "tailrace.json").read_text(encoding="utf-8"))

OURS = r"(?:tailrace|process)_[a-z0-9_]+"
FROM_PROMETHEUS = {"job", "instance"}
GRAFANA = {"$channel": ".+", "$__rate_interval": "10s"}
# What this node has met nothing of.
EMPTY = {"none", "dropped by the kernel", "skipped by slow tails", "too late for a window", "damaged on disk"}


def queries():
    """Of the dashboard: panel, legend and PromQL of each, with Grafana's variables filled in."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"]
            for variable, value in GRAFANA.items():
                text = text.replace(variable, value)
            yield panel["title"], target["legendFormat"], text


def rule_queries():
    """Each `expr:` of the rules, and what they record."""
    text = RULES.read_text(encoding="utf-8")
    recorded = set(re.findall(r"- record: (\S+)", text))
    without_comments = re.sub(r"(?m)^ *#.*$", "", text)
    return re.findall(r"expr: (\|(?:\n {10,}.*)+|.*)", without_comments), recorded


class Documented(unittest.TestCase):
    def setUp(self):
        self.families = {row["family"].strip("`"): row for row in table_of("Families")}

    def family(self, name):
        for suffix in ("", "_bucket", "_sum", "_count"):
            if name.endswith(suffix) and name[:len(name) - len(suffix)] in self.families:
                return self.families[name[:len(name) - len(suffix)]]
        self.fail(f"{name} does not stand in docs/metrics.md")

    def check_names(self, query):
        text = re.sub(r'[a-z]+:' + OURS + r'[:a-z0-9_]*', "", query)  # what the rules record
        names = re.findall(r"(?<![:\w])" + OURS + r"(?![:\w])", text)
        for name in names:
            self.family(name)
        for name, matchers in re.findall(rf"({OURS})\{{([^}}]*)\}}", text):
            known = set(labels_of(self.family(name)["labels"])) | FROM_PROMETHEUS
            used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
            self.assertLessEqual(used, known, query)
        return names

    def test_dashboard(self):
        count = sum(len(self.check_names(query)) > 0 for _, _, query in queries())
        self.assertEqual(count, len(list(queries())))
        self.assertGreater(count, 30)
        self.check_names(DASHBOARD["templating"]["list"][1]["query"]["query"])

    def test_rules(self):
        expressions, recorded = rule_queries()
        self.assertGreater(len(expressions), 15)
        for expression in expressions:
            names = self.check_names(expression)
            uses = set(re.findall(r"[a-z_]+:" + OURS + r":[a-z0-9_]+", expression))
            self.assertLessEqual(uses, recorded)
            self.assertTrue(names or uses or "up{" in expression, expression)

    def test_panels_stand_beside_each_other(self):
        taken = set()
        for panel in DASHBOARD["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(place["x"] + place["w"], 24)
            taken |= cells


@unittest.skipUnless(PEERS.is_dir(), NO_PEERS)
class Peers(PeerCase):
    def promtool(self, *arguments):
        done = subprocess.run([PEERS / "promtool", *arguments], capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode())

    def test_rules_pass_their_tests(self):
        self.promtool("check", "rules", RULES)
        self.promtool("test", "rules", RULES_TEST)

    def test_a_prometheus_answers_every_query(self):
        router = self.node("--channel-series", "60")
        channel, tokens = router.channel("shop", ["app", "heroku"])
        router.drain(channel, self.far_end(HttpFarEnd).url)
        router.drain(channel, f"http://127.0.0.1:{free_port()}/")
        self.process("simulate", "--url", f"http://127.0.0.1:{router.public}/logs", "--heroku-token", tokens["heroku"],
                     "--app-token", tokens["app"], "--rate", "200", "--routing", "queue", "--dynos", "3",
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        self.series = 0
        port = free_port()
        path = self.write("prometheus.yml", f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{RULES}]
scrape_configs:
  - job_name: tailrace
    static_configs: [{{targets: ['127.0.0.1:{router.admin}']}}]
""")
        self.start("prometheus", f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{port}", port=port)

        def result(query):
            answer = router.api("GET", "/api/v1/query?query=" + urllib.parse.quote(query), auth=None, port=port)
            self.assertEqual(answer.status, 200, f"{query}: {answer.body}")
            return answer.json()["data"]["result"]

        def misbehave():
            """Something bad between any two scrapes, so that there is a rate of it."""
            bad = [record(tokens["heroku"], 'at=error code=H12 desc="Request timeout" dyno=web.1 connect=1ms service=30000ms status=503',
                          procid="router"),
                   record(tokens["heroku"], "Error R14 (Memory quota exceeded)"),
                   record("t.00000000-0000-4000-8000-000000000000", "nobody's")]
            if result("sum(tailrace_dyno_load) and sum(tailrace_dyno_memory_bytes)"):  # once the dynos have their series
                self.series += 100
                bad.append(record(tokens["app"], " ".join(f"measure#n{self.series + i}=1ms" for i in range(100))))
            router.send(counted(*bad))

        def silent():
            misbehave()
            return recorded - {"channel_drain_reason:tailrace_drain_dropped_records:new5m"} - {r for r in recorded if result(r)}

        def unanswered():
            misbehave()
            return [(title, legend, query) for title, legend, query in queries()
                    if legend not in EMPTY and title != "Dropped by reason" and legend != "dropped by drains" and not result(query)]
        _, recorded = rule_queries()
        wait_until(lambda: router.api("GET", "/-/ready", auth=None, port=port).status == 200, "Prometheus to be ready")
        wait_until(lambda: not unanswered(), lambda: f"an answer to each query; none to {unanswered()}")

        wait_until(lambda: not silent(), lambda: f"a value of each recording rule; none of {silent()}")
        groups = router.api("GET", "/api/v1/rules", auth=None, port=port).json()["data"]["groups"]
        self.assertEqual([(rule["name"], rule["lastError"]) for group in groups for rule in group["rules"] if rule["health"] != "ok"], [])


if __name__ == "__main__":
    unittest.main()
