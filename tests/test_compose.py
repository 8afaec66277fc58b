"""The files for containers, read as files: what they start, check, keep and refuse to do without."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRETS = [
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "SECRET_KEY",
    "SALESCONNECT_ADMIN_PASSWORD",
    "SALESCONNECT_ENCRYPTION_KEY",
    "SALESCONNECT_SUPPRESSION_KEY",
    "SALESCONNECT_UNSUBSCRIBE_KEY",
]


def test_it_starts_the_same_processes_as_the_up_command():
    assert SERVICES.keys() == {"postgres", "redis", "prepare", "web", "worker", "beat"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_required_wherever_it_is_used(name):
    uses = re.findall(r"\$\{" + name + r"(\W[^}]*)\}", TEXT)

    assert uses
    assert {use[:2] for use in uses} == {":?"}


def test_no_other_name_in_it_looks_like_a_secret():
    names = set(re.findall(r"\$\{(\w*(?:KEY|PASSWORD)(?!_FILE)\w*)\W", TEXT))

    assert names == set(SECRETS)


def test_the_key_of_salesforce_is_mounted_as_a_secret_where_one_is_named():
    assert COMPOSE["secrets"] == {"salesforce_jwt_key": {"file": "${SALESFORCE_JWT_KEY_FILE:-/dev/null}"}}
    for name in ("prepare", "web", "worker", "beat"):
        assert SERVICES[name]["secrets"] == ["salesforce_jwt_key"]
        place = "${SALESFORCE_JWT_KEY_FILE:+/run/secrets/salesforce_jwt_key}"
        assert SERVICES[name]["environment"]["SALESFORCE_JWT_KEY_FILE"] == place


def test_whatever_the_documents_let_one_set_reaches_the_containers():
    table = CONFIGURATION.split("## Variables")[1].split("## ")[0]
    settable = set(re.findall(r"`([A-Z][A-Z_]+[A-Z])`", "".join(re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE))))
    of_the_image = {"PORT", "SALESCONNECT_DATA", "SALESCONNECT_LEDGER", "SALESCONNECT_STATIC"}
    assert settable - of_the_image == settable & SERVICES["prepare"]["environment"].keys()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"prepare", "web"}))
def test_every_lasting_process_has_a_health_check_and_time_to_stop(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["stop_grace_period"].endswith("s")


def test_the_sites_health_check_is_the_images():
    assert "healthcheck" not in SERVICES["web"]
    assert SERVICES["web"]["stop_grace_period"] == "30s"
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/healthz" in DOCKERFILE


def test_redis_writes_its_file_and_never_drops_a_message():
    command = " ".join(SERVICES["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_data_outlives_the_containers():
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert {tuple(SERVICES[name]["volumes"]) for name in ("prepare", "web", "worker", "beat")} == {("files:/data",)}


def test_nothing_starts_before_the_database_is_prepared():
    conditions = {name: SERVICES[name]["depends_on"] for name in ("web", "worker", "beat")}

    assert list(conditions.values()) == [{"prepare": {"condition": "service_completed_successfully"}}] * 3
    assert SERVICES["prepare"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }


def test_only_the_site_is_open_and_only_to_this_machine():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert ports == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_the_image_is_built_in_two_stages_and_does_not_run_as_root():
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["salesconnect"]
    assert "--require-hashes" in DOCKERFILE


def test_the_image_holds_no_data_and_no_secrets():
    assert {".git", ".data", ".venv", ".env"} <= set((ROOT / ".dockerignore").read_text().split())


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_pin_every_package_with_hashes_and_name_no_server(name):
    text = (ROOT / name).read_text()
    packages = re.split(r"\n(?=[a-zA-Z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())

    assert [package for package in packages if not re.match(r"\S+==\S+.*\\\n\s+--hash=sha256:", package)] == []
    assert re.findall(r"https?:|file://|index-url|find-links|trusted-host", text) == []


def test_the_lock_files_hold_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    files = {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": project["dependencies"] + project["optional-dependencies"]["dev"],
    }
    for name, wanted in files.items():
        locked = {match.lower() for match in re.findall(r"^([\w.-]+)==", (ROOT / name).read_text(), re.MULTILINE)}
        assert {canonicalize_name(Requirement(line).name) for line in wanted} - locked == set()
