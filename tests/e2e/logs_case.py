"""What the tests of `tailrace logs` share: the command as a process whose output is read by a thread."""

import os
import re
import signal
import subprocess
import threading

from harness import AUTH, BINARY, PATIENCE, EndToEnd, command_environment, counted, record, wait_until


class Logs:
    """`tailrace logs` with its two outputs, as bytes. `held`: stdout is not read until release()."""

    def __init__(self, *arguments, environment, held=False, feed=subprocess.DEVNULL):
        self.process = subprocess.Popen([BINARY, "logs", *arguments], env=command_environment(environment), stdin=feed,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._lock = threading.Lock()
        self._out, self._err = bytearray(), bytearray()
        self._go = threading.Event()
        if not held:
            self._go.set()
        self._threads = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.process.stdout, self._out, self._go), (self.process.stderr, self._err, None))]
        for thread in self._threads:
            thread.start()

    def _read(self, stream, into, go):
        if go:
            go.wait()
        while piece := os.read(stream.fileno(), 65536):
            with self._lock:
                into += piece

    def release(self):
        self._go.set()

    def out(self):
        with self._lock:
            return bytes(self._out)

    def err(self):
        with self._lock:
            return self._err.decode()

    def lines(self):
        return self.out().split(b"\n")[:-1]

    def messages(self):
        """MSG of every record; notices of the router's own are none."""
        return [line.split(b"]: ", 1)[1] for line in self.lines() if b" tailrace[" not in line]

    def wait_for(self, pattern, seconds=PATIENCE):
        expression = re.compile(pattern.encode())
        return wait_until(lambda: expression.search(self.out()),
                          lambda: f"{pattern} in {self.out()[-400:]!r}; stderr: {self.err()[-600:]}", seconds)

    def wait_for_err(self, pattern):
        return wait_until(lambda: re.search(pattern, self.err()), lambda: f"{pattern} in stderr: {self.err()[-600:]}")

    def signal(self, number):
        self.process.send_signal(number)

    def ends(self):
        """The exit code, once all output is read."""
        self._go.set()
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.ends()
        self.process.stdout.close()
        self.process.stderr.close()


class LogsCase(EndToEnd):
    def set_up(self, *flags, **options):
        self.router = self.node(*flags, **options)
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]

    def environment(self, **more):
        return {"TAILRACE_URL": self.router.url, "TAILRACE_AUTH": AUTH, "TAILRACE_APP": "shop", **more}

    def logs(self, *arguments, held=False, **more):
        logs = Logs(*arguments, environment=self.environment(**more), held=held)
        self.addCleanup(logs.close)
        return logs

    def whole(self, *arguments, **more):
        """What it prints until it ends well."""
        logs = self.logs(*arguments, **more)
        self.assertEqual(logs.ends(), 0, logs.err())
        return logs.out()

    def flag(self, name, on):
        self.router.good("PUT", f"/v3/channels/{self.channel}", {"flags": {name: on}, "tokens": ["app", "heroku"]})

    def sent(self, *records):
        """Sends, and waits until all of it has been judged."""
        before = self.router.accepted("tcp")
        self.router.send(counted(*records))
        wait_until(lambda: self.router.accepted("tcp") == before + len(records), "all accepted")

    def numbered(self, first, past, text=b""):
        self.sent(*[record(self.app, b"%d" % i + text) for i in range(first, past)])

    def assertNumbers(self, messages, past):
        """0, 1, … past - 1, each once."""
        numbers = [int(message.split(b" ")[0]) for message in messages]
        if numbers != list(range(past)):
            at = next((i for i, n in enumerate(numbers) if n != i), len(numbers))
            self.fail(f"{len(numbers)} of {past} numbers, wrong first at {at}: {numbers[max(0, at - 3):at + 5]}")
