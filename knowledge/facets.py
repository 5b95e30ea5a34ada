"""Tells which facets of a policy a question asks for: amount, conditions, materials, window, …"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.policy import Facet

MODEL_FILE = Path(__file__).parent / "data" / "facets.json"
# From this chance on a facet is asked for; from the other on it is worth showing as well.
ASKED = 0.5
SURE = 0.85
LIKELY = 0.2
# Where no facet is sure, the likeliest one is taken from this chance on; below it the question is about the whole.
UNSURE = 0.35
MOST_ASKED = 3
READ_CHARS = 60
# A text this short that has no word of asking is a bare subject: 无人机, 第二个呢.
BARE_CHARS = 8

# Words that ask for a facet, in the order of how telling they are. They are features of the model, and no part of
# a question's subject.
_PATTERNS: tuple[tuple[Facet, str], ...] = (
    (Facet.CONTACT, r"电话|座机|联系方式|热线|手机号|号码|怎么联系|打给"),
    (
        Facet.MATERIALS,
        r"材料|资料|附件|上传(些|哪些|什么|啥)|(提交|上交|准备|带|交|要)(些|哪些|什么|啥|咩|乜)(证|文件|资料|东西|嘢)|哪些文件|要交(什么|啥|咩|乜)|什么证书|清单",
    ),
    (
        Facet.VALIDITY,
        r"有效|过期|作数|算数|还执行|失效|废止|作废|老黄历|取消了|停了|还在(执行|用)|仲(有效|开紧|得)|还能(报|申|领|用)|还收(?!费)|还接(收|受)|还受理|(现在|今年|目前).{0,4}能(报|申|领|用|拿)|还有没有$|到期",
    ),
    (
        Facet.WINDOW,
        r"什么时候|啥时候|几时|时候|时限|截止|截的|几月|几号|哪天|时间|期限|deadline|受理期|多久内|什么期间|每年几次|一年几次|窗口期|还开放|开始报",
    ),
    (
        Facet.DEPARTMENT,
        r"哪个部门|什么部门|边个部门|部门|哪个局|边个局|边个|找谁|搵边|归谁|归哪|谁(管|发|办|审|批|受理|收|牵头)|谁负责|负责|对口|问谁|问哪|去哪问|哪个单位|主管|跟谁|找哪",
    ),
    (
        Facet.PROCESS,
        r"流程|步骤|手续|怎么(申|报|办|弄|走|操作|领|付)|怎样(申|报|办|领)|如何(申|报|办|领)|点样(申|报|办|领|付)|点(申|报|办)|在哪(里|儿)?(个)?(申|报|办|提交|平台|网站)|哪个(平台|网站|网)|哪(里|儿|度)?办(?!公)|入口|网上|线上|申请方式|分几(次|年|期)|要自己申请",
    ),
    (
        Facet.CONDITIONS,
        r"条件|要求|资格|门槛|够格|符合|满足|才能|才可以|谁能|哪些企业|什么样的|什么企业|必须|一定要|要(到)?(多少|几)|占比|(要|满|成立)几(年|个月)|也能|也算|算不算|算吗|限制|能不能(报|申|领|拿)|可以(报|申|领)|能(报|申|领|拿)吗",
    ),
    (
        Facet.AMOUNT,
        r"多少钱|几多钱|几钱|金额|额度|标准|(?=(补|奖|给|拿|领|返|抵|配|贴|资助|支持|贷|发|退|得)[^，。？,?]{0,8}几)|多少|几多|最高|最多|封顶|上限|顶格|几成|几个点|几折|比例|几万|几百万",
    ),
)
FACET_WORDS = {facet: re.compile(pattern) for facet, pattern in _PATTERNS}
# 电话是多少 asks for no amount.
_PHONE_IS_WHAT = re.compile(r"(电话|座机|热线|号码|手机号)(是|系)?(多少|几多)")


@dataclass(frozen=True)
class FacetReading:
    """The facets asked for, surest first (empty for a question about the whole), those that may be meant as well,
    and which of those asked are beyond doubt.
    """

    asked: tuple[Facet, ...]
    likely: tuple[Facet, ...]
    sure: frozenset[Facet] = frozenset()


@dataclass(frozen=True)
class FacetModel:
    """One logistic model a facet over features of the text (``features_of``), unknown ones ignored.

    ``weights`` has a row for each feature and a column for each of ``facets``.
    """

    facets: tuple[Facet, ...]
    rows: Mapping[str, int]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    def chances(self, text: str) -> dict[Facet, float]:
        """The chance (0-1) of each facet to be asked for; ``text`` must be folded."""
        known = [self.rows[name] for name in features_of(text) if name in self.rows]
        scores = self.intercepts.astype(np.float64)
        if known:
            # Long texts hold more n-grams, but do not ask the more for it.
            scores = scores + self.weights[known].sum(0) / np.sqrt(len(known))
        return dict(zip(self.facets, (1 / (1 + np.exp(-scores))).tolist(), strict=True))


def features_of(text: str) -> Iterator[str]:
    """The names of a folded text's features, each once: character n-grams of 1 to 3, and the facet words it holds.

    Only the end of a long text is read: people tell their story first and ask last.
    """
    asking = _PHONE_IS_WHAT.sub(r"\1", text)[-READ_CHARS:]
    padded = f"^{asking}$"
    grams = {padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1)}
    yield from sorted(grams)
    held = [facet for facet, pattern in FACET_WORDS.items() if pattern.search(asking)]
    yield from (f"has:{facet.value}" for facet in held)
    yield f"first:{held[0].value if held else 'none'}"


def read_facets(text: str) -> FacetReading:
    """What a folded text asks for. The whole policy (overview) is never named: it is what an empty reading means."""
    if len(text) <= BARE_CHARS and not any(found.search(text) for found in FACET_WORDS.values()):
        return FacetReading((), ())
    chances = _model().chances(text)
    overview = chances.pop(Facet.OVERVIEW)
    ordered = sorted(chances, key=lambda facet: -chances[facet])
    asked = tuple(facet for facet in ordered if chances[facet] >= ASKED)[:MOST_ASKED]
    if not asked and chances[ordered[0]] > max(overview, UNSURE):
        asked = (ordered[0],)
    likely = [facet for facet in ordered if chances[facet] >= LIKELY and facet not in asked]
    sure = frozenset(facet for facet in asked if chances[facet] >= SURE)
    return FacetReading(asked, tuple(likely[:MOST_ASKED]), sure)


def facets_of(text: str) -> tuple[Facet, ...]:
    """The facets a folded text asks for, surest first."""
    return read_facets(text).asked


@lru_cache(maxsize=1)
def _model(path: Path = MODEL_FILE) -> FacetModel:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return FacetModel(
        tuple(Facet(name) for name in raw["facets"]),
        {name: row for row, name in enumerate(raw["weights"])},
        np.array(list(raw["weights"].values()), np.float32),
        np.array(raw["intercepts"], np.float32),
    )
