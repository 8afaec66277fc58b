"""`manage.py alive`: is the worker, or beat, of this machine alive? For health checks of containers."""

import socket
import sys
from argparse import ArgumentParser
from typing import Any

import redis
from django.core.management.base import BaseCommand
from django.db import Error

from salesconnect.lib.database import failures
from salesconnect.operations import liveness

KINDS = {"worker": liveness.worker_lives, "beat": liveness.beat_lives}


class Command(BaseCommand):
    """Checks for a heartbeat within the last minute."""

    help = "Exit with 0 if the worker, or beat, of this machine sent a heartbeat within a minute, else with 1."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)

    def handle(self, *args: Any, **options: Any) -> None:
        host = socket.gethostname()
        try:
            lives = KINDS[options["kind"]](host)
        except (Error, OSError, redis.RedisError) as problem:
            self.stderr.write(failures.in_one_line(problem))
            sys.exit(1)
        self.stdout.write(f"The {options['kind']} of {host} {'is alive' if lives else 'has sent no heartbeat'}.")
        sys.exit(0 if lives else 1)
