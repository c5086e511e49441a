"""A receipt as a PDF file: fonts inside, the same bytes each time it is asked for in the same language."""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import cache
from pathlib import Path

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import TTFFont

from bedside.payments.receipt_models import Receipt
from bedside.reports.receipts import Row, Sheet, sheet

# It tells each table that it leaves out.
logging.getLogger("fontTools").setLevel(logging.WARNING)
FONTS = Path(__file__).parent / "fonts" / "dejavu-2.37"
INK, SOFT, LINE, ACCENT = (15, 33, 30), (74, 91, 87), (221, 229, 226), (11, 107, 99)
LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO", "VE"})
MARGIN, LABEL_WIDTH, ROW, FOOT = 20, 48, 5.6, 14
MISSING = "\u25a1"  # stands for a letter that the font lacks
# A picture with what belongs to it: skin, hair, the other pictures that it is joined to.
PICTURE = re.compile(r"[^\s\w](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[^\s\w])+")


class Paper(FPDF):
    """Pages of one receipt. What is written loses what the font can't set; ``lacking``: letters were lost."""

    def __init__(self, made: Sheet) -> None:
        super().__init__(format="letter" if made.country in LETTER_COUNTRIES else "a4")
        self.label, self.lacking = made.receipt.label, False
        self.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
        self.add_font("DejaVu", "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN)

    def footer(self) -> None:
        self.set_y(-FOOT)
        self.set_font("DejaVu", size=8)
        self.set_text_color(*SOFT)
        said = {"label": self.label, "page": self.page_no(), "pages": "{nb}"}
        self.cell(0, 5, _("%(label)s, page %(page)s of %(pages)s") % said)

    def set_text(self, text: str) -> str:
        found = printable(text)
        self.lacking = self.lacking or MISSING in found
        return found

    def lines_of(self, width: float, text: str) -> int:
        lines = self.multi_cell(width, ROW, text, dry_run=True, output="LINES")
        assert isinstance(lines, list)
        return len(lines)

    def keep_together(self, height: float) -> None:
        """A new page where so many millimetres don't fit on this one."""
        if self.will_page_break(height):
            self.add_page()


@cache
def _glyphs() -> frozenset[int]:
    """What the font can set."""
    paper = FPDF()
    paper.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
    font = paper.fonts["dejavu"]
    assert isinstance(font, TTFFont)
    return frozenset(font.cmap)


def printable(text: str) -> str:
    """Without pictures that the font lacks; a letter that it lacks becomes an empty box, so that nobody is misled."""
    known = _glyphs()
    kept = []
    for sign in PICTURE.sub("", text):
        if ord(sign) in known or sign == "\n":
            kept.append(sign)
        elif unicodedata.category(sign)[0] in "LN":
            kept.append(MISSING)
    return re.sub(r" +([,.;]|$)", r"\1", re.sub(r"  +", " ", "".join(kept))).strip(" ")


def render(receipt: Receipt, *, discreet: bool = False) -> bytes:
    """The file. ``discreet``: for the way by email. Raises DamagedReceipt."""
    return bytes(compose(receipt, discreet=discreet).output())


def compose(receipt: Receipt, *, discreet: bool = False) -> Paper:
    """The pages, before they are a file. Raises DamagedReceipt."""
    made = sheet(receipt, discreet=discreet)
    pdf = Paper(made)
    pdf.set_creation_date(receipt.issued_at)
    pdf.set_title(f"{made.title} {receipt.label}")
    pdf.set_author(made.sender[0] if made.sender else "")
    pdf.set_lang(get_language() or "en")
    pdf.add_page()
    _head(pdf, made)
    _rows(pdf, made.facts)
    _amounts(pdf, made)
    if made.codes:
        pdf.keep_together(30)
        _section(pdf, _("For the insurer"))
        _rows(pdf, made.codes)
    lost = _("A box stands for a letter that this file can't show. The receipt's page on our site shows it.")
    notes = [made.note, lost if pdf.lacking else ""]
    pdf.ln(3)
    for note in filter(None, notes):
        pdf.keep_together(10)
        pdf.ln(2)
        _type(pdf, note, size=9, color=SOFT, height=4.8)
    return pdf


def _head(pdf: Paper, made: Sheet) -> None:
    _type(pdf, made.sender[0] if made.sender else "", size=13, style="B", color=ACCENT)
    for line in made.sender[1:]:
        _type(pdf, line, size=9, color=SOFT, height=4.8)
    pdf.ln(7)
    _type(pdf, f"{made.title} {made.receipt.label}", size=18, style="B", height=9)
    pdf.ln(4)


def _section(pdf: Paper, title: str) -> None:
    pdf.ln(6)
    _type(pdf, title, size=11, style="B")
    pdf.ln(1.5)


def _rows(pdf: Paper, rows: list[Row]) -> None:
    """A label beside its value; a row is never torn between two pages."""
    for label, value in rows:
        pdf.set_font("DejaVu", size=9.5)
        said = pdf.set_text(value)
        pdf.keep_together(ROW * pdf.lines_of(pdf.epw - LABEL_WIDTH, said))
        top = pdf.get_y()
        pdf.set_text_color(*SOFT)
        pdf.cell(LABEL_WIDTH, ROW, label)
        pdf.set_text_color(*INK)
        pdf.set_xy(MARGIN + LABEL_WIDTH, top)
        pdf.multi_cell(0, ROW, said, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _amounts(pdf: Paper, made: Sheet) -> None:
    pdf.ln(5)
    for label, value in made.lines:
        _amount(pdf, label, value)
    _amount(pdf, *made.total, strong=True)
    for label, value in made.settled:
        _amount(pdf, label, value)


def _amount(pdf: Paper, label: str, value: str, *, strong: bool = False) -> None:
    """A label that may take several lines, and a value at the right edge, with a hair line above."""
    pdf.set_font("DejaVu", "B" if strong else "", 10)
    said, amount = pdf.set_text(label), pdf.set_text(value)
    wide = pdf.get_string_width(amount) + 4
    pdf.keep_together(ROW * pdf.lines_of(pdf.epw - wide, said) + 2)
    top = pdf.get_y()
    pdf.set_draw_color(*LINE)
    pdf.line(MARGIN, top, pdf.w - MARGIN, top)
    pdf.set_text_color(*INK)
    pdf.set_xy(MARGIN, top + 1)
    pdf.multi_cell(pdf.epw - wide, ROW, said, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    below = pdf.get_y() + 1
    pdf.set_xy(pdf.w - MARGIN - wide, top + 1)
    pdf.cell(wide, ROW, amount, align=Align.R)
    pdf.set_xy(MARGIN, below)


def _type(
    pdf: Paper, text: str, *, size: float, style: str = "", color: tuple[int, int, int] = INK, height: float = 6
) -> None:
    pdf.set_font("DejaVu", style, size)
    pdf.set_text_color(*color)
    pdf.multi_cell(0, height, pdf.set_text(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
