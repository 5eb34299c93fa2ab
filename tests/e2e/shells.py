"""Shells that complete: each is asked for the candidates of a line, as its own machinery finds them."""

import os
import pty
import re
import shutil
import subprocess
import tempfile

from harness import BINARY, PATIENCE, command_environment, wait_until

DIRECTORY = os.path.dirname(BINARY)


def shell_environment(extra=None):
    """The binary is `tailrace`; nobody's own configuration is read."""
    home = extra.pop("HOME", "/nonexistent") if extra else "/nonexistent"
    variables = command_environment({"PATH": DIRECTORY + ":" + os.environ["PATH"], "HOME": home, "TERM": "xterm",
                                     "LC_ALL": "C.UTF-8", **(extra or {})})
    variables.pop("ENV", None)
    return variables


def script(shell):
    done = subprocess.run([BINARY, "completion", shell], capture_output=True, timeout=PATIENCE, check=True,
                          env=command_environment())
    return done.stdout.decode()


class Bash:
    """The function alone, as `complete -F` calls it."""

    name = "bash"

    def __init__(self, environment=None):
        self.environment = shell_environment(dict(environment or {}))

    def candidates(self, line):
        word = re.split(r"[ =:]", line)[-1]  # what readline replaces
        done = subprocess.run(
            ["bash", "--norc", "-ic", script("bash") + '\nCOMP_LINE=$1 COMP_POINT=${#1}\n_tailrace tailrace "$2" ""\n'
             'printf "%s\\n" "${COMPREPLY[@]}"', "bash", line, word],
            capture_output=True, timeout=PATIENCE, check=False, env=self.environment, start_new_session=True)
        # An interactive bash complains that it has no terminal, and goes on.
        noise = [l for l in done.stderr.decode().splitlines() if "job control" not in l and "terminal process" not in l]
        if done.returncode or noise:
            raise AssertionError(f"bash: {done.returncode} {noise}")
        return [candidate for candidate in done.stdout.decode().split("\n") if candidate]

    def close(self):
        pass


class Fish:
    name = "fish"

    def __init__(self, environment=None):
        self.home = tempfile.TemporaryDirectory()
        self.environment = shell_environment({"HOME": self.home.name, **(environment or {})})
        with open(self.home.name + "/tailrace.fish", "w", encoding="utf-8") as file:
            file.write(script("fish"))

    def candidates(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", "source ~/tailrace.fish; complete -C $argv[1]", line],
                              capture_output=True, timeout=PATIENCE, check=False, env=self.environment)
        if done.returncode or done.stderr:
            raise AssertionError(f"fish: {done.returncode} {done.stderr}")
        return [candidate.split("\t")[0] for candidate in done.stdout.decode().split("\n") if candidate]

    def close(self):
        self.home.cleanup()


class Zsh:
    """An interactive one in a pseudo-terminal, with a key that writes all matches of its line to a file."""

    name = "zsh"
    SETUP = r"""
PROMPT= RPROMPT= LISTMAX=100000
fpath=(~/functions $fpath)
autoload -U compinit && compinit -u -D
compadd() {
  local -a hits
  builtin compadd -A hits "$@"
  print -rl -- $hits >>~/matches
  builtin compadd "$@"
}
zle -C capture list-choices _main_complete
capture-line() { zle capture; print -r -- @END >>~/matches; BUFFER= }
zle -N capture-line
bindkey '^T' capture-line
print -r -- @READY >>~/matches
"""

    def __init__(self, environment=None):
        self.home = tempfile.TemporaryDirectory()
        os.mkdir(self.home.name + "/functions")
        with open(self.home.name + "/functions/_tailrace", "w", encoding="utf-8") as file:
            file.write(script("zsh"))
        with open(self.home.name + "/.zshrc", "w", encoding="utf-8") as file:
            file.write(self.SETUP)
        variables = shell_environment({"HOME": self.home.name, **(environment or {})})
        variables["ZDOTDIR"] = self.home.name
        self.terminal, theirs = pty.openpty()
        os.set_blocking(self.terminal, False)
        self.process = subprocess.Popen(["zsh", "-d", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=variables,
                                        start_new_session=True)
        os.close(theirs)
        self.screen = b""
        self._until("@READY")

    def _until(self, mark):
        def come():
            try:
                self.screen += os.read(self.terminal, 65536)
            except BlockingIOError:
                pass
            try:
                with open(self.home.name + "/matches", encoding="utf-8") as file:
                    lines = file.read().split("\n")
            except FileNotFoundError:
                return None
            return lines if mark in lines else None
        return wait_until(come, lambda: f"{mark} of zsh, whose screen is {self.screen[-1000:]!r}")

    def candidates(self, line):
        os.unlink(self.home.name + "/matches")
        os.write(self.terminal, line.encode() + b"\x14")
        lines = self._until("@END")
        # Matches are added in several rounds, and quoted for the line.
        return list(dict.fromkeys(re.sub(r"\\(.)", r"\1", found) for found in lines[:lines.index("@END")] if found))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        self.home.cleanup()


SHELLS = [shell for shell in (Bash, Fish, Zsh) if shutil.which(shell.name)]
