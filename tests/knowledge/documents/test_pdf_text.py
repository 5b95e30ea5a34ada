"""PDFs whose text is kept from the reader: by a password, or by fonts that do not say what their letters mean."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

from knowledge.documents.blocks import Document, Kind
from knowledge.documents.policy_of import draft_of
from knowledge.documents.reading import read_document
from knowledge.errors import LockedDocument, ScannedDocument
from tests.knowledge.documents.papers import P, guide, styles, to_pdf

CHINESE = "福田区专精特新企业奖励申报指南支持对象和标准"


def encrypted(user: str, owner: str, strength: int) -> bytes:
    out = BytesIO()
    lock = StandardEncryption(user, ownerPassword=owner, canPrint=0, canCopy=0, strength=strength)
    template = SimpleDocTemplate(out, pagesize=A4, encrypt=lock)
    parts = [part for part in guide() if isinstance(part, P)]
    template.build([Paragraph(part.text, styles()[part.kind]) for part in parts])
    return out.getvalue()


def drawn(*lines: str) -> bytes:
    """A page of lines in an embedded font that has no Chinese letters."""
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=0)
    canvas.setFont("Vera", 12)
    for number, line in enumerate(lines):
        canvas.drawString(80, 780 - 20 * number, line)
    canvas.save()
    return out.getvalue()


def read(data: bytes) -> Document:
    return read_document("文件.pdf", data, Kind.PDF)


@pytest.mark.parametrize("strength", [40, 128])
def test_an_owner_password_does_not_keep_anybody_from_reading(strength: int) -> None:
    locked, plain = (
        draft_of(read(data)) for data in (encrypted("", "owner", strength), to_pdf(guide()))
    )
    assert locked.policy.title == plain.policy.title
    assert [p.text for p in locked.pieces] == [p.text for p in plain.pieces]


@pytest.mark.parametrize("strength", [40, 128])
def test_a_user_password_is_asked_for(strength: int) -> None:
    with pytest.raises(LockedDocument, match="需要密码"):
        read(encrypted("secret", "owner", strength))


@pytest.mark.parametrize(
    "garble",
    [
        lambda text: "".join(chr(0xE000 + ord(char) % 0x1000) for char in text),
        lambda text: "\ufffd" * len(text),
        lambda text: text.encode("gbk").decode("latin-1"),
    ],
    ids=["private use", "replacement", "bytes as western letters"],
)
def test_letters_without_meaning_refuse_the_file(garble: Callable[[str], str]) -> None:
    with pytest.raises(ScannedDocument, match="第 1 页的文字层是乱码") as refused:
        read(drawn(*[garble(CHINESE)] * 4))
    assert refused.value.pages == (1,)


def test_some_symbols_are_no_harm() -> None:
    found = read(
        drawn("Support for companies \uf06c 20 % \xb7 30 \xb0C \xd7 2", "Second line of the paper")
    )
    assert len(found.blocks) >= 1
