"""Logplex's README, command by command with curl, on the ports it names."""

import json
import re
import shutil
import subprocess
import unittest

from harness import EndToEnd, port_is_free


def shell(command):
    """A line of the README as it stands there; stdout, and stderr with what curl -v tells."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)


class Quickstart(EndToEnd):
    def setUp(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not installed")
        for port in (8001, 8601):
            if not port_is_free(port):
                self.skipTest(f"port {port} is in use on this machine")

    def test_readme_of_logplex(self):
        self.node(public=8601, admin=8001)

        self.assertEqual(shell("curl http://local:password@localhost:8001/healthcheck").stdout, '{"status":"normal"}')

        made = json.loads(shell(
            """curl -d '{"tokens": ["app"]}' http://local:password@localhost:8001/channels""").stdout)
        self.assertEqual(made["channel_id"], 1)
        self.assertEqual(list(made["tokens"]), ["app"])
        token = made["tokens"]["app"]
        self.assertRegex(token, r"^t\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

        # The README's count is 116 where the frame has 118 bytes: one record, and two bytes that are none.
        posted = shell(
            r"""curl -v \
    -H "Content-Type: application/logplex-1" \
    -H "Logplex-Msg-Count: 1" \
    -d "116 <134>1 2012-12-10T03:00:48.123456Z erlang TOKEN console.1 - - Logsplat test message 1" \
    http://local:password@localhost:8601/logs""".replace("TOKEN", token))
        self.assertRegex(posted.stderr, r"< HTTP/1\.1 200 ")
        self.assertRegex(posted.stderr, r"(?i)< Content-Type: application/json")
        verdict = json.loads(posted.stdout)
        self.assertEqual((verdict["accepted"], verdict["rejected"]), (1, 1))
        self.assertEqual(sum(verdict["reasons"].values()), 1)

        url = json.loads(shell(
            """curl -d '{"channel_id": "1"}' http://local:password@localhost:8001/v2/sessions""").stdout)["url"]
        found = re.fullmatch(r"http://localhost:8601(/sessions/[0-9a-f-]{36})", url)
        self.assertTrue(found, url)
        line = "2012-12-10T03:00:48.123456Z app[console.1]: Logsplat test message\n"
        self.assertEqual(shell(f"curl http://local:password@localhost:8001{found[1]}").stdout, line)
        self.assertEqual(shell(f"curl {url}").stdout, line)


if __name__ == "__main__":
    unittest.main()
