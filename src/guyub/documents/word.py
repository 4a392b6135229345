"""A paper as a Word file: real headings, tables and captions, to be worked over by hand."""

from __future__ import annotations

import io
from typing import Any

from django.utils.translation import gettext as _
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from guyub.documents.paper import Block, Chapter, Paper, Table

ROMAN = (
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV",
)  # fmt: skip


def _field(paragraph: Any, instruction: str, shown: str = "1") -> None:
    """Put a field into a paragraph that Word fills in: page number, table of contents."""
    run = paragraph.add_run()
    for kind in ("begin", None, "separate"):
        if kind is None:
            part = OxmlElement("w:instrText")
            part.set(qn("xml:space"), "preserve")
            part.text = instruction
        else:
            part = OxmlElement("w:fldChar")
            part.set(qn("w:fldCharType"), kind)
        run._r.append(part)
    paragraph.add_run(shown)
    end = OxmlElement("w:fldChar")
    end.set(qn("w:fldCharType"), "end")
    paragraph.add_run()._r.append(end)


def _caption(document: Any, block: Block) -> None:
    paragraph = document.add_paragraph(style="Caption")
    word, name = (_("Tabel"), "Table") if isinstance(block, Table) else (_("Gambar"), "Figure")
    paragraph.add_run(f"{word} ")
    _field(paragraph, f"SEQ {name} \\* ARABIC", str(block.number))
    paragraph.add_run(f". {block.title}")
    paragraph.paragraph_format.keep_with_next = isinstance(block, Table)


def _source(document: Any, block: Block) -> None:
    text = f"{_('Sumber')}: {block.source}."
    if isinstance(block, Table) and block.note:
        text += f" {block.note}"
    run = document.add_paragraph().add_run(text)
    run.italic, run.font.size = True, Pt(8.5)


def _table(document: Any, block: Table) -> None:
    _caption(document, block)
    if not block.rows:
        document.add_paragraph(_("Belum ada data."))
        return
    table = document.add_table(rows=1, cols=len(block.columns), style="Light Grid Accent 1")
    head = table.rows[0]
    # The heading row comes again on every page.
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    head._tr.get_or_add_trPr().append(repeat)
    for cell, column in zip(head.cells, block.columns, strict=True):
        cell.text = column.label
    for row in block.written_rows:
        cells = table.add_row().cells
        for cell, text, column in zip(cells, row, block.columns, strict=True):
            cell.text = text
            if column.numeric:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for row in table.rows:
        for cell in row.cells:
            for run in cell.paragraphs[0].runs:
                run.font.size = Pt(9)
    if block.summed:
        for cell in table.rows[-1].cells:
            for run in cell.paragraphs[0].runs:
                run.bold = True
    _source(document, block)


def _chapter(document: Any, chapter: Chapter) -> None:
    for part in chapter.parts:
        document.add_heading(part.title, level=2)
        if part.by:
            document.add_paragraph().add_run(f"{_('Ditulis oleh')} {part.by}").italic = True
        for kind, text in part.paragraphs():
            document.add_paragraph(text, style="List Bullet" if kind == "li" else None)
        for block in part.blocks:
            if isinstance(block, Table):
                _table(document, block)
            else:
                picture = io.BytesIO(block.chart.png(block.width))
                document.add_picture(picture, width=Cm(15.5))
                _caption(document, block)
                _source(document, block)


def paper_docx(paper: Paper) -> bytes:
    """Return ``paper`` as a Word file."""
    document = Document()
    document.core_properties.title = f"{paper.title} {paper.subtitle}"
    document.core_properties.author = "Guyub"
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(footer, "PAGE")
    document.add_paragraph(_("PEMERINTAH %(regency)s") % {"regency": paper.regency.upper()})
    document.add_heading(paper.title, level=0)
    document.add_paragraph(paper.subtitle, style="Subtitle")
    facts = document.add_table(rows=0, cols=2)
    for label, value in paper.origin():
        cells = facts.add_row().cells
        cells[0].text, cells[1].text = str(label), str(value)
        cells[0].width, cells[1].width = Cm(4), Cm(12)
    if paper.is_long:
        document.add_page_break()
        document.add_paragraph(_("Daftar isi"), style="TOC Heading")
        _field(
            document.add_paragraph(),
            'TOC \\o "1-2" \\h \\z \\u',
            _("Klik kanan, lalu pilih “Update Field” untuk menyusun daftar isi."),
        )
    for number, chapter in enumerate(paper.chapters):
        if paper.is_long:
            document.add_page_break()
            document.add_heading(f"{_('Bab')} {ROMAN[number]} {chapter.title}", level=1)
        _chapter(document, chapter)
    if paper.is_long:
        document.add_page_break()
    document.add_heading(_("Sumber data"), level=1 if paper.is_long else 2)
    table = document.add_table(rows=1, cols=4, style="Light Grid Accent 1")
    heads = (_("Dataset"), _("Pemilik"), _("Versi"), _("Per tanggal"))
    for cell, text in zip(table.rows[0].cells, heads, strict=True):
        cell.text = text
    for source in paper.sources:
        version = source.version + (f" ({_('acuan')})" if source.is_reference else "")
        cells = table.add_row().cells
        values = (source.name, source.owner, version, source.as_of)
        for cell, text in zip(cells, values, strict=True):
            cell.text = text
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()
