"""Does the worker, or beat, of this machine live? For the health checks of containers."""

import socket
import sys
from argparse import ArgumentParser
from typing import Any

import redis
from django.core.management.base import BaseCommand
from django.db import Error

from salesconnect.lib.database import trouble
from salesconnect.operations import liveness

KINDS = {"worker": liveness.worker_lives, "beat": liveness.beat_lives}


class Command(BaseCommand):
    """Looks for a sign of life that a process of this machine gave within a minute."""

    help = "Exit 0 when the worker, or beat, of this machine gave a sign of life within a minute, else 1."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define what to look for."""
        parser.add_argument("kind", choices=KINDS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and say it."""
        host = socket.gethostname()
        try:
            lives = KINDS[options["kind"]](host)
        except (Error, OSError, redis.RedisError) as problem:
            self.stderr.write(trouble.in_one_line(problem))
            sys.exit(1)
        self.stdout.write(f"The {options['kind']} of {host} {'lives' if lives else 'has given no sign of life'}.")
        sys.exit(0 if lives else 1)
