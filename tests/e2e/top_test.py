"""`tailrace top` in a pseudo-terminal, with data flowing, and its snapshots."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import unittest

from harness import AUTH, BINARY, EndToEnd, HttpFarEnd, command_environment, counted, free_port, pause, record, run, wait_until


class Screen:
    """As much of a terminal as `top` drives."""

    CONTROL = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.alternate, self.cursor_shown, self.style = False, True, ""
        self.clear()

    def clear(self):
        self.cells = [[(" ", "")] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = self.CONTROL.match(text, at)
                if not found:
                    raise AssertionError(f"a sequence that top has no use for: {text[at:at + 20]!r}")
                self.control(*found.groups())
                at = found.end()
                continue
            if text[at] >= " " and self.row < self.rows and self.column < self.columns:
                self.cells[self.row][self.column] = (text[at], self.style)
            self.column += 1
            at += 1

    def control(self, parameters, final):
        if final == "H":
            self.row, self.column = (int(p) - 1 for p in parameters.split(";"))
        elif final == "J":
            self.clear()
        elif final == "m":
            self.style = parameters
        elif parameters == "?1049":
            self.alternate = final == "h"
        elif parameters == "?25":
            self.cursor_shown = final == "h"
        else:
            raise AssertionError(f"CSI {parameters} {final}")

    def text(self):
        return "\n".join("".join(cell[0] for cell in row).rstrip() for row in self.cells)

    def style_of(self, word):
        """Of the first cell of a word."""
        for row in self.cells:
            line = "".join(cell[0] for cell in row)
            if word in line:
                return row[line.index(word)][1]
        raise AssertionError(f"{word} does not show")


class Terminal:
    """A command in a pseudo-terminal of its own."""

    def __init__(self, *arguments, rows=16, columns=100, environment=None):
        self.screen = Screen(rows, columns)
        self.written = 0
        self.waiting = b""
        self.process_id, self.fd = pty.fork()
        if self.process_id == 0:
            os.execve(BINARY, ["tailrace", *arguments], command_environment({"TERM": "xterm-256color", **(environment or {})}))
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.fd)
        os.set_blocking(self.fd, False)
        self.status = None

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if (rows, columns) != (self.screen.rows, self.screen.columns):
            alternate = self.screen.alternate
            self.screen = Screen(rows, columns)
            self.screen.alternate = alternate

    def pump(self):
        try:
            while data := os.read(self.fd, 65536):
                self.written += len(data)
                data = self.waiting + data
                text = data.decode("utf-8", "ignore")
                end = data.rfind(b"\x1b")
                # A sequence or a character may come in two reads.
                if end >= 0 and not re.match(rb"\x1b\[[?\d;]*[A-Za-z]", data[end:]):
                    self.waiting, text = data[end:], data[:end].decode("utf-8", "ignore")
                else:
                    self.waiting = b""
                self.screen.feed(text)
        except (BlockingIOError, OSError):
            pass

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for(self, pattern):
        def there():
            self.pump()
            return re.search(pattern, self.screen.text(), re.M)
        return wait_until(there, lambda: f"{pattern} on the screen\n{self.screen.text()}")

    def raw(self):
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def ended(self):
        """Waits; the exit code, or the signal below zero."""
        def over():
            self.pump()
            process, status = os.waitpid(self.process_id, os.WNOHANG)
            return process and (status,)
        self.status = wait_until(over, "the end of the command")[0]
        self.pump()
        return os.waitstatus_to_exitcode(self.status)

    def close(self):
        if self.status is None:
            os.kill(self.process_id, signal.SIGKILL)
            os.waitpid(self.process_id, 0)
        os.close(self.fd)


class Top(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.shop, tokens = self.router.channel("shop", ["app", "heroku"])
        self.token, self.heroku = tokens["app"], tokens["heroku"]
        self.quiet, _ = self.router.channel("quiet \u202ex")
        self.environment = {"TAILRACE_URL": self.router.url, "TAILRACE_AUTH": AUTH}

    def flow(self):
        """Router lines, a quarter of them errors, until the test ends."""
        stop = threading.Event()

        def send():
            while not stop.is_set():
                self.router.send(counted(*[record(
                    self.heroku, f"at=info method=GET path=\"/\" dyno=web.1 connect=1ms service={20 + i}ms status={503 if i % 4 == 0 else 200} bytes=9",
                    procid="router") for i in range(20)]))
                for _ in range(10):
                    pause()
        thread = threading.Thread(target=send)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)

    def top(self, *arguments, environment=None, **size):
        terminal = Terminal("top", *arguments, environment={**self.environment, **(environment or {})}, **size)
        self.addCleanup(terminal.close)
        return terminal

    def test_data_that_flows(self):
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.shop, far_end.url)
        self.flow()
        top = self.top(columns=132)
        top.wait_for(rf"^shop \({self.shop}\) +[1-9][\d.]+k? +[\d.]+ +\d[\d.]*ms +\d[\d.]*ms +\d[\d.]*ms +2[0-9.]+% +\d+ +\d+ +0 1 ok")
        top.wait_for(r"^2 channels, [\d.]+k? records/s, 1 drain$")
        self.assertIn(f"quiet \\u202ex ({self.quiet})", top.screen.text())
        self.assertTrue(top.screen.alternate)
        self.assertFalse(top.screen.cursor_shown)
        self.assertTrue(top.raw())

        # Only what changes is sent: not a screen for each look.
        before = top.written
        clock = top.screen.text().split("\n")[0]
        wait_until(lambda: top.pump() or top.screen.text().split("\n")[0] != clock, "the next look")
        self.assertLess(top.written - before, 16 * 132 // 2)

        # A drain that fails goes up, with its cause.
        far_end.set_mode("refuse")
        top.wait_for(r"1 drain, 1 failing$")
        self.assertIn("38;5;160", top.screen.style_of("1 failing"))
        top.press("\r")
        top.wait_for(r"^1 +failing +\d+s +\S+ +\d+ +\S+ +\d+ +0 +0")
        top.wait_for(r"refused")
        top.press("\x1b")
        top.wait_for(r"^CHANNEL ")
        top.press("q")
        self.assertEqual(top.ended(), 0)
        self.assertFalse(top.screen.alternate)
        self.assertTrue(top.screen.cursor_shown)
        self.assertFalse(top.raw())

    def test_keys(self):
        top = self.top()
        top.wait_for(r"^shop ")
        top.press("?")
        top.wait_for(r"q, \^C +quit")
        top.press("x")
        top.wait_for(r"^CHANNEL ")
        top.press("s")
        top.wait_for(r"s sort: name")
        top.press("/QUI\r")
        top.wait_for(r"filter: QUI$")
        self.assertNotIn("shop", top.screen.text())
        top.press("\x1b")
        top.wait_for(r"^shop ")
        self.assertIn("7", top.screen.style_of("quiet").split(";"))  # by name it is the first
        top.press("\x1b[B")
        wait_until(lambda: top.pump() or "7" in top.screen.style_of("shop").split(";"), "shop selected")
        top.press("p")
        top.wait_for(r"PAUSED, p goes on")
        top.resize(8, 60)
        top.wait_for(r"^shop ")
        self.assertEqual([line for line in top.screen.text().split("\n") if len(line) > 60], [])
        top.resize(30, 140)
        top.wait_for(r"WAITING")

    def test_any_end_gives_the_terminal_back(self):
        for how, expected in (("q", 0), ("\x03", 130), (signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM),
                              (signal.SIGHUP, -signal.SIGHUP), (signal.SIGQUIT, -signal.SIGQUIT), (signal.SIGSEGV, -signal.SIGSEGV)):
            with self.subTest(how=how):
                top = self.top()
                top.wait_for(r"^shop ")
                self.assertTrue(top.raw())
                if isinstance(how, str):
                    top.press(how)
                else:
                    os.kill(top.process_id, how)
                self.assertEqual(top.ended(), expected)
                self.assertFalse(top.screen.alternate)
                self.assertTrue(top.screen.cursor_shown)
                self.assertEqual(termios.tcgetattr(top.fd), top.before)

    def test_stop_and_go_on(self):
        # Under a shell with job control, as a user has it.
        pid, fd = pty.fork()
        if pid == 0:
            os.execvpe("bash", ["bash", "--norc", "-i"], command_environment({**self.environment, "TERM": "xterm", "PS1": "@ "}))
        self.addCleanup(os.close, fd)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        os.set_blocking(fd, False)
        seen = b""

        def until(pattern):
            def there():
                nonlocal seen
                try:
                    seen += os.read(fd, 65536)
                except BlockingIOError:
                    pass
                found = re.search(pattern, seen, re.S)
                if found:
                    seen = seen[found.end():]
                return found
            return wait_until(there, lambda: f"{pattern} in {seen[-500:]!r}")
        until(b"@ ")
        os.write(fd, f"{BINARY} top\n".encode())
        until(rb"\x1b\[\?1049h.*shop")
        os.write(fd, b"\x1a")
        until(rb"\x1b\[\?1049l.*Stopped.*@ ")
        os.write(fd, b"fg\n")
        until(rb"\x1b\[\?1049h.*shop")
        os.write(fd, b"q")
        until(rb"\x1b\[\?1049l")
        os.write(fd, b"echo code $?\n")
        until(rb"code 0")

    def test_without_colour(self):
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            top = self.top(environment=environment)
            top.wait_for(r"^shop ")
            styles = {cell[1] for row in top.screen.cells for cell in row}
            self.assertEqual([style for style in styles if "38;5" in style], [])
        self.router.drain(self.shop, f"http://127.0.0.1:{free_port()}/")
        self.router.send(counted(record(self.token, "one")))
        top = self.top("--color", "always", environment={"NO_COLOR": "1"})
        top.wait_for(r"1 failing")
        self.assertIn("38;5", top.screen.style_of("1 failing"))

    def test_a_router_that_goes_and_comes_back(self):
        top = self.top()
        top.wait_for(r"^shop ")
        self.router.stop()
        top.wait_for(r"^no answer for \d+s, trying again: .*connect")
        self.assertIn("shop", top.screen.text())
        back = self.node(admin=self.router.admin)
        back.channel("new")
        top.wait_for(r"^new ")
        self.assertNotIn("shop", top.screen.text())
        self.assertNotIn("no answer", top.screen.text())

    def test_many_channels(self):
        for i in range(300):
            self.router.good("POST", "/channels", {"name": f"channel {i:03}"})
        top = self.top(rows=20)
        top.wait_for(r"^302 channels")
        top.press("s")
        top.press("G")
        top.wait_for(r"^shop ")
        top.press("g")
        top.wait_for(r"^channel 000 ")
        top.press("/channel 123")
        top.wait_for(r"^channel 123 ")
        self.assertNotIn("channel 122", top.screen.text())

    def test_once(self):
        far_end = self.far_end(HttpFarEnd)
        self.router.drain(self.shop, far_end.url)
        self.router.send(counted(*[record(self.token, f"line {i}") for i in range(20)]))
        far_end.wait_for(20)
        wait_until(lambda: self.router.ledger(self.shop)["drains"][0]["delivered"] == 20, "all delivered")
        for arguments in ([], ["--once"], ["-o", "text"]):
            code, out, err = run("top", *arguments, environment=self.environment)
            self.assertEqual((code, err), (0, ""))
            self.assertNotIn("\x1b", out)
            self.assertRegex(out, rf"(?m)^shop \({self.shop}\) +0 .* 20 +0 +0 1 ok$")
            self.assertRegex(out, rf"(?m)^{self.shop} 1 +ok +\d+s +0 +0 +0 +20 +0 +0$")
        code, out, err = run("top", "-o", "json", environment=self.environment)
        self.assertEqual((code, err), (0, ""))
        shop = next(c for c in json.loads(out)["channels"] if c["channel"] == self.shop)
        self.assertEqual((shop["name"], shop["records"], shop["lost"], shop["service_seconds"]["p99"]), ("shop", 20, 0, None))
        self.assertEqual((shop["drains"][0]["state"], shop["drains"][0]["delivered"]), ("ok", 20))
        self.assertEqual(len(json.loads(run("top", "-n", "1", "-o", "json", environment=self.environment)[1])["channels"]), 1)

    def test_exit_codes(self):
        nobody = f"http://127.0.0.1:{free_port()}"
        for environment, code in (({"TAILRACE_URL": nobody}, 5), ({"TAILRACE_AUTH": "local:wrong"}, 3), ({"TAILRACE_URL": "x"}, 2)):
            got, out, err = run("top", environment={**self.environment, **environment})
            self.assertEqual((got, out), (code, ""), err)
            self.assertTrue(err.startswith("tailrace: "))
            top = self.top(environment=environment)
            self.assertEqual(top.ended(), code)
            self.assertFalse(top.screen.alternate)

    def test_a_reader_that_leaves(self):
        done = subprocess.run(["bash", "-c", f"{BINARY} top | head -1; echo ${{PIPESTATUS[0]}}"], capture_output=True,
                              env=command_environment(self.environment), timeout=60, check=True)
        self.assertEqual(done.stderr, b"")


if __name__ == "__main__":
    unittest.main()
