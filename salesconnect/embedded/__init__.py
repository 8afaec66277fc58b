"""PostgreSQL and Redis from Python wheels, for machines without servers: started on demand, stopped after use."""

from salesconnect.embedded.holding import hold
from salesconnect.embedded.keys import keys
from salesconnect.embedded.paths import EmbeddedError, Servers, servers

__all__ = ["EmbeddedError", "Servers", "hold", "keys", "servers"]
