"""docs/migrate/: what these pages say of others' rules, with far ends that judge by these rules."""

import http.server
import re
import subprocess
import tempfile
import threading
import unittest

import packaging_test
from harness import EndToEnd, counted, record
from pages import ROOT
from peers import NO_PEERS, PEERS

LOGPLEX = (ROOT / "docs" / "migrate" / "logplex.md").read_text(encoding="utf-8")
L2MET = (ROOT / "docs" / "migrate" / "l2met.md").read_text(encoding="utf-8")


class LinesOfVector(http.server.ThreadingHTTPServer):
    """Judges a request as Vector's heroku_logs does: three headers must be there, and the body must have as many lines that are
    not empty as Logplex-Msg-Count says, else 400. Keeps the messages, which stand behind the seventh blank."""

    daemon_threads = True

    def __init__(self):
        self.messages, self.refused, self.lock = [], 0, threading.Lock()
        super().__init__(("127.0.0.1", 0), Judge)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://user:password@127.0.0.1:{self.server_port}/events"

    def judge(self, headers, body):
        lines = [line for line in body.decode("utf-8", "surrogateescape").splitlines() if line]
        good = all(headers[name] for name in ("Logplex-Frame-Id", "Logplex-Drain-Token")) and \
            headers["Logplex-Msg-Count"] == str(len(lines))
        with self.lock:
            if good:
                self.messages += [line.split(" ", 7)[-1] for line in lines]
            else:
                self.refused += 1
        return 200 if good else 400


class Judge(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.judge(self.headers, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Vector(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.token = tokens["app"]
        self.far = LinesOfVector()
        self.addCleanup(self.far.server_close)
        self.addCleanup(self.far.shutdown)
        self.drain = self.router.drain(self.channel, self.far.url)

    def send(self, *messages):
        frames = counted(*[record(self.token, message) for message in messages])
        self.assertEqual(self.router.post(frames, token=self.token).status, 204)

    def test_lines_of_dynos_and_routers_pass_in_batches(self):
        self.send(*[f"line {i}\n" for i in range(1000)])
        self.router.wait_for_drain(self.channel, self.drain, delivered=1000, buffered=0)
        self.assertEqual(self.far.messages, [f"line {i}" for i in range(1000)])
        self.assertEqual(self.far.refused, 0)

    def test_without_a_newline_they_pass_alone(self):
        self.send("first\n", "an add-on's, without a newline", "last\n")
        self.router.wait_for_drain(self.channel, self.drain, delivered=3, buffered=0)
        self.assertEqual(self.far.messages, ["first", "an add-on's, without a newline", "last"])
        self.assertGreater(self.far.refused, 0)

    def test_one_with_a_newline_inside_is_refused_and_kept(self):
        self.send("first\n", "two\nlines\n", "last\n")
        account = self.router.wait_for_drain(self.channel, self.drain, buffered=0, accepted=3)
        self.assertEqual((account["delivered"], account["dropped"]), (2, {"refused": 1}))
        self.assertEqual([m for m in self.far.messages if not m.startswith("Error L10 ")], ["first", "last"])
        letters = self.router.good("GET", f"/v3/channels/{self.channel}/drains/{self.drain['id']}/dead_letters")["dead_letters"]
        self.assertEqual([letter["record"].endswith("two\nlines\n") for letter in letters], [True], letters)
        told = self.tail(self.router.session(self.channel, tail="1", num="100")).wait_for(r"Error L10 .* dropped 1 messages .*")
        self.assertIn(b"(refused", told[0])

    def test_two_faults_that_cancel_out_are_taken_for_other_lines(self):
        self.send("first\n", "an add-on's, without a newline", "two\nlines\n", "last\n")
        self.router.wait_for_drain(self.channel, self.drain, delivered=4, buffered=0)
        self.assertEqual([message.partition(",")[0] for message in self.far.messages], ["first", "an add-on's", "lines", "last"])
        self.assertTrue(self.far.messages[1].endswith("two"))


class Logplex(EndToEnd):
    def test_routes_are_there_or_gone(self):
        """Of the page's table: a method that no route has is answered with those that it has."""
        router = self.node()
        count = 0
        for row in re.findall(r"(?m)^\| (`[A-Z]+ /.*?) \| (.*) \|$", LOGPLEX.split("## Routes")[1].split("\n## ")[0]):
            for method, path in re.findall(r"`([A-Z]+) (/\S*)`", row[0]):
                with self.subTest(path=path):
                    answer = router.api("PATCH", re.sub(r":\w+", "1", path))
                    if row[1].startswith("gone"):
                        self.assertEqual(answer.status, 404)
                        continue
                    self.assertEqual(answer.status, 405, answer)
                    self.assertIn(method, answer.header("Allow"))
                    count += 1
        self.assertGreater(count, 10)


class L2met(unittest.TestCase):
    def queries(self):
        table = L2MET.split("## Where a Librato chart is now")[1].split("\n## ")[0]
        return re.findall(r"(?m)^\|[^|]*\| `([^`]*tailrace_[^`]*)` \|$", table)

    def test_queries_name_what_is_there(self):
        names = packaging_test.Documented("test_dashboard")
        names.setUp()
        self.assertEqual(len(self.queries()), 14)
        for query in self.queries():
            self.assertTrue(names.check_names(query))

    @unittest.skipUnless((PEERS / "promtool").exists(), NO_PEERS)
    def test_prometheus_reads_the_queries(self):
        rules = "".join(f"  - record: chart:{i}\n    expr: '{query}'\n" for i, query in enumerate(self.queries()))
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("groups:\n- name: charts\n  rules:\n" + rules.replace("chart:", "chart:n"))
            file.flush()
            done = subprocess.run([PEERS / "promtool", "check", "rules", file.name], capture_output=True, text=True, timeout=60,
                                  check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
