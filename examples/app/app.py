"""A small web app that logs as a twelve-factor app does: events as lines on stdout, and nothing else about logs.

PORT says where it listens (5000). GET / answers, /slow takes its time, /fail fails; anything else is 404.
"""

import http.server
import os
import signal
import sys
import time
import uuid


def log(line):
    """One event, one line, at once: a pipe is no terminal, and Python would hold lines back."""
    sys.stdout.write(line.replace("\n", "\\n") + "\n")
    sys.stdout.flush()


class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        began = time.monotonic()
        try:
            status, text = self.page()
        except Exception as error:
            status, text = 500, "Something went wrong.\n"
            log(f'at=error error="{type(error).__name__}: {error}" path="{self.path}"')
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        took = round((time.monotonic() - began) * 1000)
        log(f'at={"info" if status < 500 else "error"} method={self.command} path="{self.path}" host={self.headers["Host"]} '
            f'request_id={uuid.uuid4()} fwd="{self.client_address[0]}" dyno=web.1 connect=1ms service={took}ms '
            f"status={status} bytes={len(body)} protocol=http")
        log(f"source=web.1 count#app.requests=1 measure#app.service={took}ms")

    def page(self):
        if self.path == "/":
            return 200, "Hello.\n"
        if self.path == "/slow":
            time.sleep(0.3)
            return 200, "That took a while.\n"
        if self.path == "/fail":
            return 200, f"{1 / 0}\n"
        return 404, "There is no such page.\n"

    def log_message(self, *_):
        pass  # the lines above say it


def stop(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, stop)
    port = int(os.environ.get("PORT", "5000"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), App)
    log(f"at=start port={port} pid={os.getpid()}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        log("at=stop")


if __name__ == "__main__":
    main()
