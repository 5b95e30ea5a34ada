"""Reads what a paper does to other papers: it repeals them, wholly or in part, or lets them hold for longer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from knowledge.acts import ActKind
from knowledge.documents.blocks import Block, Paragraph, Table, bare
from knowledge.documents.dates import DAY, number_of, read_day
from knowledge.documents.marks import read_annex, read_mark
from knowledge.documents.numbers import read_doc_no
from knowledge.documents.references import (
    Reference,
    beginning_at,
    ending_at,
    names_of,
    references_in,
)

_REPEALS = re.compile(
    r"宣布(?:自行)?失效|自行失效|废止|失效|停止(?:执行|实施|施行)|终止(?:执行|实施)|不再(?:执行|施行|实施)"
)
_EXTENDS = re.compile(r"延长|延续|顺延|延期|延至|续期|继续(?:执行|施行|实施|有效)")
# 被废止的许可证, 已废止, 修改或者废止: spoken of, not done.
_SPOKEN_OF = re.compile(r"(?:被|已|已经|拟|未|不|不得|或者?|若|如|申请|应当?|可以?|经|因)\s?$")
_QUALIFIES = re.compile(
    r"\s?(?:的(?!通知|决定)|前|后|日|之日|情形|或|程序|机制|条件|期间|[、和及]\s?(?:修改|修订))"
)
# Between a paper's name and the verb that ends it.
_THEN = re.compile(
    r"[，,]?\s?(?:[^，。；《》]{0,6}于)?(?:自[^，。；《》]{1,25}?起)?[，,]?\s?(?:现|均|也|亦|一律|一并|同时|相应|即行|即|随之|予以|全文|全部|正式|自动|决定|宣布|起|则|将)*\s?"
)
# Between the verb and the paper it ends.
_WHAT = re.compile(
    r"(?:执行)?\s?(?:了)?(?:下列|以下|如下)?\s?(?:原|由?[^，。；：《》]{0,30}(?:印发|发布|制定|颁布)的)?\s?(?:规范性文件|文件|政策)?\s?[：:]?\s?"
    r"(?:[^，。；：《》]{0,30}关于(?:印发|发布|公布)?)?"
)
_FROM = re.compile(rf"自\s?({DAY})\s?起")
_UNTIL = re.compile(rf"(?:至|到)\s?({DAY})")
_YEARS = re.compile(
    r"(?:延长|延续|顺延|延期|续期|继续\w{2})\s?(?:期限?)?(?:为)?\s?(\d{1,2}|[一二三四五两])\s?年"
)
_OF_VALIDITY = re.compile(
    r"(?:中|的)?\s?(?:的)?\s?[^《》。；，]{0,12}?(?:期限?|效力)?[^《》。；，]{0,12}(?:[，,][^《》。；]{0,30})?"
)
_KEPT = re.compile(r"继续有效|予以保留|保留的?|修改|修订|修正|继续执行")
_NO_ACT = re.compile(r"征求意见|意见稿|草案|解读|拟废止|拟宣布|拟失效|解答|问答|起草说明")
_ENDS_OTHERS = re.compile(
    r"废止|失效|停止(?:执行|实施)|终止(?:执行|实施)|有效期|继续(?:执行|施行|实施|有效)|延长|延期|续期"
)
_SENDS_OUT = re.compile(r"(?:印发|转发|颁布|发布)\s?[《〈]")
_NOTICE_END = re.compile(r"(?:通知|决定|公告|通告|公布|函|目录|命令|令)[^\u4e00-\u9fff]{0,4}$")
_NAMES_COLUMN = re.compile(r"名称|标题|文件名|题目|文件$")
_LONGEST_LIST_LINE = 240
_LONGEST_HEADING = 60
_MOST_VERBS = 200  # of one sentence; a real one has two


@dataclass(frozen=True)
class Aim:
    """What a paper does to one other paper, named by ``doc_no``, ``title`` or both; ``day`` and the rest as in ``Act``.

    ``years`` says how much longer an extended paper holds where no last day is given.
    """

    kind: ActKind
    title: str | None
    doc_no: str | None
    day: date | None
    word: str = "废止"
    clauses: tuple[str, ...] = ()
    until: date | None = None
    years: int | None = None


def is_notice_of_ends(title: str) -> bool:
    """Whether a paper of this title is all about other papers' validity, and no policy itself."""
    about = title.rpartition("关于")[2] if "关于" in title else title
    return bool(
        ("关于" in title or title.startswith(("废止", "宣布失效")))
        and _ENDS_OTHERS.search(about)
        and _NOTICE_END.search(bare(title))
        and not _SENDS_OUT.search(title)
        and not _NO_ACT.search(title)
    )


def read_aims(title: str, blocks: Sequence[Block], day: date | None) -> tuple[Aim, ...]:
    """What the paper called ``title`` does to others; ``day`` is the first day it holds itself."""
    if _NO_ACT.search(title):
        return ()
    reader = _Reader(day, is_notice_of_ends(title))
    for block in blocks:
        reader.read(block)
    aims = reader.aims
    if not aims and reader.is_notice:
        aims = list(_of_title(title, blocks, day))
    first: dict[tuple[object, ...], Aim] = {}
    for aim in aims:
        first.setdefault((aim.kind, aim.title, aim.doc_no, aim.clauses), aim)
    return tuple(first.values())


class _Reader:
    """Goes through a paper; ``listing`` is what happens to the papers of the list that is being read."""

    def __init__(self, day: date | None, is_notice: bool) -> None:
        self._day, self.is_notice = day, is_notice
        self._listing: Aim | None = None
        self._has_announced = False
        self.aims: list[Aim] = []

    def read(self, block: Block) -> None:
        if isinstance(block, Table):
            if self._listing:
                self.aims += _of_table(block, self._listing)
            return
        text = block.text
        self._has_announced = False
        if self.is_notice and _is_heading(block):
            self._turn(text)
        found = list(self._of_sentences(text))
        if found:
            self.aims += found
        elif self._has_announced:
            return
        elif self._listing and _is_list_line(text) and not _KEPT.search(_outside(text)):
            self.aims += [_aimed(each, self._listing) for each in _listed(text)]
        elif not self.is_notice:
            self._listing = None

    def _turn(self, text: str) -> None:
        """A heading of a list: of what is repealed, or of what stays."""
        outside = _outside(text)
        if verb := _REPEALS.search(outside):
            self._listing = self._aim(text, verb[0])
        elif _KEPT.search(outside):
            self._listing = None

    def _of_sentences(self, text: str) -> Iterator[Aim]:
        for sentence in re.split(r"(?<=[。；;])", text):
            aims = [*_repealed(sentence, self._aim), *_extended(sentence, self._aim_of_extension)]
            yield from aims
            if not aims and self._announces(sentence):
                verb, self._has_announced = _REPEALS.search(sentence), True
                self._listing = (
                    self._aim(sentence, verb[0]) if verb else self._aim_of_extension(sentence)
                )

    def _announces(self, sentence: str) -> bool:
        """Whether it says that what is listed next is repealed: 决定废止下列12件文件, or anything so in a notice."""
        if re.search(r"下列|以下|如下|附件|目录", sentence) and not _KEPT.search(sentence):
            verbs = islice(_REPEALS.finditer(sentence), _MOST_VERBS)
            is_done = any(_is_done(sentence, verb) for verb in verbs)
            return is_done or (self.is_notice and self._aim_of_extension(sentence) is not None)
        return False

    def _aim(self, sentence: str, word: str, upto: int | None = None) -> Aim:
        before, after = _FROM.findall(sentence[:upto]), _FROM.findall(sentence)
        day = read_day([*after[:1], *before][-1]) if after else self._day
        return Aim(ActKind.REPEALED, None, None, day, _told(word))

    def _aim_of_extension(self, sentence: str) -> Aim | None:
        verb = _EXTENDS.search(sentence)
        if verb is None:
            return None
        until, years = _UNTIL.search(sentence, verb.start()), _YEARS.search(sentence)
        last = read_day(until[1]) if until else None
        count = number_of(years[1].replace("两", "二")) if years else None
        if last is None and not count:
            return None
        return Aim(
            ActKind.EXTENDED, None, None, self._day, "延长", (), last, None if last else count
        )


def _told(word: str) -> str:
    if "失效" in word:
        return "宣布失效"
    return word.replace("不再", "停止").replace("终止", "停止")


def _is_done(sentence: str, verb: re.Match[str]) -> bool:
    """Whether the verb tells what this paper does, not what happens to papers in general."""
    return not (
        _SPOKEN_OF.search(sentence, max(0, verb.start() - 4), verb.start())
        or _QUALIFIES.match(sentence, verb.end())
    )


def _repealed(sentence: str, aim: object) -> Iterator[Aim]:
    assert callable(aim)
    references = references_in(sentence) if _REPEALS.search(sentence) else []
    for verb in islice(_REPEALS.finditer(sentence), _MOST_VERBS) if references else ():
        if not _is_done(sentence, verb) or any(r.start < verb.start() < r.end for r in references):
            continue
        before = [each for each in references if each.end <= verb.start()]
        after = [each for each in references if each.start >= verb.end()]
        named: list[Reference] = []
        if before and _THEN.fullmatch(sentence, before[-1].end, verb.start()):
            named = ending_at(references, sentence, before[-1].end)
        if not named and after and _WHAT.fullmatch(sentence, verb.end(), after[0].start):
            named = beginning_at(references, sentence, verb.end())
        for each in named:
            yield _aimed(each, aim(sentence, verb[0], verb.end()))


def _extended(sentence: str, aim: object) -> Iterator[Aim]:
    assert callable(aim)
    verb = _EXTENDS.search(sentence)
    made: Aim | None = aim(sentence) if verb else None
    if verb is None or made is None:
        return
    references = [r for r in references_in(sentence) if not r.start < verb.start() < r.end]
    before = [each for each in references if each.end <= verb.start()]
    named: list[Reference] = []
    if before and _OF_VALIDITY.fullmatch(sentence, before[-1].end, verb.start()):
        named = ending_at(references, sentence, before[-1].end)
    elif not before and re.match(r"\s?(?:执行|实施)?\s?《", sentence[verb.end() :]):
        named = beginning_at(references, sentence, verb.end())
    for each in named:
        yield replace(_aimed(each, made), clauses=())


def _aimed(reference: Reference, aim: Aim) -> Aim:
    return replace(aim, title=reference.title, doc_no=reference.doc_no, clauses=reference.clauses)


def _outside(text: str) -> str:
    """What is said around the titles."""
    return re.sub(r"《(?:[^《》]|《[^《》]{1,80}》){1,120}》", "", text)


def _is_heading(block: Paragraph) -> bool:
    text = block.text
    is_marked = read_mark(text) is not None or read_annex(text) is not None
    return len(text) <= _LONGEST_HEADING and (
        bool(block.heading) or block.is_display or is_marked or not re.search(r"[。；;《]", text)
    )


def _is_list_line(text: str) -> bool:
    if len(text) > _LONGEST_LIST_LINE:
        return False
    mark = read_mark(text)
    rest = mark.rest if mark else re.sub(r"^\d{1,3}\s?", "", text)
    found = references_in(rest)
    # The issuer may stand before the title: 深圳市福田区人民政府关于…
    return bool(found) and not re.search(r"[。，,]", rest[: found[0].start])


def _listed(text: str) -> list[Reference]:
    """The papers of one line of a list: those that follow on one another from its beginning."""
    found = beginning_at(references_in(text), text, 0)
    doc_no = read_doc_no(_outside(text)) or None
    return [replace(found[0], doc_no=found[0].doc_no or doc_no)] if len(found) == 1 else found


def _of_table(table: Table, listing: Aim) -> Iterator[Aim]:
    """The papers of a table, a row each, but not those a row says stay."""
    header = [bare(cell) for cell in table.rows[0]]
    names = [at for at, cell in enumerate(header) if _NAMES_COLUMN.search(cell)]
    ends = [
        at
        for at, cell in enumerate(header)
        if re.search(r"(失效|废止|停止).{0,4}(时间|日期)", cell)
    ]
    for row in table.rows:
        outside = "".join(_outside(cell) for cell in row if len(cell) < 20)
        if _KEPT.search(outside) and not _REPEALS.search(outside):
            continue
        title = next((row[at] for at in names if len(bare(row[at])) > 3), "")
        if row is table.rows[0] and names:
            continue
        doc_no = next(filter(None, (read_doc_no(cell) for cell in row)), None)
        found = next((r for cell in row for r in references_in(cell) if r.title), None)
        name = found.title if found else re.sub(r"[（(][^（）()]*号[）)]$", "", bare(title)) or None
        if not (doc_no or found or (name and names)):
            continue
        day = next((day for at in ends if (day := read_day(row[at]))), listing.day)
        clauses = found.clauses if found else ()
        yield replace(listing, title=name, doc_no=doc_no, day=day, clauses=clauses)


def _of_title(title: str, blocks: Sequence[Block], day: date | None) -> Iterator[Aim]:
    """What a notice's title names (关于废止《甲办法》的通知), where its text puts it in other words."""
    said = title.replace("〈", "《").replace("〉", "》")
    texts = [block.text for block in blocks if isinstance(block, Paragraph)]
    numbers = {
        name: each.doc_no
        for text in texts
        for each in references_in(text)
        if each.title and each.doc_no
        for name in names_of(each.title)
    }
    reader = _Reader(day, True)
    verb = _REPEALS.search(_outside(said))
    made = (
        reader._aim(" ".join(texts), verb[0])
        if verb
        else next(filter(None, (reader._aim_of_extension(text) for text in texts)), None)
    )
    for each in references_in(said) if made else ():
        assert made is not None and each.title is not None
        doc_no = each.doc_no or next(
            (numbers[n] for n in names_of(each.title) if n in numbers), None
        )
        yield replace(_aimed(each, made), doc_no=doc_no)
