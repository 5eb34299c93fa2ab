"""What all commands share: help, completion, the manual page, and words that were mistyped."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import AUTH, BINARY, EndToEnd, free_port, run
from shells import DIRECTORY, SHELLS, Bash, Zsh, script, shell_environment

ENTRY = re.compile(r"^  (-[\w,-]+)", re.M)


def options_of(text):
    """The names of all options that a help shows."""
    return sorted(name for entry in ENTRY.findall(text.split("\nOptions:\n")[-1]) for name in entry.split(","))


def built_commands():
    listed = run("help")[1].split("commands:\n")[1]
    return [m[1] for m in re.finditer(r"^  (\w+) .*$", listed, re.M) if "(not built yet)" not in m[0]]


def all_calls():
    """Each command and each verb, as the words that call it."""
    for command in built_commands():
        verbs = re.findall(r"^  ([a-z]\w*)  +\S", run(command, "--help")[1].split("\nOptions:")[0].split("\n\n", 2)[-1], re.M) \
            if "VERB --help" in run(command, "--help")[1] else []
        yield (command,)
        for verb in verbs:
            yield command, verb


CALLS = list(all_calls()) if os.access(BINARY, os.X_OK) else []


class Help(EndToEnd):
    def test_of_every_command_and_verb(self):
        self.assertGreater(len(CALLS), 15)
        self.assertIn(("drains", "add"), CALLS)
        for call in CALLS:
            with self.subTest(call=call):
                code, text, err = run(*call, "--help")
                self.assertEqual((code, err), (0, ""))
                self.assertTrue(text.startswith("examples:\n  "), text[:60])
                self.assertIn(f"\ntailrace {' '.join(call)}: ", text)
                self.assertEqual([line for line in text.split("\n") if len(line) > 80], [])
                self.assertEqual(run(*call, "-h"), (0, text, ""))
                self.assertEqual(run("help", *call), (0, text, ""))
        self.assertEqual([line for line in run("help")[1].split("\n") if len(line) > 80], [])

    def test_what_was_mistyped(self):
        for words, meant in (
                (["lgos"], "logs"), (["drains", "helth"], "health"), (["help", "drians"], "drains"),
                (["help", "drains", "ad"], "add"), (["inspect", "/x", "--exprot"], "--export"),
                (["drains", "list", "-a", "x", "--ouptut", "json"], "--output"), (["drains", "rm", "--ap=x"], "--app"),
                (["drains", "list", "-a", "x", "-o", "jsno"], "json"), (["simulate", "--routing", "randon"], "random"),
                (["simulate", "--spread=constatn"], "constant"), (["sink", "--protocol", "syslgo"], "syslog"),
                (["completion", "fsih"], "fish"), (["top", "-o", "txet"], "text"),
                (["logs", "--grpe", "x"], "--grep"), (["logs", "-o", "jsno"], "json"), (["send", "--full", "blok"], "block"),
                (["tokens", "lsit"], "list"), (["channels", "crate"], "create"), (["top", "--color=alwyas"], "always"),
                (["serve", "--htp-listen", ":1"], "--http-listen"), (["check", "--shwo"], "--show")):
            with self.subTest(words=words):
                code, out, err = run(*words)
                self.assertEqual((code, out), (2, ""))
                self.assertRegex(err, rf"^tailrace: .*did you mean {re.escape(meant)}\?")
                self.assertEqual(err.count("\n"), 1)
        code, out, err = run("frobnicate")
        self.assertEqual((code, out), (2, ""))
        self.assertNotIn("did you mean", err)

    def test_a_setting_that_was_mistyped_is_told_at_the_start(self):
        node = self.node(environment={"TAILRACE_HTP_LISTEN": "x"})
        self.assertIn("TAILRACE_HTP_LISTEN: no such setting, ignored, did you mean TAILRACE_HTTP_LISTEN?\n", node.log())


class Completion(EndToEnd):
    def shells(self, environment=None):
        for kind in SHELLS:
            shell = kind(environment)
            self.addCleanup(shell.close)
            yield shell

    def test_scripts_are_whole(self):
        for shell, words in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-config", "-n"])):
            if not shutil.which(shell):
                continue
            done = subprocess.run(words, input=script(shell).encode(), capture_output=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""), shell)

    def test_commands_and_verbs(self):
        commands = [m[1] for m in re.finditer(r"^  (\w+) ", run("help")[1].split("commands:\n")[1], re.M)]
        for shell in self.shells():
            self.assertEqual(sorted(shell.candidates("tailrace ")), sorted(commands), shell.name)
            self.assertEqual(shell.candidates("tailrace comp"), ["completion"])
            self.assertEqual(sorted(shell.candidates("tailrace drains ")), sorted(c[1] for c in CALLS if c[0] == "drains" and c[1:]), shell.name)

    def test_every_option_of_every_command(self):
        for shell in self.shells():
            for call in CALLS:
                expected = options_of(run(*call, "--help")[1])
                if not expected:
                    continue
                line = "tailrace " + " ".join(call) + " -"
                found = shell.candidates(line)
                if shell.name == "fish":  # with one dash it offers what has a short name; with two the rest
                    found += shell.candidates(line + "-")
                found = sorted({c.rstrip("=") for c in found if c.startswith("-")})
                self.assertEqual(found, expected, (shell.name, line))

    def test_values_of_a_fixed_choice(self):
        for shell in self.shells():
            for line, expected in (("sink --protocol ", ["http", "syslog"]), ("drains list -o ", ["json", "text"]),
                                   ("serve --ack ", ["durable", "memory"]), ("logs --color al", ["always"]),
                                   ("drains list --output j", ["json"]), ("completion ", ["bash", "fish", "zsh"]),
                                   ("help drai", ["drains"]), ("serve --http-listen ", [])):
                self.assertEqual(sorted(shell.candidates("tailrace " + line)), expected, (shell.name, line))
        self.assertEqual(Bash().candidates("tailrace sink --protocol=sy"), ["syslog"])
        self.assertEqual(Bash().candidates("tailrace sink --protocol="), ["http", "syslog"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "some file").touch()
            for shell in self.shells():
                found = shell.candidates(f"tailrace serve --tls-cert {directory}/so")
                self.assertEqual(found[-1].replace("\\", "").split("/")[-1].strip("'"), "some file")  # zsh finds its way there

    def test_channels_and_drains_of_the_router(self):
        node = self.node()
        channel, _ = node.channel("shop")
        node.channel("sheep farm")
        node.channel("$(touch pwned)`touch pwned`;x")
        twin, _ = node.channel("twin")
        other, _ = node.channel("twin")
        odd, _ = node.channel("-rf")
        drain = node.drain(channel, "http://127.0.0.1:9/x")
        environment = {"TAILRACE_URL": node.url, "TAILRACE_AUTH": AUTH}
        expected = sorted(["shop", "sheep farm", "$(touch pwned)`touch pwned`;x", twin, other, odd])
        with tempfile.TemporaryDirectory() as directory:
            before = os.getcwd()
            os.chdir(directory)
            self.addCleanup(os.chdir, before)
            for shell in self.shells(environment):
                found = shell.candidates("tailrace drains list -a ")
                if shell.name == "bash":  # quoted for the line, as bash itself reads it
                    found = [subprocess.run(["bash", "-c", "printf %s " + c], capture_output=True, check=True).stdout.decode()
                             for c in found]
                self.assertEqual(sorted(found), expected, shell.name)
                self.assertEqual(shell.candidates("tailrace drains list --app sho"), ["shop"])
                self.assertEqual(shell.candidates("tailrace drains rm -a shop "), [str(drain["id"])])
                found = shell.candidates("tailrace drains rm -a nowhere ")
                self.assertEqual([c for c in found if not c.startswith("-")], [])  # zsh falls back to options
            self.assertEqual(os.listdir(directory), [])

    def test_silence_without_a_router(self):
        for url in (f"http://127.0.0.1:{free_port()}", "nonsense"):
            for kind in ("channels", "drains", "nonsense"):
                self.assertEqual(run("__complete", kind, environment={"TAILRACE_URL": url}, feed=b"-a\nx\n"), (0, "", ""))
        for shell in self.shells({"TAILRACE_URL": "http://127.0.0.1:1", "TAILRACE_AUTH": "x:y"}):
            self.assertEqual(shell.candidates("tailrace drains list -a "), [])

    def test_the_line_says_where_to_ask(self):
        node = self.node()
        node.channel("shop")
        words = f"tailrace\ndrains\nlist\n--url={node.url}\n--auth\n{AUTH}\n-a\n"
        self.assertEqual(run("__complete", "channels", feed=words.encode()), (0, "shop\n", ""))

    def test_a_line_in_a_real_bash(self):
        """Readline itself: what it replaces is what it should."""
        import pty
        terminal, theirs = pty.openpty()
        process = subprocess.Popen(["bash", "--norc", "-i"], stdin=theirs, stdout=theirs, stderr=theirs,
                                   env=shell_environment({}), start_new_session=True)
        os.close(theirs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(os.close, terminal)
        os.write(terminal, b'PS1=; source <(tailrace completion bash); tailrace() { printf "[%s]" "$@"; echo END; }\n'
                           b"tailrace sink --protocol=sy\t--sched\t5s:ok\n")
        seen = b""
        while b"]END" not in seen:
            seen += os.read(terminal, 65536)
        self.assertIn(b"[sink][--protocol=syslog][--schedule][5s:ok]END", seen)


class Manual(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = run("help", "--man")[1]

    def test_has_everything(self):
        plain = re.sub(r"\\\[u([0-9A-F]+)\]", lambda m: chr(int(m[1], 16)), self.page)
        for escape, text in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(dq", '"'),
                             ("\\&", ""), ("\\e", "\\")):
            plain = plain.replace(escape, text)
        for call in CALLS:
            section = plain.split(f".SS tailrace {' '.join(call)}\n")
            self.assertEqual(len(section), 2, call)
            for option in options_of(run(*call, "--help")[1]):
                self.assertRegex(section[1].split(".SS ")[0].split(".SH ")[0], rf"(?m)^\.B .*{option}\b")
        for flag in options_of(run("serve", "--help")[1]):
            variable = "TAILRACE_" + flag[2:].upper().replace("-", "_")
            if flag.startswith("--") and flag not in ("--help", "--ssl-cert-file"):
                self.assertIn(f"\n.B {variable}\n", plain)
        self.assertIn("\n.B SSL_CERT_FILE\n", plain)
        for code in (0, 1, 2, 3, 4, 5, 130):
            self.assertIn(f"\n.B {code}\n", plain.split(".SH EXIT STATUS")[1])

    def test_is_a_page(self):
        with tempfile.NamedTemporaryFile(suffix=".1") as file:
            file.write(self.page.encode())
            file.flush()
            for words in (["mandoc", "-Tlint"], ["man", "--warnings", "-l"]):
                if not shutil.which(words[0]):
                    continue
                done = subprocess.run([*words, file.name], capture_output=True, timeout=60, check=False,
                                      env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PAGER": "cat"})
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                if words[0] == "mandoc":
                    self.assertEqual(done.stdout, b"")
                else:
                    self.assertIn("tailrace drains add", done.stdout.decode())

    def test_is_installed_with_the_completions(self):
        if not shutil.which("cmake") or not os.path.exists(DIRECTORY + "/CMakeCache.txt"):
            self.skipTest("the binary does not lie in its build tree")
        with tempfile.TemporaryDirectory() as prefix:
            subprocess.run(["cmake", "--install", DIRECTORY, "--prefix", prefix], capture_output=True, timeout=60, check=True)
            made = {str(path.relative_to(prefix)): path for path in pathlib.Path(prefix).rglob("*") if path.is_file()}
            self.assertEqual(sorted(made), sorted([
                "bin/tailrace", "share/man/man1/tailrace.1", "share/bash-completion/completions/tailrace",
                "share/zsh/site-functions/_tailrace", "share/fish/vendor_completions.d/tailrace.fish"]))
            self.assertEqual(made["share/man/man1/tailrace.1"].read_text(), self.page)
            self.assertEqual(made["share/zsh/site-functions/_tailrace"].read_text(), script("zsh"))


if __name__ == "__main__":
    unittest.main()
