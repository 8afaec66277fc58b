"""A worker whose broker goes away waits for it; only its own messages are at stake, and they come back."""

from kombu import Connection, Queue

from salesconnect import celery


def test_a_channel_closes_after_its_connection_has_gone(settings):
    with Connection(celery.app.conf.broker_url) as connection:
        channel = connection.channel()
        queue = Queue("tests.broker")(channel)
        queue.declare()
        connection.Producer(channel).publish({"a": 1}, routing_key="tests.broker")
        assert queue.get().payload == {"a": 1}
        channel.connection.client = None  # what kombu leaves of a connection that broke
        channel.close()


def test_a_worker_never_gives_the_broker_up():
    assert celery.app.conf.broker_connection_max_retries is None
