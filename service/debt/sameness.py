"""Tells whether a question surely is the one a signed answer was written for."""

from __future__ import annotations

import re

from knowledge.encoder import Encoder
from knowledge.lexical import fold
from nlu.normalise import normalise_text

MEANS_THE_SAME = 0.95
"""Cosine of the built-in encoder. What says the same once filling words are gone lies above 0.955 on
tests/service/debt/faq_pairs.jsonl. Alone it tells nothing apart (规上 and 规下: 0.991), so the words must agree first;
of the pairs 13 of 20 equals are taken for equal and none of 36 near misses. Other wordings are added as variants.
"""

_FILLING = re.compile(
    r"请问|麻烦|你好|您好|想问|问一下|一下|我们|我司|如果|是否|会不会|能不能|可不可以|要不要|需不需要|"
    r"需要|可以|能够|[的了呢吗吧啊呀嘛是能要\s，。？！、,.?!~～]"
)
_SAME_WORDS = (
    (re.compile(r"多长时间|多久时间"), "多久"),
    (re.compile(r"国家高新技术企业|国家级高新技术企业"), "国高"),
    (re.compile(r"申报材料|申请材料"), "材料"),
)


def core_of(question: str) -> str:
    """The words that carry the question, in their order; equal cores may be one question."""
    text = fold(normalise_text(question))
    for pattern, said in _SAME_WORDS:
        text = pattern.sub(said, text)
    return _FILLING.sub("", text)


def is_same_question(signed: str, asked: str, encoder: Encoder) -> bool:
    """Whether words and meaning both say so; a question of filling words only is never the same."""
    core = core_of(signed)
    if len(core) < 3 or core != core_of(asked):
        return False
    vectors = encoder.queries([signed, asked])
    return bool(vectors[0] @ vectors[1] >= MEANS_THE_SAME)
