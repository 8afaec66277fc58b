"""PostgreSQL and Redis from wheels, for a machine that has neither: started when needed, stopped when not."""

from salesconnect.embedded.holding import hold
from salesconnect.embedded.keys import keys
from salesconnect.embedded.paths import EmbeddedError, Servers, servers

__all__ = ["EmbeddedError", "Servers", "hold", "keys", "servers"]
