"""The documents beside the code, read as files: what they name exists, and what exists is named."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import get_commands
from packaging.requirements import Requirement

from compliance.verdict.reason_registry import RULES
from contacts.jobs.selected import selected_acts
from exports.integrity.all_checks import CHECKS
from salesconnect.lib.role_registry import RIGHTS
from salesconnect.operations.readiness import ORDER
from unsubscribes.crm import provider_registry
from unsubscribes.reports.meanings import MAIL_PROVIDERS

ROOT = Path(__file__).resolve().parents[1]
APPS = ("salesconnect", "contacts", "compliance", "unsubscribes", "exports")
DOCS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
READ = re.compile(
    r"""(?:\benv\.\w+\(\s*|\bsecret\(|\benviron(?:\.get\(|\.setdefault\(|\[))["']([A-Z][A-Z0-9_]+)["']""",
)
# Not for operators: which settings Django takes.
OF_DJANGO = {"DJANGO_SETTINGS_MODULE"}


def text(name: str) -> str:
    return (ROOT / name).read_text()


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(dotted: str) -> bool:
    """Tell whether a module exists, or the one in which the last part is a name."""
    whole = ROOT.joinpath(*dotted.split("."))
    inside = whole.parent / "__init__.py"
    return (
        whole.is_dir()
        or whole.with_suffix(".py").exists()
        or whole.parent.with_suffix(".py").exists()
        or (inside.exists() and re.search(rf"\b{whole.name}\b", inside.read_text()) is not None)
    )


def in_first_cells(table: str) -> set[str]:
    """Return what stands in code in the first cells of tables."""
    return set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE))))


def sources() -> str:
    """Return the code of the product, and of the tests, in one text."""
    return "".join(path.read_text() for app in (*APPS, "tests") for path in sorted((ROOT / app).rglob("*.py")))


def read_by_the_code() -> set[str]:
    """Return the names of all variables of the environment that the product reads."""
    files = [ROOT / "manage.py", *(path for app in APPS for path in (ROOT / app).rglob("*.py"))]
    return {name for path in files for name in READ.findall(path.read_text())} - OF_DJANGO


def test_the_readme_can_be_read_in_one_sitting():
    assert len(text("README.md").splitlines()) <= 150


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    broken = []
    for target in LINK.findall(path.read_text()):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", [*DOCS, ROOT / "Dockerfile"], ids=lambda path: path.name)
def test_every_file_and_every_module_of_ours_that_is_named_exists(path):
    written = path.read_text()
    files = set(re.findall(r"(?<![\w/.])(?:[\w-]+/)+[\w-]+\.(?:py|md|sql|html|css|po|json)\b", written))
    modules = set(re.findall(rf"\b(?:{'|'.join(APPS)})(?:\.[a-z_]+)+", written))
    missing = {name for name in files if not (ROOT / name).exists() and not (path.parent / name).exists()}
    assert missing | {module for module in modules if not is_there(module)} == set()


def test_every_name_in_the_recipes_is_one_of_the_code():
    written = set(re.findall(r"`@?([A-Z][A-Za-z]*[a-z][A-Za-z]*|[A-Z][A-Z_]{2,})`", text("CONTRIBUTING.md")))
    known = set(re.findall(r"\b[A-Z]\w+", sources()))
    assert written
    assert written - known == set()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_what_stands_in_italics_with_a_capital_is_a_label_on_the_screen(path):
    catalog = read_po((ROOT / "salesconnect/locale/sv/LC_MESSAGES/django.po").open("rb"), locale="sv")
    ids = [[message.id] if isinstance(message.id, str) else message.id for message in catalog]
    labels = {str(text).removesuffix("…") for each in ids for text in each}
    labels |= {crm.name for crm in provider_registry.every()}
    written = re.findall(r"(?<![*\w])\*([A-Z][^*\n]*(?:\n[^*\n]+)?)\*(?![*\w])", path.read_text())
    assert {" ".join(phrase.split()) for phrase in written} - labels == set()


def test_every_document_is_linked_from_the_readme():
    linked = {name.partition("#")[0] for name in LINK.findall(text("README.md"))}
    assert {str(path.relative_to(ROOT)) for path in DOCS} - {"README.md"} - linked == set()


def test_exactly_the_variables_that_are_read_are_explained():
    explained = in_first_cells(text("docs/configuration.md")) - {"ANYMAIL_…"}
    compose = set(re.findall(r"\$\{([A-Z_]+)", text("docker-compose.yml")))
    # Read under another name: everything that begins with ANYMAIL_.
    assert explained == read_by_the_code() | compose


def test_every_command_of_ours_is_named():
    ours = {name for name, app in get_commands().items() if app.split(".")[0] in APPS}
    named = set(re.findall(r"`([a-z_]+)[` ]", text("docs/operations.md")))
    assert ours - named == set()


def test_every_entry_of_the_schedule_is_explained():
    assert set(settings.CELERY_BEAT_SCHEDULE) - in_first_cells(text("docs/operations.md")) == set()


def test_every_check_of_the_records_is_explained():
    assert {check.name for check in CHECKS} - in_first_cells(text("docs/operations.md")) == set()


def test_whatever_readiness_may_miss_is_explained():
    assert set(ORDER) - in_first_cells(text("docs/operations.md")) == set()


def test_every_act_on_many_people_is_named():
    named = set(re.findall(r"`(?:bulk/)?(\w+)/`", text("docs/api.md").split("## Many at once")[1].split("\n##")[0]))
    assert {f"{kind}s" if kind == "mail" else kind for kind in selected_acts()} - {"export"} - named == set()


def test_every_metric_is_named():
    metrics = set(re.findall(r'(?:yield Measure|_one)\(\s*"(\w+)"', sources()))
    named = set(re.findall(r"`([a-z_]+)(?:\{\w+\})?`", text("docs/operations.md")))
    assert metrics
    assert metrics - named == set()


def test_every_reason_of_the_verdict_is_explained():
    assert {rule.code for rule in RULES} - in_first_cells(text("docs/law.md")) == set()


def test_every_role_and_every_provider_is_named():
    assert set(RIGHTS) - set(re.findall(r"^\| (\w+) \|", text("README.md").lower(), re.MULTILINE)) == set()
    assert set(MAIL_PROVIDERS) - set(re.findall(r"`(\w+)`", text("docs/api.md"))) == set()


def test_every_library_has_its_reason():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    reasons = text("docs/design-decisions.md").split("## Libraries")[1].lower()
    packages = {Requirement(line).name.lower() for line in project["dependencies"]}
    usual = {"djangorestframework": "django rest framework"}
    assert {name for name in packages if f"| {usual.get(name, name)} |" not in reasons} == set()


def test_pre_commit_runs_the_checks_of_the_house_from_the_venv():
    [repo] = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert (repo["repo"], {hook["language"] for hook in repo["hooks"]}) == ("local", {"system"})
    assert {hook["entry"].split()[0] for hook in repo["hooks"]} == {
        f".venv/bin/{name}" for name in ("ruff", "mypy", "lint-imports")
    }
