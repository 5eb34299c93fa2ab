"""The commands in pipes: bytes untouched, at once, quiet when the reader has enough, and exit codes."""

import os
import signal
import socket
import subprocess
import unittest

from harness import AUTH, BINARY, PATIENCE, TIME, command_environment, free_port, record, run
from logs_case import LogsCase


def shell(script, environment=None):
    """A pipeline in which $TAILRACE is the binary."""
    variables = command_environment({"TAILRACE": BINARY, **(environment or {})})
    return subprocess.run(["bash", "-c", script], capture_output=True, env=variables, timeout=PATIENCE, check=False)


class Pipes(LogsCase):
    def test_every_byte_passes(self):
        self.set_up()
        messages = [bytes([first, second]) for first in range(256) for second in (0x00, 0x0a, 0x80, 0xff, 0x1b)]
        self.sent(*[record(self.app, message) for message in messages])
        done = shell('"$TAILRACE" logs -n 5000 | cat', self.environment())
        prefix = TIME.encode() + b" app[web.1]: "
        ended = [message if message.endswith(b"\n") else message + b"\n" for message in messages]
        self.assertEqual(done.stdout, b"".join(prefix + message for message in ended))
        self.assertEqual(shell('"$TAILRACE" logs -n 5000 -o raw | cat', self.environment()).stdout, b"".join(ended))
        self.assertEqual(done.stderr, b"")

    def test_colours_are_asked_for_in_a_pipe(self):
        self.set_up()
        self.sent(record(self.app, b"\x1b[2J"))
        for flags, coloured in (("", False), ("--color always", True), ("--force-colors", True), ("--color auto", False),
                                ("--color never", False), ("--no-color", False), ("--force-colors --no-color", False)):
            for variables in ({}, {"NO_COLOR": "1"}):
                with self.subTest(flags=flags, variables=variables):
                    done = shell(f'"$TAILRACE" logs {flags}', self.environment(**variables))
                    self.assertEqual(b"\x1b[38;5;" in done.stdout, coloured)
                    self.assertTrue(done.stdout.endswith(b" \x1b[2J\n"), done.stdout)  # also beside colours

    def test_head_has_enough(self):
        self.set_up()
        self.sent(*[record(self.app, f"r{i} " + "x" * 2000) for i in range(1000)])
        for flags in ("", "-t", "-o json", "-t -o json", "-o raw", "-t -o raw"):
            with self.subTest(flags=flags):
                done = shell(f'"$TAILRACE" logs {flags} -n 1000 | head -1 | wc -l; echo ${{PIPESTATUS[0]}}', self.environment())
                self.assertEqual((done.stdout.split(), done.stderr), ([b"1", b"0"], b""))

    def test_head_on_a_quiet_channel(self):
        self.set_up()
        self.sent(record(self.app, "only one"))
        for flags in ("-t", "-t -o json", "-t -o raw"):
            with self.subTest(flags=flags):
                done = shell(f'"$TAILRACE" logs {flags} | head -1 | wc -l; echo ${{PIPESTATUS[0]}}', self.environment())
                self.assertEqual((done.stdout.split(), done.stderr), ([b"1", b"0"], b""))

    def test_head_while_the_router_is_away(self):
        self.set_up()
        self.sent(record(self.app, "only one"))
        reading, writing = os.pipe()
        with open(reading, "rb", buffering=0) as reader:
            process = self.process("logs", "-t", environment=self.environment(), stdout=writing, stderr=subprocess.PIPE)
            os.close(writing)
            self.assertTrue(reader.read(100).endswith(b"only one\n"))
            self.router.kill()
            self.assertIn(b"trying again in", process.stderr.readline())
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_full_disk_is_no_success(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        for command in ("logs", "logs -t", "channels list", "tokens list -a shop"):
            with self.subTest(command=command):
                done = shell(f'"$TAILRACE" {command} > /dev/full', self.environment())
                self.assertEqual((done.returncode, done.stderr), (1, b"tailrace: stdout: No space left on device\n"))

    def test_output_that_does_not_block(self):
        # Whoever shares the pipe may have made it so.
        self.set_up()
        self.sent(*[record(self.app, f"r{i} " + "x" * 2000) for i in range(1000)])
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with open(reading, "rb") as reader:
            process = self.process("logs", "-n", "1000", environment=self.environment(), stdout=writing)
            os.close(writing)
            self.assertEqual(len(reader.read().splitlines()), 1000)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_stderr_that_is_closed(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        self.assertEqual(shell('"$TAILRACE" logs 2>&-', self.environment()).stdout.count(b"\n"), 1)
        self.assertEqual(shell('"$TAILRACE" logs -a nowhere 2>&-', self.environment()).returncode, 4)


class ExitCodes(LogsCase):
    """Every command that talks to a router, and the exit codes of contract section 1."""

    COMMANDS = (
        ["logs", "-a", "shop"], ["logs", "-t", "-a", "shop"], ["channels", "list"], ["channels", "create", "more"],
        ["channels", "set", "-a", "shop", "--no-tail", "off"], ["channels", "rm", "shop"], ["tokens", "list", "-a", "shop"],
        ["tokens", "add", "-a", "shop", "more"], ["tokens", "rm", "-a", "shop", "more"], ["drains", "list", "-a", "shop"],
        ["drains", "add", "-a", "shop", "http://127.0.0.1:1/"], ["drains", "rm", "-a", "shop", "1"],
        ["drains", "test", "-a", "shop", "1"], ["drains", "health", "-a", "shop"], ["drains", "pause", "-a", "shop", "1"],
        ["drains", "resume", "-a", "shop", "1"], ["drains", "replay", "-a", "shop", "1", "--since", "1m"],
        ["credentials", "list"], ["credentials", "add", "ann", "--permission", "full_api"], ["credentials", "rm", "1"])

    def both(self, arguments, environment, code):
        got, out, err = run(*arguments, environment=environment)
        self.assertEqual((got, out), (code, ""), err)
        self.assertTrue(err.startswith("tailrace: "), err)
        self.assertNotIn("wrong", err)

    def test_not_authorised_and_unreachable(self):
        self.set_up()
        nobody = f"http://127.0.0.1:{free_port()}"
        for command in self.COMMANDS:
            with self.subTest(command=command):
                self.both(command, {**self.environment(), "TAILRACE_AUTH": "local:wrong"}, 3)
                self.both(command, {**self.environment(), "TAILRACE_AUTH": ""}, 3)
                self.both(command, {**self.environment(), "TAILRACE_URL": nobody}, 5)
                self.both(command, {**self.environment(), "TAILRACE_URL": "nonsense"}, 2)

    def test_not_found(self):
        self.set_up()
        for command in self.COMMANDS:
            with self.subTest(command=command):
                if "shop" in command:
                    self.both(["nowhere" if word == "shop" else word for word in command], self.environment(), 4)
        for command in (["tokens", "rm", "more"], ["drains", "rm", "9"], ["drains", "test", "9"], ["drains", "health", "9"],
                        ["drains", "pause", "9"], ["drains", "resume", "9"], ["drains", "replay", "9", "--since", "1m"],
                        ["credentials", "rm", "9"]):
            with self.subTest(command=command):
                self.both(command, self.environment(), 4)

    def test_usage(self):
        self.set_up()
        commands = {tuple(command[:1 if command[0] == "logs" else 2]) for command in self.COMMANDS}
        for command in sorted(commands):
            for more in (["--nonsense"], ["-o", "yaml"], ["--url"]):
                with self.subTest(command=command, more=more):
                    self.both([*command, *more], self.environment(), 2)
        for command in (["channels"], ["tokens"], ["drains"], ["credentials"], ["channels", "nonsense"], ["channels", "create"],
                        ["channels", "rm"], ["channels", "set", "-a", "shop"], ["channels", "set", "--no-tail", "on"],
                        ["tokens", "add"], ["tokens", "rm"], ["credentials", "add"], ["credentials", "rm"],
                        ["logs", "-p", "a", "-d", "b"], ["logs", "--since", "1m", "--after", "1"], ["logs", "--color", "some"],
                        ["logs", "-n", "-1"], ["logs", "-n", "1", "extra"]):
            with self.subTest(command=command):
                self.both(command, self.environment(), 2)

    def test_refused(self):
        self.set_up()
        for command in (["tokens", "add", "two words"], ["tokens", "add", "x", "--token", "nonsense"],
                        ["channels", "create", "x", "--id", self.channel], ["drains", "add", "ftp://example.com/"]):
            with self.subTest(command=command):
                self.both(command, self.environment(), 1)

    def test_interrupted(self):
        # A server that takes the connection and says nothing.
        with socket.create_server(("127.0.0.1", 0)) as mute:
            url = f"http://127.0.0.1:{mute.getsockname()[1]}"
            for command in self.COMMANDS:
                with self.subTest(command=command):
                    process = self.process(*command, environment={"TAILRACE_URL": url, "TAILRACE_AUTH": AUTH})
                    connection, _ = mute.accept()
                    connection.recv(1)
                    process.send_signal(signal.SIGINT)
                    self.assertEqual(process.wait(PATIENCE), 130)
                    connection.close()

    def test_help(self):
        commands = {tuple(command[:1 if command[0] == "logs" else 2]) for command in self.COMMANDS}
        for command in sorted(commands | {("channels",), ("tokens",), ("credentials",), ("drains",)}):
            for flag in ("--help", "-h"):
                with self.subTest(command=command):
                    code, out, err = run(*command, flag)
                    self.assertEqual((code, err), (0, ""))
                    self.assertTrue(out.startswith(f"examples:\n  tailrace {' '.join(command)}"), out)
                    self.assertLessEqual(max(map(len, out.splitlines())), 80, max(out.splitlines(), key=len))


if __name__ == "__main__":
    unittest.main()
