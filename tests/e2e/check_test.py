"""`tailrace check`: all that is wrong, where values are from, and nothing changed."""

import pathlib
import re
import tempfile
import unittest

from harness import AUTH, EndToEnd, free_port, run

GOOD = "configuration is good\n"


class Check(EndToEnd):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.free = {"TAILRACE_HTTP_LISTEN": "127.0.0.1:0", "TAILRACE_ADMIN_LISTEN": "127.0.0.1:0",
                     "TAILRACE_SYSLOG_LISTEN": "127.0.0.1:0"}

    def check(self, *flags, **environment):
        code, out, err = run("check", *flags, environment={**self.free, **environment})
        self.assertEqual(err, "")
        return code, out

    def file(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def test_nothing_is_wrong(self):
        code, out = self.check()
        self.assertEqual((code, [line for line in out.splitlines() if line.startswith("error")]), (0, []))
        self.assertTrue(out.endswith(GOOD))

    def test_everything_is_wrong(self):
        limits = self.file("limits", "TAILRACE_GRACE=soon\nnonsense\nTAILRACE_SERIEZ=1\n")
        auth = self.file("auth", "hunter2-without-a-colon", 0o644)
        code, out = self.check(
            "--threads", "many", TAILRACE_AUTH_FILE=auth, TAILRACE_LIMITS_FILE=limits, TAILRACE_HTP_LISTEN="x",
            TAILRACE_DRAIN_ALLOW="10.0.0.0/33", TAILRACE_DRAIN_DENY="everybody", TAILRACE_DNS="ns.example.com",
            TAILRACE_TLS_CERT=self.file("cert.pem", "nothing"), TAILRACE_TLS_KEY="/nonexistent", SSL_CERT_FILE="/nonexistent",
            TAILRACE_DATA_DIR=auth, TAILRACE_SYSLOG_LISTEN="192.0.2.1:514", TAILRACE_URL="gopher://x")
        self.assertEqual(code, 1)
        self.assertNotIn("hunter2", out)
        self.assertNotIn(GOOD, out)
        for expected in (
                r"TAILRACE_THREADS=many: takes a number from 1 to 256", r"TAILRACE_AUTH=\*\*\*: takes user:password",
                r"TAILRACE_GRACE=soon: takes a duration .*", r"TAILRACE_LIMITS_FILE=.*/limits: line 2 takes NAME=value",
                r"TAILRACE_SERIEZ: no such setting, did you mean TAILRACE_SERIES\?",
                r"TAILRACE_HTP_LISTEN: no such setting, did you mean TAILRACE_HTTP_LISTEN\?",
                r"TAILRACE_DRAIN_ALLOW=10\.0\.0\.0/33: takes .*", r"TAILRACE_DRAIN_DENY=everybody: takes .*",
                r"TAILRACE_DNS=ns\.example\.com: takes .*", r"TAILRACE_TLS_CERT=.*/cert.pem: takes a PEM file .*",
                r"TAILRACE_TLS_KEY=/nonexistent: No such file.*", r"SSL_CERT_FILE=/nonexistent: No such file.*",
                r"TAILRACE_DATA_DIR=.*/auth: .* is no directory", r"TAILRACE_SYSLOG_LISTEN=192\.0\.2\.1:514: Cannot assign .*",
                r"TAILRACE_URL: takes http://.*"):
            self.assertRegex(out, rf"(?m)^error: {expected}$")
        self.assertRegex(out, r"(?m)^warning: TAILRACE_AUTH_FILE=.*/auth: everybody on this machine may read it$")
        self.assertEqual(len(re.findall(r"(?m)^error: ", out)), 15, out)

    def test_an_unreadable_secret_file(self):
        code, out = self.check(TAILRACE_AUTH_FILE="/nonexistent")
        self.assertEqual((code, out.splitlines()[0]), (1, "error: TAILRACE_AUTH_FILE=/nonexistent: takes a readable file"))

    def test_where_values_are_from(self):
        auth = self.file("auth", "u:hunter2")
        limits = self.file("limits", "TAILRACE_GRACE=7s\n")
        code, out = self.check("--show", "--threads", "3", TAILRACE_AUTH_FILE=auth, TAILRACE_LIMITS_FILE=limits, PORT="1")
        self.assertEqual(code, 0, out)
        self.assertNotIn("hunter2", out)
        for line in (r"TAILRACE_THREADS=3 +flag", rf"TAILRACE_AUTH=\*\*\* +file {auth}", r"TAILRACE_GRACE=7s +TAILRACE_LIMITS_FILE",
                     r"TAILRACE_HTTP_LISTEN=127\.0\.0\.1:0 +environment", r"TAILRACE_CHANNEL_AGE=7d +default"):
            self.assertRegex(out, rf"(?m)^{line}$")
        for setting in re.findall(r"(?m)^\.B (TAILRACE_\w+)$", run("help", "--man")[1].split("Of the commands")[0]):
            if not setting.endswith("_FILE") or setting == "TAILRACE_LIMITS_FILE":
                self.assertRegex(out, rf"(?m)^{setting}=")

    def test_beside_a_router_that_runs(self):
        """What is in use is told, and disturbs nobody; a data dir stays as it was."""
        data = self.directory / "data"
        public, admin, udp = free_port(), free_port(), free_port()
        node = self.node("--data-dir", str(data), "--syslog-udp-listen", f"127.0.0.1:{udp}", public=public, admin=admin)
        node.channel("shop")
        node.udp()
        code, out = self.check("--data-dir", str(data), "--http-listen", f"127.0.0.1:{public}", "--admin-listen",
                               f"127.0.0.1:{admin}", "--syslog-udp-listen", f"127.0.0.1:{udp}")
        self.assertEqual(code, 0, out)
        self.assertIn(f"warning: TAILRACE_HTTP_LISTEN=127.0.0.1:{public}: in use by another process\n", out)
        self.assertIn(f"warning: TAILRACE_ADMIN_LISTEN=127.0.0.1:{admin}: in use by another process\n", out)
        self.assertIn(f"warning: TAILRACE_SYSLOG_UDP_LISTEN=127.0.0.1:{udp}: in use by another process\n", out)
        self.assertRegex(out, rf"(?m)^warning: TAILRACE_DATA_DIR={data}: in use by pid {node.process.pid} since ")
        self.assertNotIn("catalog.db", out)
        self.assertEqual(node.api("GET", "/healthz", auth=None).status, 200)
        node.stop()

        def state():
            return sorted((p, p.stat().st_mtime_ns, p.stat().st_size) for p in [data, *data.rglob("*")])
        before = state()
        code, out = self.check("--data-dir", str(data))
        self.assertEqual((code, "in use" in out, state()), (0, False, before), out)

    def test_a_data_dir_that_is_not_there_is_not_made(self):
        code, out = self.check("--data-dir", str(self.directory / "a" / "b"))
        self.assertEqual(code, 0, out)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_what_check_lets_through_starts(self):
        settings = {"TAILRACE_DATA_DIR": str(self.directory / "d"), "TAILRACE_LIMITS_FILE": self.file("limits", "TAILRACE_GRACE=1s\n"),
                    "TAILRACE_AUTH_FILE": self.file("auth", AUTH + "\n")}
        self.assertEqual(self.check(**settings)[0], 0)
        self.node(environment={k: v for k, v in settings.items() if "LISTEN" not in k})


if __name__ == "__main__":
    unittest.main()
