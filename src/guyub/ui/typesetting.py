"""PDF files with Typst: a template file and the data it shows.

Data go in as JSON through ``sys.inputs``, never into the template's text, so that nothing that a
user wrote is taken for markup.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def pdf(template: Path, data: dict[str, Any]) -> bytes:
    """Typeset ``template`` with ``data`` and return the PDF, tagged for screen readers.

    The template reads its data with ``json(bytes(sys.inputs.data))``.
    """
    # Imported late: most processes typeset nothing.
    import typst

    return bytes(
        typst.compile(
            template.read_bytes(),
            sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)},
        )
    )
