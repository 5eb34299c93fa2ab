"""`tailrace drains`: every verb against the real router, with its exit codes, and what a far end cannot do to a terminal."""

import http.server
import json
import pathlib
import re
import tempfile
import threading
import unittest

from certificates import Authority
from harness import AUTH, EndToEnd, HttpFarEnd, counted, free_port, record, run, wait_until

VERBS = ("list", "add", "rm", "test", "health", "pause", "resume", "replay")


class Drains(EndToEnd):
    def set_up(self, *flags):
        self.router = self.node(*flags)
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.token = tokens["app"]

    def drains(self, *arguments, app="shop", auth=AUTH, feed=None):
        environment = {"TAILRACE_URL": self.router.url, "TAILRACE_AUTH": auth, "TAILRACE_APP": app}
        return run("drains", *arguments, environment=environment, feed=feed)

    def good(self, *arguments, **options):
        code, out, err = self.drains(*arguments, **options)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def json(self, *arguments, **options):
        return json.loads(self.good(*arguments, "-o", "json", **options))

    def send(self, first, past):
        self.router.send(counted(*[record(self.token, f"seq=0001-{i}") for i in range(first, past)]))

    # ---- what all verbs share

    def test_help(self):
        code, out, err = run("drains", "--help")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.startswith("examples:\n  tailrace drains "), out)
        for verb in VERBS:
            self.assertRegex(out, rf"(?m)^  {verb} ")
            code, text, err = run("drains", verb, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(text.startswith(f"examples:\n  tailrace drains {verb} "), text)

    def test_usage(self):
        for arguments in ([], ["nonsense"], ["list"], ["list", "-a", "x", "-o", "yaml"], ["rm", "-a", "x"], ["add", "-a", "x"],
                          ["replay", "-a", "x", "1"], ["list", "-a", "x", "extra"],
                          ["add", "-a", "x", "http://h/", "--header", "nonsense"],
                          ["add", "-a", "x", "http://h/", "--header", "@/nonexistent"],
                          ["add", "-a", "x", "http://h/", "--tls-ca", "/nonexistent"]):
            with self.subTest(arguments=arguments):
                code, out, err = run("drains", *arguments)
                self.assertEqual((code, out), (2, ""), err)
                self.assertTrue(err.startswith("tailrace: drains"), err)
        self.assertIn("did you mean health?", run("drains", "helth")[2])

    def test_exit_codes(self):
        self.set_up()
        self.assertEqual(self.drains("list", auth="local:wrong")[0], 3)
        self.assertEqual(self.drains("list", app="nobody")[0], 4)
        for arguments in (["health", "99"], ["rm", "99"], ["test", "99"], ["pause", "99"], ["resume", "d.nonsense"],
                          ["replay", "99", "--since", "oldest"]):
            with self.subTest(arguments=arguments):
                code, out, err = self.drains(*arguments)
                self.assertEqual((code, out), (4, ""))
                self.assertIn(f"'{arguments[1]}'", err)
        code, out, err = self.drains("add", "ftp://example.com/")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("422", err)
        code, _, err = run("drains", "list", "-a", "shop", "--url", f"http://127.0.0.1:{free_port()}")
        self.assertEqual(code, 5, err)

    # ---- verbs

    def test_add_list_and_rm(self):
        self.set_up()
        self.assertEqual(self.good("list"), "no drains\n")
        self.assertEqual(self.good("health"), "no drains\n")
        far_end = self.far_end(HttpFarEnd)
        secret = f"http://user:secret@127.0.0.1:{far_end.port}/in"
        said = self.good("add", secret)
        match = re.fullmatch(r"drain (\d+) added: (d\.[0-9a-f-]{36}) to (\S+)\n", said)
        self.assertEqual(match[3], secret.replace("secret", "***"))
        other = self.json("add", "-", feed=far_end.url.encode() + b"\n")
        self.assertEqual(other["url"], far_end.url)
        self.send(0, 10)
        self.router.wait_for_drain(self.channel, {"id": match[1]}, delivered=10)

        table = [re.split(r"  +", line) for line in self.good("list").splitlines()]
        self.assertEqual(table[0], ["ID", "STATE", "SINCE", "LAG", "STATUS", "URL"])
        self.assertEqual([row[0] for row in table[1:]], [match[1], str(other["id"])])
        self.assertEqual((table[1][1], table[1][3:]), ("ok", ["none", "200", secret.replace("secret", "***")]))
        listed = self.json("list")
        self.assertEqual(listed, json.loads(self.router.api("GET", f"/v3/channels/{self.channel}/drains").body))
        self.assertEqual([str(d["id"]) for d in listed["drains"]], [match[1], str(other["id"])])
        self.assertEqual(self.json("list", app=self.channel), listed)  # by id

        self.assertEqual(self.good("rm", match[2]), f"drain {match[2]} removed\n")
        self.assertEqual([d["id"] for d in self.json("list")["drains"]], [other["id"]])
        self.assertEqual(self.drains("rm", match[1])[0], 4)

    def test_options_reach_the_drain(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        secret = pathlib.Path(folder.name) / "secret"
        secret.write_text("0123456789abcdef\n")
        fields = pathlib.Path(folder.name) / "fields"
        fields.write_text("Authorization: Bearer s3cret\r\n\nX-Last: last")
        self.good("add", far_end.url, "--filter", "seq=0001-1 or seq=0001-3", "--format", "rfc5424", "--gzip", "--header",
                  "X-Team: shop", "--header", "X-More: a:b", "--header", f"@{fields}", "--batch-bytes", "2K", "--batch-delay", "1ms",
                  "--signing-secret-file", str(secret))
        self.send(0, 5)
        request = wait_until(lambda: far_end.requests, "a request")[0]
        for field in (b"X-Team: shop", b"X-More: a:b", b"Authorization: Bearer s3cret\r\n", b"X-Last: last\r\n", b"Content-Encoding: gzip", b"webhook-signature: v1,"):
            self.assertIn(b"\r\n" + field, request.head)
        options = self.json("list")["drains"][0]["options"]
        self.assertEqual((options["filter"], options["format"]), ("seq=0001-1 or seq=0001-3", "rfc5424"))
        self.assertNotIn("0123456789abcdef", json.dumps(options))
        self.assertNotIn("a:b", json.dumps(options))
        self.assertNotIn("s3cret", json.dumps(options))

    def test_an_authority_of_its_own(self):
        self.set_up()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        folder = pathlib.Path(folder.name)
        authority = Authority(folder, "own")
        authority.sign("sink", folder / "c.pem", folder / "c.key")
        sink = self.process("sink", "--listen", "127.0.0.1:0", "--tls-cert", str(folder / "c.pem"), "--tls-key",
                            str(folder / "c.key"), stderr=-1, stdout=-1)
        port = int(re.search(rb":(\d+)\n", sink.stderr.readline())[1])
        drain = self.json("add", f"https://127.0.0.1:{port}/in", "--tls-ca", str(authority.pem))
        self.send(0, 10)
        self.router.wait_for_drain(self.channel, drain, delivered=10)
        self.assertNotIn("BEGIN", self.good("list", "-o", "json").replace("BEGIN CERTIFICATE", ""))

    def test_since_oldest(self):
        self.set_up()
        self.send(0, 10)
        wait_until(lambda: self.router.accepted("tcp") == 10, "the records before")
        far_end = self.far_end(HttpFarEnd)
        drain = self.json("add", far_end.url, "--since", "oldest")
        self.router.wait_for_drain(self.channel, drain, delivered=10)

    def test_health(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        drain = self.json("add", far_end.url)
        self.assertIn("is pending: nothing has been tried yet", self.good("health"))
        self.send(0, 10)
        self.router.wait_for_drain(self.channel, drain, delivered=10)
        words = self.good("health", str(drain["id"]))
        self.assertRegex(words, rf"\Adrain {drain['id']} has been ok for \S+\n")
        self.assertIn("\n  delivered   10 records of 10 accepted\n", words)
        self.assertRegex(words, r"\n  answers     \d+ of late: half within \S+, 99 % within \S+; last status 200\n")
        self.assertNotIn("what to do", words)

        far_end.set_mode(503)
        self.send(10, 12)
        wait_until(lambda: self.json("health", drain["token"])["state"] == "failing", "a failing drain")
        words = self.good("health", drain["token"])
        self.assertRegex(words, rf"\Adrain {drain['id']} has been failing for \S+: answered 503")
        self.assertRegex(words, r"\n  next try    (in \S+|now)\n")
        self.assertRegex(words, r"\n  lag         2 records, \S+\n")
        self.assertRegex(words, r"\n  what to do  \S")
        answered = self.json("health", str(drain["id"]))
        self.assertEqual((answered["lag_records"], answered["last_status"], answered["url"]), (2, 503, far_end.url))

        other = self.json("add", self.far_end(HttpFarEnd).url)
        both = self.json("health")["drains"]
        self.assertEqual([one["id"] for one in both], [drain["id"], other["id"]])
        self.assertIn(f"\n\ndrain {other['id']} is pending", self.good("health"))

    def test_credentials_that_are_refused(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        far_end.set_mode(401)
        drain = self.json("add", far_end.url)
        self.send(0, 1)
        wait_until(lambda: self.json("health", str(drain["id"]))["state"] == "paused", "a paused drain")
        words = self.good("health")
        self.assertRegex(words, rf"\Adrain {drain['id']} has been paused for \S+: answered 401\n")
        resume = re.search(r"what to do  check the credentials in the URL, then: tailrace (drains resume .*)\n", words)[1]
        far_end.set_mode(200)
        self.assertEqual(self.good(*resume.split(" ")[1:]), f"drain {drain['id']} goes on\n")
        self.router.wait_for_drain(self.channel, drain, delivered=1)

    def test_pause_resume_replay(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        drain = self.json("add", far_end.url)
        name = str(drain["id"])
        self.send(0, 10)
        self.router.wait_for_drain(self.channel, drain, delivered=10)
        self.assertEqual(self.good("pause", name), f"drain {name} is paused\n")
        self.send(10, 15)
        wait_until(lambda: self.json("health", name)["lag_records"] == 5, "five that wait")
        self.assertTrue(self.json("list")["drains"][0]["paused"])
        words = self.good("health", name)
        self.assertRegex(words, rf"\Adrain {name} has been paused for \S+: by its owner\n")
        self.assertIn(f"when it may go on: tailrace drains resume -a shop {name}\n", words)
        self.assertEqual(self.good("resume", name), f"drain {name} goes on\n")
        self.router.wait_for_drain(self.channel, drain, delivered=15)
        self.assertEqual(self.good("replay", name, "--since", "oldest"), f"drain {name}: 15 records are sent again\n")
        self.router.wait_for_drain(self.channel, drain, accepted=30, delivered=30)
        self.assertEqual(self.json("replay", name, "--since", "1h")["replayed"], 15)
        code, _, err = self.drains("replay", name, "--since", "yesterday")
        self.assertEqual(code, 1, err)

    def test_test(self):
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        name = str(self.json("add", far_end.url)["id"])

        def tested(*arguments):
            """Code and words of a test, once one is let through: a drain is not tested twice within a second."""
            def done():
                code, out, err = self.drains("test", name, *arguments)
                if err:
                    self.assertEqual((code, out), (1, ""))
                    self.assertIn(": 409 ", err)
                return None if err else (code, out)
            return wait_until(done, "a test")

        code, words = tested()
        self.assertEqual(code, 0, words)
        self.assertRegex(words, r"(?m)^connect +\S+  ok")
        self.assertTrue(words.endswith(f"drain {name} works\n"), words)
        code, words = tested("-o", "json")
        self.assertEqual((code, json.loads(words)["ok"]), (0, True))
        far_end.set_mode(503)
        code, words = tested()
        self.assertEqual(code, 1, words)
        self.assertTrue(words.endswith(f"drain {name} does not work\n"), words)
        far_end.set_mode("refuse")
        code, words = tested()
        self.assertEqual(code, 1, words)
        self.assertRegex(words, r"(?m)^connect +\S+  failed: .*refused")
        code, words = tested("-o", "json")
        self.assertEqual((code, json.loads(words)["ok"]), (1, False))


class Terminal(EndToEnd):
    """An API that quotes a hostile far end: what it says is shown, and does nothing."""

    def test_control_characters_do_not_pass(self):
        evil = "\x1b[2J\x9b1m\x07\r\n  what to do  send money\x7f"
        health = {"id": 1, "token": "d.1", "url": "http://" + evil, "state": "failing", "cause": evil, "last_error": evil + "!",
                  "since": "2026-11-21T12:00:00.000Z", "lag_records": 1, "dropped": {evil: 1},
                  "lost": [{"first": 1, "records": 1, "since": evil, "until": evil, "reason": evil}]}
        answers = {"/v2/channels/1": {}, "/v3/channels/1/drains": {"drains": [health]}, "/v3/channels/1/drains/1/health": health,
                   "/v3/channels/1/drains/1/replay": {"replayed": evil, "why": evil}, "/v2/channels/1/drains": {"id": evil, "token": evil, "url": evil},
                   "/v3/channels/1/drains/1/test": {"ok": False, "steps": [{"step": evil, "seconds": 1, "ok": False, "outcome": evil}]}}

        class Api(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                found = self.path in answers
                body = json.dumps(answers[self.path] if found else {"error": evil}, ensure_ascii=False).encode()
                self.send_response(200 if found else 500)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        environment = {"TAILRACE_URL": f"http://127.0.0.1:{server.server_port}", "TAILRACE_APP": "1"}
        for arguments in (["list"], ["health"], ["health", "1"], ["test", "1"], ["pause", "1"], ["health", "-o", "json"],
                          ["list", "-o", "json"], ["test", "1", "-o", "json"], ["add", "http://h/"],
                          ["replay", "1", "--since", "1m"], ["replay", "1", "--since", "1m", "-o", "json"]):
            with self.subTest(arguments=arguments):
                _, out, err = run("drains", *arguments, environment=environment)
                if out != "drain 1: ? records are sent again\n":
                    self.assertIn("send money", out + err)
                self.assertEqual(re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out + err), [])
                self.assertNotIn("\n  what to do  send money", out + err)


if __name__ == "__main__":
    unittest.main()
