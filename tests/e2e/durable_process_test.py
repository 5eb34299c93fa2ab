"""One process per data dir, and what signals do to it."""

import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import unittest

from durable import Durable, Replays
from harness import AUTH, BINARY, PATIENCE, HttpFarEnd, command_environment, counted, record, run, wait_until


class Process(Durable):
    def filled(self, *flags):
        self.start(*flags)
        self.channel, self.tokens = self.router.channel("shop", ["app"])
        self.token = self.tokens["app"]
        self.post("one", "two")

    def post(self, *messages):
        self.assertEqual(self.router.post(counted(*[record(self.token, m) for m in messages]), self.token).status, 204)

    def second(self):
        """A second process on the dir: exit code and what it said."""
        done = subprocess.run([BINARY, "serve", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                               "--syslog-listen", "off", "--auth", AUTH], stdin=subprocess.DEVNULL, capture_output=True,
                              env=command_environment({"TAILRACE_DATA_DIR": str(self.dir)}), timeout=PATIENCE, check=False)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def test_a_second_process_names_the_holder_and_ends(self):
        self.filled()
        code, said = self.second()
        self.assertEqual(code, 1, said)
        self.assertRegex(said, rf"in use by pid {self.router.process.pid} since \d{{4}}-")
        (self.dir / "lock").unlink()
        code, said = self.second()
        self.assertEqual(code, 1, said)
        self.assertIn("in use by", said)
        # The first one did not notice.
        self.post("three")
        self.assertEqual(self.history_messages(self.channel), [b"one", b"two", b"three"])
        self.kill()
        self.start()

    def test_inspect_of_a_dir_that_is_in_use(self):
        self.filled()
        self.router.process.send_signal(signal.SIGSTOP)  # so that what changes is not its doing
        self.addCleanup(self.router.process.send_signal, signal.SIGCONT)
        tasks = pathlib.Path(f"/proc/{self.router.process.pid}/task")
        wait_until(lambda: all((task / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
                               for task in tasks.iterdir()), "every thread at rest")
        before = sorted((str(p), p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in self.dir.rglob("*"))
        report = self.inspect()
        self.assertIn(f"pid {self.router.process.pid}", report["holder"])
        self.assertEqual(report["channels"][0]["records"], 2)
        self.assertEqual(self.exported("shop"), ["one", "two"])
        after = sorted((str(p), p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in self.dir.rglob("*"))
        self.assertTrue(after == before, "inspect changed something")
        code, out, err = run("inspect", str(self.dir))
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, rf"(?s)^open by pid {self.router.process.pid} .*\nsegments\n.*\nchannels\n  {self.channel} +shop ")
        self.assertTrue(out.splitlines()[-1].endswith("nothing is damaged or missing."), out)
        self.assertNotIn(self.token, out)
        self.assertNotIn(AUTH.split(":")[1], out)
        code, out, _ = run("inspect", "--export", "--raw", "-a", self.channel, str(self.dir))
        self.assertEqual((code, len(out.splitlines())), (0, 2))
        self.assertRegex(out, r"^<190>1 \S+ host app web\.1 - - one\n")
        self.assertEqual(run("inspect", "-a", "nobody", str(self.dir))[0], 4)

    def test_sigterm_stores_positions(self):
        """Nothing is sent twice after a clean stop, whatever frame ids say."""
        far_end = self.far_end(HttpFarEnd)
        self.filled()
        drain = self.router.drain(self.channel, far_end.url)
        sent = []
        for turn in range(4):
            messages = [b"turn %d %d" % (turn, i) for i in range(50)]
            self.post(*messages)
            sent += messages
            self.router.wait_for_drain(self.channel, drain, delivered=len(sent), buffered=0)
            self.router.stop()
            self.inspect()
            self.start()
            account = self.router.account(self.channel, drain)
            self.assertEqual((account["accepted"], account["delivered"], account["buffered"]), (len(sent), len(sent), 0))
        self.post("the end")
        far_end.wait_for(len(sent) + 1)
        self.assertEqual(far_end.messages(), sent + [b"the end"])

    def test_sigterm_while_a_drain_is_down_keeps_the_rest(self):
        far_end = self.far_end(Replays)
        self.filled()
        drain = self.router.drain(self.channel, far_end.url)
        self.post("delivered")
        self.router.wait_for_drain(self.channel, drain, delivered=1)
        far_end.set_mode("refuse")
        self.post(*[f"late {i}" for i in range(100)])
        self.router.stop()
        self.assertEqual([d["buffered"] for d in self.inspect()["drains"]], [100])
        far_end.set_mode(200)
        self.start()
        account = self.router.wait_for_drain(self.channel, drain, delivered=101, buffered=0)
        self.assertEqual(account["dropped"], {})
        self.assertEqual(far_end.messages(), [b"delivered"] + [b"late %d" % i for i in range(100)])

    def test_a_second_sigterm_ends_it_at_once_and_costs_nothing_that_was_acknowledged(self):
        far_end = self.far_end(HttpFarEnd)
        self.filled("--grace", "10m")
        drain = self.router.drain(self.channel, far_end.url)
        far_end.set_mode("hang")
        self.post(*[f"late {i}" for i in range(100)])
        process = self.router.process
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: 'msg="stopping"' in self.router.log(), "the beginning of the end")
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        self.router.stopped = True
        far_end.set_mode(200)
        self.start()
        self.router.wait_for_drain(self.channel, drain, delivered=100, buffered=0)

    def test_sighup_reads_limits_again(self):
        limits = self.root / "limits"
        limits.write_text("TAILRACE_CHANNEL_RECORDS=10\n")
        self.start(environment={"TAILRACE_LIMITS_FILE": str(limits)})
        self.channel, tokens = self.router.channel("shop", ["app"])
        self.token = tokens["app"]
        self.post(*[f"r{i}" for i in range(100)])
        self.assertLessEqual(len(self.history_messages(self.channel)), 10)
        limits.write_text("TAILRACE_CHANNEL_RECORDS=50\n")
        self.router.process.send_signal(signal.SIGHUP)
        wait_until(lambda: 'msg="limits read again"' in self.router.log(), "limits")
        self.post(*[f"s{i}" for i in range(100)])
        self.assertEqual(self.history_messages(self.channel), [b"s%d" % i for i in range(50, 100)])
        limits.write_text("TAILRACE_CHANNEL_RECORDS=nonsense\n")
        self.router.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "nonsense" in self.router.log(), "a word about the bad value")
        self.post("still here")
        self.assertEqual(len(self.history_messages(self.channel)), 50)

    def test_the_generated_credential_is_kept_and_private(self):
        command = [BINARY, "serve", "--http-listen", "127.0.0.1:0", "--admin-listen", f"127.0.0.1:{self.admin}",
                   "--syslog-listen", "off"]

        def start():
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       env=command_environment({"TAILRACE_DATA_DIR": str(self.dir)}))
            self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
            said = b""
            while b'msg="ready"' not in said:
                line = process.stdout.readline()
                self.assertTrue(line, said)
                said += line
            return process

        first = start()
        auth = pathlib.Path(self.dir, "auth").read_text(encoding="ascii").strip()
        self.assertEqual(stat.S_IMODE(os.stat(self.dir / "auth").st_mode), 0o600)
        first.kill()
        first.wait()
        second = start()
        self.assertEqual(pathlib.Path(self.dir, "auth").read_text(encoding="ascii").strip(), auth)
        with socket.create_connection(("127.0.0.1", self.admin)):
            pass
        code, out, err = run("logs", "-a", "none", environment={"TAILRACE_URL": f"http://127.0.0.1:{self.admin}",
                                                                 "TAILRACE_AUTH": auth})
        self.assertEqual(code, 4, out + err)  # let in, and no such channel
        second.terminate()
        second.wait(PATIENCE)
        self.assertIsNone(re.search(re.escape(auth.split(":")[1]), run("inspect", str(self.dir))[1]))


if __name__ == "__main__":
    unittest.main()
