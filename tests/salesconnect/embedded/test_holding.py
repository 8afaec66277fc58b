"""The embedded servers: who starts and stops them, what they withstand, and what they refuse."""

import os
import pwd
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from salesconnect import embedded
from salesconnect.embedded import account, processes
from tests.products.product import ROOT, data_folder

KEYS = {"SECRET_KEY", "SALESCONNECT_UNSUBSCRIBE_KEY", "SALESCONNECT_SUPPRESSION_KEY", "SALESCONNECT_ENCRYPTION_KEY"}
HOLDER = """
import pathlib, sys
from salesconnect import embedded
with embedded.hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data():
    """Return the path of a data folder that does not exist yet."""
    with data_folder() as path:
        yield path


def ask(where: embedded.Servers, question: str) -> str:
    """Return the one value that a question to PostgreSQL gives."""
    parts = where.database_url_parts
    link = psycopg2.connect(dbname=parts["NAME"], user=parts["USER"], host=parts["HOST"], port=parts["PORT"])
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            cursor.execute(question)
            return str(cursor.fetchone()[0]) if cursor.description else ""
    finally:
        link.close()


def running(data: Path) -> list[psutil.Process]:
    """Return the processes of a data folder's servers."""
    return processes.find(embedded.servers(data).tag)


def main_process(data: Path) -> list[psutil.Process]:
    """Return PostgreSQL's main process, its helpers come and go."""
    return processes.find("-D", embedded.servers(data).tag)


def holder(data: Path) -> "subprocess.Popen[str]":
    """Start another process that holds the servers until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(data)]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout.readline() == "held\n"
    return started


def test_addresses_are_calculated_without_touching_the_disk(tmp_path):
    where = embedded.servers(tmp_path / "nowhere")

    assert (where.sockets.exists(), (tmp_path / "nowhere").exists()) == (False, False)
    assert where.redis_url == f"unix://{where.redis_socket}?db=0"
    assert where.broker_url == f"redis+socket://{where.redis_socket}?virtual_host=0"
    assert embedded.servers(tmp_path / "x" / ".." / "nowhere") == where


def test_both_servers_run_with_their_durability_while_held_and_end_afterwards(data):
    with embedded.hold(data) as where:
        names = ["fsync", "synchronous_commit", "full_page_writes", "server_encoding", "server_version_num"]
        found = [ask(where, f"SHOW {name}") for name in names]
        with redis.Redis.from_url(where.redis_url) as client:
            found += [client.config_get(name)[name] for name in ("appendonly", "appendfsync", "maxmemory-policy")]

    assert found == ["on", "on", "on", "UTF8", "180004", "yes", "everysec", "noeviction"]
    assert running(data) == []


def test_only_the_wanted_server_is_started(data):
    with embedded.hold(data, postgres=False):
        assert [process.name() for process in running(data)] == ["redis-server"]


def test_a_path_longer_than_a_sockets_may_be_works():
    with data_folder("x" * 150) as data, embedded.hold(data) as where:
        assert ask(where, "SELECT 1") == "1"


def test_the_data_is_there_again_after_a_restart(data):
    with embedded.hold(data) as where:
        ask(where, "CREATE TABLE kept AS SELECT 7 AS number")
    with embedded.hold(data) as where:
        assert ask(where, "SELECT number FROM kept") == "7"


def test_the_last_holder_stops_the_servers_whoever_started_them(data):
    with holder(data) as first, holder(data) as second:
        first.communicate()
        assert ask(embedded.servers(data), "SELECT 1") == "1"
        second.communicate()

    assert running(data) == []


def test_what_kill_9_leaves_is_no_obstacle(data):
    with holder(data) as killed:
        for process in [*running(data), killed]:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    with embedded.hold(data) as where:
        assert ask(where, "SELECT 1") == "1"


def test_a_killed_holder_leaves_servers_that_the_next_one_uses_and_stops(data):
    with holder(data) as killed:
        killed.kill()
        before = main_process(data)

    with embedded.hold(data):
        assert main_process(data) == before
    assert running(data) == []


def test_two_data_folders_of_one_user_do_not_meet(data):
    with data_folder("data") as other, embedded.hold(data) as mine, embedded.hold(other) as theirs:
        ask(mine, "CREATE TABLE mine (number int)")

        assert ask(theirs, "SELECT to_regclass('mine')") == "None"
        assert mine.sockets != theirs.sockets


def test_the_sockets_are_closed_to_other_accounts(data):
    with embedded.hold(data) as where:
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (where.postgres_sockets, where.redis_socket)]

    assert modes == [0o700, 0o600]


def test_a_socket_folder_that_somebody_else_put_there_is_refused(data, tmp_path):
    embedded.servers(data).sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(embedded.EmbeddedError, match="belongs to somebody else"), embedded.hold(data):
            pass
    finally:
        embedded.servers(data).sockets.unlink()


def test_a_data_folder_that_cannot_be_made_is_refused_in_one_line():
    with pytest.raises(embedded.EmbeddedError) as refusal, embedded.hold(Path("/dev/null/data")):
        pass

    assert str(refusal.value) == "The data folder /dev/null/data cannot be made: Not a directory."


@pytest.fixture
def closed(data):
    """Return a data folder that other accounts cannot reach, and the folder in which its database lies therefore."""
    data.parent.chmod(0o700)
    return data, data if os.getuid() else account.PRIVATE


def test_the_database_lies_where_the_account_that_runs_it_can_reach_it(closed):
    data, home = closed
    with embedded.hold(data) as where:
        folder = Path(ask(where, "SHOW data_directory"))

        assert folder.is_relative_to(home)
        assert folder.stat().st_uid == runner()
    with embedded.hold(data) as where:
        assert Path(ask(where, "SHOW data_directory")) == folder


def test_programs_that_other_accounts_cannot_reach_are_copied_for_root(tmp_path, monkeypatch):
    monkeypatch.setattr(account, "PRIVATE", tmp_path / "private")
    monkeypatch.setattr(account, "reachable", lambda _: False)
    programs = account.binaries()

    assert programs.is_relative_to(tmp_path) == (os.getuid() == 0)
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert version == "postgres (PostgreSQL) 18.4\n"
    assert account.binaries() == programs


def test_values_of_a_failed_statement_stay_out_of_the_log(data):
    with embedded.hold(data) as where:
        ask(where, "CREATE TABLE people (email text UNIQUE)")
        ask(where, "INSERT INTO people VALUES ('anna@example.com')")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            ask(where, "INSERT INTO people VALUES ('anna@example.com')")

    log = (data / "postgres.log").read_text()
    assert ("ready to accept connections" in log, "anna@example.com" in log) == (True, False)


def test_keys_are_made_once_even_when_many_ask_at_the_same_time(data):
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(embedded.keys, [data] * 8))

    assert found == [found[0]] * 8
    assert found[0].keys() == KEYS
    assert len(set(found[0].values())) == len(KEYS)
    assert stat.S_IMODE((data / "keys.json").stat().st_mode) == 0o600


def test_a_key_that_is_new_joins_those_that_are_there(data):
    data.mkdir()
    (data / "keys.json").write_text('{"SECRET_KEY": "old"}')

    assert (embedded.keys(data)["SECRET_KEY"], embedded.keys(data).keys()) == ("old", KEYS)


def test_unreadable_keys_are_refused_in_one_line(data):
    data.mkdir()
    (data / "keys.json").write_text("{")

    with pytest.raises(embedded.EmbeddedError, match="cannot be read"):
        embedded.keys(data)


def runner() -> int:
    """Return the number of the account that is to run PostgreSQL."""
    return os.getuid() or pwd.getpwnam(account.ACCOUNT).pw_uid


def test_the_kernel_says_who_is_at_the_socket_and_one_account_is_let_in(data):
    with embedded.hold(data) as where:
        methods = ask(where, "SELECT string_agg(DISTINCT auth_method || ' ' || options[1], ',') FROM pg_hba_file_rules")
        people = ask(where, "SELECT string_agg(sys_name || ' ' || pg_username, ',') FROM pg_ident_file_mappings")
        [server] = main_process(data)
        assert server.uids().real == runner()
    assert (methods, people) == ("peer map=product", f"{pwd.getpwuid(os.getuid()).pw_name} all")


def test_a_cluster_of_another_account_is_taken_over(data):
    with embedded.hold(data) as where:
        ask(where, "CREATE TABLE kept ()")
    folder = account.cluster(embedded.servers(data))
    (folder / "pg_hba.conf").write_text("local all all trust\n")
    if os.getuid() == 0:
        for path in (*folder.rglob("*"), folder):
            os.chown(path, pwd.getpwnam("nobody").pw_uid, -1, follow_symlinks=False)
    with embedded.hold(data) as where:
        assert ask(where, "SELECT to_regclass('kept')::text") == "kept"
        assert ask(where, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules") == "peer"
    assert {path.stat().st_uid for path in (*folder.rglob("*"), folder)} == {runner()}
