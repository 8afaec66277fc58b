"""The printable page of a pack as PDF."""

from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from exports.pack.printing import PrintedPage, PrintedSection

FONTS = Path(__file__).parent / "fonts"
MARGIN, LABEL, LINE = 18, 46, 5.2
INK, QUIET, RULE = (29, 39, 59), (92, 102, 120), (214, 219, 228)


class _Document(FPDF):
    """A4 with a footer: the person and the page number."""

    foot = ""

    def footer(self) -> None:
        # A value that continues on this page has moved the left margin, so the position is set absolutely.
        self.set_xy(MARGIN, -14)
        self.set_font("DejaVu", size=7.5)
        self.set_text_color(*QUIET)
        self.cell(0, 5, self.foot)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")


def pdf(page: PrintedPage) -> bytes:
    document = _Document(format="A4")
    document.foot = page.foot
    document.add_font("DejaVu", fname=FONTS / "DejaVuSans.ttf")
    document.add_font("DejaVu", style="B", fname=FONTS / "DejaVuSans-Bold.ttf")
    document.set_margins(MARGIN, MARGIN, MARGIN)
    document.set_auto_page_break(True, margin=20)
    document.set_title(page.title)
    document.set_lang(page.language)
    document.add_page()
    _write(document, page.title, size=18, bold=True, height=9)
    _write(document, page.lead, size=9, color=QUIET)
    for section in page.sections:
        _section(document, section)
    return bytes(document.output())


def _section(document: FPDF, section: PrintedSection) -> None:
    if document.will_page_break(24):
        document.add_page()
    document.ln(5)
    _write(document, section.title, size=12, bold=True, height=7)
    document.set_draw_color(*RULE)
    document.line(MARGIN, document.get_y(), document.w - MARGIN, document.get_y())
    document.ln(2)
    for label, value in section.pairs:
        _pair(document, label, value)
    for text in section.texts:
        _write(document, text, size=9)
        document.ln(1)
    for line in section.lines:
        _pair(document, line.when, line.text, line.note)


def _pair(document: FPDF, label: str, value: str, note: str = "") -> None:
    """Write label and value in two columns. A long value continues on the next page, below which the label ends."""
    if document.will_page_break(2 * LINE):
        document.add_page()
    top, number = document.get_y(), document.page_no()
    document.set_x(MARGIN)
    _write(document, label, size=8.5, color=QUIET, width=LABEL - 4)
    below = document.get_y() if document.page_no() == number else 0
    document.set_xy(MARGIN + LABEL, top)
    _write(document, value, size=9, left=MARGIN + LABEL)
    if note:
        _write(document, note, size=7.5, color=QUIET, left=MARGIN + LABEL, height=4.2)
    if document.page_no() == number:
        document.set_y(max(document.get_y(), below))
    document.ln(1)


def _write(
    document: FPDF,
    text: str,
    *,
    size: float,
    bold: bool = False,
    color: tuple[int, int, int] = INK,
    height: float = LINE,
    width: float = 0,
    left: float = MARGIN,
) -> None:
    document.set_font("DejaVu", style="B" if bold else "", size=size)
    document.set_text_color(*color)
    document.set_left_margin(left)
    document.set_x(left)
    document.multi_cell(width, height, text or "–", align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    document.set_left_margin(MARGIN)
