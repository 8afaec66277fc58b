"""How gunicorn serves the site; `PORT` and `BIND` (127.0.0.1) come from the environment."""

import os
from typing import Any

from gunicorn import glogging

from salesconnect.embedded.processes import die_with_parent
from salesconnect.lib.redaction import formatter


class Logger(glogging.Logger):
    """Gunicorn's logger for errors, without people's data; there is no access log at all."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, each with the redacting formatter."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(self.error_fmt, self.datefmt))


def post_fork(server: Any, worker: Any) -> None:
    """Let a worker die with a master that was killed, so that the next one finds the port free."""
    die_with_parent()


bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = 2
worker_class = "gthread"
threads = 4
timeout = 120
graceful_timeout = 6
loglevel = "warning"
logger_class = Logger
control_socket_disable = True
