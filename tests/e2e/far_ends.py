"""What the tests of difficult far ends share.

FarEndCase runs two nodes under the same steady load: the one that is tried, with a healthy drain and the difficult ones on
one channel, and a control, whose healthy drain is alone. The load comes from a process of its own, and a far end in another
keeps the books of both healthy drains, so that what a test does delays neither.

A healthy drain must get every record once and in order, and the 99th percentile of its time from sender to far end must stay
under 3 times what it was alone: before the fault, or at the control meanwhile, whichever is more, and 20 ms at least. The
control and the 20 ms are there for machines that do something else too; and so is that the time is not counted during which
the threads of sender, router or far end were ready to run and the kernel ran others (run_delay in /proc/PID/task/TID/schedstat).
A router that kept its processors busy itself would be seen by the bound on what it uses more than the control.
"""

import bisect
import collections
import datetime
import http.client
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from certificates import Authority
from harness import BINARY, PATIENCE, EndToEnd, FarEnd, Tail, split_frames, wait_until

FAR_END = os.environ.get("TAILRACE_FAR_END") or os.path.join(os.path.dirname(BINARY), "tests/e2e/httplib_far_end")
SANITIZED = os.environ.get("TAILRACE_SANITIZED", "") not in ("", "OFF", "0")
MICROS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
FLOOR = 0.020  # seconds
SECRETS = (b"hunter2", b"swordfish")
MIB = 1 << 20


def seconds(text):
    """Of a duration as the tail tells it: 4m12s."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"(\d+)(ms|[smhd])", text)
    return sum(int(number) * units[unit] for number, unit in parts)


def stamp(text):
    """Seconds since 1970 of a time as the router writes it."""
    return datetime.datetime.fromisoformat(text).timestamp()


class Process:
    """A program that is asked by lines and answers by lines; it ends with its standard input."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.greeting = self.process.stdout.readline().strip()
        if not self.greeting:
            raise AssertionError(f"{arguments[:3]} said nothing")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"no answer to {line!r}")
        return answer.split()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Sender(Process):
    """paced_sender.py."""

    def __init__(self, kind, *arguments):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "paced_sender.py")
        super().__init__(sys.executable, "-B", script, kind, *map(str, arguments))

    def phase(self, name, rate, size):
        """The number of the first record of it."""
        return int(self.ask(f"phase {name} {rate} {size}")[0])

    def stop(self):
        """How many were sent, and the first numbers of POSTs that were sent more than once."""
        total, *doubtful = map(int, self.ask("stop"))
        return total, doubtful


class FarProcess(Process):
    """httplib_far_end.cpp: cpp-httplib's server and plain sockets, in a process of their own."""

    def __init__(self, *arguments):
        if not os.access(FAR_END, os.X_OK):
            raise RuntimeError("TAILRACE_FAR_END must name httplib_far_end")
        super().__init__(FAR_END, *map(str, arguments))
        self.http, self.syslog = map(int, re.fullmatch(r"http=(\d+) syslog=(\d+)", self.greeting).groups())

    def url(self, name):
        return f"http://user:hunter2@127.0.0.1:{self.http}/in/{name}?key=swordfish"

    @property
    def syslog_url(self):
        return f"syslog://127.0.0.1:{self.syslog}"

    def _control(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)
        try:
            connection.request(method, path, body and json.dumps(body))
            answer = connection.getresponse()
            if answer.status != 200:
                raise AssertionError(f"the far end answered {answer.status}")
            return answer.read()
        finally:
            connection.close()

    def set(self, name, **order):
        """How `name` answers from now on; nothing: 200."""
        self._control("PUT", f"/control/{name}", order or {"status": 200})

    def books(self, name):
        return json.loads(self._control("GET", f"/books/{name}"))

    def tries(self, name, status=None):
        """Each request to `name`, or those that were answered so."""
        tries = json.loads(self._control("GET", f"/tries/{name}"))
        return [one for one in tries if status is None or one["status"] == status]

    def times(self, name, phase):
        """When each record of a phase was sent, and when it came, in nanoseconds."""
        return json.loads(self._control("GET", f"/times/{name}/{phase}"))

    def count_of(self, name, phase):
        return int(self._control("GET", f"/phase/{name}/{phase}"))

    def halt(self):
        """SIGSTOP: its connections stay, and nobody is there."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


class Notices(Tail):
    """Follows a channel and keeps the router's own lines only."""

    def _read(self):
        self.others, rest = 0, b""
        try:
            while piece := self._response.read1(65536):
                *lines, rest = (rest + piece).split(b"\n")
                own = [line for line in lines if b" heroku[logplex]: " in line]
                self.others += len(lines) - len(own)
                with self._lock:
                    self._text += b"".join(line + b"\n" for line in own)
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        self.ended.set()

    def of(self, drain):
        """Lines that name a drain, as text."""
        return [line.decode() for line in self.lines() if drain["token"].encode() in line]

    def states(self, drain):
        """Those that tell of its state, behind its name."""
        return [line.split(f"'{drain['token']}' ", 1)[1] for line in self.of(drain) if ": Error L1" not in line]

    def told_lost(self, drain):
        """How many records its L10 lines say are lost."""
        pattern = (rf"Error L10 \(output buffer overflow\): drain '{drain['token']}' "
                   rf"dropped (\d+) messages since {MICROS} \(.+\)\.$")
        found = [re.search(pattern, line) for line in self.of(drain) if ": Error L10 " in line]
        if not all(found):
            raise AssertionError(f"an L10 line of another form: {self.of(drain)}")
        return sum(int(match[1]) for match in found)


class Watcher:
    """Looks at a node's ledger and memory, again and again, until it is stopped: the ledger must add up each time."""

    def __init__(self, node, between=0.1):
        self._node, self._between = node, between
        self.polls, self.rss, self.failure = 0, 0, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(self._between):
            try:
                self._node.ledger()
                self.rss = max(self.rss, self._node.rss())
                self.polls += 1
            except (OSError, http.client.HTTPException, ValueError, IndexError) as gone:
                if not self._node.stopped:
                    self.failure = self.failure or gone
                return
            except AssertionError as failure:
                self.failure = failure
                return

    def end(self):
        self._stop.set()
        self._thread.join(PATIENCE)

    def stop(self):
        self.end()
        if self.failure:
            raise AssertionError(f"while the ledger was watched: {self.failure!r}")


def cpu_seconds(node):
    """What its process has used, of user and kernel."""
    with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Waits:
    """How long the threads of some processes were ready and did not run, by time. `processes` gives those of now."""

    def __init__(self, processes, between=0.02):
        self._processes, self._between = processes, between
        self._seen, self._times, self._waited = {}, [], []
        self._stop = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(self._between):
            self._look()

    def _look(self):
        waited = self._waited[-1] if self._waited else 0
        for process in self._processes():
            tasks = f"/proc/{process.pid}/task"
            try:
                for task in os.listdir(tasks):
                    with open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
                        now = int(file.read().split()[1])
                    waited += now - self._seen.get((process.pid, task), 0)
                    self._seen[process.pid, task] = now
            except (OSError, IndexError):
                pass  # it has just ended
        self._times.append(time.monotonic_ns())
        self._waited.append(waited)

    def between(self, begin, end):
        """Nanoseconds, and rather too many: by whole looks."""
        first = max(bisect.bisect_right(self._times, begin) - 1, 0)
        last = min(bisect.bisect_left(self._times, end), len(self._times) - 1)
        return self._waited[last] - self._waited[first]

    def stop(self):
        self._stop.set()
        self._thread.join(PATIENCE)
        self._look()


Try = collections.namedtuple("Try", "at id count head body status")


class WildFarEnd(FarEnd):
    """An HTTP far end whose `behave(connection, number)` does with each request what it likes, in raw bytes, and says which
    status the router can have seen (None: none). Without it, 200. While it is `deaf` it reads nothing of new connections, and
    has none else. Keeps every try."""

    def __init__(self):
        self.tries = []
        self.behave = None
        self.deaf = False
        self.keep = True  # connections, for further requests
        self.busy = self.most_busy = 0
        super().__init__()

    @property
    def url(self):
        return f"http://user:hunter2@127.0.0.1:{self.port}/in?key=swordfish"

    def open(self, connection):
        """What a connection is before HTTP: here that sub-classes shake hands."""
        return connection

    def serve(self, connection):
        if self.deaf:
            wait_until(lambda: not self.deaf or self._stopped, "the end of its deafness", 600)
            return
        with self.open(connection) as connection, connection.makefile("rb") as file:
            while self.serve_one(connection, file):
                pass

    def serve_one(self, connection, file):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = file.readline()
            if not line:
                return False
            head += line
        length = int(re.search(rb"\r\nContent-Length: (\d+)\r\n", head)[1])
        body = file.read(length)
        if len(body) < length:
            return False
        behave = self.behave
        with self.lock:
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            number = len(self.tries)
            self.tries.append(Try(time.monotonic(), re.search(rb"Logplex-Frame-Id: (\w+)", head)[1].decode(),
                                  int(re.search(rb"Logplex-Msg-Count: (\d+)", head)[1]), head, body, None))
        try:
            if behave is None:
                self.note(number, 200)
                keep = self.keep and not self.deaf
                close = b"" if keep else b"Connection: close\r\n"
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + close + b"Content-Length: 2\r\n\r\nok")
                return keep
            status = behave(connection, number)
            if status is not None:
                self.note(number, status)
            return False
        finally:
            with self.lock:
                self.busy -= 1

    def note(self, number, status):
        with self.lock:
            self.tries[number] = self.tries[number]._replace(status=status)

    def until_closed(self, connection):
        """Says nothing until the router gives up."""
        while connection.recv(65536):
            pass

    def all_tries(self):
        with self.lock:
            return list(self.tries)

    def taken(self):
        """Each batch that was answered 2xx, once."""
        batches = {}
        for one in self.all_tries():
            if one.status is not None and one.status // 100 == 2:
                batches.setdefault(one.id, one)
        return list(batches.values())

    def frames(self):
        return [frame for one in self.taken() for frame in split_frames(one.body)[0]]

    def repeats(self):
        """By frame id, how often it came; another body under the same id is an error."""
        bodies, counts = {}, collections.Counter()
        for one in self.all_tries():
            counts[one.id] += 1
            if bodies.setdefault(one.id, one.body) != one.body:
                raise AssertionError(f"two bodies under frame id {one.id}")
        return counts

    @staticmethod
    def message(frame):
        return frame.split(b" ", 6)[6]


class TlsFarEnd(WildFarEnd):
    """The same over TLS, by Python's own. While it is `stalled` it never answers a ClientHello, and keeps how long it was
    waited for."""

    def __init__(self, certificate, key):
        self.stalled, self.stalls, self.refused = False, [], 0
        self.show(certificate, key)
        super().__init__()

    def show(self, certificate, key):
        """Its certificate from the next connection on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._context = context

    @property
    def url(self):
        return f"https://user:hunter2@localhost:{self.port}/in?key=swordfish"

    def open(self, connection):
        if self.stalled:
            began = time.monotonic()
            self.until_closed(connection)
            self.stalls.append(time.monotonic() - began)
            raise OSError("stalled")
        try:
            return self._context.wrap_socket(connection, server_side=True)
        except OSError:
            self.refused += 1
            raise


class NameServer:
    """Every name is at `address`, for no time at all; `wrong` gives names that are answered with an error (3: no such name,
    2: failed). While it is `silent` it hears and does not answer."""

    def __init__(self):
        self.silent, self.wrong, self.address = False, {}, "127.0.0.1"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            if self.silent:
                continue
            labels, end = [], 12
            while query[end]:
                labels.append(query[end + 1:end + 1 + query[end]].decode())
                end += 1 + query[end]
            question = query[12:end + 5]
            error = self.wrong.get(".".join(labels).lower(), 0)
            answers = b""
            if not error and question[-4:-2] == b"\0\1":
                answers = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.address)
            counts = b"\0\1" + (b"\0\1" if answers else b"\0\0") + b"\0\0\0\0"
            self._socket.sendto(query[:2] + bytes([0x81, 0x80 | error]) + counts + question + answers, sender)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(b"", ("127.0.0.1", self.port))  # wakes it
        self._socket.close()


def reset(connection):
    """Closes with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def numbers_of(far_end):
    """The numbers of the records that a Python far end took, in order."""
    return [int(message.split(b" ", 2)[1]) for message in far_end.messages()]


class TooSlow(AssertionError):
    pass


class FarEndCase(EndToEnd):
    RATE = 500  # records per second
    ALONE = 1000  # records before the fault
    TRIES = 3

    def run(self, result=None):
        """A test whose only fault is TooSlow begins anew: what the machine does to it by chance it does not do three times."""
        result = result or self.defaultTestResult()
        for tries in range(1, self.TRIES + 1):
            tried = unittest.TestResult()
            unittest.TestCase.run(type(self)(self._testMethodName), tried)
            if tried.errors or not tried.failures or tries == self.TRIES or not all("TooSlow: " in text for _, text in tried.failures):
                break
            print(f"{self.id()} begins anew: {tried.failures[0][1].splitlines()[-1]}", file=sys.stderr)
        result.startTest(self)
        result.errors += tried.errors
        result.failures += tried.failures
        for _, why in tried.skipped:
            result.addSkip(self, why)
        if tried.wasSuccessful() and not tried.skipped:
            result.addSuccess(self)
        result.stopTest(self)
        return result

    def begin(self, *flags, own=(), environment=None, size=40):
        """Two nodes under load, and the time of a healthy drain alone. `own`: flags that the control does not have."""
        self.router, self.control = (self.node(*flags, *more, environment=environment) for more in (own, ()))
        self.size = size
        self.far = self.far_process()
        self.channel, tokens = self.router.channel("tried", ["app"])
        other, control_tokens = self.control.channel("control", ["app"])
        self.good = self.router.drain(self.channel, self.far.url("beside"))
        self.control.drain(other, self.far.url("control"))
        self.control_channel = other
        self.flaky = []
        self.tail = Notices(self.router.session(self.channel, tail="1", num="0"))
        self.addCleanup(self.tail.close)
        self.sender = Sender("tcp", f"{self.router.syslog}:{tokens['app']}", f"{self.control.syslog}:{control_tokens['app']}")
        self.addCleanup(self.sender.close)
        self.watcher = Watcher(self.router)
        self.addCleanup(self.watcher.end)
        self.watch_waits()
        self.phase("warm")
        self.wait_for_phase("warm", 100)
        self.phase("alone")
        self.wait_for_phase("alone", self.ALONE)

    def phase(self, name, rate=None, size=None):
        """The number of the first record of a new phase."""
        return self.sender.phase(name, self.RATE if rate is None else rate, self.size if size is None else size)

    def wait_for_phase(self, name, count, names=("beside", "control")):
        def there():
            return all(self.far.count_of(far, name) >= count for far in names)
        wait_until(there, lambda: f"{count} records of phase {name}: {[self.far.count_of(far, name) for far in names]}")

    def far_process(self, *arguments):
        process = FarProcess(*arguments)
        self.addCleanup(process.close)
        return process

    def authority(self, name="authority"):
        """Its certificate's file, and those of a certificate for localhost and its key."""
        folder = tempfile.TemporaryDirectory(prefix="tailrace-e2e-")
        self.addCleanup(folder.cleanup)
        authority = Authority(folder.name, name)
        files = [authority.folder / f"server.{kind}" for kind in ("pem", "key")]
        authority.sign("server", *files)
        return authority.pem, files

    def wild(self, kind=WildFarEnd):
        return self.far_end(kind)

    def drain(self, url):
        """A further drain beside the healthy one."""
        drain = self.router.drain(self.channel, url)
        self.flaky.append(drain)
        return drain

    def fault(self, *far_ends):
        """The difficult ones have worked until now; from here on what the healthy one does is measured."""
        for drain in self.flaky:
            wait_until(lambda d=drain: self.router.account(self.channel, d)["delivered"] > 0,
                       lambda d=drain: f"a first delivery: {self.router.account(self.channel, d)}")
        return self.beside()

    def beside(self):
        self.rss_before = self.router.rss()
        self.watcher.rss = 0
        self.used_before = {node: cpu_seconds(node) for node in (self.router, self.control)}
        self.beside_since = time.monotonic()
        self.fault_at = time.time()
        return self.phase("beside")

    def story(self, drain, *patterns):
        """These lines of its state stand in the tail, and no other."""
        wait_until(lambda: len(self.tail.states(drain)) >= len(patterns), lambda: f"{len(patterns)} states: {self.tail.states(drain)}")
        states = self.tail.states(drain)
        self.assertEqual(len(states), len(patterns), states)
        for state, pattern in zip(states, patterns):
            self.assertRegex(state, f"^{pattern}$")

    def wait_for_state(self, drain, pattern, seconds=PATIENCE):
        """The match of a line of its tail that tells of a state."""
        return self.tail.wait_for(f"(?m)^{MICROS} heroku\\[logplex\\]: drain '{drain['token']}' {pattern}$", seconds)

    def failing(self, drain, cause):
        """Waits for its line; the time it gives must lie between the fault, or what was under way then, and the line itself."""
        match = self.wait_for_state(drain, f"failing since ({MICROS}): {cause}")
        since, told = stamp(match[1].decode()), stamp(match[0].decode().split(" ", 1)[0])
        self.assertLessEqual(self.fault_at - 0.5, since)
        self.assertLessEqual(since, told)
        return since

    def recovered(self, drain, since, dropped=None):
        """Waits for its line; `dropped` records, late ones and the time of the outage must be right. How many were late."""
        match = self.wait_for_state(drain, r"recovered after (\S+): (\d+) dropped, (\d+) delivered late")
        told = stamp(match[0].decode().split(" ", 1)[0])
        if dropped is not None:
            self.assertEqual(int(match[2]), dropped)
        self.assertLessEqual(seconds(match[1].decode()), told - since + 0.001)
        self.outage = seconds(match[1].decode())
        return int(match[3])

    def caught_up(self, drain):
        """Until nothing of it is on its way, now that no more is sent; its account."""
        def there():
            account = self.router.account(self.channel, drain)
            return account if account["buffered"] == 0 and account["accepted"] > 0 else None
        return wait_until(there, lambda: f"an empty buffer: {self.router.account(self.channel, drain)}")

    def stop_sending(self):
        self.wait_for_phase("beside", self.ALONE)  # as many as it is compared with
        self.total, _ = self.sender.stop()
        for node, channel in ((self.router, self.channel), (self.control, self.control_channel)):
            wait_until(lambda n=node, c=channel: n.ledger(c)["accepted"] == self.total,
                       lambda n=node, c=channel: f"all {self.total} accepted: {n.ledger(c)}")
        return self.total

    def finish(self, memory=16 * MIB, core=0.4):
        """The healthy drain noticed nothing; memory, secrets and the ledger are as they must be. `memory`: how much the
        process may have grown since the fault began; `core`: how much of one it may have used beyond the control."""
        if not hasattr(self, "total"):
            self.stop_sending()
        self.check_use(core)
        self.router.wait_for_drain(self.channel, self.good, accepted=self.total, delivered=self.total, buffered=0)
        self.assertEqual(self.tail.of(self.good), [])
        for name in ("beside", "control"):
            self.check_complete(self.far.books(name), self.total)
        self.check_times("beside")
        polls = self.watcher.polls
        self.watcher.stop()
        self.assertGreater(polls, 10)
        if not SANITIZED:  # their memory is another's
            self.assertLess(self.watcher.rss - self.rss_before, memory)
        self.check_secrets()

    def check_complete(self, books, total):
        """Every record, once and in order, and nothing else."""
        self.assertEqual((books["bad"], books["gaps"], books["backs"], books["notices"]), ([], [], [], []), books)
        self.assertEqual((books["first"], books["next"], books["records"]), (0, total, total))
        self.assertEqual(books["repeated_frames"], 0)

    def watch_waits(self):
        """For check_times(), which ends it."""
        self.waits = {}
        for name, node in (("beside", lambda: self.router), ("control", lambda: self.control)):
            self.waits[name] = Waits(lambda n=node: (n().process, self.far.process, self.sender.process))
            self.addCleanup(self.waits[name].stop)

    def p99(self, books, phase, node="beside"):
        """Seconds; of what took longer than half of the floor, without the time that the machine took."""
        times = []
        for sent, came in self.far.times(books, phase):
            took = came - sent
            if took > FLOOR * 0.5e9:
                took = max(took - self.waits[node].between(sent, came), FLOOR * 0.5e9)
            times.append(took)
        times.sort()
        return times[int((len(times) - 1) * 0.99)] / 1e9, len(times)

    def check_times(self, *phases, books="beside"):
        for waits in self.waits.values():
            waits.stop()
        before, _ = self.p99(books, "alone")
        for phase in phases:
            mine, count = self.p99(books, phase)
            control, _ = self.p99("control", phase, "control")
            print(f"{self.id().split('.')[-1]}: p99 {mine * 1e3:.2f} ms of {count} records; alone {before * 1e3:.2f} ms before, "
                  f"{control * 1e3:.2f} ms at the control", file=sys.stderr)
            most = max(FLOOR, 3 * before, 3 * control) * (3 if SANITIZED else 1)
            if mine >= most:
                raise TooSlow(f"{mine * 1e3:.2f} ms, and {most * 1e3:.2f} ms is the most")

    def check_use(self, core):
        used = {node: cpu_seconds(node) - before for node, before in self.used_before.items()}
        share = (used[self.router] - used[self.control]) / (time.monotonic() - self.beside_since)
        print(f"{self.id().split('.')[-1]}: {share * 100:.0f} % of a core beyond what the control used", file=sys.stderr)
        self.assertLess(share, core * (5 if SANITIZED else 1))

    def check_secrets(self):
        shown = [self.tail.text(), self.router.log().encode()]
        for path in ("/metrics", "/v3/ledger", f"/v2/channels/{self.channel}", f"/v3/channels/{self.channel}/drains"):
            shown.append(self.router.api("GET", path).body)
        for drain in self.flaky:
            shown.append(self.router.api("GET", f"/v3/channels/{self.channel}/drains/{drain['id']}/health").body)
        for text in shown:
            self.check_words(text)

    def check_words(self, text):
        for secret in SECRETS:
            self.assertNotIn(secret, text if isinstance(text, bytes) else text.encode())

    def health(self, drain):
        return self.router.good("GET", f"/v3/channels/{self.channel}/drains/{drain['id']}/health")

    def check_http(self, drain, far_end, dropped=0):
        """A Python far end's own count is the ledger's, to the record: each once, in order, newest last."""
        account = self.caught_up(drain)
        wait_until(lambda: len(numbers_of(far_end)) >= account["delivered"], "what was delivered")
        numbers = numbers_of(far_end)
        self.assertEqual(len(numbers), account["delivered"])
        self.assertEqual(sum(account["dropped"].values()), dropped)
        self.assertEqual(account["accepted"], account["delivered"] + dropped)
        self.assertEqual(numbers[-1], self.total - 1)
        if not dropped:
            self.assertEqual(numbers, list(range(self.total - account["accepted"], self.total)))
        self.assertEqual(numbers, sorted(set(numbers)))
        far_end.repeats()
        return account

    def check_losses(self, drain, notices, reason="overflow"):
        """What the ledger says is lost was told, to the record: in the tail by lines at least a second apart, and to the far
        end itself (`notices` gives its frames)."""
        account = self.router.account(self.channel, drain)
        lost = account["dropped"].get(reason, 0)
        self.assertEqual(account["dropped"], {reason: lost} if lost else {})
        wait_until(lambda: self.tail.told_lost(drain) == lost, lambda: f"{lost} told; it is {self.tail.told_lost(drain)}")

        def told():
            return sum(int(re.search(rb"\): (\d+) messages dropped since ", frame)[1]) for frame in notices())
        wait_until(lambda: told() == lost, lambda: f"{lost} told to the far end; it is {told()}")
        times = [stamp(line.split(" ", 1)[0]) for line in self.tail.of(drain) if ": Error L10 " in line]
        for earlier, later in zip(times, times[1:]):
            self.assertGreaterEqual(later - earlier, 0.99)
        return lost

    def check_books(self, drain, far, name, dropped=0):
        """The same as check_http() of a far end in a process of its own."""
        account = self.caught_up(drain)
        books = far.books(name)
        self.assertEqual((books["bad"], books["backs"]), ([], []))
        self.assertEqual(books["records"], account["delivered"])
        self.assertEqual(sum(account["dropped"].values()), dropped)
        self.assertEqual(account["accepted"], account["delivered"] + dropped)
        self.assertEqual(books["next"], self.total)
        self.assertEqual(sum(got - missing for missing, got in books["gaps"]), dropped)
        self.assertEqual(books["first"], self.total - account["accepted"])
        return books
