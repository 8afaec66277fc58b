"""The configuration of gunicorn.

From the environment: `PORT`, `BIND` (127.0.0.1), `WEB_CONCURRENCY` (2 processes) and `WEB_THREADS` (6 in each process;
two more answer health checks, and two the links in mails). Each thread keeps a connection to the database.
"""

import os
import sys
from typing import Any

import django
from gunicorn import glogging

from salesconnect.embedded.processes import die_with_parent
from salesconnect.lib.web.redaction import formatter


class Logger(glogging.Logger):
    """Gunicorn's error log without personal data. There is no access log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(self.error_fmt, self.datefmt))


def on_starting(server: Any) -> None:
    """Exit if a key does not fit the database."""
    django.setup(set_prefix=False)
    from salesconnect.operations import key_fit  # noqa: PLC0415 (it needs the apps, which are set up above)

    if problem := key_fit.problem_at_start():
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)


def post_fork(server: Any, worker: Any) -> None:
    """Make workers end with a killed master, so that the port is free for the next start."""
    die_with_parent()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "salesconnect.serving.worker.Worker"
threads = int(os.environ.get("WEB_THREADS") or 6)
worker_connections = 400
timeout = 120
graceful_timeout = 6
loglevel = "warning"
logger_class = Logger
control_socket_disable = True
