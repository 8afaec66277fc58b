"""A fix for kombu's Redis transport, so that a worker survives the loss of the broker."""

from typing import Any

from kombu.transport import redis


class QoS(redis.QoS):
    """Kombu's record of unacknowledged messages, which can be closed after the connection is lost.

    Kombu returns these messages when a channel closes, and crashes the worker with an AttributeError if the connection
    is gone by then. Not returning them is safe: they reappear after the visibility timeout, and sweeps pick their rows
    up long before.
    """

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Return the messages, unless the connection is gone."""
        if getattr(self.channel.connection, "client", None) is not None:
            super().restore_unacked_once(stderr=stderr)


def install() -> None:
    """Make kombu's Redis channels use this class."""
    redis.Channel.QoS = QoS
