"""A paper as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from guyub.documents.paper import TEXT, Block, Paper, Table
from guyub.ui.typesetting import pdf

TEMPLATE = Path(__file__).parent / "typst" / "paper.typ"


def _block(block: Block) -> dict[str, Any]:
    source = f"{_('Sumber')}: {block.source}."
    if isinstance(block, Table):
        return {
            "kind": "table",
            "title": block.title,
            "source": source,
            "note": block.note,
            "summed": block.summed,
            "columns": [
                {"label": c.label, "numeric": c.numeric, "narrow": c.kind != TEXT}
                for c in block.columns
            ],
            "rows": block.written_rows,
        }
    return {
        "kind": "drawing",
        "title": block.title,
        "source": source,
        "svg": block.chart.svg(block.width),
        "told": "; ".join(": ".join(str(v) for v in row) for row in block.chart.table[:12]),
    }


def paper_pdf(paper: Paper) -> bytes:
    """Typeset ``paper``: with cover and contents when it is long, else from the first page on."""
    return pdf(
        TEMPLATE,
        {
            "title": paper.title,
            "subtitle": paper.subtitle,
            "regency": paper.regency,
            "edition": paper.edition,
            "long": paper.is_long,
            "facts": [list(fact) for fact in paper.facts],
            "origin": [list(row) for row in paper.origin()],
            "words": {
                "contents": _("Daftar isi"),
                "tables": _("Daftar tabel"),
                "figures": _("Daftar gambar"),
                "table": _("Tabel"),
                "figure": _("Gambar"),
                "chapter": _("Bab"),
                "sources": _("Sumber data"),
                "written_by": _("Ditulis oleh"),
                "empty": _("Belum ada data."),
                "reference": _("acuan"),
                "head": [_("Dataset"), _("Pemilik"), _("Versi"), _("Per tanggal")],
            },
            "chapters": [
                {
                    "title": chapter.title,
                    "parts": [
                        {
                            "title": part.title,
                            "by": part.by if part.text and part.by != part.title else "",
                            "text": [
                                {"kind": kind, "text": text} for kind, text in part.paragraphs()
                            ],
                            "blocks": [_block(block) for block in part.blocks],
                        }
                        for part in chapter.parts
                    ],
                }
                for chapter in paper.chapters
            ],
            "has_tables": bool(paper.tables()),
            "has_figures": bool(paper.drawings()),
            "sources": [
                [
                    s.name,
                    s.owner,
                    s.version + (f" ({_('acuan')})" if s.is_reference else ""),
                    s.as_of,
                ]
                for s in paper.sources
            ],
        },
    )
