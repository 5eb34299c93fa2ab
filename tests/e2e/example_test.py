"""examples/app, by its README: every command of it, and what the tail shows."""

import os
import re
import signal
import subprocess
import tempfile
import unittest

from harness import BINARY, EndToEnd, free_port, wait_until
from peers import ROOT

README = (ROOT / "examples" / "app" / "README.md").read_text(encoding="utf-8")


class Example(EndToEnd):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailrace-example-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(f"{self.folder}/bin")
        os.symlink(BINARY, f"{self.folder}/bin/tailrace")
        os.symlink(ROOT / "examples", f"{self.folder}/examples")
        self.ports = {documented: free_port() for documented in (8001, 8601, 5000)}

    def commands(self):
        """The README's commands in their order, on ports that are free here."""
        blocks = re.findall(r"^```console \w+\n(.*?)^```$", README, re.M | re.S)
        commands = "".join(line[2:] for block in blocks for line in block.splitlines(True) if line.startswith("$ "))
        for documented, real in self.ports.items():
            commands = re.sub(rf"\b{documented}\b", str(real), commands)
        return commands

    def expected(self):
        """The README's lines as patterns: times, PIDs, ids, durations and ports are open."""
        patterns = []
        for line in re.findall(r"^2026-11-21T\S+ (app\[web\.1\]: .*)$", README, re.M):
            pattern = re.escape(line).replace("4711", r"\d+").replace("5000", r"\d+")
            pattern = re.sub(r"request_id=\w+…", r"request_id=[0-9a-f-]{36}", pattern)
            patterns.append(re.sub(r"service=\d+ms", r"service=\\d+ms", pattern))
        return patterns

    def test_readme(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TAILRACE_")}
        environment["PATH"] = f"{self.folder}/bin:{environment['PATH']}"
        # What the page leaves to the defaults: this machine's ports.
        environment.update(TAILRACE_HTTP_LISTEN=f"127.0.0.1:{self.ports[8601]}", TAILRACE_ADMIN_LISTEN=f"127.0.0.1:{self.ports[8001]}",
                           TAILRACE_SYSLOG_LISTEN="off", TAILRACE_URL=f"http://127.0.0.1:{self.ports[8001]}", TAILRACE_GRACE="100ms")
        # A person types slowly; the script waits where the page has a paragraph.
        head, tail = self.commands().split("tailrace logs -a shop\n")
        self.assertEqual(tail, "")
        head = head.replace("tailrace serve &\n", "tailrace serve &\necho $! > serve.pid\n" +
                            f"curl -s -o /dev/null --retry 50 --retry-connrefused --retry-delay 1 127.0.0.1:{self.ports[8001]}/healthz\n")
        head = head.replace("examples/app/run &\n", "examples/app/run &\necho $! > app.pid\n")
        log = open(f"{self.folder}/log", "wb")
        self.addCleanup(log.close)
        try:
            done = subprocess.run(["bash", "-e"], input=head.encode(), env=environment, cwd=self.folder, stdout=log, stderr=log,
                                  timeout=120, check=False)
            self.assertEqual(done.returncode, 0, self.said())
            auth = re.search(r"TAILRACE_AUTH=(\S+)", head)[1]

            def shown():
                out = subprocess.run([BINARY, "logs", "-a", "shop"], env={**environment, "TAILRACE_AUTH": auth},
                                     capture_output=True, text=True, timeout=60, check=True).stdout
                return [line.split(" ", 1)[1] for line in out.splitlines()]
            patterns = self.expected()
            self.assertEqual(len(patterns), 8)
            lines = wait_until(lambda: (got := shown()) and len(got) >= len(patterns) and got, lambda: f"8 lines; {shown()}")
            for pattern, line in zip(patterns, lines, strict=True):
                self.assertRegex(line, f"^{pattern}$")
            # The last line comes too, and send ends with the app.
            self.end("app.pid")
            wait_until(lambda: re.search(r"^app\[web\.1\]: at=stop$", "\n".join(shown()), re.M), lambda: f"the last line; {shown()}")
        finally:
            self.end("app.pid")
            self.end("serve.pid")
        self.assertIn("stopped", wait_until(lambda: "stopped" in self.said() and self.said(), self.said))

    def end(self, name):
        try:
            with open(f"{self.folder}/{name}", encoding="ascii") as file:
                os.remove(file.name)
                os.kill(int(file.read()), signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            pass

    def said(self):
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]


if __name__ == "__main__":
    unittest.main()
