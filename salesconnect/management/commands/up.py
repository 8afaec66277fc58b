"""`manage.py up`: PostgreSQL, Redis, site, worker and beat in one process group; in the demo also Salesforce."""

import fcntl
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

from salesconnect.demo import demo_mail, demo_org
from salesconnect.embedded import EmbeddedError, holding, processes
from salesconnect.embedded.paths import make_data_folder
from salesconnect.operations import preparation
from salesconnect.operations.reloading import Reload
from salesconnect.operations.supervisor import Child, Supervisor, terminate

# In the order in which they are stopped, each with its time limit in seconds.
PROGRAMS = {
    "web": (8.0, ["gunicorn", "-c", "python:salesconnect.serving.gunicorn_conf", "salesconnect.wsgi"]),
    "beat": (3.0, ["celery", "-q", "-A", "salesconnect", "beat", "--pidfile=", "--loglevel=WARNING"]),
    "worker": (7.0, ["celery", "-q", "-A", "salesconnect", "worker", "--concurrency=2", "--loglevel=WARNING"]),
}


class Command(BaseCommand):
    """Prepares the installation, starts everything, and stays in the foreground."""

    help = "Starts everything: PostgreSQL, Redis, the site, the worker and beat. Ctrl-C stops all."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="fill the site with 2,000 fictitious people")
        parser.add_argument("--reload", action="store_true", help="start again whenever the code changes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, start the servers, prepare, start the programs, watch them, and stop all in order."""
        supervisor = Supervisor(self.say)
        supervisor.listen()
        preparation.check_port(settings.PORT)
        preparation.check_external_servers()
        wanted = {"postgres": settings.EMBEDDED_DATABASE, "redis": settings.EMBEDDED_REDIS}
        with suppress(KeyboardInterrupt), _alone(), holding.supervised(settings.SERVERS, **wanted) as started:
            preparation.prepare(self.say)
            preparation.forget_last_heartbeat()
            stands_in, defaults = self._demo() if options["demo"] and "seed_demo" in get_commands() else ([], {})
            try:
                for name, (seconds, command) in PROGRAMS.items():
                    start = partial(_start, command, defaults)
                    supervisor.add(Child(name, start, terminate(seconds), process=start()))
                for child in stands_in:
                    supervisor.add(child)
                each_tick: list[Callable[[], None]] = [Announcement(self.say)]
                if options["reload"]:
                    each_tick.append(_reload(supervisor, self.say))
                for server, process in started:
                    supervisor.add(_server(server, process))
                supervisor.run(*each_tick)
            finally:
                supervisor.stop()
        self.say("Stopped")

    def _demo(self) -> tuple[list[Child], dict[str, str]]:
        """Seed the demo, start its Salesforce and mail server, and return them with the environment for the others."""
        call_command("seed_demo")
        children: list[Child] = []
        defaults: dict[str, str] = {}
        if org := demo_org.child(self.say):
            children.append(org)
            defaults |= demo_org.ENVIRONMENT
        if mail := demo_mail.child(self.say, demo_org.free_port(settings.PORT + 3)):
            children.append(mail[0])
            defaults |= mail[1]
        return children, defaults

    def say(self, line: str) -> None:
        """Write a line to the terminal immediately; a closed terminal is no error."""
        with suppress(BrokenPipeError):
            self.stdout.write(line)
            self.stdout.flush()


class Announcement:
    """Prints the URL of the site once it answers."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.made = False

    def __call__(self) -> None:
        if self.made:
            return
        with closing(HTTPConnection("127.0.0.1", settings.PORT, timeout=1)) as site, suppress(OSError, HTTPException):
            site.request("GET", "/healthz")
            self.made = site.getresponse().status == HTTPStatus.OK
        if self.made:
            self.say(f"Sales Connect is running at http://127.0.0.1:{settings.PORT}/")


def _reload(supervisor: Supervisor, say: Callable[[str], None]) -> Reload:
    """Watch the code of the apps, to restart the programs that have loaded it."""
    folders = [Path(app.path) for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR]
    return Reload(folders, [child for child in supervisor.children if child.name in PROGRAMS], say)


def _start(command: list[str], defaults: Mapping[str, str]) -> processes.Process:
    environment = {
        **defaults,
        **os.environ,
        "PORT": str(settings.PORT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # whoever runs this as root knows it
        "SALESCONNECT_DATA": str(settings.DATA_DIR),
    }
    return processes.attach([sys.executable, "-m", *command], cwd=settings.BASE_DIR, env=environment)


def _server(server: holding.Server, process: processes.Process | None) -> Child:
    def stop(child: Child) -> None:
        if child.process is not None:  # a server that another command started is stopped by its last user
            server.stop()

    return Child(server.name, partial(holding.restart, server), stop, lambda: bool(server.living()), process)


@contextmanager
def _alone() -> Iterator[None]:
    make_data_folder(settings.DATA_DIR)
    with (settings.DATA_DIR / "up.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EmbeddedError(f"Sales Connect runs already with the data folder {settings.DATA_DIR}.") from error
        yield
