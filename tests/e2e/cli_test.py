"""The commands: what they print, where, and with which exit code."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import AUTH, BINARY, EndToEnd, TIME, basic, command_environment, counted, free_port, record, run, wait_until


def shell(script, environment=None, **options):
    """A pipeline in which $TAILRACE is the binary."""
    variables = command_environment({"TAILRACE": BINARY, **(environment or {})})
    return subprocess.run(["bash", "-c", script], capture_output=True, env=variables, timeout=60, check=False, **options)


class Output:
    """Follows a process's stream without blocking."""

    def __init__(self, stream):
        self.stream = stream
        os.set_blocking(stream.fileno(), False)
        self.text = b""

    def wait_for(self, pattern):
        def look():
            self.text += self.stream.read() or b""
            return re.search(pattern.encode(), self.text)
        return wait_until(look, lambda: f"{pattern} in {self.text[-500:]!r}")


class Logs(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.channel, tokens = self.router.channel("shop", ["app", "heroku"])
        self.app, self.heroku = tokens["app"], tokens["heroku"]
        self.environment = {"TAILRACE_URL": self.router.url, "TAILRACE_AUTH": AUTH}

    def logs(self, *arguments, **more):
        return run("logs", *arguments, environment={**self.environment, **more})

    def sent(self, *records):
        before = self.router.accepted("tcp")
        self.router.send(counted(*records))
        wait_until(lambda: self.router.accepted("tcp") == before + len(records), "all accepted")

    def test_history(self):
        self.sent(*[record(self.app, f"r{i}") for i in range(150)],
                  record(self.app, "worker", procid="worker.1"), record(self.app, "hook", procid="webhook.1"),
                  record(self.heroku, "at=info", procid="router"))
        every = [f"{TIME} app[web.1]: r{i}" for i in range(150)] + [
            f"{TIME} app[worker.1]: worker", f"{TIME} app[webhook.1]: hook", f"{TIME} heroku[router]: at=info"]
        for arguments, expected in (
                (["-a", "shop"], every[-100:]), (["-a", self.channel], every[-100:]), (["--app", "shop", "--num", "3"], every[-3:]),
                (["-a", "shop", "-n", "0"], []), (["-a", "shop", "-n", "5", "-p", "web"], every[145:150]),
                (["-a", "shop", "-p", "router"], every[-1:]), (["-a", "shop", "-s", "heroku"], every[-1:]),
                (["-a", "shop", "-n", "1", "-s", "app"], every[-2:-1]), (["-a", "shop", "-d", "worker.1"], every[150:151]),
                (["-a", "shop", "-p", "nothing"], []), (["-n1", "-ashop"], every[-1:])):
            with self.subTest(arguments=arguments):
                code, out, err = self.logs(*arguments)
                self.assertEqual((code, out.splitlines(), err), (0, expected, ""))
        code, out, _ = self.logs("-n", "1", TAILRACE_APP="shop")
        self.assertEqual((code, out.splitlines()), (0, every[-1:]))

    def test_follow_and_interrupt(self):
        self.sent(record(self.app, "before"))
        follower = self.process("logs", "-t", "-a", "shop", "-n", "1", "-p", "web", environment=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output = Output(follower.stdout)
        output.wait_for("before\n")
        for i in range(5):  # each line shows before the next is sent: one flush per line
            self.sent(record(self.app, f"live {i}"), record(self.heroku, "other", procid="router"))
            output.wait_for(f"live {i}\n")
        self.assertEqual(output.text.decode().splitlines(),
                         [f"{TIME} app[web.1]: before"] + [f"{TIME} app[web.1]: live {i}" for i in range(5)])
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(60), 130)

    def test_pipe_that_closes_is_no_error(self):
        self.sent(*[record(self.app, f"r{i} " + "x" * 2000) for i in range(1000)])
        for tail in ("", "-t "):
            done = shell(f'"$TAILRACE" logs {tail}-a shop -n 1000 | head -1; echo ${{PIPESTATUS[0]}}', self.environment)
            lines = done.stdout.decode().splitlines()
            self.assertRegex(lines[0], r"app\[web\.1\]: r0 x+$")
            self.assertEqual(lines[1:], ["0"])
            self.assertEqual(done.stderr, b"")

    def test_idle_follower_ends_with_its_pipe(self):
        self.sent(record(self.app, "only one"))
        done = shell('"$TAILRACE" logs -t -a shop | head -1', self.environment)
        self.assertEqual(done.stdout.decode(), f"{TIME} app[web.1]: only one\n")
        self.assertEqual(done.stderr, b"")

    def test_bytes_to_a_pipe_are_unchanged(self):
        message = b"\xff\0 \x1b[2J\x1b]0;title\x07 \xe2\x82"
        self.sent(record(self.app, message))
        done = shell('"$TAILRACE" logs -a shop', self.environment)
        self.assertEqual(done.stdout, TIME.encode() + b" app[web.1]: " + message + b"\n")
        colored = shell('"$TAILRACE" logs -a shop --color always', self.environment)
        self.assertIn(b"\x1b[", colored.stdout)
        self.assertNotIn(b"\x1b[3", shell('NO_COLOR=1 "$TAILRACE" logs -a shop', self.environment).stdout)

    def test_exit_codes(self):
        nobody = f"http://127.0.0.1:{free_port()}"
        for arguments, environment, code in (
                (["-a", "nowhere"], {}, 4), (["-a", "999"], {}, 4), (["-a", "../1"], {}, 4), (["-a", "shop", "-n", "x"], {}, 2),
                ([], {}, 2), (["-a", "shop", "--bogus"], {}, 2), (["-a", "shop", "-p", "a", "-d", "b"], {}, 2),
                (["-a", "shop"], {"TAILRACE_AUTH": "local:wrong"}, 3), (["-a", "shop"], {"TAILRACE_AUTH": ""}, 3),
                (["-a", "shop"], {"TAILRACE_URL": nobody}, 5), (["-t", "-a", "shop"], {"TAILRACE_URL": nobody}, 5),
                (["-a", "shop"], {"TAILRACE_URL": "nonsense"}, 2)):
            with self.subTest(arguments=arguments, environment=environment):
                got, out, err = self.logs(*arguments, **environment)
                self.assertEqual((got, out), (code, ""), err)
                self.assertTrue(err.startswith("tailrace: "), err)
                self.assertNotIn("password", err.replace("user:password", ""))

    def test_two_channels_of_one_name(self):
        self.router.channel("shop")
        code, out, err = self.logs("-a", "shop")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("1, 2", err)


class Serve(EndToEnd):
    def serve(self, *flags, **environment):
        ports = ["--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--syslog-listen", "127.0.0.1:0"]
        return run("serve", *ports, *flags, environment=environment)

    def test_unbuilt_settings_are_refused(self):
        for flag, value in (("file-drain-dir", "/tmp"), ("cluster", "nats://user:secret@a:4222")):
            variable = "TAILRACE_" + flag.upper().replace("-", "_")
            for flags, environment in (([f"--{flag}", value], {}), ([], {variable: value})):
                with self.subTest(flag=flag, environment=environment):
                    code, out, err = self.serve(*flags, **environment)
                    self.assertEqual((code, out), (2, ""))
                    self.assertIn("not built yet", err)
                    self.assertIn(variable, err)
                    self.assertNotIn("secret", err)

    def test_wrong_values_name_the_variable_the_value_and_what_it_takes(self):
        for flag, value in (("http-listen", "nowhere"), ("http-listen", "127.0.0.1:99999"), ("syslog-listen", "x:y"),
                            ("syslog-udp-listen", "127.0.0.1"),
                            ("threads", "0"), ("threads", "many"), ("grace", "30"), ("grace", "-1s"), ("channel-records", "0"),
                            ("channel-bytes", "8X"), ("channel-bytes", "1"), ("channel-drains", "-1"), ("drain-allow", "10.0.0.0/33"),
                            ("dns", "not an address"), ("public-url", "ftp://x"), ("memory-bytes", "1K"),
                            ("ack", "disk"), ("disk-bytes", "1M"), ("limits-file", "/nonexistent"),
                            ("syslog-listen", "127.0.0.1:0?token=t.x")):
            variable = "TAILRACE_" + flag.upper().replace("-", "_")
            with self.subTest(flag=flag, value=value):
                code, out, err = run("serve", f"--{flag}", value)
                self.assertEqual((code, out), (2, ""))
                self.assertEqual(len(err.splitlines()), 1, err)
                self.assertIn(variable, err)
                self.assertIn(value.split("?")[0], err)
                self.assertIn("takes", err)
        code, _, err = self.serve("--auth", "swordfish")
        self.assertEqual(code, 2)
        self.assertNotIn("swordfish", err)

    def test_nothing_is_durable_without_a_data_dir(self):
        self.assertEqual(self.serve("--ack", "durable"),
                         (2, "", "tailrace: TAILRACE_ACK=durable: needs TAILRACE_DATA_DIR\n"))

    def test_port_in_use(self):
        node = self.node()
        for flag, port in (("http-listen", node.public), ("admin-listen", node.admin), ("syslog-listen", node.syslog)):
            with self.subTest(flag=flag):
                others = [f for name in ("http-listen", "admin-listen", "syslog-listen") if name != flag
                          for f in (f"--{name}", "127.0.0.1:0")]
                code, out, err = run("serve", *others, f"--{flag}", f"127.0.0.1:{port}")
                self.assertEqual((code, out), (2, ""))
                self.assertIn(str(port), err)
        self.assertEqual(node.api("GET", "/healthz", auth=None).status, 200)

    def test_flag_over_environment_over_default(self):
        node = self.node("--auth", "flag:first", environment={"TAILRACE_AUTH": "variable:second"})
        self.assertEqual(node.api("GET", "/healthcheck", auth="flag:first").status, 200)
        self.assertEqual(node.api("GET", "/healthcheck", auth="variable:second").status, 401)

    def test_secret_from_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".auth") as file:
            file.write("from:file\n")
            file.flush()
            node = self.node("--auth-file", file.name, "--auth", "")
            self.assertEqual(node.api("GET", "/healthcheck", auth="from:file").status, 200)

    def test_credential_is_made_up_and_printed_once(self):
        node = self.node("--auth", "")
        found = re.findall(r"the admin credential of this start is (\S+:\S+)", node.log())
        self.assertEqual(len(found), 1)
        self.assertEqual(node.api("GET", "/healthcheck", auth=found[0]).status, 200)
        self.assertEqual(node.api("GET", "/healthcheck").status, 401)

    def test_unknown_variable_is_a_warning(self):
        node = self.node(environment={"TAILRACE_NONSENSE": "1"})
        self.assertIn("TAILRACE_NONSENSE", node.log())

    def test_only_loopback_by_default(self):
        node = self.node()
        with open("/proc/net/tcp", encoding="ascii") as file:
            listening = {line.split()[1].split(":")[0] for line in file.readlines()[1:] if line.split()[3] == "0A"
                         and int(line.split()[1].split(":")[1], 16) in (node.public, node.admin, node.syslog)}
        self.assertEqual(listening, {"0100007F"})

    def test_requests_in_flight_are_finished_on_sigterm(self):
        node = self.node("--grace", "20s")
        _, tokens = node.channel("shop")
        body = counted(record(tokens["app"], "in flight"))
        with socket.create_connection(("127.0.0.1", node.public)) as connection:
            connection.sendall((f"POST /logs HTTP/1.1\r\nHost: x\r\nAuthorization: {basic('token:' + tokens['app'])}\r\n"
                                f"Content-Type: application/logplex-1\r\nExpect: 100-continue\r\n"
                                f"Content-Length: {len(body)}\r\n\r\n").encode())
            self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 100 "))
            node.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "stopping" in node.log(), "the stop to begin")
            connection.sendall(body)
            self.assertRegex(connection.recv(4096), rb"^HTTP/1\.1 (204|503) ")
        node.process.wait(60)
        node.stop()

    def test_second_sigterm_ends_at_once(self):
        node = self.node("--grace", "10m")
        channel, tokens = node.channel("shop")
        node.drain(channel, f"http://127.0.0.1:{free_port()}/")
        node.send(counted(record(tokens["app"], "stuck")))
        wait_until(lambda: node.ledger(channel)["drains"][0]["buffered"] == 1, "a record that cannot leave")
        node.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in node.log(), "the stop to begin")
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.process.wait(60), -signal.SIGTERM)
        node.stopped = True

    def test_sigterm_ends_what_an_interrupt_began_to_stop(self):
        node = self.node("--grace", "10m")
        channel, tokens = node.channel("shop")
        node.drain(channel, f"http://127.0.0.1:{free_port()}/")
        node.send(counted(record(tokens["app"], "stuck")))
        wait_until(lambda: node.ledger(channel)["drains"][0]["buffered"] == 1, "a record that cannot leave")
        node.process.send_signal(signal.SIGINT)
        wait_until(lambda: "stopping" in node.log(), "the stop to begin")
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.process.wait(60), -signal.SIGTERM)
        node.stopped = True

    def test_sighup_reads_the_limits_again(self):
        with tempfile.NamedTemporaryFile("w", suffix=".limits") as file:
            def limits(*lines):
                file.seek(0)
                file.truncate()
                file.write("".join(line + "\n" for line in lines))
                file.flush()

            def hang_up():
                node.process.send_signal(signal.SIGHUP)
                self.hang_ups += 1
                found = re.compile(r'msg="limits read again" (.*)')
                wait_until(lambda: len(found.findall(node.log())) == self.hang_ups, "a line about the limits")
                return found.findall(node.log())[-1]

            def post():
                return node.post(counted(*[record(tokens["app"], "x")] * 100), tokens["app"]).status

            self.hang_ups = 0
            limits("# none yet")
            node = self.node("--limits-file", file.name, "--channel-drains", "1")
            channel, tokens = node.channel("shop")
            node.drain(channel, f"http://127.0.0.1:{free_port()}/1")
            self.assertEqual(node.api("POST", f"/v2/channels/{channel}/drains", {"url": f"http://127.0.0.1:{free_port()}/2"}).status, 422)
            self.assertEqual([post() for _ in range(5)], [204] * 5)
            limits("TAILRACE_CHANNEL_RATE=1", 'TAILRACE_CHANNEL_DRAINS="2"')
            self.assertEqual(hang_up(), "TAILRACE_CHANNEL_DRAINS=2 TAILRACE_CHANNEL_RATE=1")
            self.assertEqual([post() for _ in range(3)], [204, 429, 429])
            node.drain(channel, f"http://127.0.0.1:{free_port()}/2")
            limits("TAILRACE_CHANNEL_RATE=fast", "TAILRACE_CHANNEL_DRAINS=2")
            self.assertEqual(hang_up(), "changed=none")
            self.assertIn("TAILRACE_CHANNEL_RATE=fast: takes records per second", node.log())
            self.assertIn("; 1 is kept", node.log())
            self.assertEqual(post(), 429)
            limits()
            self.assertEqual(hang_up(), "TAILRACE_CHANNEL_DRAINS=1 TAILRACE_CHANNEL_RATE=off")
            self.assertEqual([post() for _ in range(5)], [204] * 5)


class Others(EndToEnd):
    def test_version_and_help(self):
        code, out, err = run("version")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^tailrace \d+\.\d+\.\d+ \(.*\)\n$")
        self.assertEqual(run("--version")[1], out)
        code, out, err = run("help")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.startswith("examples:"))
        commands = ("serve", "demo", "logs", "send", "channels", "tokens", "credentials", "drains", "simulate", "sink", "top", "check", "inspect",
                    "completion", "version", "help")
        for command in commands:
            self.assertRegex(out, rf"(?m)^  {command} ")
        self.assertEqual(run("--help")[:2], (0, out))
        for command in ("serve", "demo", "logs", "drains", "simulate", "sink", "version"):
            with self.subTest(command=command):
                code, text, err = run(command, "--help")
                self.assertEqual((code, err), (0, ""))
                self.assertTrue(text.startswith("examples:\n  "), text)
                self.assertEqual(run("help", command)[:2], (0, text))

    def test_unknown_commands(self):
        for arguments in ([], ["nonsense"], ["Logs"], ["help", "nonsense"], ["serve", "--nonsense"], ["serve", "extra"], [""]):
            with self.subTest(arguments=arguments):
                code, out, err = run(*arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertTrue(err.startswith("tailrace: "), err)
        self.assertIn("did you mean serve?", run("srve")[2])

    def test_simulate_prints_router_lines(self):
        code, out, err = run("simulate", "--rate", "500", "--duration", "2s", "--unpaced", "--seed", "7")
        self.assertEqual((code, err), (0, ""))
        again = run("simulate", "--rate", "500", "--duration", "2s", "--unpaced", "--seed", "7")[1]
        lines = [line.split(" ") for line in out.splitlines()]
        for line in lines:
            self.assertRegex(line[0], r"^<\d{1,3}>1$")
            self.assertRegex(line[1], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")
        # The same seed, the same lines, but for the time of day.
        self.assertEqual([line.split(" ")[2:] for line in again.splitlines()], [line[2:] for line in lines])
        routers = [" ".join(line[7:]) for line in lines if line[3:5] == ["heroku", "router"]]
        self.assertGreater(len(routers), 200)
        form = re.compile(r"at=(info|error code=H\d\d desc=\"[^\"]+\") method=[A-Z]+ path=\"[^\"]+\" host=\S+ request_id=\S+ "
                          r"fwd=\"[^\"]+\" dyno=\S* connect=(\d+ms)? service=(\d+ms)? status=\d{3} bytes=\d* protocol=\S+( tls=\S+)?( tls_version=\S+)?$")
        self.assertEqual([line for line in routers if not form.match(line)], [])

    def test_awk_on_the_router_lines_of_a_tail(self):
        node = self.node()
        channel, tokens = node.channel("shop", ["app", "heroku"])
        code, out, err = run("simulate", "--url", f"syslog://127.0.0.1:{node.syslog}", "--heroku-token", tokens["heroku"],
                             "--app-token", tokens["app"], "--rate", "200", "--duration", "3s", "--unpaced", "--numbered")
        self.assertEqual((code, out), (0, ""), err)
        sent = int(re.search(r"(\d+) sent", err)[1])
        wait_until(lambda: node.accepted("tcp") == sent, lambda: f"{sent} lines; {node.accepted('tcp')} came")
        self.assertEqual(node.rejected("tcp"), {})
        lines = node.history(channel, num=1000, source="heroku", ps="router")
        awk = subprocess.run(["awk", "/at=info/ {print $10,$11,$12}"], input=lines, capture_output=True, check=True).stdout
        self.assertGreater(len(awk.splitlines()), 100)
        for line in awk.decode().splitlines():
            self.assertRegex(line, r"^connect=\d+ms service=\d+ms status=\d{3}$")
        requests = int(node.metric("tailrace_router_requests_total", channel=channel))
        self.assertEqual(requests, lines.count(b" heroku[router]: "))

    def test_simulate_over_http(self):
        node = self.node()
        channel, tokens = node.channel("shop", ["app"])
        code, _, err = run("simulate", "--url", f"http://127.0.0.1:{node.public}/logs", "--token", tokens["app"], "--rate", "200",
                           "--duration", "2s", "--unpaced")
        self.assertEqual(code, 0, err)
        self.assertEqual(node.accepted("http"), int(re.search(r"(\d+) sent", err)[1]))
        code, _, err = run("simulate", "--url", f"http://127.0.0.1:{node.public}/logs", "--token",
                           "t.11111111-2222-4333-8444-555555555555", "--rate", "10", "--duration", "1s", "--unpaced")
        self.assertEqual(code, 3, err)

    def sink(self, *arguments):
        process = self.process("sink", "--listen", "127.0.0.1:0", "--json", *arguments, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        port = int(Output(process.stderr).wait_for(r"on 127\.0\.0\.1:(\d+)")[1])
        return process, port

    def counts(self, process):
        process.send_signal(signal.SIGTERM)
        out = process.communicate(timeout=60)[0]
        return process.returncode, json.loads(out.splitlines()[-1])

    def test_sink_counts_and_verifies_a_drain(self):
        for protocol in ("http", "syslog"):
            with self.subTest(protocol=protocol):
                node = self.node()
                channel, tokens = node.channel("shop", ["app", "heroku"])
                sink, port = self.sink("--protocol", protocol)
                drain = node.drain(channel, f"{protocol}://127.0.0.1:{port}")
                code, _, err = run("simulate", "--url", f"syslog://127.0.0.1:{node.syslog}", "--heroku-token", tokens["heroku"],
                                   "--app-token", tokens["app"], "--rate", "500", "--duration", "2s", "--unpaced", "--numbered")
                self.assertEqual(code, 0, err)
                sent = int(re.search(r"(\d+) sent", err)[1])
                node.wait_for_drain(channel, drain, accepted=sent, delivered=sent)
                node.stop()
                code, counts = self.counts(sink)
                self.assertEqual((code, counts["received"], counts["missing"], counts["repeated"], counts["reordered"]),
                                 (0, sent, 0, 0, 0), counts)
                self.assertEqual(counts["unique"], sent)

    def test_sink_finds_what_is_missing(self):
        sink, port = self.sink("--protocol", "syslog")
        with socket.create_connection(("127.0.0.1", port)) as out:
            out.sendall(counted(*[record("app", f"line seq=0001-{i}") for i in (1, 2, 3, 6, 7, 7, 9)]))
            out.shutdown(socket.SHUT_WR)
            out.recv(1)
        code, counts = self.counts(sink)
        self.assertEqual((counts["received"], counts["unique"], counts["missing"], counts["repeated"]), (7, 6, 3, 1), counts)
        self.assertEqual(code, 1)

    def test_sink_goes_down_on_schedule(self):
        node = self.node()
        channel, tokens = node.channel("shop")
        sink, port = self.sink("--down", "0s:1s", "--mode", "status=503")
        drain = node.drain(channel, f"http://127.0.0.1:{port}/")
        node.send(counted(record(tokens["app"], "seq=0001-1")))
        node.wait_for_drain(channel, drain, accepted=1, delivered=1)
        node.stop()
        code, counts = self.counts(sink)
        self.assertEqual((code, counts["received"], counts["missing"]), (0, 1, 0), counts)
        self.assertGreaterEqual(counts["requests"], 1)


if __name__ == "__main__":
    unittest.main()
