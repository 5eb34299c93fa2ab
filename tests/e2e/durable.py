"""What the tests of the data dir share: a node that dies and comes back, and the books of what was promised meanwhile."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

from harness import (AUTH, BINARY, PATIENCE, EndToEnd, HttpFarEnd, basic, free_port, is_notice, run, wait_until)

SOAK = bool(os.environ.get("TAILRACE_SOAK"))


def rounds(short, long):
    """How often a test does what it does; `./dev soak` sets TAILRACE_SOAK."""
    return long if SOAK else short


class Replays(HttpFarEnd):
    """A far end that knows a record when it comes again: the same bytes, time of arrival included. (What a sender posts
    again arrives at another time.)"""

    def messages(self):
        """MSG of every record but notices, each once. What came again must have come as it did before: from some record on,
        in order and without a gap, up to where it had been."""
        place, messages, last = {}, [], -1
        for frame in self.frames():
            if is_notice(frame):
                continue
            known = place.get(frame)
            if known is not None:
                if known > last + 1:
                    raise AssertionError(f"records {last + 1} to {known - 1} were left out of a repeat")
                last = known
                continue
            if last != len(messages) - 1:
                raise AssertionError(f"{frame!r} came behind record {last} of {len(messages)}")
            place[frame] = last = len(messages)
            messages.append(self.message(frame))
        return messages


class Durable(EndToEnd):
    """One data dir, whose nodes come and go on the same ports."""

    def assertEqual(self, first, second, msg=None):
        """unittest's own takes minutes over the difference of long lists, and megabytes to tell it."""
        if isinstance(first, list) and isinstance(second, list) and first != second and max(len(first), len(second)) > 100:
            at = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
            self.fail(self._formatMessage(msg, f"lists of {len(first)} and {len(second)} differ first at {at}: "
                                               f"{str(first[at:at + 1])[:200]} and {str(second[at:at + 1])[:200]}"))
        super().assertEqual(first, second, msg)

    def setUp(self):
        root = tempfile.TemporaryDirectory(prefix="tailrace-e2e-", dir=os.environ.get("TAILRACE_TEST_DISK"))
        self.addCleanup(root.cleanup)
        self.root = pathlib.Path(root.name).resolve()
        self.dir = self.root / "data"
        self.dir.mkdir()
        self.public, self.admin = free_port(), free_port()
        self.router = None
        self.faults = None

    def start(self, *flags, environment=None, **options):
        """A node on the data dir."""
        variables = {"TAILRACE_DATA_DIR": str(self.dir), **(self.faults.environment if self.faults else {}),
                     **(environment or {})}
        if self.router:
            self.assertTrue(self.router.stopped, "the node before still runs")
        self.router = self.node(*flags, public=self.public, admin=self.admin, environment=variables, **options)
        return self.router

    def kill(self):
        """kill -9."""
        self.router.kill()

    def inspect(self, whole=True):
        """What `tailrace inspect` says; whether all is whole must be as it is expected (None: either)."""
        code, out, err = run("inspect", "-o", "json", str(self.dir))
        report = json.loads(out)
        self.assertEqual(code, 0 if report["whole"] else 1, err)
        if whole is not None:
            self.assertEqual(report["whole"], whole, report["summary"])
        return report

    def exported(self, channel):
        """Messages of a channel as they lie in the data dir."""
        done = subprocess.run([BINARY, "inspect", "--export", "-a", channel, str(self.dir)], capture_output=True, check=False,
                              timeout=PATIENCE)
        return [json.loads(line)["message"] for line in done.stdout.splitlines()]

    def history_messages(self, channel, num=1500):
        """MSG of what a reader is shown, without the router's own lines."""
        lines = self.router.history(channel, num).split(b"\n")[:-1]
        return [line.split(b"]: ", 1)[1] for line in lines if b" heroku[logplex]: drain '" not in line and b"]: " in line]

    def restart_until_gone(self, *flags, environment, during):
        """Starts a node that is to end by itself (a crash point), lets `during(node)` work until it has. The exit code."""
        variables = {k: v for k, v in os.environ.items() if not k.startswith("TAILRACE_") and k != "PORT"}
        variables.update({"TAILRACE_DATA_DIR": str(self.dir), **environment})
        log = open(self.root / "crashing.log", "ab")  # noqa: SIM115
        self.addCleanup(log.close)
        process = subprocess.Popen([BINARY, "serve", "--http-listen", f"127.0.0.1:{self.public}", "--admin-listen",
                                    f"127.0.0.1:{self.admin}", "--syslog-listen", "off", "--drain-allow", "127.0.0.0/8",
                                    "--auth", AUTH, "--grace", "300ms", *flags],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=variables)
        end = time.monotonic() + 30  # it ends within a second or two, or never
        try:
            while process.poll() is None and time.monotonic() < end:
                with contextlib.suppress(OSError, http.client.HTTPException, AssertionError, KeyError, ValueError, TypeError):
                    during(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return process.returncode


class Writer:
    """Posts numbered records in batches, each under a frame id of its own, and repeats each until it is answered 2xx:
    whatever dies meanwhile. Runs on its own thread until stop()."""

    def __init__(self, case, token, name, batch=50, kind="text/plain", frame_ids=True):
        self.case, self.token, self.name, self.batch, self.kind = case, token, name, batch, kind
        self.frame_ids = frame_ids
        self.next = 0           # of the next batch
        self.accepted = 0       # records of batches that were answered 2xx
        self.doubtful = set()   # first numbers of batches that were sent more than once
        self.statuses = {}
        self.failure = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """The batch that is under way is brought to its end first; a node must run."""
        self._stop.set()
        self._thread.join(2 * PATIENCE)
        if self._thread.is_alive():
            raise AssertionError(f"writer {self.name} hangs at {self.next}: {self.statuses}")
        if self.failure:
            raise self.failure
        return self

    def body(self, first):
        return "".join(f"{self.name} {n} {'x' * (n % 97)}\n" for n in range(first, first + self.batch)).encode()

    def _run(self):
        try:
            connection = None
            while not self._stop.is_set():
                tries = 0
                while True:
                    connection, answer = self._post(connection, self.next)
                    tries += 1
                    if tries == 2:
                        self.doubtful.add(self.next)
                    if answer is not None:
                        self.statuses[answer] = self.statuses.get(answer, 0) + 1
                        if answer // 100 == 2:
                            break
                        if answer not in (429, 503):
                            raise AssertionError(f"POST was answered {answer}")
                    if tries > 1:
                        threading.Event().wait(0.01)
                self.next += self.batch
                self.accepted = self.next
            if connection:
                connection.close()
        except BaseException as failure:  # noqa: B902
            self.failure = failure

    def _post(self, connection, first):
        """The connection to go on with, and the status; None: no answer came."""
        fields = {"Authorization": basic(f"token:{self.token}"), "Content-Type": self.kind}
        if self.frame_ids:
            fields["Logplex-Frame-Id"] = f"{self.name}-{first}"
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.case.public, timeout=PATIENCE)
            connection.request("POST", "/logs", self.body(first), fields)
            response = connection.getresponse()
            response.read()
            return connection, response.status
        except (OSError, http.client.HTTPException):
            connection.close()
            return None, None


def check_writers(case, writers, messages):
    """Each record of an accepted batch is there once and in order. A batch that was sent more than once may begin
    several times: what of it was on disk before a crash, without its verdict, comes before the whole of it."""
    by_writer = {writer.name: [] for writer in writers}
    for message in messages:
        name, number = message.split(b" ")[:2]
        by_writer[name.decode()].append(int(number))
    for writer in writers:
        expected, begun = 0, 0
        for at, number in enumerate(by_writer[writer.name]):
            if number != expected:
                case.assertIn(number, writer.doubtful, f"{writer.name}: record {at} is {number}, not {expected}")
                case.assertGreaterEqual(expected, number, f"{writer.name}: {expected} to {number} are missing")
                case.assertLessEqual(expected, number + writer.batch, f"{writer.name}: {number} came again behind {expected}")
                begun += 1
            expected = number + 1
        case.assertEqual(expected, writer.accepted, f"{writer.name}: the end; {begun} batches began again")
