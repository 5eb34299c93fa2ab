"""`tailrace logs`: what it asks for, and that it loses and repeats nothing whatever happens to its connection."""

import json
import random
import re
import signal
import unittest

from durable import Durable, rounds
from harness import AUTH, TIME, counted, free_port, record, wait_until
from logs_case import Logs, LogsCase
from proxies import Proxy


class Asking(LogsCase):
    def test_forms(self):
        self.set_up()
        hostile = b"\xff\0 \x1b[2J ]: \xe2\x82"
        self.sent(record(self.app, hostile, pri=131, msgid="M", host="h"), record(self.app, b"two\nlines\n"), record(self.app, b""))
        prefix = TIME.encode() + b" app[web.1]: "
        self.assertEqual(self.whole(), prefix + hostile + b"\n" + prefix + b"two\nlines\n" + prefix + b"\n")
        self.assertEqual(self.whole("-o", "raw"), hostile + b"\ntwo\nlines\n\n")
        for arguments in (["-o", "json"], ["--json"], ["--json", "--color", "always"]):
            objects = [json.loads(line) for line in self.whole(*arguments).splitlines()]
            self.assertEqual([o["message"] for o in objects], ["\ufffd\0 \x1b[2J ]: \ufffd", "two\nlines", ""])
            self.assertEqual({**objects[0], "message": 0}, {
                "seq": objects[0]["seq"], "time": TIME, "app": "app", "procid": "web.1", "msgid": "M", "host": "h",
                "severity": "err", "facility": "local0", "message": 0})
            self.assertLess(objects[0]["seq"], objects[1]["seq"])

    def test_filters(self):
        self.set_up()
        lines = [record(self.app, f"r{i} status={200 + i}", procid=f"web.{i % 2}", pri=184 + i % 8) for i in range(50)]
        self.sent(*lines, record(self.heroku, "state up", procid="router"))

        def shown(*arguments):
            return [int(n) for n in re.findall(rb"\]: r(\d+) ", self.whole(*arguments))]
        every = list(range(50))
        self.assertEqual(shown(), every)
        for arguments, wanted in (
                (["--grep", "r1"], [i for i in every if str(i).startswith("1")]),
                (["--grep", "r1", "--grep", "=21[0-5]"], [i for i in range(10, 16)]),
                (["--grep", "r1", "--exclude", "=21[0-5]", "--exclude", "=201"], [16, 17, 18, 19]),
                (["--exclude", "r1"], [i for i in every if not str(i).startswith("1")]),
                (["--filter", "status>=245"], every[45:]), (["--filter", "status>=245", "-n", "2"], every[48:]),
                (["--severity", "warning"], [i for i in every if i % 8 <= 4]), (["--severity", "3"], [i for i in every if i % 8 <= 3]),
                (["-d", "web.1", "-n", "3"], [45, 47, 49]), (["--dyno-name", "web.0", "-n", "2"], [46, 48]),
                (["--ps", "web", "-n", "2"], [48, 49]), (["--process-type", "web", "--num=1"], [49]),
                (["-s", "heroku"], []), (["--since", "oldest"], every), (["--since", "1h", "-n", "2"], [49])):
            with self.subTest(arguments=arguments):
                self.assertEqual(shown(*arguments), wanted)
        seq = [json.loads(line)["seq"] for line in self.whole("-o", "json").splitlines()]
        self.assertEqual(shown("--after", str(seq[40])), every[41:])
        self.assertEqual(shown("--after", str(seq[-1])), [])

    def test_wrong_terms_name_the_option(self):
        self.set_up()
        for option, value in (("--grep", "("), ("--exclude", "["), ("--filter", "status>="), ("--since", "yesterday"),
                              ("--severity", "dire"), ("--num", "ten"), ("--after", "x")):
            with self.subTest(option=option):
                logs = self.logs(option, value)
                self.assertEqual((logs.ends(), logs.out()), (2, b""))
                self.assertRegex(logs.err(), rf"^tailrace: logs: ({option}|-n)\b.*\(see tailrace logs --help\)\n$")

    def test_follow_in_every_form(self):
        self.set_up()
        for flag, form in (("-t", "text"), ("--tail", "json"), ("-f", "raw"), ("--follow", "text")):
            with self.subTest(flag=flag, form=form):
                logs = self.logs(flag, "-o", form, "-n", "0")
                wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 1, "the tail")
                for i in range(5):  # each shows before the next is sent
                    self.sent(record(self.app, f"live {i}"))
                    logs.wait_for(f"live {i}\"?}}?\n")
                self.assertEqual(len(logs.lines()), 5)
                logs.signal(signal.SIGINT)
                self.assertEqual((logs.ends(), logs.err()), (130, ""))
                wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 0, "the end of the tail")

    def test_a_warning_is_told_once(self):
        self.set_up()
        self.sent(record(self.app, "before"))
        self.flag("no_history", True)
        logs = self.logs()
        self.assertEqual((logs.ends(), logs.out()), (0, b""))
        self.assertEqual(logs.err(), "tailrace: this channel keeps no history for readers.\n")
        self.assertEqual(self.logs("-q").ends(), 0)


class Broken(LogsCase):
    """A proxy between `logs` and its session; the API is reached past it."""

    def follower(self, *arguments, **options):
        """`logs -t` whose session is read through the proxy."""
        return self.logs("-t", *arguments, **options)

    def set_up(self, bytes_="256M"):
        port = free_port()
        super().set_up("--public-url", f"http://127.0.0.1:{port}", "--channel-records", "100000", "--channel-bytes", bytes_)
        self.proxy = Proxy(self.router.public, port)
        self.addCleanup(self.proxy.down)

    def test_cuts_at_random_bytes(self):
        seed = random.randrange(1 << 30)
        for form in ("text", "json", "raw"):
            with self.subTest(form=form, seed=seed):
                self.set_up()
                dice = random.Random(seed)
                self.proxy.cut = lambda: dice.randrange(200, rounds(60_000, 600_000))
                self.proxy.reset = form == "raw"
                total = rounds(3_000, 30_000)
                self.numbered(0, 500, b" before")
                logs = self.follower("-n", "100000", "-o", form)
                for first in range(500, total, 100):
                    self.numbered(first, first + 100, b" " + b"x" * dice.randrange(300))
                last = {"text": rf"\]: {total - 1} x*\n", "raw": rf"(?m)^{total - 1} x*\n", "json": rf'"{total - 1} x*"}}\n'}[form]
                logs.wait_for(last)
                messages = {"text": logs.messages, "raw": logs.lines,
                            "json": lambda: [json.loads(line)["message"].encode() for line in logs.lines()]}[form]()
                self.assertNumbers(messages, total)
                self.assertGreater(self.proxy.cuts, 5)
                self.assertIn("trying again in", logs.err())
                self.assertIn("connected again, behind record", logs.err())
                self.assertNotIn("/sessions/", logs.err())  # who has the URL may read
                logs.close()

    def test_cuts_of_a_history(self):
        self.set_up()
        dice = random.Random(5)
        self.proxy.cut = lambda: dice.randrange(200, 200_000)
        self.numbered(0, 10_000, b" " + b"x" * 50)
        logs = self.logs("-n", "100000")
        self.assertEqual(logs.ends(), 0, logs.err())
        self.assertNumbers(logs.messages(), 10_000)
        self.assertGreater(self.proxy.cuts, 3)

    def test_filtered_readers_go_on_where_they_were(self):
        # What his filters left out is behind him too: he does not begin again at his last line.
        self.set_up()
        logs = self.follower("-n", "0", "-p", "router")
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 1, "the tail")
        for i in range(5):
            self.numbered(0, 200)
            self.sent(record(self.heroku, f"{i}", procid="router"))
            logs.wait_for(rf"\]: {i}\n")
            self.proxy.break_all()
            self.proxy.wait_for_connections(i + 2)
        self.assertEqual(logs.messages(), [b"%d" % i for i in range(5)])

    def test_what_comes_before_the_first_line_and_while_the_connection_is_broken(self):
        self.set_up()
        logs = self.follower("-n", "0", "-p", "router")
        self.numbered(0, 10)
        self.proxy.wait_for_connections(1)
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 1, "the tail")
        self.proxy.down()
        logs.wait_for_err("trying again in")
        self.sent(record(self.heroku, "meanwhile", procid="router"))
        self.proxy.up()
        logs.wait_for(r"\]: meanwhile\n")
        self.assertEqual(logs.messages(), [b"meanwhile"])

    def test_quiet(self):
        self.set_up()
        logs = self.follower("-q")
        self.sent(record(self.app, "one"))
        logs.wait_for("one\n")
        self.proxy.break_all()
        self.proxy.wait_for_connections(2)
        self.sent(record(self.app, "two"))
        logs.wait_for("two\n")
        logs.signal(signal.SIGINT)
        self.assertEqual((logs.ends(), logs.err()), (130, ""))

    def test_interrupt_while_it_waits(self):
        self.set_up()
        logs = self.follower()
        self.sent(record(self.app, "one"))
        logs.wait_for("one\n")
        self.proxy.down()
        wait_until(lambda: logs.err().count("trying again in") >= 3, lambda: logs.err())
        logs.signal(signal.SIGINT)
        self.assertEqual(logs.ends(), 130)

    def test_history_gives_up_when_nobody_is_there(self):
        self.set_up()
        self.numbered(0, 5_000, b" " + b"x" * 100)
        self.proxy.cut = lambda: 50_000
        logs = self.logs("-n", "5000", held=True)
        logs.wait_for_err("trying again in")
        self.proxy.down()
        self.assertEqual(logs.ends(), 5, logs.err())
        self.assertEqual([int(m.split(b" ")[0]) for m in logs.messages()], list(range(len(logs.messages()))))

    def test_stopped_for_a_while_under_load(self):
        # SIGSTOP is a laptop's lid: what was kept for this reader comes, and the rest is told, to the record.
        self.set_up("1M")
        quick = self.tail(self.router.session(self.channel, tail="1", num="0").replace(str(self.proxy.port), str(self.router.public)))
        logs = self.follower("-n", "0")
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 2, "both tails")
        logs.signal(signal.SIGSTOP)
        total, step = 60_000, 500
        for first in range(0, total, step):
            self.numbered(first, first + step, b" " + b"x" * 500)
            quick.wait_for(rf"\]: {first + step - 1} ")
        logs.signal(signal.SIGCONT)
        logs.wait_for(rf"\]: {total - 1} x+\n")
        self.assertAllOrTold(logs.lines(), total)

    def assertAllOrTold(self, lines, total):
        expected = skipped = 0
        for line in lines:
            if told := re.search(rb" tailrace\[tail\]: Error L11 \(Tail buffer overflow\): (\d+) records skipped since \S+\.$", line):
                expected += int(told[1])
                skipped += int(told[1])
            else:
                self.assertEqual(int(re.search(rb"\]: (\d+) ", line)[1]), expected)
                expected += 1
        self.assertEqual(expected, total)
        self.assertGreater(skipped, 0)


class Ends(LogsCase):
    def follower(self):
        logs = self.logs("-t")
        self.sent(record(self.app, "one"))
        logs.wait_for("one\n")
        return logs

    def test_removed_channel(self):
        self.set_up()
        logs = self.follower()
        self.router.good("DELETE", f"/v2/channels/{self.channel}")
        self.assertEqual(logs.ends(), 4)
        self.assertTrue(logs.err().endswith(f"tailrace: channel {self.channel} is no longer there\n"), logs.err())
        self.assertEqual(len(logs.lines()), 1)

    def test_forbidden_to_follow(self):
        self.set_up()
        self.sent(record(self.app, "one"))
        self.flag("no_tail", True)
        for form in ("text", "json", "raw"):
            with self.subTest(form=form):
                logs = self.logs("-t", "-o", form)
                self.assertEqual(logs.ends(), 3)
                self.assertIn(b"one", logs.lines()[0])
                told = logs.err().encode() if form == "raw" else logs.lines()[1]
                self.assertIn(b"Error L20 (Tail sessions forbidden)", told)
                self.assertTrue(logs.err().endswith(f"tailrace: channel {self.channel} may not be followed\n"), logs.err())
        # What an app says ends nothing.
        self.flag("no_tail", False)
        self.sent(record(self.app, "tailrace[tail]: Error L20 (Tail sessions forbidden)"))
        logs = self.logs("-t")
        logs.wait_for("L20")
        self.sent(record(self.app, "two"))
        logs.wait_for("two\n")


class Restarts(Durable):
    """The router dies and comes back on its data dir, and `logs` follows."""

    def logs(self, *arguments):
        logs = Logs(*arguments, environment={"TAILRACE_URL": f"http://127.0.0.1:{self.admin}", "TAILRACE_AUTH": AUTH,
                                             "TAILRACE_APP": "shop"})
        self.addCleanup(logs.close)
        return logs

    def post(self, first, past):
        """Until it is answered 2xx; the frame id makes that once."""
        body = counted(*[record(self.token, f"{i}") for i in range(first, past)])

        def posted():
            try:
                answer = self.router.post(body, token=self.token, headers={"Logplex-Frame-Id": f"{first}-{past}"})
                return answer.status == 204
            except OSError:
                return False
        return posted()

    def test_kill_under_load(self):
        self.start("--channel-records", "100000")
        channel, tokens = self.router.channel("shop")
        self.token = tokens["app"]
        logs = self.logs("-t", "-o", "json", "-n", "0")
        wait_until(lambda: self.router.metric("tailrace_tail_sessions") == 1, "the tail")
        sent, step = 0, 50
        for _ in range(rounds(3, 30)):
            for _ in range(20):
                self.assertTrue(self.post(sent, sent + step))
                sent += step
            self.kill()
            self.start("--channel-records", "100000")
        self.assertTrue(self.post(sent, sent + step))
        sent += step
        logs.wait_for(rf'"message":"{sent - 1}"}}\n')
        objects = [json.loads(line) for line in logs.lines()]
        self.assertEqual([int(o["message"]) for o in objects], list(range(sent)))
        numbers = [o["seq"] for o in objects]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertIn("connected again, behind record", logs.err())

    def test_another_credential(self):
        self.start()
        _, tokens = self.router.channel("shop")
        self.token = tokens["app"]
        logs = self.logs("-t")
        self.post(0, 1)
        logs.wait_for(r"\]: 0\n")
        self.kill()
        self.start("--auth", "some:other")
        self.assertEqual(logs.ends(), 3, logs.err())
        self.assertIn("401", logs.err())
        self.assertNotIn(AUTH, logs.err())

    def test_clean_restart(self):
        self.start()
        _, tokens = self.router.channel("shop")
        self.token = tokens["app"]
        logs = self.logs("-t")
        for i in range(3):
            self.post(i, i + 1)
            logs.wait_for(rf"\]: {i}\n")
            self.router.stop()
            self.start()
        self.post(3, 4)
        logs.wait_for(r"\]: 3\n")
        self.assertEqual([line.split(b"]: ")[1] for line in logs.lines()], [b"0", b"1", b"2", b"3"])


class Memory(LogsCase):
    def test_restart_in_memory(self):
        # The channel is made again while nobody can look; its records are others, and that is told.
        admin, public = free_port(), free_port()
        self.set_up(admin=admin, public=public)
        logs = self.logs("-t")
        self.numbered(0, 5)
        logs.wait_for(r"\]: 4\n")
        logs.signal(signal.SIGSTOP)
        self.router.kill()
        self.set_up(admin=admin, public=public)
        self.numbered(100, 103)
        logs.signal(signal.SIGCONT)
        logs.wait_for(r"\]: 102\n")
        self.assertEqual(logs.messages(), [b"%d" % i for i in (0, 1, 2, 3, 4, 100, 101, 102)])
        self.assertEqual(logs.out().count(b" tailrace[tail]: This log was begun anew; "), 1, logs.out())


if __name__ == "__main__":
    unittest.main()
