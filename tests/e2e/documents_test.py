"""Every fenced block of the pages that users read. Commands are typed into a shell as they stand there, on this machine's ports, and
what they show is compared; what cannot run here is named below, with the reason. A block that is in none of these fails the test."""

import http.server
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from certificates import self_signed
from harness import BINARY, PATIENCE, EndToEnd, HttpFarEnd, Node, basic, counted, free_port, record, run, wait_until
from pages import ROOT, all_pages, block, blocks, mismatch, plain
from peers import NO_PEERS, PEERS

AUTH = "admin:choose-one"
APART = pathlib.Path(__file__).parent

# Pages and blocks that another test runs; its file must name the page.
ELSEWHERE = {
    "docs/senders.md": {"*": "senders_test.py"},
    "examples/app/README.md": {"*": "example_test.py"},
    "docs/console.md": {"overview": "overview_test.py", "system": "system_test.py", "drain-history": "drain_history_test.py"},
    "docs/routing-study.md": {"study": "routing_study_test.py"},
    "docs/metrics.md": {"prometheus": "metrics_test.py"},
    **{f"docs/codes/{code}.md": {"*text": "codes_test.py"} for code in ("L10", "L11", "L12", "L13", "L14", "L16", "L20")},
}

# Blocks that do not run in a test, and why.
NOT_RUN = {
    "README.md": {"demo": "builds with packages from apt; test_readme runs `tailrace demo` itself",
                  "install": "apt, a whole build, and a place outside the tree"},
    "bench/README.md": {"logblast": "a load generator of preset bench; read by bash -n, its files are there"},
    "docs/ARCHITECTURE.md": {"picture": "a picture"},
    "docs/codes/L14.md": {"openssl": "a far end on the Internet"},
    "docs/disk-format.md": {"files": "a list; durable_damage_test.py takes them away one by one"},
    "docs/drains.md": {"states": "a picture"},
    "docs/migrate/heroku.md": {"drain": "Heroku"},
    "docs/migrate/l2met.md": {"drain": "Heroku"},
    "docs/migrate/vector-heroku-logs.md": {"vector-syslog": "Vector cannot be had here; migrate_test.py judges as its source does"},
    "docs/outage-drill.md": {"hang": "15 s of waiting; outage_test.py has the words", "kill-accounts": "the accounts of another run"},
    "docs/routing-study.md": {"queue": "a line for an app in Ruby"},
    "docs/senders.md": {"serve": "binds 0.0.0.0; senders_test.py has the same listeners on loopback",
                        **{tag: "cannot be had here: senders_test.py sends the bytes that it would" for tag in
                           ("docker", "heroku", "log-shuttle", "vector", "fluent-bit-http", "fluent-bit-syslog")}},
    "tests/README.md": {"test": "runs the tests; read by bash -n, its files are there",
                        "browser-test": "runs a test; read by bash -n, its files are there"},
}


def left_out(b, table):
    named = table.get(b.page, {})
    return named.get(b.tag) or named.get("*" + b.language) or named.get("*")


class Terminal:
    """A shell that keeps its variables and its folder from one command to the next."""

    def __init__(self, folder, environment):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terminal-", dir=folder))
        self.count, self.started = 0, []
        self.shell = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      cwd=folder, env=environment)

    def say(self, line):
        """What the shell shows for a line of its language, and the exit code."""
        end = f"-- end of {self.count} --"
        self.shell.stdin.write(f"{line}\nprintf '\\n{end}%s\\n' $?\n".encode())
        self.shell.stdin.flush()
        shown, until = b"", time.monotonic() + PATIENCE
        while not (found := re.search(rb"\n" + end.encode() + rb"(\d+)\n$", shown)):
            if not select.select([self.shell.stdout], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"no end of {line}: {shown[-1000:]}")
            piece = os.read(self.shell.stdout.fileno(), 65536)
            if not piece:
                raise AssertionError(f"the shell ended at {line}: {shown[-1000:]}")
            shown += piece
        return shown[:found.start()].decode("utf-8", "replace"), int(found[1])

    def file(self, text):
        self.count += 1
        path = self.folder / str(self.count)
        path.write_text(text + "\n")
        return path

    def run(self, command):
        """What a command shows, and its exit code."""
        if command.endswith(" &"):
            self.start(command[:-2])
            return "", 0
        return self.say(f". {self.file(command)} < /dev/null")

    def start(self, command):
        """A command that goes on; what it says is in the file that is given back."""
        path = self.file(command)
        said = path.with_suffix(".said")
        said.touch()
        shown, code = self.say(f". {path} < /dev/null > {said} 2>&1 & echo $!")
        assert code == 0, shown
        self.started.append((int(shown.split()[-1]), said))
        return said

    def end(self, index=-1):
        """Ends one that was started, with all that it has started itself; what it said."""
        shell, said = self.started.pop(index)
        children = pathlib.Path(f"/proc/{shell}/task/{shell}/children")
        pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        for pid in pids or [shell]:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        self.say(f"wait {shell}")
        return said.read_text(errors="replace")

    def close(self):
        while self.started:
            self.end()
        self.shell.stdin.close()
        self.shell.wait(PATIENCE)
        self.shell.stdout.close()


class Page:
    """One page while its test runs: what is typed, and which blocks have had their turn."""

    def __init__(self, case, name, ports=(), replaced=(), **environment):
        self.case, self.name = case, name
        self.blocks = {b.tag: b for b in blocks(name)}
        self.used = {tag for tag, b in self.blocks.items() if left_out(b, NOT_RUN) or left_out(b, ELSEWHERE)}
        self.ports = {documented: free_port() for documented in (8001, 8601, 6001, 9601, 9602)} | dict(ports)
        self.replaced = dict(replaced)
        folder = tempfile.TemporaryDirectory(prefix="tailrace-page-")
        case.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for place in ("bin", "build/release"):
            (self.folder / place).mkdir(parents=True)
            (self.folder / place / "tailrace").symlink_to(BINARY)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("TAILRACE_") and k != "PORT"}
        # What pages leave to the defaults: this test's ports. No name is looked up outside.
        self.environment.update(
            PATH=f"{self.folder}/bin:{os.environ['PATH']}", LC_ALL="C", XDG_RUNTIME_DIR=folder.name, TAILRACE_DNS="127.0.0.1:1",
            TAILRACE_HTTP_LISTEN=f"127.0.0.1:{self.ports[8601]}", TAILRACE_ADMIN_LISTEN=f"127.0.0.1:{self.ports[8001]}",
            TAILRACE_SYSLOG_LISTEN=f"127.0.0.1:{self.ports[6001]}", TAILRACE_URL=f"http://127.0.0.1:{self.ports[8001]}",
            TAILRACE_GRACE="100ms", **environment)

    def terminal(self):
        terminal = Terminal(self.folder, self.environment)
        self.case.addCleanup(terminal.close)
        return terminal

    def here(self, text):
        """As it is typed on this machine."""
        for what, with_what in self.replaced.items():
            text = text.replace(what, with_what)
        for documented, real in self.ports.items():
            text = re.sub(rf"\b{documented}\b", str(real), text)
        return text

    def block(self, tag):
        self.used.add(tag)
        return self.blocks[tag]

    def commands(self, tag):
        return [(self.here(command), self.here("\n".join(output)).splitlines()) for command, output in self.block(tag).commands()]

    def run(self, tag, terminal, numbers=False):
        """Types a block's commands; each must succeed, and show what the page shows, if it shows something."""
        for command, expected in self.commands(tag):
            shown, code = terminal.run(command)
            self.case.assertEqual(code, 0, f"{self.name}, {tag}: {command}\n{shown}")
            if expected:
                self.case.assertIsNone(mismatch(expected, shown.splitlines(), numbers), f"{self.name}, {tag}: {command}")

    def shows(self, tag, terminal):
        """Types a block's commands until they show what the page shows, but for the figures."""
        for command, expected in self.commands(tag):
            wait_until(lambda: mismatch(expected, terminal.run(command)[0].splitlines(), True) is None,
                       lambda: mismatch(expected, terminal.run(command)[0].splitlines(), True))

    def starts(self, tag, terminal, which=-1):
        """Types all of a block, one command of which goes on; what that says is in the file that is given back."""
        commands = [command for command, _ in self.commands(tag)]
        which %= len(commands)
        for command in commands[:which] + commands[which + 1:]:
            shown, code = terminal.run(command)
            self.case.assertEqual(code, 0, f"{self.name}, {tag}: {command}\n{shown}")
        return terminal.start(commands[which])

    def ready(self, said):
        """Waits for the router that a command of the page has started."""
        wait_until(lambda: 'msg="ready"' in said.read_text(), said.read_text)

    def stopped(self, terminal):
        """Ends that router; nothing may have gone wrong in it."""
        said = terminal.end()
        self.case.assertIn('msg="stopped"', said)
        self.case.assertNotIn("level=error", said)

    def done(self):
        self.case.assertEqual(set(self.blocks) - self.used, set(), f"blocks of {self.name} that nothing has run")


def says(said, expression):
    """Waits for words in a file that a command writes to."""
    return wait_until(lambda: re.search(expression, said.read_text(errors="replace"), re.M),
                      lambda: f"{expression} in {said.read_text(errors='replace')[-1500:]}")


class Logplex(http.server.ThreadingHTTPServer):
    """What a Logplex answers to those who move away: channels in v2's shape, history as v3 has it."""

    TOKENS = [f"t.{i}d3fd2f0-5bd2-4a4c-9d0b-6a1f0c0d7e11" for i in range(4)]
    CHANNELS = {
        "/v2/channels/7": {"channel_id": 7, "tokens": [{"name": "app", "token": TOKENS[0]}, {"name": "heroku", "token": TOKENS[1]}],
                           "drains": [{"id": 3, "token": "d.8d3fd2f0-5bd2-4a4c-9d0b-6a1f0c0d7e11", "url": "https://logs.example.com/in"}]},
        "/v2/channels/8": {"channel_id": 8, "tokens": [{"name": "app", "token": TOKENS[2]}], "drains": []},
        "/v3/channels/app-77": {"channel": "app-77", "tokens": {"app": TOKENS[3]}, "drains": [
            {"id": 4, "token": "d.9d3fd2f0-5bd2-4a4c-9d0b-6a1f0c0d7e11", "url": "https://logs.example.com/v3"}]}}
    HISTORY = counted(b"<134>1 2012-12-10T03:00:48.123456Z host app console.1 - hello one\n",
                      b"<134>1 2012-12-10T03:00:49.123456Z host heroku router - at=info status=200\n")
    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers["Authorization"] == basic("user:password")
            body = json.dumps(Logplex.CHANNELS.get(self.path)).encode()
            if self.path == "/v3/channels/7/logs?num=1500":
                body = Logplex.HISTORY
            self.send_response(401 if not known else 404 if body == b"null" else 200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Logplex.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Documents(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_ = None

    @classmethod
    def tearDownClass(cls):
        if cls.shared_:
            cls.shared_.stop()

    def page(self, name, **options):
        return Page(self, name, **options)

    def shared(self):
        """A router with the channel `shop`, the tokens `app` and `heroku` and a drain, for pages that take these for granted."""
        cls = type(self)
        if not cls.shared_:
            cls.shared_ = node = Node("--auth", AUTH)
            made = self.ask("POST", "/channels", {"name": "shop", "tokens": ["app", "heroku"]})
            cls.tokens = made["tokens"]
            cls.far = HttpFarEnd()
            cls.addClassCleanup(cls.far.stop)
            self.ask("POST", "/v2/channels/1/drains", {"url": cls.far.url})
            router = 'at=error code=H12 desc="Request timeout" method=GET path="/" host=shop.example.com dyno=web.1 connect=1ms ' \
                     'service=30000ms status=503 bytes=0 protocol=https'
            lines = [record(cls.tokens["app"], "hello"), record(cls.tokens["heroku"], router, procid="router", pri=158),
                     record(cls.tokens["heroku"], "Error R14 (Memory quota exceeded)"),
                     record(cls.tokens["app"], "measure#api.users.time=12ms count#jobs=1 sample#depth=3 source=web.1")]
            self.assertEqual(node.post(counted(*lines), token=cls.tokens["app"]).status, 204)
            self.assertEqual(node.post(b"hello", token="t.nobody").status, 401)
        return cls.shared_

    def ask(self, method, path, body=None):
        answer = self.shared_.api(method, path, body, auth=AUTH)
        self.assertIn(answer.status, (200, 201, 204), answer)
        return answer.json() if answer.body else None

    def page_of_shared(self, name, **options):
        router = self.shared()
        ports = {8001: router.admin, 8601: router.public, 6001: router.syslog}
        return self.page(name, ports=ports, TAILRACE_AUTH=AUTH, TOKEN=self.tokens["app"], **options)

    # ---- that nothing is forgotten

    def test_every_block_has_its_test(self):
        source = pathlib.Path(__file__).read_text(encoding="utf-8")
        for name in all_pages():
            found = blocks(name)
            tags = [b.tag for b in found]
            self.assertEqual(len(tags), len(set(tags)), name)
            for b in found:
                with self.subTest(b):
                    self.assertRegex(f"{b.language} {b.tag}", r"^[a-z]+ [\w-]+$", "a block has a language and a tag")
                    if not left_out(b, NOT_RUN) and not left_out(b, ELSEWHERE):
                        folder = name.rsplit("/", 1)[0]
                        self.assertTrue(f'("{name}"' in source or f'("{folder}/" +' in source, "no test runs this page")

    def test_tables_name_what_is_there(self):
        for table in (NOT_RUN, ELSEWHERE):
            for name, tags in table.items():
                there = {b.tag for b in blocks(name)} | {"*" + b.language for b in blocks(name)} | {"*"}
                self.assertLessEqual(set(tags), there, name)
        for name, tags in ELSEWHERE.items():
            for file in set(tags.values()):
                source = (APART / file).read_text(encoding="utf-8")
                self.assertIn(pathlib.Path(name).parent.name if name.startswith("docs/codes/") else pathlib.Path(name).name, source, name)

    def test_senders_leave_no_block_out(self):
        source = (APART / "senders_test.py").read_text(encoding="utf-8")
        for b in blocks("docs/senders.md"):
            with self.subTest(b):
                self.assertTrue(left_out(b, NOT_RUN) or
                                f'"{b.tag.removesuffix("-arrives")}"' in source, "senders_test.py does not name it")

    def test_what_is_only_read(self):
        """Blocks that build, measure or test: the shell can read them, and the files that they name are there."""
        for name, tag, files in (("tests/README.md", "test", ("dev", "tests/e2e/tails_test.py")),
                                 ("tests/README.md", "browser-test", ("tests/browser/tail.test.mjs",)),
                                 ("bench/README.md", "logblast", ("bench/load/logblast.cpp",)),
                                 ("README.md", "install", ("scripts/install-deps",)), ("README.md", "demo", ("dev",))):
            with self.subTest(name):
                text = "".join(command + "\n" for command, _ in block(name, tag).commands())
                subprocess.run(["bash", "-n", "-c", text], check=True, timeout=PATIENCE)
                for file in files:
                    self.assertTrue((ROOT / file).exists(), file)
                    self.assertIn(pathlib.Path(file).stem, text)

    def test_settings_that_pages_name_are_there(self):
        code, text, _ = run("serve", "--help")
        self.assertEqual(code, 0)
        known = {"TAILRACE_" + flag[2:].replace("-", "_").upper() for flag in re.findall(r"--[a-z][a-z-]*", text)}
        known |= {"TAILRACE_URL", "TAILRACE_APP",  # the commands'
                  "TAILRACE_CRASHPOINT"}  # the tests', in docs/disk-format.md
        for name in all_pages():
            if not name.startswith(("tests/", "docs/decisions/")):
                used = set(re.findall(r"\bTAILRACE_[A-Z_]*", (ROOT / name).read_text(encoding="utf-8")))
                with self.subTest(name):
                    self.assertEqual({setting for setting in used if setting.removesuffix("_FILE") not in known and setting not in known},
                                     set())

    # ---- the pages

    def test_readme(self):
        page = self.page("README.md", replaced={"/var/lib/tailrace": "data", "=t.8d3fd2f0-…": "=$MADE", "my-program": "echo hello from a program"})
        router, reader = page.terminal(), page.terminal()
        page.ready(page.starts("serve", router))
        commands = page.commands("first-channel")
        self.assertEqual(len(commands), 3)
        for command, expected in commands:
            shown, code = reader.run(command)
            self.assertEqual(code, 0, shown)
            if expected:
                self.assertIsNone(mismatch(expected, shown.splitlines()), command)
                reader.run("MADE=" + re.search(r"t\.[0-9a-f-]{36}", shown)[0])
        page.run("first-send", reader)
        page.run("first-curl", reader)
        page.run("first-logplex", reader)
        page.run("first-logger", reader)
        commands = [command for command, _ in page.commands("first-read")]
        shown = wait_until(lambda: (out := reader.run(commands[0])[0]).count("\n") == 4 and out, "four records")
        self.assertEqual([line.split("]: ")[1] for line in shown.splitlines()],
                         ["hello from a program", "hello from curl", "hello from curl", "hello from logger"])
        shown, code = reader.run(commands[1])
        self.assertEqual((code, [json.loads(line)["message"] for line in shown.splitlines()]),
                         (0, ["hello from a program", "hello from curl", "hello from curl"]))
        said = page.starts("first-read", reader)
        says(said, "hello from logger")
        reader.end()
        page.run("drains", reader)
        said = page.starts("sink", reader)
        says(said, r"127\.0\.0\.1:\d+")
        reader.end()
        self.assertIn("<svg", (page.folder / "sink.svg").read_text())
        shown, code = reader.run("tailrace simulate --url http://127.0.0.1:$PORT/logs --token $TOKEN --duration 1s".replace(
            "$PORT", str(page.ports[8601])))
        self.assertEqual(code, 0, shown)
        page.run("metrics", reader)
        page.stopped(router)
        page.ready(page.starts("data-dir", router))
        page.stopped(router)

        # The demo, and what one types beside it.
        demo = router.start("tailrace demo --rate 100")
        says(demo, "The flaky drain is taken down")
        self.wait_for_percentiles(page)
        second = page.terminal()
        second.run("unset TAILRACE_URL")  # the demo is found by itself
        says(page.starts("demo-second-terminal", second, 0), r"heroku\[router\]: at=")
        page.done()

    def wait_for_percentiles(self, page):
        def there():
            done = subprocess.run(["curl", "-s", f"localhost:{page.ports[8001]}/metrics"], capture_output=True, timeout=PATIENCE,
                                  check=False)
            return b"router_service_quantile" in done.stdout
        return wait_until(there, "the demo's percentiles")

    def test_tails(self):
        page = self.page_of_shared("docs/tails.md")
        terminal = page.terminal()
        said = terminal.start(page.here(page.block("session").text))
        says(said, r"(?m)^\S+ app\[web\.1\]: hello$")
        self.assertEqual(self.shared_.post(counted(record(self.tokens["app"], "and more")), token=self.tokens["app"]).status, 204)
        says(said, r"(?m)^\S+ app\[web\.1\]: and more$")
        terminal.end()
        self.same_words(page.block("L11"), "docs/codes/L11.md", "L11")
        page.done()

    def same_words(self, b, name, tag):
        """A block that shows the form of a line that another page has whole."""
        whole = plain(block(name, tag).text, numbers=True)
        self.assertEqual(re.sub(r"\bTIME\d+\+", "TIME", plain(b.text, numbers=True)), re.sub(r"\bTIME\d+\+", "TIME", whole))

    def test_send(self):
        router = self.shared()
        page = self.page_of_shared("docs/send.md", replaced={
            "https://token:t.8d3fd2f0-5bd2-4a4c-9d0b-6a1f0c0d7e11@logs.example.com/logs": f"http://token:$TOKEN@localhost:{router.public}/logs",
            "my-program": "echo sent from a program"})
        shown, code = page.terminal().run(page.here(page.block("pipe").text))
        self.assertEqual((code, shown), (0, "tailrace: send: sent 1, lost 0\n"))
        self.assertIn(b" app[web.1]: sent from a program\n", router.api(
            "GET", re.sub(r".*(?=/sessions)", "", self.ask("POST", "/v2/sessions", {"channel_id": "1"})["url"]), auth=None).body)
        for form, code in zip(page.block("reports").text.splitlines(), ("L12", "L13"), strict=True):
            whole = plain(block(f"docs/codes/{code}.md", code).text, numbers=True).replace("TIME7+", "T")
            self.assertEqual(plain(form.split(" - - ")[1], numbers=True), whole.split("]: ")[1])
        page.done()

    def test_metrics(self):
        page = self.page_of_shared("docs/metrics.md")
        self.same_words(page.block("L16"), "docs/codes/L16.md", "L16")
        shown, made = json.loads(page.block("series").text), self.ask("GET", "/v3/channels/1/series")
        self.assertEqual(set(shown), set(made))
        self.assertEqual(set(shown["process"]), set(made["process"]))
        self.assertEqual(set(shown["top"][0]), set(made["top"][0]))
        self.assertEqual(set(shown["list"][0]), set(made["list"][0]))
        page.done()

    def test_drains(self):
        """The lines that a channel sees of a drain's changes, in the words of the page."""
        page = self.page("docs/drains.md")
        lines = page.block("notices").text.splitlines()
        node = self.node("--channel-bytes", "64K")
        channel, tokens = node.channel("shop")
        far = self.far_end(HttpFarEnd)
        drain = node.drain(channel, far.url)
        tail = self.tail(node.session(channel, tail="1", num="1500"))

        def send(size=10):
            node.send(counted(record(tokens["app"], b"x" * size)))

        def told(begins):
            """Until the tail has the page's line that begins so behind the drain's name."""
            line = next(line for line in lines if begins in line)
            form = re.sub(r"\b(NOW|T)\b", "TIME7+", line).replace("(REASON; CAUSE)", "(overflow; …)")
            form = re.sub(r"\(192\S*\)|(?<=late )\d+", "…", form)
            escaped = re.escape(plain(form, True)).replace("…", ".*")
            # A connection that is made is refused; one that was kept is closed.
            refused = re.escape("connect: connection refused ") + ".*"
            escaped = escaped.replace(refused, f"(?:{refused}|closed by the far end.*)")
            return wait_until(lambda: any(re.fullmatch(escaped, plain(shown.decode(), True)) for shown in tail.lines()),
                              lambda: f"{line} as {escaped} in\n" + "\n".join(plain(x.decode(), True) for x in tail.lines()))
        send()
        far.wait_for(1)
        far.set_mode("refuse")
        send()
        told("failing since")
        for _ in range(200):
            send(1000)
        told("Error L10")
        far.set_mode(200)
        node.good("POST", f"/v3/channels/{channel}/drains/{drain['id']}/resume")
        told("recovered after")
        far.set_mode(401)
        send()
        told(": answered 401")
        node.good("POST", f"/v3/channels/{channel}/drains/{drain['id']}/resume")
        node.good("POST", f"/v3/channels/{channel}/drains/{drain['id']}/pause")
        told(": by its owner")
        far.set_mode(200)
        node.good("POST", f"/v3/channels/{channel}/drains/{drain['id']}/resume")
        told("resumed after")
        shown = next(line for line in lines if "Error L14" in line)
        self.assertEqual(plain(block("docs/codes/L14.md", "L14").text).replace("TIME7+", "NOW"), shown)
        page.done()

    def test_routing_study(self):
        page = self.page_of_shared("docs/routing-study.md", replaced={"t.…": "$TOKEN"})
        terminal = page.terminal()
        before = self.shared_.accepted("http")
        page.starts("own", terminal)
        wait_until(lambda: self.shared_.accepted("http") > before, "lines of the study's model")
        terminal.end()
        page.done()

    def test_packaging(self):
        page = self.page("packaging/README.md")
        if not (PEERS / "promtool").exists():
            self.skipTest(f"promtool: {NO_PEERS}")
        (page.folder / "prometheus.yml").write_text(page.block("prometheus").text)
        shutil.copy(ROOT / "packaging/prometheus/rules.yml", page.folder)
        done = subprocess.run([PEERS / "promtool", "check", "config", page.folder / "prometheus.yml"], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        page.done()

    def test_codes(self):
        for path in sorted((ROOT / "docs" / "codes").glob("*.md")):
            with self.subTest(path.name):
                page = self.page_of_shared("docs/codes/" + path.name)
                terminal = page.terminal()
                for tag in sorted(set(page.blocks) - page.used):
                    page.run(tag, terminal)
                page.done()

    def test_migrate_l2met(self):
        self.shared()
        fresh = self.ask("POST", "/channels", {"name": "fresh", "tokens": ["app"]})
        page = self.page_of_shared("docs/migrate/l2met.md", FRESH=fresh["tokens"]["app"], replaced={
            "channels/2/": f"channels/{fresh['channel_id']}/", 'channel="2"': f'channel="{fresh["channel_id"]}"'})
        terminal = page.terminal()
        for tag in ("over-time", "differs"):
            page.run(tag, terminal)
        page.done()

    def test_migrate_log_shuttle(self):
        page = self.page_of_shared("docs/migrate/log-shuttle.md")
        page.run("pipe", page.terminal())
        page.done()

    def test_migrate_heroku(self):
        page = self.page("docs/migrate/heroku.md", ports={443: free_port()}, TAILRACE_AUTH=AUTH,
                         replaced={"/var/lib/tailrace": "data", "0.0.0.0:443": "127.0.0.1:443"})
        self_signed("logs.example.com", page.folder / "cert.pem", page.folder / "key.pem", "DNS:logs.example.com")
        router, reader = page.terminal(), page.terminal()
        page.ready(page.starts("serve", router))
        shown, _ = reader.run(page.commands("channel")[0][0])
        self.assertIsNone(mismatch(page.commands("channel")[0][1], shown.splitlines()))
        token = json.loads(shown)["tokens"]["heroku"]

        def as_heroku(line, app="heroku", procid="router"):
            path = page.folder / "frames"
            path.write_bytes(counted(record(app, line + "\n", procid=procid)))
            where = f"logs.example.com:{page.ports[443]}"
            said, code = reader.run(f"curl -s -f --cacert cert.pem --connect-to {where}:127.0.0.1:{page.ports[443]} --data-binary @frames "
                                    f"-H 'Content-Type: application/logplex-1' https://token:{token}@{where}/logs")
            self.assertEqual(code, 0, said)
        as_heroku('at=info method=GET path="/" host=x dyno=web.1 connect=1ms service=9ms status=500 bytes=0 protocol=https')
        as_heroku("State changed from starting to up", procid="web.1")
        page.run("came", reader)
        page.run("logs", reader)
        said = page.starts("follow", reader)
        as_heroku('at=error code=H12 desc="Request timeout" method=GET path="/" host=x dyno=web.1 connect= service=30000ms status=503')
        says(said, "code=H12")
        self.assertNotIn("State changed", reader.end())
        page.run("metrics", reader)
        page.stopped(router)
        page.done()

    @unittest.skipUnless(shutil.which("jq"), "jq: scripts/install-deps test brings it")
    def test_migrate_logplex(self):
        old = Logplex()
        self.addCleanup(old.server_close)
        self.addCleanup(old.shutdown)
        host = f"127.0.0.1:{old.server_port}"
        page = self.page("docs/migrate/logplex.md", LOGPLEX_AUTH_KEY="dXNlcjpwYXNzd29yZA==", TOKEN=Logplex.TOKENS[0],
                         OLD_V3=f"http://user:password@{host}",
                         replaced={"logplex.example.com:8001": host, "/var/lib/tailrace": "data"})
        router, operator = page.terminal(), page.terminal()
        page.run("auth", operator)
        self.assertEqual((page.folder / "auth").read_text(), "user:password")
        page.ready(page.starts("serve", router))
        page.run("where", operator)
        shown, code = operator.run(page.here(page.block("copy").text))
        self.assertEqual((code, shown.splitlines()), (0, ["channel 7 is now 1: [2,1]", "channel 8 is now 2: [1,0]"]))
        shown, code = operator.run(page.here(page.block("copy-v3").text))
        self.assertEqual((code, shown), (0, ""))
        shown, _ = operator.run("curl -s $NEW/v2/channels/app-77")
        self.assertEqual([(t["name"], t["token"]) for t in json.loads(shown)["tokens"]], [("app", Logplex.TOKENS[3])])
        self.assertEqual(len(json.loads(shown)["drains"]), 1)
        page.run("history", operator)
        shown, _ = operator.run("TAILRACE_AUTH=user:password tailrace logs -a logplex-7")
        self.assertEqual(shown.splitlines(), ["2012-12-10T03:00:48.123456Z app[console.1]: hello one",
                                              "2012-12-10T03:00:49.123456Z heroku[router]: at=info status=200"])
        page.run("check", operator)
        # Sources go on: by the credential, and by the token in APP-NAME over TCP.
        for command in (f"logger --rfc5424 --octet-count -T -n 127.0.0.1 -P {page.ports[6001]} -t {Logplex.TOKENS[2]} by its old token",):
            self.assertEqual(operator.run(command), ("", 0))
        wait_until(lambda: "by its old token" in operator.run("TAILRACE_AUTH=user:password tailrace logs -a logplex-8")[0], "that line")
        page.stopped(router)
        page.done()

    def test_migrate_vector(self):
        page = self.page_of_shared("docs/migrate/vector-heroku-logs.md")
        terminal = page.terminal()
        for tag in ("syslog", "http", "dead-letters"):
            page.run(tag, terminal)
        page.done()

    def test_outage_drill(self):
        """The drill with its times shortened: the same commands, the same words, other figures."""
        page = self.page("docs/outage-drill.md", replaced={
            "20s:hang,36s:status=503,46s:tls=expired,58s:refuse,75s:status=429/5s,105s:ok":
                "5s:status=503,8s:tls=expired,11s:refuse,14s:status=429/1s,17s:ok",
            "--duration 140s": "--duration 10m", "--duration 130s": "--duration 16s"})
        router, operator, owner = page.terminal(), page.terminal(), page.terminal()
        page.ready(page.starts("router", router))
        page.run("channel", operator)
        page.run("sinks", operator)
        neighbour, third_party = operator.started
        says(third_party[1], ":")
        page.run("drains", operator, numbers=True)
        tail = page.starts("owner", owner)
        page.shows("well", operator)
        for tag in ("503", "expired-health", "refused", "429"):
            # Whoever knows before the router does can say so; else back-off has times of its own.
            self.hurried(page, tag, operator)
        wait_until(lambda: (operator.run("tailrace drains resume 1"), operator.run("tailrace drains health 1")[0])[1].startswith(
            "drain 1 has been ok"), "the end of the outage")
        page.shows("recovered-health", operator)
        for tag in ("expired", "recovered"):
            line = page.here(page.block(tag).text)
            wait_until(lambda: any(mismatch(line.splitlines(), [shown], True) is None for shown in tail.read_text().splitlines()),
                       lambda: f"{line} in {tail.read_text()}")
        # The accounts: of the sinks when they end, then the router's own.
        ledger = self.settled(page, operator)
        self.assertEqual(ledger["drains"][0]["delivered"], ledger["accepted"])
        expected = page.block("accounts").text.splitlines()
        said = {which: operator.end(operator.started.index(which)).splitlines() for which in (third_party, neighbour)}
        for line, which in zip(expected[:2], (third_party, neighbour)):
            last = next(shown for shown in reversed(said[which]) if shown.startswith("received "))
            self.assertIsNone(mismatch([line], [last], True))
            self.assertIn(" 0 missing, 0 repeated, 0 reordered,", last)
        shown, _ = operator.run(page.here(expected[2][2:]))
        self.assertIsNone(mismatch(expected[3:], shown.splitlines(), True))
        self.assertTrue((page.folder / "outage-drill.svg").exists())

        # And if the router dies.
        owner.close()
        page.starts("kill", router)
        page.ready(router.started[-1][1])
        page.stopped(router)
        page.done()

    def hurried(self, page, tag, terminal):
        wait_until(lambda: self.resumed(page, tag, terminal) is None, lambda: self.resumed(page, tag, terminal))

    def resumed(self, page, tag, terminal):
        """What is wrong with what a block's commands show behind a try that was asked for."""
        terminal.run("tailrace drains resume 1")
        for command, expected in page.commands(tag):
            wrong = mismatch(expected, terminal.run(command)[0].splitlines(), True)
            if wrong:
                return wrong
        return None

    def settled(self, page, terminal):
        """The channel's account once the generator has ended and both drains have all."""
        def account():
            text, _ = terminal.run(f"curl -s -u $TAILRACE_AUTH localhost:{page.ports[8001]}/v3/ledger")
            channel = json.loads(text)["channels"][0]
            return channel if all(drain["buffered"] == 0 for drain in channel["drains"]) else None
        says(terminal.started[-1][1], "simulate: .* 0 failed")
        return wait_until(account, "two drains without a lag")


if __name__ == "__main__":
    unittest.main()
