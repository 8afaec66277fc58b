"""The demo's mail server: accepts every mail and discards it, so that the demo mails nobody.

It is not started if the environment configures a mail server.
"""

import socketserver
import sys
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings

from salesconnect.embedded import processes
from salesconnect.operations.supervisor import Child, terminate

NAME, SECONDS_TO_STOP = "mail", 2.0
SENDER = "Exempel AB <hello@exempel.example>"
ANSWERS = {b"HELO": "250 demo", b"MAIL": "250 OK", b"RCPT": "250 OK", b"RSET": "250 OK", b"NOOP": "250 OK"}


def child(say: Callable[[str], None], port: int) -> tuple[Child, dict[str, str]] | None:
    """Start the server; return it for the supervisor, with the environment by which the other processes find it.

    None if the environment configures a mail server.
    """
    if settings.EMAIL_URL or not port:
        return None

    def start() -> processes.Process:
        return processes.attach([sys.executable, "-m", "salesconnect.demo.demo_mail", str(port)], cwd=settings.BASE_DIR)

    say("The demo's mail goes to a mail server of its own, which keeps it to itself")
    environment = {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "DEFAULT_FROM_EMAIL": SENDER}
    return Child(NAME, start, terminate(SECONDS_TO_STOP), process=start()), environment


class SmtpSession(socketserver.StreamRequestHandler):
    """One SMTP connection (RFC 5321) that accepts every mail."""

    timeout = 60

    def handle(self) -> None:
        with suppress(OSError):
            self._say("220 demo")
            while (line := self.rfile.readline(1_001)) and self._answer(line[:4].upper()):
                continue

    def _answer(self, verb: bytes) -> bool:
        match verb:
            case b"EHLO":
                self._say("250-demo\r\n250-8BITMIME\r\n250 SMTPUTF8")
            case b"DATA":
                self._say("354 go on")
                while (line := self.rfile.readline()) and line != b".\r\n":
                    continue
                self._say("250 OK")
            case b"QUIT":
                self._say("221 bye")
                return False
            case _:
                self._say(ANSWERS.get(verb, "502 no such command"))
        return True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    """Accepts connections from this machine only."""

    allow_reuse_address = True
    daemon_threads = True


def main(port: int) -> None:
    with suppress(KeyboardInterrupt), Server(("127.0.0.1", port), SmtpSession) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
