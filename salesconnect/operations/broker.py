"""What kombu's channels to Redis need so that a worker outlives a broker that went away."""

from typing import Any

from kombu.transport import redis


class QoS(redis.QoS):
    """Kombu's book of messages that a worker holds, which can be closed after the connection has gone.

    Kombu hands the messages back when a channel closes, and ends the worker with an AttributeError when the connection
    to hand them over is gone by then. They come back by themselves after the visibility timeout, and the rows that they
    speak of are swept long before.
    """

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Hand the messages back, unless nobody is there to take them."""
        if getattr(self.channel.connection, "client", None) is not None:
            super().restore_unacked_once(stderr=stderr)


def install() -> None:
    """Let channels to Redis keep their messages in such a book."""
    redis.Channel.QoS = QoS
