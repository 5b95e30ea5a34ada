"""Reads a question for search: one spelling, the places and facets it names, the words that carry its subject."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from knowledge.lexical import fold, tokens
from knowledge.policy import Facet

DATA = Path(__file__).parent / "data"

# In the order of how telling they are: the first two or three that match are what was asked.
_FACET_PATTERNS: tuple[tuple[Facet, str], ...] = (
    (Facet.CONTACT, r"电话|座机|联系方式|热线|手机号|号码|怎么联系|打给"),
    (
        Facet.MATERIALS,
        r"材料|资料|附件|上传(些|哪些|什么|啥)|(提交|上交|准备|带|交|要)(些|哪些|什么|啥|咩|乜)(证|文件|资料|东西|嘢)|哪些文件|要交(什么|啥|咩|乜)|什么证书|清单",
    ),
    (
        Facet.VALIDITY,
        r"有效|过期|作数|算数|还执行|失效|废止|作废|老黄历|取消了|停了|还在(执行|用)|仲(有效|开紧|得)|还能(报|申|领|用)|(现在|今年|目前).{0,4}能(报|申|领|用|拿)|还有没有$|到期",
    ),
    (
        Facet.WINDOW,
        r"什么时候|啥时候|几时|时候|截止|截的|几月|几号|哪天|时间|期限|deadline|受理期|多久内|什么期间|每年几次|一年几次|窗口期|还开放|开始报",
    ),
    (
        Facet.DEPARTMENT,
        r"哪个部门|什么部门|边个部门|部门|哪个局|边个局|边个|找谁|搵边|归谁|归哪|谁管|谁负责|负责|对口|问谁|问哪|去哪问|哪个单位|主管|跟谁|找哪",
    ),
    (
        Facet.PROCESS,
        r"流程|步骤|手续|怎么(申|报|办|弄|走|操作|领|付)|怎样(申|报|办|领)|如何(申|报|办|领)|点样(申|报|办|领|付)|点(申|报|办)|在哪(里|儿)?(个)?(申|报|办|提交|平台|网站)|哪个(平台|网站|网)|入口|网上|线上|申请方式|分几(次|年|期)|要自己申请",
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
_FACETS = tuple((facet, re.compile(pattern)) for facet, pattern in _FACET_PATTERNS)
# 电话是多少 asks for no amount.
_PHONE_IS_WHAT = re.compile(r"(电话|座机|热线|号码|手机号)(是|系)?(多少|几多)")

# Words that ask, greet or fill; what is left of a question is its subject.
_FILLER = re.compile(
    r"请问一下|请问|想问|问一下|问下|打听|你好|您好|哈喽|hello|hi|早上好|早呀|麻烦|帮忙|帮我|小福|老师|老板|大佬|亲|在吗"
    r"|我们公司|我司|我公司|我们|咱们|我哋|你们|你哋|公司|企业|补贴|补助|奖励|扶持|支持|资助|政策|项目|申请|申报|领取|办理"
    r"|多少钱|多少|几多钱|几多|几钱|什么|啥|咩|乜嘢|怎么|怎样|如何|点样|有没有|有冇|有无|可不可以|可以|能不能|是不是|得唔得|系咪"
    r"|最高|最多|封顶|上限|顶格|一下|的话|这个|那个|哪个|呢个|嗰个|边个|哪些|哪里|哪儿|那|这|它|该|第二|第一|上面|刚才|刚刚|另外|还有|还要"
    r"|现在|今年|目前|到底|究竟|大概|一般|吗|呢|啊|呀|吧|哦|喔|嘛|啦|了|的|嘅|唔该|谢谢|thanks|我|想|要|给|拿|能|有|没|在|是|系|个|就|都|和|到|去|做|得|会|请|需|几"
)
_DOC_NO = re.compile(r"([㐀-鿿]{2,8})[〔\[(（【]?(20\d\d)[〕\])）】]?第?(\d+)号")
_OTHERS_OWN = re.compile(r"(我们|我司|我公司|公司|企业)(是|在|位于|注册在|都在)[^，。,]{0,6}$")
_NO_EXCHANGE = r"(?!证券|交易所|证交所|股票|主板)"


@dataclass(frozen=True)
class Places:
    """The gazetteer: where the assistant serves, what lies within what, how people say it."""

    home: str
    within: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]
    elsewhere: tuple[str, ...]

    def around(self, place: str) -> tuple[str, ...]:
        """``place`` and every wider place it belongs to, narrowest first."""
        chain = [place]
        while chain[-1] in self.within:
            chain.append(self.within[chain[-1]])
        return tuple(chain)

    def inside(self, place: str) -> tuple[str, ...]:
        """Every narrower place that belongs to ``place``."""
        return tuple(narrow for narrow in self.within if place in self.around(narrow)[1:])

    def reach(self, named: Iterable[str]) -> frozenset[str]:
        """The places whose policies may answer a question that names these: themselves, around and inside them."""
        return frozenset(
            each for place in named for each in (*self.around(place), *self.inside(place))
        )


@dataclass(frozen=True)
class Question:
    """A question as search sees it.

    ``subject`` holds the words left after asking words and places are taken out; empty for a follow-up such as
    那材料呢. ``places`` are known places it names, ``elsewhere`` one that the catalogue does not serve. ``doc_no``
    is written as records write it and may start with words that stood before it (请问福府办规〔2023〕5号).
    """

    text: str
    search_text: str
    words: tuple[str, ...]
    subject: tuple[str, ...]
    facets: tuple[Facet, ...]
    places: tuple[str, ...]
    elsewhere: str | None
    doc_no: str | None
    names_own_place: bool

    @property
    def leans_on_context(self) -> bool:
        """Whether nothing in it says what it is about: 那材料呢."""
        return not (self.subject or self.places or self.elsewhere or self.doc_no)

    def names_document(self, doc_no: str | None) -> bool:
        """Whether the question gives this number in full: issuer's sign, year and number."""
        return bool(self.doc_no and doc_no and self.doc_no.endswith(fold(doc_no)))


@lru_cache(maxsize=1)
def read_places(path: Path = DATA / "places.yml") -> Places:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = {place: tuple(said) for place, said in raw["names"].items()}
    return Places(raw["home"], raw["within"], names, tuple(raw["elsewhere"]))


@lru_cache(maxsize=1)
def read_synonyms(path: Path = DATA / "synonyms.yml") -> dict[str, str]:
    return {
        fold(said): words
        for said, words in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    }


def read_question(text: str) -> Question:
    """Parses a question; never fails, whatever the text."""
    folded = fold(text)
    places, elsewhere, own = _places(folded)
    expanded = " ".join(
        [folded, *(words for said, words in read_synonyms().items() if _says(folded, said))]
    )
    doc_no = _DOC_NO.search(folded)
    return Question(
        text=text,
        search_text=folded,
        words=tuple(tokens(expanded)),
        subject=_subject(folded),
        facets=facets_of(folded),
        places=places,
        elsewhere=elsewhere,
        doc_no="{}〔{}〕{}号".format(*doc_no.groups()) if doc_no else None,
        names_own_place=own,
    )


def _subject(text: str) -> tuple[str, ...]:
    """What is left of a question without asking words, facets and places; a lone character says nothing."""
    left = _FILLER.sub(" ", _without_facets(_without_places(text)))
    return tuple(word for word in tokens(left) if len(word) > 1)


def facets_of(text: str) -> tuple[Facet, ...]:
    """The facets a question asks for, most telling first, at most three; ``text`` must be folded."""
    text = _PHONE_IS_WHAT.sub(r"\1", text)
    return tuple(facet for facet, pattern in _FACETS if pattern.search(text))[:3]


def _says(text: str, said: str) -> bool:
    if said.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(said)}(?![a-z0-9])", text) is not None
    return said in text


def _places(text: str) -> tuple[tuple[str, ...], str | None, bool]:
    places = read_places()
    found: list[str] = []
    own = False
    for place, said in places.names.items():
        at = min((text.find(name) for name in said if name in text), default=-1)
        if at >= 0:
            found.append(place)
            own = own or _OTHERS_OWN.search(text[:at]) is not None
    if found:
        return tuple(found), None, own
    for name in places.elsewhere:
        if re.search(re.escape(name) + _NO_EXCHANGE, text):
            return (), name, False
    return (), None, False


def _without_places(text: str) -> str:
    for place, said in read_places().names.items():
        for name in (place, *said):
            text = text.replace(name, " ")
    return text


def _without_facets(text: str) -> str:
    for _, pattern in _FACETS:
        # A pattern that only looks ahead takes nothing away: 研发补几年 is still about 研发.
        text = pattern.sub(lambda match: " " if match.group() else "", text)
    return text
