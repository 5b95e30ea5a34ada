"""Takes what names a person or an enterprise out of a question that is kept for evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nlu.facts import extract

_PLACEHOLDERS = {
    "company": "某公司",
    "credit_code": "〔信用代码〕",
    "invalid_credit_code": "〔信用代码〕",
    "phone": "〔电话〕",
}
_NUMBERS = re.compile(
    r"(?<![\d-])0\d{2,3}[- ]?\d{7,8}(?!\d)|(?<!\d)\d{17}[\dXx](?![0-9A-Za-z])|(?<!\d)1[3-9]\d{9}(?!\d)"
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{2,24}){1,4}")


def masked(text: str, names: Iterable[str] = ()) -> str:
    """The text with placeholders for numbers of people, credit codes, addresses and names of enterprises.

    ``names`` are further names known to be those of enterprises; they are taken out wherever they stand.
    """
    for name in sorted({each for each in names if len(each) >= 2}, key=len, reverse=True):
        text = text.replace(name, _PLACEHOLDERS["company"])
    for fact in sorted(extract(text), key=lambda fact: -fact.start):
        if fact.kind in _PLACEHOLDERS:
            text = text[: fact.start] + _PLACEHOLDERS[fact.kind] + text[fact.end :]
    return _MAIL.sub("〔邮箱〕", _NUMBERS.sub("〔号码〕", text))
