"""The kinds of file that a paper is made into, and who makes them."""

from __future__ import annotations

from collections.abc import Callable

from guyub.documents.paper import Paper
from guyub.documents.typeset import paper_pdf
from guyub.documents.workbook import paper_xlsx


def _docx(paper: Paper) -> bytes:
    # Imported late: python-docx takes half a second, and few requests write for Word.
    from guyub.documents.word import paper_docx

    return paper_docx(paper)


MAKERS: dict[str, Callable[[Paper], bytes]] = {
    "pdf": paper_pdf,
    "docx": _docx,
    "xlsx": paper_xlsx,
}
