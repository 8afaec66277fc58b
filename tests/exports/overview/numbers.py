"""The numbers of the Compliance page, each with the list that it leads to."""

import re
from html import unescape

ROWS = re.compile(
    r'<th scope="row"><a href="(?P<url>[^"]+)">[^<]*</a></th>\s*<td>.*?</td>\s*<td class="num">(?P<number>[0-9,]+)</td>'
    r'|<td class="num"><a href="(?P<url2>[^"]+)">(?P<number2>[0-9,]+)</a></td>'
    r'|<a href="(?P<url3>[^"]+)" class="kpi"><span class="kpi-label">[^<]*</span>'
    r'<span class="kpi-number">(?P<number3>[0-9,]+)</span>'
    r'|<a class="chart-link" href="(?P<url4>[^"]+)" aria-label="[^"]*: (?P<number4>[0-9,]+)[",]',
    re.DOTALL,
)


def numbers_of(page: str) -> list[tuple[str, int]]:
    """Return every number of the page that leads to a list, with the list's address."""
    found = []
    for match in ROWS.finditer(page):
        groups = [value for value in match.groups() if value is not None]
        found.append((unescape(groups[0]), int(groups[1].replace(",", ""))))
    return found
