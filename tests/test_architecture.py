"""The shape of the code: what may import what, what stays pure, how long things may be."""

import ast
import tomllib
from pathlib import Path

import grimp
import pytest

from tests import order

ROOT = Path(__file__).resolve().parent.parent
APPS = ("contacts", "compliance", "unsubscribes", "exports")
WIRING = {f"salesconnect.{name}" for name in ("settings", "urls", "wsgi", "celery", "middleware", "failures")}
PURE = (
    "contacts/people/rules.py",
    "contacts/people/details.py",
    "contacts/people/field_registry.py",
    "contacts/sealing/tree.py",
    "compliance/card/legal_basis_registry.py",
    "compliance/card/rules.py",
    "compliance/card/source_registry.py",
    "compliance/imports/headers.py",
    "compliance/imports/mapping.py",
    "compliance/imports/rows.py",
    "compliance/imports/cell_values.py",
    "exports/files/csv_column_registry.py",
    "exports/requests/deadlines.py",
    "exports/erasure/traces.py",
    "unsubscribes/crm/reading/rules.py",
    "unsubscribes/crm/salesforce/api/error_codes.py",
    "unsubscribes/crm/salesforce/mapping.py",
    "unsubscribes/crm/provider_errors.py",
    "unsubscribes/crm/values.py",
    "unsubscribes/reports/meanings.py",
    "unsubscribes/mail/sending/headers.py",
    "unsubscribes/mail/sending/refusals.py",
)
LONGEST_FILE, LONGEST_FUNCTION = 400, 50
WHOLE = ("browser", "cluster", "history_machine", "products", "salesforce_org", "salesforce_org_tests", "upgrade")


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str]]:
    graph = grimp.build_graph("salesconnect", *APPS, cache_dir=None)
    return [(module, found) for module in graph.modules for found in graph.find_modules_directly_imported_by(module)]


def sources() -> list[Path]:
    files = [path for app in ("salesconnect", *APPS) for path in (ROOT / app).rglob("*.py")]
    return [path for path in files if "migrations" not in path.parts]


def imported(path: Path) -> list[str]:
    """Return every module that a file imports, the names taken out of it left aside."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        found += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
    return found


def test_the_layers_have_no_exception():
    """The contract of import-linter says what may import what, without a list of who need not keep to it."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = declared["importlinter"]["contracts"]
    assert {key for contract in contracts for key in contract} == {"containers", "layers", "name", "type"}


def test_nobody_imports_the_wiring(imports):
    below = ("salesconnect.lib", "salesconnect.common", "salesconnect.pages", "salesconnect.api", *APPS)
    assert [(who, what) for who, what in imports if what in WIRING and who.startswith(below)] == []


@pytest.mark.parametrize("app", APPS)
def test_the_data_apps_know_nothing_of_pages_and_of_the_api(app):
    """Forms, filters, serializers and answers to htmx belong to the fronts."""
    fronts = ("rest_framework", "drf_spectacular", "django_filters", "django.forms", "django.shortcuts", "django.views",
              "django_htmx")  # fmt: skip
    found = [(path.name, module) for path in sources() for module in imported(path) if module.startswith(fronts)
             and path.is_relative_to(ROOT / app)]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("name", PURE)
def test_the_rules_know_neither_database_nor_settings(name):
    impure = {"django.db", "django.conf", "django.apps"}
    allowed = {("django.db.models", "IntegerChoices")}
    found = []
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module for alias in node.names if (node.module, alias.name) not in allowed]
        found += [module for module in modules if any(module.startswith(prefix) for prefix in impure)]
    assert found == []


def test_files_can_be_read_in_one_sitting():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_fit_on_a_screen():
    long = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST_FUNCTION:
                long[f"{path.relative_to(ROOT)}:{node.name}"] = node.end_lineno - node.lineno + 1
    assert long == {}


PARSERS = (
    "salesconnect/lib/web/parsing.py",
    "salesconnect/lib/web/date_fields.py",
    "salesconnect/api/protocol/fields.py",
)
RAW_DATES = {"parse_date", "parse_datetime", "DateFilter", "DateTimeFilter", "IsoDateTimeFilter"}


def test_days_and_moments_of_strangers_are_parsed_in_one_place():
    """Django's own fields and filters take days at which time zones overflow; see `salesconnect.lib.web.parsing`."""
    found = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        if name in PARSERS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            of_form = isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "forms.DateField",
                "forms.DateTimeField",
            }
            imported = isinstance(node, ast.ImportFrom) and RAW_DATES & {alias.name for alias in node.names}
            if (
                of_form
                or imported
                or (isinstance(node, ast.Attribute) and node.attr in {"IsoDateTimeFilter", "DateFilter"})
            ):
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_what_has_a_size_for_the_soak_runs_in_it():
    texts = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    sized = {path for path, text in texts.items() if "\nfrom tests.soak import" in text}
    assert sized
    assert [str(path) for path in sized if "mark.soak" not in texts[path]] == []


def test_what_is_to_run_first_is_there():
    assert [name for name in order.listed() if not (ROOT / name).exists()] == []


def test_every_test_finds_its_module_by_name():
    """`tests/a/b/test_c.py` and `test_c_of_something.py` test `a/b/c.py`; what tests the whole stands apart."""
    lost = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        place = path.relative_to(ROOT / "tests").parent
        if place == Path() or place.parts[0] in WHOLE:
            continue
        modules = {found.stem for found in (ROOT / place).glob("[a-z]*")}
        name = path.stem.removeprefix("test_")
        if not any(name == module or name.startswith(f"{module}_") for module in modules):
            lost.append(path.relative_to(ROOT).as_posix())
    assert lost == []
