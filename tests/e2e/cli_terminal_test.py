"""The commands on a terminal: colours, escapes that do nothing, ^C, and questions. Each runs on a pseudo-terminal of its own."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
import unittest

from harness import BINARY, PATIENCE, TIME, command_environment, record, wait_until
from logs_case import LogsCase

SGR = re.compile(rb"\x1b\[[0-9;]*m")


class Terminal:
    """A command as the foreground job of a terminal, with all three streams on it."""

    def __init__(self, *arguments, environment, columns=80, stdin=True):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            if not stdin:
                os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.execve(BINARY, [BINARY, *arguments], command_environment({"TERM": "xterm-256color", **environment}))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._text, self._lock = bytearray(), threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.code = None

    def _read(self):
        try:
            while piece := os.read(self.master, 65536):
                with self._lock:
                    self._text += piece
        except OSError:
            pass

    def text(self):
        """What came, with the terminal's own \\r\\n as \\n."""
        with self._lock:
            return bytes(self._text).replace(b"\r\n", b"\n")

    def wait_for(self, pattern):
        return wait_until(lambda: re.search(pattern, self.text()), lambda: f"{pattern} in {self.text()[-500:]!r}")

    def type(self, keys):
        os.write(self.master, keys)

    def ends(self):
        def reaped():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            return pid
        if self.code is None:
            wait_until(reaped, lambda: f"the end of the command; {self.text()[-500:]!r}")
        self._thread.join(PATIENCE)
        return self.code

    def close(self):
        if self.code is None:
            try:
                os.kill(self.pid, 9)
            except ProcessLookupError:
                pass
        self.ends()
        os.close(self.master)


class OnTerminal(LogsCase):
    def terminal(self, *arguments, columns=80, stdin=True, **more):
        terminal = Terminal(*arguments, environment=self.environment(**more), columns=columns, stdin=stdin)
        self.addCleanup(terminal.close)
        return terminal

    def shown(self, *arguments, **options):
        terminal = self.terminal(*arguments, **options)
        self.assertEqual(terminal.ends(), 0, terminal.text())
        return terminal.text()


class Colours(OnTerminal):
    def colours(self, text):
        """Of each source: its SGR."""
        return dict((source, sgr) for sgr, source in re.findall(rb"(\x1b\[[0-9;]+m)\S+ (\S+\[\S+\]):\x1b\[0m ", text))

    def test_stable_across_runs_and_routers(self):
        seen = []
        for _ in range(2):
            self.set_up()
            self.sent(*[record(self.app, "x", procid=f"web.{i}") for i in range(30)], record(self.heroku, "x", procid="router"))
            seen += [self.colours(self.shown("logs")), self.colours(self.shown("logs"))]
        self.assertEqual(len(seen[0]), 31)
        self.assertEqual(seen, [seen[0]] * 4)
        self.assertGreaterEqual(len(set(seen[0].values())), 10)

    def test_when_there_are_none(self):
        self.set_up()
        self.sent(record(self.app, "x"))
        plain = TIME.encode() + b" app[web.1]: x\n"
        for arguments, variables, coloured in (
                ([], {}, True), ([], {"NO_COLOR": ""}, True), ([], {"NO_COLOR": "1"}, False), ([], {"TERM": "dumb"}, False),
                (["--color", "always"], {"NO_COLOR": "1"}, True), (["--force-colors"], {"TERM": "dumb"}, True),
                (["--color", "never"], {}, False), (["--no-color"], {}, False), (["-o", "json"], {}, False), (["-o", "raw"], {}, False)):
            with self.subTest(arguments=arguments, variables=variables):
                text = self.shown("logs", *arguments, **variables)
                self.assertEqual(bool(SGR.search(text)), coloured, text)
                if "-o" not in arguments:
                    self.assertEqual(SGR.sub(b"", text), plain)

    def test_they_end_with_their_line_and_the_message_has_none(self):
        self.set_up()
        self.sent(record(self.app, b"\x1b[31mred"), record(self.app, "x"))
        for line in self.shown("logs").splitlines():
            self.assertRegex(line, rb"^\x1b\[[0-9;]+m[^\x1b]*app\[web\.1\]:\x1b\[0m [^\x1b]*$")

    def test_interrupt_leaves_no_colour(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        terminal = self.terminal("logs", "-t")
        terminal.wait_for(rb" one\n")
        terminal.type(b"\x03")
        self.assertEqual(terminal.ends(), 130)
        self.assertEqual(SGR.findall(terminal.text())[-1], b"\x1b[0m")


class Escapes(OnTerminal):
    HOSTILE = (b"\x1b]52;c;cm0gLXJm\x07", b"\x1b]0;title\x1b\\", b"\x1b[2J\x1b[H", b"\x9b2J", b"\xc2\x9b2J", b"a\rb", b"\x08\x08", b"\x0e",
               b"\x1bP+q\x1b\\", b"\x1b[?1049h", b"\x7f", b"\x00", b"\xff\xfe", b"\xed\xa0\x80")

    def test_nothing_in_a_line_drives_the_terminal(self):
        self.set_up()
        self.sent(*[record(self.app, b"<" + bytes_ + b">") for bytes_ in self.HOSTILE])
        self.router.post(b"".join(b"%d %s" % (len(m), m) for m in self.HOSTILE), token=self.app)  # raw records
        for form in ("text", "json", "raw"):
            with self.subTest(form=form):
                text = SGR.sub(b"", self.shown("logs", "-o", form)) if form == "text" else self.shown("logs", "-o", form)
                self.assertNotRegex(text, rb"[\x00-\x08\x0b-\x1f\x7f]")
                text.decode()  # and all of it is UTF-8
                self.assertNotRegex(text.decode(), "[\u0080-\u009f]")
                self.assertGreaterEqual(len(text.splitlines()), 2 * len(self.HOSTILE))
                self.assertIn({"text": b"<^[]52;c;cm0gLXJm^G>", "raw": b"<^[]52;c;cm0gLXJm^G>",
                               "json": b"<\\u001b]52;c;cm0gLXJm\\u0007>"}[form], text)

    def test_names_of_things(self):
        self.set_up()
        self.router.channel("evil\u009b2J")
        for arguments in (["channels", "list"], ["logs", "-a", "no\x1b[2J"], ["tokens", "rm", "no\x1b[2J"], ["drains", "rm", "no\x1b[2J"]):
            with self.subTest(arguments=arguments):
                terminal = self.terminal(*arguments)
                terminal.ends()
                self.assertNotIn(b"\x1b", terminal.text())
                self.assertNotIn("\u009b", terminal.text().decode())

    def test_width_is_not_assumed(self):
        self.set_up()
        self.sent(record(self.app, b"y" * 5000))
        for columns in (10, 80, 300):
            text = self.shown("logs", "--no-color", columns=columns)
            self.assertEqual(text, TIME.encode() + b" app[web.1]: " + b"y" * 5000 + b"\n")


class Questions(OnTerminal):
    def count(self):
        channel = self.router.good("GET", f"/v2/channels/{self.channel}")
        return len(channel["tokens"]), len(channel["drains"])

    def asked(self, *arguments, keys, code):
        terminal = self.terminal(*arguments)
        terminal.wait_for(rb"\? \[y/N\] ")
        terminal.type(keys)
        self.assertEqual(terminal.ends(), code, terminal.text())
        return terminal.text().decode()

    def test_what_cannot_be_undone_is_asked(self):
        self.set_up()
        drain = self.router.drain(self.channel, "http://127.0.0.1:1/")
        for keys in (b"\n", b"n\n", b"nonsense\n", b"\x04"):
            with self.subTest(keys=keys):
                said = self.asked("channels", "rm", "shop", keys=keys, code=1)
                self.assertTrue(said.startswith("remove channel shop with 2 tokens and 1 drain? [y/N] "), said)
                self.assertIn("remove token heroku (t.", self.asked("tokens", "rm", "heroku", keys=keys, code=1))
                self.assertIn(f"remove drain {drain['id']} to http://127.0.0.1:1/ of channel shop?",
                              self.asked("drains", "rm", str(drain["id"]), keys=keys, code=1))
        self.assertEqual(self.count(), (2, 1))
        self.assertIn("removed\n", self.asked("tokens", "rm", "heroku", keys=b"y\n", code=0))
        self.assertEqual(self.count(), (1, 1))
        self.asked("drains", "rm", str(drain["id"]), keys=b"yes\n", code=0)
        self.assertEqual(self.count(), (1, 0))
        self.asked("channels", "rm", "shop", keys=b"Y\n", code=0)
        self.assertEqual(self.router.api("GET", f"/v2/channels/{self.channel}").status, 404)

    def test_yes_and_scripts_are_not_asked(self):
        self.set_up()
        self.assertIn(b"removed", self.shown("tokens", "rm", "heroku", "--yes"))
        self.assertIn(b"removed", self.shown("channels", "rm", "shop", stdin=False))

    def test_interrupt_at_a_question(self):
        self.set_up()
        terminal = self.terminal("channels", "rm", "shop")
        terminal.wait_for(rb"\? \[y/N\] ")
        terminal.type(b"\x03")
        self.assertEqual(terminal.ends(), 130)
        self.assertEqual(self.count(), (2, 0))


if __name__ == "__main__":
    unittest.main()
