"""Programs that nobody here wrote, run in the foreground with a configuration of the test's."""

import os
import pathlib
import subprocess
import tempfile

from harness import EndToEnd, port_is_free, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = pathlib.Path(os.environ.get("TAILRACE_PEERS") or ROOT / "build" / "peers") / "bin"
NO_PEERS = f"not in {PEERS}: scripts/install-deps test brings it"


class PeerCase(EndToEnd):
    """A test with a folder of its own and programs that end with it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailrace-peers-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments, port=None, ready=None, environment=None):
        """A peer in the foreground; returns when it listens on its port, or is ready otherwise."""
        log = open(self.folder / f"{arguments[0]}.log", "wb")
        self.addCleanup(log.close)
        peer = subprocess.Popen([PEERS / arguments[0], *map(str, arguments[1:])], stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, cwd=self.folder, env={**os.environ, **(environment or {})})

        def end():
            if peer.poll() is None:
                peer.terminate()
            try:
                peer.wait(30)
            except subprocess.TimeoutExpired:
                peer.kill()
                peer.wait()
        self.addCleanup(end)

        def listens():
            if peer.poll() is not None:
                raise AssertionError(f"{arguments[0]} ended with {peer.returncode}: {said()}")
            return ready() if ready else not port_is_free(port)

        def said():
            return (self.folder / f"{arguments[0]}.log").read_text(errors="replace")[-2000:]
        wait_until(listens, lambda: f"{arguments[0]} on its port; it said {said()}")
        return peer

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def rsyslog(self, port, rest):
        """rsyslogd with a TCP input on `port` and what else its configuration says."""
        path = self.write("rsyslog.conf", f"""
global(workDirectory="{self.folder}" maxMessageSize="64k")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
{rest}
""")
        self.start("rsyslogd", "-n", "-f", path, "-i", self.folder / "rsyslog.pid", port=port)

    def syslog_ng(self, port, rest):
        """syslog-ng with its source `in` on `port` and what else its configuration says."""
        path = self.write("syslog-ng.conf", f"""@version: 3.38
options {{ keep-hostname(yes); stats-freq(0); }};
source in {{ syslog(ip("127.0.0.1") port({port}) transport("tcp") log-iw-size(10000)); }};
{rest}
""")
        self.start("syslog-ng", "-F", "-f", path, "--no-caps", "-p", self.folder / "syslog-ng.pid", "-c",
                   self.folder / "syslog-ng.ctl", "-R", self.folder / "syslog-ng.persist", port=port)
