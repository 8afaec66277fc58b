"""A small page for people: the org's contacts and leads, with a box for each opt-out."""

from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.salesforce_org import clock
from tests.salesforce_org.ids import long_id
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.people import Deed
from tests.salesforce_org.records import Writer
from tests.salesforce_org.web import Request, Response

ROWS = 50
HTML = {
    "Content-Type": "text/html;charset=UTF-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
LAYOUT, ROW = (Template(Path(__file__).with_name(name).read_text()) for name in ("page.html", "page_row.html"))


def answer(org: SalesforceOrg, request: Request) -> Response:
    """Show a list, or flip a box and show the list again."""
    name = {"/ui/Lead": "Lead"}.get(request.path, "Contact")
    search = request.query.get("q", "")
    if request.method != "POST":
        return Response(200, _page(org, name, search), HTML)
    if _from_elsewhere(request):
        return Response(403, "This form was sent by another page.", {"Content-Type": "text/plain"})
    sally = Deed(Writer(org.people.user_id("sally")), org.clock.now())
    org.people.edit([long_id(request.form["id"])], {"HasOptedOutOfEmail": request.form["opted_out"] == "1"}, sally)
    return Response(303, "", {"Location": f"/ui/{name}?{urlencode({'q': search})}"})


def _from_elsewhere(request: Request) -> bool:
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc != request.headers.get("host")


def _page(org: SalesforceOrg, name: str, search: str) -> str:
    pattern = "%" + search.translate({ord("%"): r"\%", ord("_"): r"\_", ord("\\"): r"\\"}) + "%"
    where = r"NOT IsDeleted AND (? IN ('', Id) OR Name LIKE ? ESCAPE '\' OR Email LIKE ? ESCAPE '\')"
    values = [search, pattern, pattern]
    rows = org.store.all(
        f"SELECT * FROM {name} WHERE {where} ORDER BY LastModifiedDate DESC, LastName LIMIT {ROWS}", values
    )
    total = org.store.all(f"SELECT count(*) FROM {name} WHERE {where}", values)[0][0]
    users = {row["Id"]: row["Name"] for row in org.store.all("SELECT Id, Name FROM User")}
    return LAYOUT.substitute(
        title=f"{name}s",
        object=name,
        search=escape(search),
        count=f"{total:,} in all" + (f"; the {ROWS} last changed are shown" if total > ROWS else ""),
        rows="\n".join(_row(name, row, users, search) for row in rows),
    )


def _row(name: str, row: Any, users: dict[str, str], search: str) -> str:
    opted_out = bool(row["HasOptedOutOfEmail"])
    return ROW.substitute(
        object=name,
        again=escape(urlencode({"q": search})),
        id=row["Id"],
        name=escape(row["Name"]),
        email=escape(row["Email"] or ""),
        mark="out" if opted_out else "in",
        value="Opted out" if opted_out else "–",
        when=(clock.text(row["LastModifiedDate"]) or "")[:19].replace("T", " "),
        who=escape(users.get(row["LastModifiedById"], "")),
        next=int(not opted_out),
        act="Clear the opt-out" if opted_out else "Opt out",
    )
