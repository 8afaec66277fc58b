"""The shape of the code: what may import what, what stays pure, how long things may be."""

import ast
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("contacts", "compliance", "unsubscribes", "exports")
EDGES = {
    "api", "api_base", "api_errors", "api_fields", "authentication", "deletion_views", "erasure_api", "events_api",
    "filters", "forms", "idempotency", "ledger_api", "management", "merge_api", "parsers", "public", "removal_api",
    "request_api", "request_forms", "request_list", "request_views", "requests", "retention_api", "retention_views",
    "selection", "serializers", "tasks", "templatetags", "urls", "views", "webhooks", "wording",
}  # fmt: skip
WIRING = ("settings", "urls", "api_urls", "wsgi", "gunicorn_conf", "context", "middleware", "failures", "preparation")
PURE = (
    "contacts/rules.py",
    "contacts/details.py",
    "contacts/sealing/tree.py",
    "compliance/rules.py",
    "compliance/imports/headers.py",
    "compliance/imports/mapping.py",
    "compliance/imports/rows.py",
    "compliance/imports/values.py",
    "exports/columns.py",
    "exports/deadlines.py",
    "exports/traces.py",
    "unsubscribes/meanings.py",
    "unsubscribes/mail/headers.py",
    "unsubscribes/mail/replies.py",
)
LONGEST_FILE, LONGEST_FUNCTION = 400, 50


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str]]:
    graph = grimp.build_graph("salesconnect", *APPS, cache_dir=None)
    return [(module, found) for module in graph.modules for found in graph.find_modules_directly_imported_by(module)]


def is_edge(module: str) -> bool:
    return bool(EDGES & set(module.split(".")))


def sources() -> list[Path]:
    files = [path for app in ("salesconnect", *APPS) for path in (ROOT / app).rglob("*.py")]
    return [path for path in files if "migrations" not in path.parts]


def test_no_core_module_imports_an_edge(imports):
    crossing = [
        (importer, imported)
        for importer, imported in imports
        if importer.split(".")[0] in APPS and not is_edge(importer) and is_edge(imported)
    ]
    assert crossing == []


def test_nobody_imports_the_wiring(imports):
    wiring = {f"salesconnect.{name}" for name in WIRING}
    crossing = [(who, what) for who, what in imports if what in wiring and not who.startswith("salesconnect.")]
    assert crossing == []


def test_the_helpers_know_no_app(imports):
    crossing = [
        (who, what) for who, what in imports if who.startswith("salesconnect.lib") and what.split(".")[0] in APPS
    ]
    assert crossing == []


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


PARSERS = ("salesconnect/lib/parsing.py", "salesconnect/lib/fields.py", "contacts/api_fields.py")
RAW_DATES = {"parse_date", "parse_datetime", "DateFilter", "DateTimeFilter", "IsoDateTimeFilter"}


def test_days_and_moments_of_strangers_are_parsed_in_one_place():
    """Django's own fields and filters take days at which time zones overflow; see `salesconnect.lib.parsing`."""
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
