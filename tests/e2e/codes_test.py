"""docs/codes/: every code that the binary can emit has its page, and the line on the page is what the real binary says."""

import pathlib
import re
import subprocess
import tempfile
import threading
import unittest

from certificates import Authority
from harness import EndToEnd, HttpFarEnd, SyslogFarEnd, counted, record, wait_until
from pages import ROOT, block, blocks, mismatch

FOLDERS = ("base", "channels", "cli", "drains", "ingest", "metrics", "net", "web")
TOLD_BY_OTHERS = {"L15"}  # has a page, and no line here
SECTIONS = ["## Cause", "## Check", "## Cure", "## Counted"]


def emitted():
    """Codes in the texts that the binary can write, from its source. What it only simulates does not count."""
    found = set()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.cpp"):
            if file.name.startswith("router_model"):
                continue
            for line in file.read_text(encoding="utf-8").splitlines():
                if not line.lstrip().startswith("//"):
                    found.update(re.findall(r'"[^"]*\bError (L\d\d)[ :][^"]', line))
    return found


class Codes(EndToEnd):
    def shows(self, code, tag, line):
        """The page's example is this line, with other times, ids and numbers."""
        line = line.decode().rstrip("\n") if isinstance(line, bytes) else line
        example = block(f"docs/codes/{code}.md", tag).text.splitlines()
        self.assertIsNone(mismatch(example, [line], numbers=True))

    def set_up(self, *flags, **options):
        self.router = self.node(*flags, **options)
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.app = tokens["app"]

    def follow(self, num="0", **options):
        return self.tail(self.router.session(self.channel, tail="1", num=num), **options)

    def test_every_code_has_its_page(self):
        pages = {path.stem for path in (ROOT / "docs" / "codes").glob("L*.md")}
        codes = emitted()
        self.assertLessEqual({"L10", "L11", "L14", "L16"}, codes)
        self.assertEqual(codes - pages, set(), "emitted, and no page")
        index = (ROOT / "docs" / "codes" / "README.md").read_text(encoding="utf-8")
        for code in sorted(pages):
            with self.subTest(code):
                self.assertIn(f"[{code}]({code}.md)", index)
                page = f"docs/codes/{code}.md"
                text = (ROOT / page).read_text(encoding="utf-8")
                self.assertRegex(text, rf"^# {code}: ")
                if code in TOLD_BY_OTHERS:
                    self.assertNotIn(code, codes)
                    continue
                self.assertEqual(re.findall(r"^## .*$", text, re.M), SECTIONS)
                examples = [b for b in blocks(page) if b.language == "text"]
                self.assertTrue(examples)
                for example in examples:
                    self.assertIn(f"Error {code}", example.text)

    def test_every_example_is_provoked_here(self):
        source = pathlib.Path(__file__).read_text(encoding="utf-8")
        for code in sorted(emitted()):
            for example in blocks(f"docs/codes/{code}.md"):
                if example.language == "text":
                    self.assertIn(f'"{example.tag}"', source, example)

    # ---- the lines

    def test_l10(self):
        self.set_up("--channel-bytes", "64K")
        ends = [self.far_end(HttpFarEnd), self.far_end(SyslogFarEnd)]
        drains = [self.router.drain(self.channel, end.url) for end in ends]
        tail = self.follow("1500")
        self.router.send(counted(record(self.app, "first")))
        for end in ends:
            end.wait_for(1)
            end.set_mode("refuse")
        self.router.send(counted(record(self.app, "second")))
        for drain in drains:
            health = f"/v3/channels/{self.channel}/drains/{drain['id']}/health"
            wait_until(lambda: (self.router.good("GET", health).get("cause") or "").startswith("connect: "),
                       lambda: self.router.good("GET", health))
        self.router.send(counted(*[record(self.app, b"x" * 1000) for _ in range(200)]))
        for end, drain, tag in zip(ends, drains, ("L10-http", "L10-syslog")):
            said = tail.wait_for(rf"(?m)^.*Error L10.* drain '{drain['token']}' .*; .*$")[0]
            self.shows("L10", "L10-tail", said.decode().replace("127.0.0.1", "192.0.2.7"))
            end.set_mode(200)
            self.router.wait_for_drain(self.channel, drain, buffered=0)
            notice = wait_until(end.notices, "the drain's own L10")[0]
            self.shows("L10", tag, notice)

    def test_l11(self):
        self.set_up("--channel-bytes", "64K")
        slow = self.follow(held=True, receive_buffer=4096)
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 1, "the tail")
        for _ in range(100):
            self.router.send(counted(*[record(self.app, b"x" * 9000) for _ in range(50)]))
        self.router.send(counted(record(self.app, "the last")))
        slow.release()
        slow.wait_for("the last\n")
        self.shows("L11", "L11", re.search(rb"(?m)^.*Error L11.*$", slow.text())[0])

    def sender(self, *flags, feed):
        """`tailrace send` with these lines on a pipe that stays open."""
        self.set_up()
        far_end = self.far_end(HttpFarEnd)
        sender = self.process("send", "--url", far_end.url, "--appname", "app", *flags, stdin=subprocess.PIPE, bufsize=0,
                              stderr=subprocess.DEVNULL)
        threading.Thread(target=sender.stdin.write, args=(feed,), daemon=True).start()
        return far_end

    def as_it_shows(self, frame):
        """A sender's report as readers of its channel see it."""
        self.assertEqual(self.router.post(counted(frame), token=self.app).status, 204)
        return self.router.history(self.channel, 1)

    def test_l12(self):
        far_end = self.sender("--buffer", "256K", feed=b"".join(b"%1000d\n" % i for i in range(2000)))
        far_end.set_mode(503)
        wait_until(lambda: far_end.requests, "a try")
        far_end.set_mode(200)
        report = wait_until(lambda: [f for f in far_end.frames() if b"Error L12" in f], "L12")[0]
        self.shows("L12", "L12", self.as_it_shows(report))

    def test_l13(self):
        far_end = self.sender(feed=b"good\nbad\n")
        far_end.refuses = b"bad"
        report = wait_until(lambda: [f for f in far_end.frames() if b"Error L13" in f], "L13")[0]
        self.shows("L13", "L13", self.as_it_shows(report))

    def test_l14(self):
        folder = tempfile.TemporaryDirectory(prefix="tailrace-codes-")
        self.addCleanup(folder.cleanup)
        files = [pathlib.Path(folder.name) / name for name in ("expired.crt", "expired.key")]
        authority = Authority(folder.name, "authority")
        authority.sign("expired", *files, days=-1)
        self.set_up(environment={"SSL_CERT_FILE": str(authority.pem)})
        sink = self.process("sink", "--listen", "127.0.0.1:0", "--tls-cert", str(files[0]), "--tls-key", str(files[1]), stdout=-1,
                            stderr=-2)
        port = re.search(rb":(\d+)", sink.stdout.readline())[1].decode()
        tail = self.follow("1500")
        self.router.drain(self.channel, f"https://localhost:{port}/in")
        self.router.send(counted(record(self.app, "first")))
        said = tail.wait_for(r"(?m)^.*Error L14.*$")[0].decode()
        self.shows("L14", "L14", said.replace(f"localhost:{port}", "logs.example.com"))

    def test_l16(self):
        self.set_up("--channel-series", "10")
        self.router.send(counted(*[record(self.app, f"count#api.users.{user}.hits=1") for user in range(50)]))
        tail = self.follow("1500")
        self.shows("L16", "L16", tail.wait_for(r"(?m)^.*Error L16.*$")[0])

    def test_l20(self):
        self.set_up()
        self.assertEqual(self.router.api("PUT", f"/v3/channels/{self.channel}", {"flags": {"no_tail": True}}).status, 200)
        self.shows("L20", "L20", self.follow().wait_for_end())


if __name__ == "__main__":
    unittest.main()
