"""Reads a question for search: one spelling, the places and facets it names, the words that carry its subject."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from cn2an import cn2an

from knowledge.facets import FACET_WORDS, read_facets
from knowledge.lexical import fold, question_words, tokens
from knowledge.policy import Facet, Level

DATA = Path(__file__).parent / "data"

# Words that ask, greet or fill; what is left of a question is its subject.
_FILLER = re.compile(
    r"请问一下|请问|想问|问一下|问下|打听|你好|您好|哈喽|hello|hi|早上好|早呀|麻烦|帮忙|帮我|小福|老师|老板|大佬|亲|在吗"
    r"|我们公司|我司|我公司|我们|咱们|我哋|你们|你哋|公司|企业|补贴|补助|奖励|扶持|支持|资助|政策|项目|申请|申报|领取|办理"
    r"|多少钱|多少|几多钱|几多|几钱|什么|啥|咩|乜嘢|怎么|怎样|如何|点样|有没有|有冇|有无|可不可以|可以|能不能|是不是|得唔得|系咪"
    r"|最高|最多|封顶|上限|顶格|一下|的话|这个|那个|哪个|呢个|嗰个|边个|哪些|哪里|哪儿|那|这|它|该|第二|第一|上面|刚才|刚刚|另外|还有|还要"
    r"|如果|要是|假如|一家|单家|每家|一年|每年|每个人|每人|人均|一共|总共|合计|一人|每人|多久|分别|填报|填写|对接|为止|前置|最后|开始|办法|名下|咨询|发下|文号|文件号"
    r"|时限|行不行|得不得|才行|过来|之内|以内|而家|依家|方面|第[一二三四五六七八九十]|[一二三四五]类|大概要|先|仲|冇|咁|唔"
    r"|现在|今年|目前|到底|究竟|大概|一般|吗|呢|啊|呀|吧|哦|喔|嘛|啦|了|的|嘅|唔该|谢谢|thanks|我|想|要|给|拿|能|有|没|在|是|系|个|就|都|和|到|去|做|得|会|请|需|几"
)
_LISTS = re.compile(
    r"(哪些|什么|啥|边啲|咩|乜嘢|哪几(个|项|种))[^，。？?的]{0,4}(奖|补贴|补助|政策|扶持|支持|资助|优惠|项目|资金|好处|福利|配套|贴息|贷款|减免)"
    r"|(政策|补贴|奖励|扶持|支持|资助|优惠|项目|配套)[^，。？?]{0,4}(有|係|是)(哪些|啥|什么|边啲|哪几)"
    r"|都有(哪些|啥|什么|乜)|(有哪些|有边啲|哪几(项|条|种|个))($|[，。？?])|一共(有)?(哪|几|多少)(几)?(个|项|条|种|样)|能(报|领|拿|申)(哪些|几样|几种|几个)"
    r"|列(一下|出|个|下)|通通|统统|盘点|清单|汇总|全部(告诉|发|列)"
)
_POINTS = re.compile(r"(这|那|呢|嗰)(个|项|笔|份|条)|它|该(政策|项目|补贴|奖励)|上面|刚才|刚刚")
_ELLIPSIS = re.compile(r"^(那么?|如果|要是|换成|还有|若)?[^，。？?]{1,12}(呢|勒|咧|捏)[？?。!！]*$")
_DOC_NO = re.compile(r"([㐀-鿿]{2,8})[〔\[(（【]?(20\d\d)[〕\])）】]?第?(\d+)号")
_OTHERS_OWN = re.compile(r"(我们|我司|我公司|公司|企业)(是|在|位于|注册在|都在)[^，。,]{0,6}$")
# 时尚企业买楼封顶，不是新落户那个: what is said not to be meant must not be searched for.
_NOT_MEANT = re.compile(
    r"(?<![是还要])(不是|而不是|并非|不含|别拿|除了|没进)(?!不|吗|有)([^，。,；;？?！!()（）]{2,16})"
)
# 这是福府办规〔2023〕7号吗 asks about the number; it does not name the document by it.
_ASKS_NUMBER = re.compile(r"(是|係|为|依据)[^，。,？?]{0,10}20\d\d")
# 新 三 板 挂 牌: typed letter by letter.
_SPELT_OUT = re.compile(r"(?:(?<=\s)|^)[㐀-鿿](?:\s[㐀-鿿]){3,}(?=\s|$)")
_WRITTEN_OUT = re.compile(
    r"(?<![一二两三四五六七八九十百])([一二两三四五六七八九十百]+)个?([万亿])"
)
_PERCENT_SAID = re.compile(
    r"百分之(\d{1,4}(?:\.\d{1,4})?)|(?<!\d)(\d{1,4}(?:\.\d{1,4})?)个(?:百分)?点"
)
_TENTHS = re.compile(r"([1-9一二三四五六七八九])成(?![立功为本员果都交绩熟长])")
_SHORT_YEAR = re.compile(r"(?<!\d)(1[5-9]|2\d)年(?=版|口径|度|标准|指南|新|老|的?政策)")
_YEAR = re.compile(r"(?:19|20)\d\d")
# 新加坡分部 is the speaker's own, 上海证券交易所 a place to be listed: neither asks for that place's policies.
_NOT_SERVED = r"(?!证券|交易所|证交所|股票|主板|(?:的|那边的?)?(?:分部|分公司|子公司|分店)|(?:做|研发|生产|设计)的)"
# 市级 may name the granting level or a qualification (市级专精特新): the ranking learns how much it tells.
_LEVELS = (
    (Level.DISTRICT, re.compile(r"区里|区级|我区|本区|咱区|区上|区政府|区一级")),
    (Level.CITY, re.compile(r"市里|市级|全市|本市|市政府|市一级|深圳")),
    (Level.PROVINCE, re.compile(r"省里|省级|全省|广东|省一级")),
    (Level.NATION, re.compile(r"国家(?!高新)|中央|全国|国家级")),
)
_LEVEL_WORDS = re.compile(r"(国家|中央|全国|省|市|区)(级|里|一级|层面)?")
# What is called by a name of its own: in quotation marks, or a plan, a voucher, a loan with a name in front.
_NAME = re.compile(
    r"[“「『]([^“”「」『』]{3,12})[”」』]|([㐀-鿿]{2}(?:计划|工程|行动|券|贷(?!款)))"
)
_FIGURE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(万|亿|%|千万|百万|个?人|名|年|个?月|平|分(?!钟)|家|岁|天)?"
)


@dataclass(frozen=True)
class Places:
    """The gazetteer: where the assistant serves, what lies within what, how people say it.

    ``pointing`` are names without a name (区里, 市里): they mean a place only where none is called by its own.
    """

    home: str
    within: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]
    elsewhere: tuple[str, ...]
    pointing: frozenset[str]

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
    ``levels`` are the levels of government it speaks of, ``figures`` its numbers with their units,
    ``names`` what it calls by a name of its own. ``likely_facets`` may be meant beside ``facets``, ``sure_facets`` are beyond doubt. ``not_meant`` are
    words of what it says it does not mean.
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
    levels: frozenset[Level] = frozenset()
    figures: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    likely_facets: tuple[Facet, ...] = ()
    not_meant: tuple[str, ...] = ()
    sure_facets: frozenset[Facet] = frozenset()

    @property
    def leans_on_context(self) -> bool:
        """Whether nothing in it says what it is about: 那材料呢."""
        return not (self.subject or self.places or self.elsewhere or self.doc_no)

    @property
    def names_only_level(self) -> bool:
        """Whether a level of government is all it names: 国家级的呢, 省级呢."""
        said = _LEVEL_WORDS.sub(" ", self.search_text)
        return bool(self.levels) and not (subject_of(said) or self.elsewhere or self.doc_no)

    def names_document(self, doc_no: str | None) -> bool:
        """Whether the question gives this number in full: issuer's sign, year and number."""
        return bool(self.doc_no and doc_no and self.doc_no.endswith(fold(doc_no)))


@lru_cache(maxsize=1)
def read_places(path: Path = DATA / "places.yml") -> Places:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = {place: tuple(said) for place, said in raw["names"].items()}
    pointing = frozenset(raw["pointing"])
    return Places(raw["home"], raw["within"], names, tuple(raw["elsewhere"]), pointing)


@lru_cache(maxsize=1)
def read_synonyms(path: Path = DATA / "synonyms.yml") -> dict[str, str]:
    return {
        fold(said): words
        for said, words in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    }


def read_question(text: str) -> Question:
    """Parses a question; never fails, whatever the text."""
    folded = _SPELT_OUT.sub(lambda found: found.group().replace(" ", ""), fold(text))
    meant = _NOT_MEANT.sub(" ", folded)
    not_meant = " ".join(found[1] for found in _NOT_MEANT.findall(folded))
    places, elsewhere, own = _places(folded)
    synonyms = [(said, words) for said, words in read_synonyms().items() if _says(meant, said)]
    expanded = " ".join([meant, *(words for _, words in synonyms)])
    doc_no = _DOC_NO.search(folded)
    if doc_no and _ASKS_NUMBER.search(folded[: doc_no.end(2)]):
        doc_no = None
    facets = read_facets(folded)
    return Question(
        text=text,
        search_text=meant if meant.strip() else folded,
        words=tuple(question_words(expanded, singles=False)),
        subject=subject_of(_in_their_words(_DOC_NO.sub(" ", meant), synonyms)),
        facets=facets.asked,
        likely_facets=facets.likely,
        sure_facets=facets.sure,
        not_meant=tuple(word for word in subject_of(not_meant) if word not in tokens(meant)),
        places=places,
        elsewhere=elsewhere,
        doc_no="{}〔{}〕{}号".format(*doc_no.groups()) if doc_no else None,
        names_own_place=own,
        levels=frozenset(level for level, said in _LEVELS if said.search(folded)),
        figures=figures_of(folded),
        names=tuple("".join(found) for found in _NAME.findall(folded)),
    )


def figures_of(text: str) -> frozenset[str]:
    """The figures of a text with the first sign of their unit, 3200万 or 65分; a bare number of one digit tells nothing.

    五十万 and 一个亿 count as 50万 and 1亿, 15个点 and 五成 as 15% and 50%; a year counts without 年.
    """
    text = _WRITTEN_OUT.sub(_in_digits, text)
    text = _PERCENT_SAID.sub(lambda said: f"{said[1] or said[2]}%", text)
    text = _TENTHS.sub(lambda said: f"{_digit(said[1])}0%", text)
    text = _SHORT_YEAR.sub(r"20\1", text.replace(",", "").replace("，", " "))
    found = [(number, unit.replace("个", "")) for number, unit in _FIGURE.findall(text)]
    return frozenset(
        number if _YEAR.fullmatch(number) else number + unit
        for number, unit in found
        if unit or len(number) > 1
    )


def _digit(written: str) -> int:
    return int(written) if written.isdigit() else "零一二三四五六七八九".index(written)


def _in_digits(found: re.Match[str]) -> str:
    try:
        return f"{cn2an(found[1], 'smart')}{found[2]}"
    except ValueError:  # 百万, 一二万: no numeral that stands for one figure
        return found[0]


def years_of(text: str) -> frozenset[str]:
    """The years a text names: 2020, also as 20年口径."""
    return frozenset(figure for figure in figures_of(text) if _YEAR.fullmatch(figure))


def _in_their_words(text: str, synonyms: Sequence[tuple[str, str]]) -> str:
    """The text with what people say replaced by what the catalogue says, longest names first."""
    for said, words in sorted(synonyms, key=lambda pair: -len(pair[0])):
        text = text.replace(said, f" {words} ")
    return text


def subject_of(text: str) -> tuple[str, ...]:
    """What is left of a folded text without asking words, facets, places and years; a lone character says nothing."""
    return tuple(
        word for word in tokens(content_of(text)) if len(word) > 1 and not _YEAR.fullmatch(word)
    )


def content_of(text: str) -> str:
    """A folded text without asking words, facets and places."""
    return _FILLER.sub(" ", _without_facets(without_places(text)))


def asks_for_list(text: str) -> bool:
    """Whether a question wants every item of a kind: 上市有哪些奖励; ``text`` must be folded."""
    return _LISTS.search(text) is not None


def asks_for_rest(text: str) -> bool:
    """Whether a question wants what a list had no room for: 还有呢, 其他的呢; ``text`` must be folded."""
    return (
        re.fullmatch(
            r"(?:那|请?再)?(?:还有(?:呢|吗|哪些|什么|别的(?:吗|呢)?|其[他它]的?(?:吗|呢)?)?|其[他它]的?(?:呢|有哪些)?|剩下的?(?:呢|有哪些)?|继续|下一页|更多(?:呢)?|(?:都|全部?|接着)?列(?:出来|完|一下)?|接着(?:列|说)|后面的?呢)"
            r"[？?。!！吧呀啊]*",
            text,
        )
        is not None
    )


def asks_for_money(text: str) -> bool:
    """Whether how much in a question means money; ``text`` must be folded."""
    return (
        re.search(r"钱|[万亿元]|奖|补|给|额|租金|费|贴|百分|比例|资助|支持|几成|折", text)
        is not None
    )


def asks_for_promise(text: str) -> bool:
    """Whether a question wants to be assured of money: 一定能拿到吧; ``text`` must be folded."""
    return (
        re.search(
            r"一定(能|可以|会)|肯定(能|可以|会|有)|保证|打包票|包过|稳(拿|过|了)|百分百|百分之百",
            text,
        )
        is not None
    )


def asks_which_is_more(text: str) -> bool:
    """Whether a comparison is about how much each gives; ``text`` must be folded."""
    return (
        re.search(r"(多|高|大|划算|着数|抵|值)(一?[点些])?[?？。]?$|更(多|高|划算)", text)
        is not None
    )


def asks_which_of_listed(text: str) -> bool:
    """Whether a question asks which of several gives more, without naming them: 哪个给得最多; ``text`` must be folded."""
    return asks_which_is_more(text) and re.search(r"哪(个|项|种|一|边)|谁|边个", text) is not None


def asks_for_own_money(text: str) -> bool:
    """Whether a question wants what a place itself gives, not what reaches it from above; ``text`` must be folded."""
    return re.search(r"自己|区级|本级|区本级|区财政|区里给|区给", text) is not None


def is_ellipsis(text: str) -> bool:
    """Whether a question leaves out what is asked, as 国家级的呢 does; ``text`` must be folded."""
    return _ELLIPSIS.match(text) is not None


def points_back(text: str) -> bool:
    """Whether a question points at something said before: 这个还能报吗; ``text`` must be folded."""
    return _POINTS.search(text) is not None


def points_at_all(text: str) -> bool:
    """Whether a question means everything just listed: 这两个分别归哪个部门; ``text`` must be folded."""
    return (
        re.search(
            r"(?<!第)(这|那)?(?<!第)(两|[三四五几])(个|项|种|份)|分别|各自|各(是|有|给|要)"
            r"|^(?:那|它们|他们|这些|那些|以上|上面这些)*都(?:要|需要|得|归|是|在|给|能|还|找|由|交)",
            text,
        )
        is not None
    )


def _says(text: str, said: str) -> bool:
    if said.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(said)}(?![a-z0-9])", text) is not None
    return said in text


def _places(text: str) -> tuple[tuple[str, ...], str | None, bool]:
    """The known places named, one that is not served, and whether a place is only said to be the speaker's own."""
    places = read_places()
    found: dict[str, int] = {}
    pointed: dict[str, int] = {}
    for place, said in places.names.items():
        for name in said:
            at = text.find(name)
            if at >= 0:
                into = pointed if name in places.pointing else found
                into[place] = min(at, into.get(place, at))
    named_level = {places.within.get(place) for place in found}
    for place, at in pointed.items():
        if places.within.get(place) not in named_level:
            found.setdefault(place, at)
    if found:
        own = any(_OTHERS_OWN.search(text[:at]) for at in found.values())
        return tuple(place for place in places.names if place in found), None, own
    for name in places.elsewhere:
        if re.search(re.escape(name) + _NOT_SERVED, text):
            return (), name, False
    return (), None, False


def without_places(text: str) -> str:
    for place, said in read_places().names.items():
        for name in (place, *said):
            text = text.replace(name, " ")
    return text


def _without_facets(text: str) -> str:
    for pattern in FACET_WORDS.values():
        # A pattern that only looks ahead takes nothing away: 研发补几年 is still about 研发.
        text = pattern.sub(lambda match: " " if match.group() else "", text)
    return text
