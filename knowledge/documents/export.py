"""Writes a whole catalogue to one file that can be imported again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from knowledge.catalogue import Catalogue
from knowledge.documents.rows import line_of
from knowledge.documents.sheet import write_sheet
from knowledge.errors import DocumentError, UnsupportedDocument


def write_catalogue(catalogue: Catalogue, out: Path) -> None:
    """Writes ``out``, a ``.jsonl`` or ``.xlsx`` by its name, whole or not at all. Raises ``DocumentError``."""
    policies = catalogue.policies.values()
    suffix = out.suffix.lower()
    if suffix == ".jsonl":
        data = "".join(f"{line_of(policy)}\n" for policy in policies).encode()
    elif suffix == ".xlsx":
        data = write_sheet(policies)
    else:
        raise UnsupportedDocument(out.name, "只能导出为 .jsonl 或 .xlsx；请改文件名")
    try:
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=".export-", delete=False) as file:
            file.write(data)
        os.chmod(file.name, 0o644)
        os.replace(file.name, out)
    except OSError as error:
        raise DocumentError(str(out), f"写不进去：{error.strerror}") from error
