"""What the tests share: the real binary as a process, and the far ends that it talks to, in plain sockets.

Nothing here sleeps: wait_until() polls a condition up to a bound that only a broken program meets.
"""

import base64
import collections
import fcntl
import http.client
import json
import os
import pathlib
import random
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BINARY = os.environ.get("TAILRACE_BINARY", "")
AUTH = "local:password"
TIME = "2026-01-02T03:04:05.678901+00:00"
PATIENCE = 60  # seconds; no passing test comes near


def pause():
    """A breath between two looks at a condition."""
    select.select([], [], [], 0.01)


def wait_until(condition, what, seconds=PATIENCE):
    """What `condition` gives, once that is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what() if callable(what) else what}")
        pause()


def basic(auth):
    return "Basic " + base64.b64encode(auth.encode()).decode()


def record(app, message, procid="web.1", pri=190, time=TIME, host="host", msgid="-", sd="-"):
    """One RFC 5424 record; `sd` None leaves STRUCTURED-DATA out."""
    message = message if isinstance(message, bytes) else message.encode()
    fields = f"<{pri}>1 {time} {host} {app} {procid} {msgid} " + ("" if sd is None else sd + " ")
    return fields.encode() + message


def counted(*records):
    """Octet-counted frames, one behind the other."""
    return b"".join(b"%d %s" % (len(r), r) for r in records)


def split_frames(body):
    """The records of octet-counted frames, and the bytes behind the last whole one."""
    frames, at = [], 0
    while at < len(body):
        blank = body.find(b" ", at, at + 12)
        if blank < 0:
            break
        end = blank + 1 + int(body[at:blank])
        if end > len(body):
            break
        frames.append(body[blank + 1:end])
        at = end
    return frames, body[at:]


FIRST_PORT, PORTS_OF_A_PROCESS = 12_000, 100
_ports, _locks = [], []  # of this process: what is left of its last block, the next one last; its blocks' locks


def free_port():
    """A port outside the range from which the kernel takes the ports of outgoing connections: nobody gets it by chance
    while its listener is down, and no connect to it meets itself. Nor does another test that runs at the same time:
    each process takes a block of them for itself."""
    while True:
        if not _ports:
            _ports.extend(reversed(own_block()))
        port = _ports.pop()
        if port_is_free(port):
            return port


def own_block():
    directory = pathlib.Path(tempfile.gettempdir()) / f"tailrace-test-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    blocks = list(range(FIRST_PORT, 32_000, PORTS_OF_A_PROCESS))
    random.shuffle(blocks)
    for first in blocks:
        lock = open(directory / str(first), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _locks.append(lock)
        return range(first, first + PORTS_OF_A_PROCESS)
    raise AssertionError("other tests hold all ports")


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Answer:
    """One HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class RawHttp:
    """A connection on which a test says byte for byte what it likes."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        """False: the other side has closed already, which is an answer too."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def head(self):
        """Status and fields of the next answer; None at the end of the connection."""
        try:
            line = self.file.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        match = re.fullmatch(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n", line)
        if not match:
            raise AssertionError(f"no status line: {line!r}")
        headers = []
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, value = line.decode("latin-1").split(":", 1)
            headers.append((name, value.strip()))
        return int(match[1]), headers

    def answer(self, method="POST"):
        """The next answer with its body; None at the end of the connection."""
        head = self.head()
        if head is None:
            return None
        answer = Answer(*head, b"")
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        if (answer.header("Transfer-Encoding") or "").lower() == "chunked":
            while size := int(self.file.readline().split(b";")[0], 16):
                answer.body += self.file.read(size)
                self.file.readline()
            while self.file.readline() not in (b"\r\n", b""):
                pass
        elif answer.header("Content-Length") is not None:
            answer.body = self.file.read(int(answer.header("Content-Length")))
        else:
            answer.body = self.file.read()
        return answer

    def ended(self):
        """Waits for the other side to close; whatever it still says is given back."""
        self.socket.settimeout(PATIENCE)
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tail:
    """A reader of one session, on a thread of its own. `held`: it reads nothing until release()."""

    def __init__(self, url, held=False, receive_buffer=0, headers=None):
        host, port, path = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url).groups()
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE)
        self._socket.connect((host, int(port)))
        fields = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{fields}\r\n".encode())
        self._response = http.client.HTTPResponse(self._socket, method="GET")
        self._text = bytearray()
        self._lock = threading.Lock()
        self._go = threading.Event()
        self.ended = threading.Event()
        self.whole = False  # the stream ended with its last chunk
        if not held:
            self._go.set()
        self._response.begin()  # the head, at once
        self.status = self._response.status
        self.headers = self._response.getheaders()
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        self._go.wait()
        try:
            while piece := self._response.read1(65536):
                with self._lock:
                    self._text += piece
            self.whole = True
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        self.ended.set()

    def release(self):
        self._go.set()

    def text(self):
        with self._lock:
            return bytes(self._text)

    def lines(self):
        """Whole lines so far, as bytes without their newline."""
        return self.text().split(b"\n")[:-1]

    def messages(self):
        return [line.split(b"]: ", 1)[1] for line in self.lines() if b"]: " in line]

    def wait_for(self, pattern, seconds=PATIENCE):
        """The first match of a pattern in the text."""
        expression = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        return wait_until(lambda: expression.search(self.text()),
                          lambda: f"{pattern} in the tail, whose end is {self.text()[-400:]!r}", seconds)

    def wait_for_lines(self, count):
        wait_until(lambda: len(self.lines()) >= count, lambda: f"{count} lines in the tail; it has {len(self.lines())}")
        return self.lines()

    def wait_for_end(self):
        if not self.ended.wait(PATIENCE):
            raise AssertionError("the tail did not end")
        return self.text()

    def close(self):
        self._go.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(PATIENCE)
        self._socket.close()


class Node:
    """`tailrace serve` on free ports."""

    def __init__(self, *flags, syslog="127.0.0.1:0", public=0, admin=0, environment=None):
        self.log_file = tempfile.NamedTemporaryFile(prefix="tailrace-e2e-", suffix=".log")
        arguments = [BINARY, "serve", "--http-listen", f"127.0.0.1:{public}", "--admin-listen", f"127.0.0.1:{admin}",
                     "--syslog-listen", syslog, *flags]
        for flag, value in (("--drain-allow", "127.0.0.0/8"), ("--auth", AUTH), ("--grace", "300ms")):
            if flag not in flags:
                arguments += [flag, value]
        listeners = 0 if syslog == "off" else syslog.count(",") + 1
        variables = {k: v for k, v in os.environ.items() if not k.startswith("TAILRACE_") and k != "PORT"}
        variables.update(environment or {})
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self.log_file,
                                        stderr=self.log_file, env=variables)
        self.stopped = False
        try:
            wait_until(lambda: self._listens(listeners), lambda: f"a ready node; it said {self.log()!r}")
        except AssertionError:
            self.process.kill()
            raise

    def _listens(self, listeners):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}: {self.log()}")
        log = self.log()
        ready = re.search(r'msg="ready" http=http://127\.0\.0\.1:(\d+) admin=http://127\.0\.0\.1:(\d+)', log)
        syslog = re.findall(r'msg="syslog over TCP" address=127\.0\.0\.1:(\d+)', log)
        if not ready or len(syslog) < listeners:
            return False
        self.public, self.admin = int(ready[1]), int(ready[2])
        self.syslog_ports = [int(port) for port in syslog]
        self.syslog = self.syslog_ports[0] if syslog else None
        self.url = f"http://127.0.0.1:{self.admin}"
        return True

    def udp(self, listeners=1):
        """The UDP listeners, each as host and port, once there are this many."""
        def found():
            all_ = re.findall(r'msg="syslog over UDP" address=\[?([^ ]*?)\]?:(\d+) ', self.log())
            return [(host, int(port)) for host, port in all_] if len(all_) >= listeners else None
        return wait_until(found, f"{listeners} UDP listeners")

    def log(self):
        with open(self.log_file.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        """kill -9."""
        self.stopped = True
        self.process.kill()
        self.process.wait()
        self.last_words = self.log()
        self.log_file.close()

    def stop(self, errors=False):
        """SIGTERM; the exit code must be 0, and nothing may have gone wrong inside unless `errors` are expected."""
        if self.stopped:
            return
        self.stopped = True
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"SIGTERM did not end the node; it said {self.log()[-1000:]}")
        finally:
            log = self.last_words = self.log()
            self.log_file.close()
        if code != 0:
            raise AssertionError(f"the node ended with {code}: {log[-1000:]}")
        if "level=error" in log and not errors:
            raise AssertionError(f"the node told of an error: {log[-1000:]}")

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # ---- the API

    def api(self, method, path, body=None, auth=AUTH, port=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.admin, timeout=PATIENCE)
        fields = dict(headers or {})
        if auth:
            fields["Authorization"] = basic(auth)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def good(self, method, path, body=None):
        answer = self.api(method, path, body)
        if answer.status not in (200, 201, 204):
            raise AssertionError(f"{method} {path}: {answer}")
        return answer.json() if "json" in (answer.header("Content-Type") or "") else None

    def channel(self, name="", tokens=("app",)):
        """A new channel: its id and its tokens by name."""
        answer = self.good("POST", "/channels", {"name": name, "tokens": list(tokens)})
        return str(answer["channel_id"]), answer["tokens"]

    def drain(self, channel, url, **options):
        return self.good("POST", f"/v2/channels/{channel}/drains", {"url": url, **options})

    def session(self, channel, **query):
        return self.good("POST", "/v2/sessions", {"channel_id": channel, **query})["url"]

    def history(self, channel, num=1500, **query):
        """The text of a session that does not follow."""
        url = self.session(channel, num=str(num), **query)
        return self.api("GET", url[url.index("/sessions"):], auth=None).body

    def ledger(self, channel=None):
        """Of one channel, or of all; `accepted` of every drain must be accounted for at every moment."""
        channels = self.good("GET", "/v3/ledger")["channels"]
        for one in channels:
            for drain in one["drains"]:
                parts = drain["delivered"] + drain["filtered"] + sum(drain["dropped"].values()) + drain["buffered"]
                if parts != drain["accepted"]:
                    raise AssertionError(f"the ledger does not add up: {drain}")
        return channels if channel is None else next(c for c in channels if c["channel"] == channel)

    def account(self, channel, drain):
        return next(d for d in self.ledger(channel)["drains"] if d["id"] == str(drain["id"]))

    def wait_for_drain(self, channel, drain, **wanted):
        """Until a drain's account has these numbers."""
        def there():
            account = self.account(channel, drain)
            return account if all(account[key] == value for key, value in wanted.items()) else None
        return wait_until(there, lambda: f"{wanted} in the ledger: {self.account(channel, drain)}")

    def metrics(self):
        """Every sample of /metrics, by its name with labels."""
        text = self.api("GET", "/metrics", auth=None).body.decode()
        return {k: float(v) for k, v in re.findall(r"^([a-zA-Z_:][^ {]*(?:\{[^\n]*\})?) (\S+)$", text, re.M)}

    def metric(self, name, **labels):
        """The sum of all samples of a name that carry these labels."""
        total = 0.0
        for key, value in self.metrics().items():
            base, _, rest = key.partition("{")
            if base == name and all(f'{k}="{v}"' in rest for k, v in labels.items()):
                total += value
        return total

    def rejected(self, protocol):
        """Rejected records by reason, those that are not 0."""
        found = {}
        for key, value in self.metrics().items():
            if key.startswith("tailrace_ingest_rejected_total{") and f'protocol="{protocol}"' in key and value:
                found[re.search(r'reason="([^"]*)"', key)[1]] = int(value)
        return found

    def accepted(self, protocol):
        return int(self.metric("tailrace_ingest_records_total", protocol=protocol))

    # ---- records in

    def post(self, body, token=None, auth=None, headers=None, port=None):
        """POST /logs on the public listener, as a token or as a credential."""
        fields = {"Content-Type": "application/logplex-1", **(headers or {})}
        return self.api("POST", "/logs", body, auth or f"token:{token}", port or self.public, fields)

    def send(self, data, port=None, pieces=None):
        """Bytes to the syslog listener, in the given pieces each in its own packet, then the end of the stream."""
        with socket.create_connection(("127.0.0.1", port or self.syslog), timeout=PATIENCE) as out:
            out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces or [data]:
                out.sendall(piece)
            out.shutdown(socket.SHUT_WR)
            # The listener says nothing; that it closes tells that it has read everything.
            if out.recv(1) != b"":
                raise AssertionError("the syslog listener said something")


class FarEnd:
    """A listener whose connections are served by threads. Counts what it gets, and fails as it is told to."""

    host = "127.0.0.1"

    def __init__(self):
        self.lock = threading.Lock()
        self.mode = 200  # or "hang", or "refuse"
        self.connections = 0
        self._open = set()
        self._listener = None
        self._stopped = False
        self.port = 0
        while not self.port:
            try:
                self.port = free_port()
                self._listen()
            except OSError:
                self.port = 0  # somebody was quicker

    def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)  # so that a hang is soon felt
        listener.bind((self.host, self.port))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def narrow(self):
        """From now on a connection holds next to nothing that is not read."""
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                if self._listener is not listener:
                    connection.close()
                    return
                self._open.add(connection)
                self.connections += 1
            threading.Thread(target=self._serve_safely, args=(connection,), daemon=True).start()

    def _serve_safely(self, connection):
        try:
            self.serve(connection)
        except (OSError, ValueError):
            pass
        with self.lock:
            self._open.discard(connection)
        connection.close()

    def set_mode(self, mode):
        """An HTTP status; "hang": reads nothing more; "refuse": closes its port and its connections."""
        was, self.mode = self.mode, mode
        if mode == "refuse":
            self._close()
        elif was == "refuse":
            self._listen()

    def _close(self):
        with self.lock:
            listener, self._listener = self._listener, None
            connections = list(self._open)
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes the accept
            except OSError:
                pass
            listener.close()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hang(self):
        """What a serving thread does while told to hang."""
        wait_until(lambda: self.mode != "hang" or self._stopped, "the end of a hang", 600)

    def stop(self):
        self._stopped = True
        self._close()

    def frames(self):
        """Every record that was taken, in order."""
        raise NotImplementedError

    def messages(self):
        """MSG of every record but the router's own notices, in order."""
        return [self.message(frame) for frame in self.frames() if not is_notice(frame)]

    def notices(self):
        return [frame for frame in self.frames() if is_notice(frame)]

    def wait_for(self, count):
        wait_until(lambda: len(self.messages()) >= count,
                   lambda: f"{count} records at the far end; it has {len(self.messages())}")
        return self.messages()


def is_notice(frame):
    return frame.startswith(b"<172>1 ") and b" heroku logplex - " in frame


class HttpFarEnd(FarEnd):
    """Answers each POST with its mode's status; keeps whole requests byte for byte."""

    Request = collections.namedtuple("Request", "head body status")

    def __init__(self):
        self.requests = []
        self.refuses = None  # bodies with these bytes are answered 400
        self.answer = None  # bytes in place of the usual answer; the connection is closed behind them
        super().__init__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/in"

    def serve(self, connection):
        with connection.makefile("rb") as file:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = file.readline()
                    if not line:
                        return
                    head += line
                length = int(re.search(rb"\r\nContent-Length: (\d+)\r\n", head)[1])
                body = file.read(length)
                if len(body) < length:
                    return
                if self.mode == "hang":
                    self.hang()
                    return
                status = self.mode
                if not isinstance(status, int):
                    return
                if self.refuses and self.refuses in body:
                    status = 400
                with self.lock:
                    self.requests.append(self.Request(head, body, status))
                if self.answer is not None:
                    connection.sendall(self.answer)
                    return
                connection.sendall(b"HTTP/1.1 %d Said\r\nContent-Length: 2\r\n\r\nok" % status)

    def taken(self):
        with self.lock:
            return [request for request in self.requests if request.status // 100 == 2]

    def frames(self):
        return [frame for request in self.taken() for frame in split_frames(request.body)[0]]

    @staticmethod
    def message(frame):
        return frame.split(b" ", 6)[6]


class SyslogFarEnd(FarEnd):
    """Reads octet-counted frames; keeps the bytes of each connection apart."""

    def __init__(self):
        self.streams = []
        super().__init__()

    @property
    def url(self):
        return f"syslog://127.0.0.1:{self.port}"

    def serve(self, connection):
        stream = bytearray()
        with self.lock:
            self.streams.append(stream)
        while self._listener or self._stopped:
            if self.mode == "hang":
                self.hang()
            piece = connection.recv(65536)
            if not piece:
                return
            with self.lock:
                stream += piece

    def frames(self):
        with self.lock:
            streams = [bytes(stream) for stream in self.streams]
        return [frame for stream in streams for frame in split_frames(stream)[0]]

    @staticmethod
    def message(frame):
        return frame.split(b" ", 7)[7]


def run(*arguments, environment=None, feed=None, timeout=PATIENCE):
    """A command of the binary until it ends: exit code, stdout and stderr as text."""
    done = subprocess.run([BINARY, *arguments], input=feed, capture_output=True, timeout=timeout,
                          env=command_environment(environment), check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def command_environment(extra=None):
    """No setting of the machine's own reaches a command; nor does a demo that happens to run."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("TAILRACE_") and k != "PORT"}
    variables["XDG_RUNTIME_DIR"] = "/nonexistent"
    variables.update(extra or {})
    return variables


class EndToEnd(unittest.TestCase):
    """A test that starts nodes and far ends; all of them end with it, and a node's exit code is looked at."""

    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        if not BINARY or not os.access(BINARY, os.X_OK):
            raise RuntimeError("TAILRACE_BINARY must name the binary")

    def node(self, *flags, **options):
        node = Node(*flags, **options)
        self.addCleanup(node.stop)
        return node

    def far_end(self, kind=HttpFarEnd):
        far_end = kind()
        self.addCleanup(far_end.stop)
        return far_end

    def tail(self, url, **options):
        tail = Tail(url, **options)
        self.addCleanup(tail.close)
        return tail

    def process(self, *arguments, environment=None, **options):
        """A command of the binary that goes on; killed at the end if it still runs."""
        process = subprocess.Popen([BINARY, *arguments], env=command_environment(environment), **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.addCleanup(end)
        return process
