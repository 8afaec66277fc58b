"""How gunicorn serves the site.

From the environment: `PORT`, `BIND` (127.0.0.1), `WEB_CONCURRENCY` (2 processes) and `WEB_THREADS` (6 in each, which
answer at the same time; two more answer health, and two the links in mails). Each thread keeps a connection to the
database.
"""

import os
import sys
from typing import Any

import django
from gunicorn import glogging

from salesconnect.embedded.processes import die_with_parent
from salesconnect.lib.web.redaction import formatter


class Logger(glogging.Logger):
    """Gunicorn's logger for errors, without people's data; there is no access log at all."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, each with the redacting formatter."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(self.error_fmt, self.datefmt))


def on_starting(server: Any) -> None:
    """Refuse to serve with keys that do not fit the database."""
    django.setup(set_prefix=False)
    from salesconnect.operations import key_fit  # noqa: PLC0415 (it needs the apps, which are set up above)

    if problem := key_fit.problem_at_start():
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)


def post_fork(server: Any, worker: Any) -> None:
    """Let a worker die with a master that was killed, so that the next one finds the port free."""
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
