"""The whole product as one process group: started, hurt, asked and stopped from outside."""

import os
import re
import signal
import subprocess
import sys

import pytest
import redis

from salesconnect.embedded import servers
from salesconnect.management.commands import up
from tests.products.product import ROOT, UP, Product, data_folder, environment, free_port, left_behind, until

TOKEN = "a-token-that-nobody-may-read"


@pytest.fixture(scope="module")
def running():
    """Return the data folder of all these tests, a path longer than a socket's may be, and the product on it."""
    with data_folder("data folder " + "x" * 150) as data:
        state = {"data": data}
        try:
            yield state
        finally:
            if "product" in state:
                state["product"].process.kill()
                state["product"].process.wait()
            until(lambda: not left_behind(data))


@pytest.fixture
def product(running):
    """Return the running product; it is started where an earlier test stopped it."""
    if "product" not in running or running["product"].process.poll() is not None:
        running["product"] = Product(running["data"])
    until(running["product"].ready)
    return running["product"]


@pytest.fixture
def data(running):
    """Return the data folder with no product running on it."""
    if "product" in running:
        running["product"].stop()
    return running["data"]


def command(product: Product, *arguments: str) -> str:
    """Run a command beside the product and return what it prints."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment(product.data, product.port),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def refused(data, port, **extra) -> str:
    """Return the one line with which `up` refuses to start."""
    result = subprocess.run(UP, env=environment(data, port, **extra), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    return result.stderr


def test_it_says_where_it_is_and_who_may_sign_in_first(product):
    until(lambda: f"Sales Connect is running at http://127.0.0.1:{product.port}/" in product.log())

    assert len(re.findall(r"Sign in as admin with the password \S{16} \(shown this once\)\.", product.log())) == 1


def test_everything_is_one_process_group(product):
    assert {name: os.getpgid(child.pid) for name, child in product.members().items()} == dict.fromkeys(
        ["postgres", "redis", "web", "beat", "worker"], product.process.pid
    )


def test_a_command_beside_it_talks_to_its_servers_and_leaves_them_running(product):
    before = product.members()

    assert "[X] 0001_initial" in command(product, "showmigrations", "contacts")
    assert product.members() == before
    assert product.ready()


@pytest.mark.parametrize("name", ["postgres", "redis", "web", "beat", "worker"])
def test_a_killed_child_is_named_and_started_again(product, name):
    before = product.members()
    before[name].kill()

    until(lambda: f"{name} was killed by signal 9; it is started again in " in product.log())
    until(lambda: product.members().get(name, before[name]) != before[name])
    until(product.ready)
    with redis.Redis.from_url(servers(product.data).redis_url) as broker:
        until(lambda: broker.delete("salesconnect:heartbeat"))
    until(product.ready)
    assert {other for other, child in product.members().items() if child != before[other]} == {name}


def test_tokens_and_searches_do_not_reach_the_log(product):
    product.status(f"u/{TOKEN}/?search=anna.berg%40example.com")
    product.status(f"nowhere/?search={TOKEN}")

    assert TOKEN not in product.log()
    assert "anna.berg" not in product.log()


def test_a_taken_port_is_refused_in_one_line(product):
    assert f"Port {product.port} of 127.0.0.1 cannot be used" in refused(product.data.with_name("other"), product.port)


def test_a_second_product_on_the_same_data_is_refused_in_one_line(product):
    assert "runs already with the data folder" in refused(product.data, free_port())


def test_a_database_that_does_not_answer_is_refused_without_its_password(product):
    secrets = dict.fromkeys(["SECRET_KEY", "SALESCONNECT_UNSUBSCRIBE_KEY", "SALESCONNECT_SUPPRESSION_KEY"], "k" * 50)
    url = f"postgresql://sales:hidden-word@127.0.0.1:{free_port()}/sales"
    line = refused(product.data.with_name("other"), free_port(), DATABASE_URL=url, **secrets)

    assert line.startswith("The server of DATABASE_URL cannot be used: ")
    assert "hidden-word" not in line


def test_a_mail_server_without_a_sender_is_refused_in_one_line(product):
    line = refused(product.data.with_name("other"), free_port(), EMAIL_URL="smtp://mail.exempel.example")
    assert line == "Set DEFAULT_FROM_EMAIL to the sender’s address: EMAIL_URL names a mail server.\n"


@pytest.mark.parametrize(
    ("sender", "code"), [("", 2), ("Sales", 2), ("sälj@exempel.example", 2), ("Sales <us@exempel.example>", 0)]
)
def test_the_check_knows_of_a_missing_sender(sender, code):
    environment = os.environ | {"EMAIL_URL": "smtp://mail.exempel.example", "DEFAULT_FROM_EMAIL": sender}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (answer.returncode, len(answer.stderr.splitlines())) == (code, code and 1)


def test_after_its_violent_death_nothing_is_left_and_the_next_start_reuses_the_data(product):
    product.process.kill()
    product.process.wait()
    again = Product(product.data)
    try:
        until(again.ready)
        assert again.log().count("Sign in as admin") == 1  # said by the first of all, in the same file
        os.killpg(again.process.pid, signal.SIGINT)
        assert again.process.wait(30) == 0
        assert left_behind(product.data) == []
    finally:
        again.process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_make_alone_stops_all(data, number, tmp_path):
    (tmp_path / "Makefile").write_text(f"run:\n\texec '{UP[0]}' '{UP[1]}' up\n")
    made = Product(data, ["make", "-f", str(tmp_path / "Makefile"), "run"])
    try:
        until(made.ready)
        made.stop(number)
        until(lambda: left_behind(data) == [])
        stops = re.findall(r"^Stopping (\w+)$", made.log(), re.MULTILINE)
        assert stops[-5:] == ["web", "beat", "worker", "redis", "postgres"]
    finally:
        made.process.kill()


def test_a_command_may_be_the_first_thing_that_is_run():
    with data_folder() as fresh:
        result = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "seed_contacts", "3"],
            env=environment(fresh, 8000),
            capture_output=True,
            text=True,
            check=True,
        )
    assert result.stdout == "3 people added, numbered from 1.\n"


def test_where_both_servers_are_elsewhere_the_data_folder_is_made_all_the_same(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "new" / "data"
    with up._alone():
        assert (settings.DATA_DIR / "up.lock").exists()
