"""The demo, as the README promises it: a tail, moving percentiles, a drain that goes down, and a ledger without a gap."""

import os
import re
import shlex
import signal
import subprocess
import tempfile
import unittest

from harness import BINARY, EndToEnd, wait_until


class Lines:
    """Everything a process has said on a file that it writes to."""

    def __init__(self, path):
        self.path = path

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for(self, pattern, seconds=60):
        return wait_until(lambda: re.search(pattern, self.text(), re.M),
                          lambda: f"{pattern} in {self.text()[-1500:]}", seconds)


class Demo(EndToEnd):
    def test_demo(self):
        folder = tempfile.TemporaryDirectory(prefix="tailrace-demo-")
        self.addCleanup(folder.cleanup)
        runtime = {"XDG_RUNTIME_DIR": folder.name}
        out, err = (open(os.path.join(folder.name, name), "wb") for name in ("out", "err"))
        self.addCleanup(out.close)
        self.addCleanup(err.close)
        demo = self.process("demo", "--rate", "100", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                            "--syslog-listen", "127.0.0.1:0", environment=runtime, stdout=out, stderr=err)
        said = Lines(out.name)
        said.wait_for(r"^  The flaky drain is taken down in ")
        guide = said.text()

        # The tail command as printed, which finds the demo and its credential by itself.
        printed = re.search(r"^  tail +(.+)$", guide, re.M)[1]
        words = shlex.split(printed)
        self.assertTrue(os.path.samefile(words[0], BINARY))
        self.assertEqual(words[1:], ["logs", "-t", "-a", "shop", "-p", "router"])
        demo_file = os.path.join(folder.name, "tailrace-demo.json")
        self.assertEqual(os.stat(demo_file).st_mode & 0o777, 0o600)
        tail_out = open(os.path.join(folder.name, "tail"), "wb")
        self.addCleanup(tail_out.close)
        tail_process = self.process(*words[1:], environment=runtime, stdout=tail_out, stderr=subprocess.PIPE)
        tail = Lines(tail_out.name)
        tail.wait_for(r"^\S+ heroku\[router\]: at=info .* connect=\d+ms service=\d+ms status=\d{3} ")

        # The percentiles as printed; they move.
        metrics = re.search(r"^  metrics +(curl .+)$", guide, re.M)[1]
        self.assertRegex(metrics, r"^curl -s http://127\.0\.0\.1:\d+/metrics \| grep router_service_quantile$")

        def quantiles():
            return subprocess.run(["bash", "-c", metrics], capture_output=True, text=True, timeout=60, check=False).stdout
        first = wait_until(quantiles, "percentiles")
        for quantile in ("0.5", "0.95", "0.99", "1"):
            self.assertRegex(first, rf'tailrace_router_service_quantile_seconds\{{channel="1",quantile="{quantile}"\}} [0-9.e-]+')
        shop = re.compile(r'^tailrace_router_service_quantile_seconds\{channel="1",quantile="0\.5"\} (\S+)$', re.M)
        wait_until(lambda: shop.search(quantiles())[1] != shop.search(first)[1], "a percentile that moves")

        # One drain goes down: the tail says which, why and since when.
        flaky = re.search(r"^  drain +(d\.\S+) +syslog://\S+ +\(flaky\)$", guide, re.M)[1]
        steady = re.search(r"^  drain +(d\.\S+) +http://\S+ +\(steady\)$", guide, re.M)[1]
        said.wait_for(rf"drain {flaky} is taken down now")
        when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
        tail.wait_for(rf"^{when} heroku\[logplex\]: drain '{flaky}' failing since {when}: \S+.*$")
        said.wait_for(rf"drain {flaky} is up again")
        recovered = tail.wait_for(rf"^{when} heroku\[logplex\]: drain '{flaky}' recovered after \S+: (\d+) dropped, (\d+) delivered late$")
        self.assertEqual(recovered[1], "0")
        self.assertGreater(int(recovered[2]), 0)
        self.assertNotIn(steady, tail.text())

        # Nothing was lost, and the ledger says so, now and at the end.
        self.ledger(said.wait_for(r"ledger of shop: (\d+) records accepted\n(.*\n){4}")[0])
        tail_process.send_signal(signal.SIGINT)
        self.assertEqual(tail_process.wait(60), 130)
        before = len(said.text())
        demo.send_signal(signal.SIGINT)
        self.assertEqual(demo.wait(60), 0, Lines(err.name).text())
        last = said.text()[before:]
        self.assertIn("ending", last)
        accounts = self.ledger(last)
        for accepted, delivered, dropped, buffered, unique in accounts:
            self.assertEqual((delivered, dropped, buffered, unique), (accepted, 0, 0, accepted))
        self.assertFalse(os.path.exists(demo_file))
        self.assertEqual(Lines(err.name).text().count("level=error"), 0)

    def ledger(self, text):
        """Both drains' accounts in a printed ledger; none misses a record."""
        accounts = re.findall(
            r"(?:steady|flaky) +(\d+) accepted = (\d+) delivered \+ 0 filtered \+ (\d+) dropped \+ (\d+) buffered\n"
            r".*counted (\d+) records: (\d+) missing, ", text)
        self.assertEqual(len(accounts), 2, text)
        for account in accounts:
            accepted, delivered, dropped, buffered, _, missing = map(int, account)
            self.assertEqual(accepted, delivered + dropped + buffered, text)
            self.assertEqual((dropped, missing), (0, 0), text)
        return [tuple(map(int, account[:5])) for account in accounts]


if __name__ == "__main__":
    unittest.main()
