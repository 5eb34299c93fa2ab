"""The process ends at every named step of docs/disk-format.md section 7, and the next one makes good."""

import pathlib
import re
import unittest

from durable import SOAK, Durable, Replays, Writer, check_writers
from harness import AUTH, counted, record, wait_until

FORMAT = pathlib.Path(__file__).parents[2] / "docs" / "disk-format.md"
# How long into the work: at the n-th time too.
TIMES = (1, 2, 3, 7, 20, 60) if SOAK else (1, 3)
NEEDS_A_FAILED_SYNC = {"group.failed"}


def crash_points():
    """The names in the table of steps."""
    table = FORMAT.read_text(encoding="utf-8").split("## 7.")[1].split("## 8.")[0]
    return re.findall(r"^\| [^|]* \| `([a-z.]+_?[a-z_]*)` \|", table, re.M)


class CrashPoints(Durable):
    def test_the_table_is_read(self):
        names = crash_points()
        self.assertGreaterEqual(len(names), 18, names)
        self.assertIn("group.synced", names)

    def crash_at(self, name, times):
        """Work until the process ends there; then all that was promised must be kept."""
        far_end = self.far_end(Replays)
        self.start("--disk-bytes", "64M", "--channel-records", "50", "--channel-bytes", "24M")
        channel, tokens = self.router.channel("busy", ["app"])
        drain = self.router.drain(channel, far_end.url)
        quiet, quiet_tokens = self.router.channel("quiet", ["app"])
        self.assertEqual(self.router.post(counted(*[record(quiet_tokens["app"], f"quiet {i}") for i in range(3)]),
                                          quiet_tokens["app"]).status, 204)
        self.router.stop()
        made = []
        writer = Writer(self, tokens["app"], "w", batch=400)

        def work(_):
            if not writer._thread.is_alive():  # pylint: disable=protected-access
                writer.start()
            if len(made) >= 30:
                return
            answer = self.router.api("POST", "/channels", {"name": f"made {len(made)}", "tokens": []}, auth=AUTH)
            if answer.status in (200, 201):
                made.append(answer.json()["channel_id"])

        code = self.restart_until_gone("--disk-bytes", "64M", "--channel-records", "50", "--channel-bytes", "24M",
                                       environment={"TAILRACE_CRASHPOINT": f"{name}:{times}"}, during=work)
        self.assertEqual(code, 137, f"{name}:{times} was not met")
        self.inspect()
        # A second crash at the same place, in the recovery if it comes by there.
        self.restart_until_gone("--disk-bytes", "64M", "--channel-records", "50", "--channel-bytes", "24M",
                                environment={"TAILRACE_CRASHPOINT": name}, during=lambda p: p.terminate())
        self.start("--disk-bytes", "64M", "--channel-records", "50", "--channel-bytes", "24M")
        if writer._thread.is_alive():  # pylint: disable=protected-access
            writer.stop()
        account = self.router.wait_for_drain(channel, drain, buffered=0)
        messages = far_end.messages()
        check_writers(self, [writer], messages)
        self.assertEqual((account["accepted"], account["dropped"]), (len(messages), {}))
        self.assertEqual(self.history_messages(quiet), [b"quiet 0", b"quiet 1", b"quiet 2"])
        channels = {c["channel"] for c in self.router.good("GET", "/v3/channels")["channels"]}
        self.assertLessEqual({str(id_) for id_ in made}, channels)
        self.router.stop()
        self.inspect()


def add_tests():
    for name in crash_points():
        if name in NEEDS_A_FAILED_SYNC:
            continue  # durable_faults_test.py
        for times in TIMES:
            if times > 1 and name.startswith("recovery."):
                continue  # once per start

            def test(self, name=name, times=times):
                self.crash_at(name, times)
            setattr(CrashPoints, f"test_{name.replace('.', '_')}_{times}", test)


add_tests()

if __name__ == "__main__":
    unittest.main()
