"""Makes a read document into a draft of a policy: its facts, and its clauses still without ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from knowledge.documents.blocks import Document
from knowledge.documents.classify import Seat, benefit_of, category_of, department_of, seat_of
from knowledge.documents.dates import Validity, read_validity
from knowledge.documents.facets import facet_of
from knowledge.documents.front import Front, read_front
from knowledge.documents.outline import ANNEX_LIST, Piece, outline
from knowledge.documents.repeals import Aim, is_notice_of_ends, read_aims
from knowledge.errors import NotAPolicy
from knowledge.policy import Clause, Facet, Policy, Status

UNSTATED_ISSUER = "发文机关未写明"
_PHONE = re.compile(
    r"(?:咨询|联系|服务|受理|业务)?(?:电话|热线|联系方式)[^\d。；]{0,20}((?:0\d{2,3}[-—－ ]?)?\d{7,8}(?:[-转]\d{1,4})?(?:\s?[、，,/]\s?(?:0\d{2,3}[-—－ ]?)?\d{7,8})*|12345|1[3-9]\d{9})"
)
_POLICY_WORD = re.compile(
    r"通知|办法|措施|细则|指南|规定|意见|方案|公告|指引|若干|条例|决定|通告|政策|计划|规程|扶持|资助|补贴|奖励|认定|申报"
)
_REPEALS_ONLY = re.compile(r"废止|失效|停止执行|终止执行")
_ARTICLE = re.compile(r"第.{1,6}条")


@dataclass(frozen=True)
class Draft:
    """A policy as its document tells it. ``pieces`` and ``facets`` are its clauses, in order; ``policy`` has no id that
    counts and no wording yet. ``taken`` are the lines that became facts instead of clauses. ``aims`` are what it does to
    other papers.
    """

    policy: Policy
    pieces: tuple[Piece, ...]
    facets: tuple[Facet, ...]
    taken: tuple[str, ...]
    aims: tuple[Aim, ...] = ()


@dataclass(frozen=True)
class Notice:
    """A paper that only ends others, or lets them hold for longer: nothing in it answers a question."""

    title: str
    doc_no: str | None
    issuer: str
    aims: tuple[Aim, ...]


def notice_of(document: Document) -> Notice | None:
    """The notice ``document`` is; ``None`` where it is a policy of its own.

    Raises:
        NotAPolicy: its title says that it repeals papers, and no paper can be read in it.
    """
    front = read_front(document)
    title = front.notice_title or front.title or ""
    pieces = [*outline(front.letter), *outline(front.body)]
    if not is_notice_of_ends(title) or any(_ARTICLE.match(piece.label) for piece in pieces):
        return None
    aims = _aims(front, title, pieces)
    if not aims and _REPEALS_ONLY.search(title):
        raise NotAPolicy(
            document.file,
            f"看标题“{title[:40]}”是废止通知，但没有读出废止了哪些文件；请检查文件名称（《》）或文号是否写明",
        )
    return Notice(title, front.doc_no, front.issuer or UNSTATED_ISSUER, aims) if aims else None


def _aims(front: Front, title: str, pieces: Sequence[Piece]) -> tuple[Aim, ...]:
    validity = _validity([piece.text for piece in pieces], front.published)
    day = validity.valid_from or front.published
    return read_aims(title, [*front.letter, *front.body], day)


def draft_of(document: Document) -> Draft:
    """The facts and clauses of ``document``.

    Raises:
        NotAPolicy: it holds no clause, or nothing in it tells whose paper it is.
    """
    front = read_front(document)
    pieces = [*outline(front.letter, part="印发通知"), *outline(front.body)]
    if not pieces:
        raise NotAPolicy(
            document.file, "没有读出任何条款；请检查文件是否完整，或者内容是否都在图片里"
        )
    title = front.title or Path(document.file).stem
    seat = seat_of(front.issuer, front.notice_title or title, front.doc_no)
    _check_is_policy(document, front, title, pieces, seat)
    assert seat is not None
    facets = tuple(
        Facet.OVERVIEW if piece.label == ANNEX_LIST else facet_of(piece.context, piece.text)
        for piece in pieces
    )
    return Draft(
        _facts(front, title, seat, pieces),
        tuple(pieces),
        facets,
        tuple(front.taken),
        _aims(front, front.notice_title or title, pieces),
    )


def _check_is_policy(
    document: Document, front: Front, title: str, pieces: Sequence[Piece], seat: Seat | None
) -> None:
    is_ordered = any(_ARTICLE.match(piece.label) for piece in pieces)
    if not (front.doc_no or is_ordered or _POLICY_WORD.search(title)):
        raise NotAPolicy(
            document.file,
            f"不像政策文件：标题“{title[:40]}”、文号、第…条都没有；请导入正文页面，而不是首页或列表页",
        )
    if seat is None:
        raise NotAPolicy(
            document.file,
            "看不出是哪里的政策：正文里没有发文机关、文号，标题也没有地名；请在标题下写明发文机关或文号后再导入",
        )


def _facts(front: Front, title: str, seat: Seat, pieces: Sequence[Piece]) -> Policy:
    texts = [piece.text for piece in pieces]
    whole = "\n".join(texts)
    validity = _validity(texts, front.published)
    department = department_of(texts, front.issuer, seat)
    concluded = ["level", "place", "department", "category", "benefit_type"]
    if front.title is None:
        concluded.append("title")
    if front.issuer is None:
        concluded.append("issuer")
    if validity.valid_to is not None:
        concluded.append("status")
    notice = (front.notice_title,) if front.notice_title else ()
    return Policy(
        id="",
        title=title,
        aliases=notice,
        level=seat.level,
        place=seat.place,
        issuer=front.issuer or UNSTATED_ISSUER,
        doc_no=front.doc_no,
        source_url=None,
        published=front.published,
        valid_from=validity.valid_from,
        valid_to=validity.valid_to,
        status=Status.UNKNOWN if validity.valid_to is None else Status.CURRENT,
        category=category_of(title, whole),
        industries=(),
        benefit_type=benefit_of(title, whole),
        amount_max_cny=None,
        summary=None,
        criteria=(),
        materials=(),
        window=None,
        department=department or front.issuer or UNSTATED_ISSUER,
        phone=_phone(texts),
        confidence="medium",
        note=None,
        inferred=tuple(sorted(concluded)),
    )


def _validity(texts: Sequence[str], published: date | None) -> Validity:
    found = read_validity(texts, published)
    if found.valid_from and found.valid_to and found.valid_from > found.valid_to:
        return Validity()  # contradicts itself: the clause stays, the record says nothing
    return found


def _phone(texts: Sequence[str]) -> str | None:
    """The phone number to ask at, if the paper gives exactly one; several belong to several offices."""
    found = {
        re.sub(r"\s", "", match[1])
        for text in texts
        for match in _PHONE.finditer(text)
        if "监督" not in text[max(0, match.start() - 4) : match.start()]
    }
    return found.pop() if len(found) == 1 else None


def clauses_from(draft: Draft, policy_id: str, numbers: Sequence[int]) -> tuple[Clause, ...]:
    """The draft's clauses as those of ``policy_id``; ``numbers`` are their numbers, in the same order."""
    return tuple(
        Clause(
            f"{policy_id}#c{number}",
            policy_id,
            facet,
            piece.label,
            piece.text,
            piece.path,
            piece.page,
        )
        for number, piece, facet in zip(numbers, draft.pieces, draft.facets, strict=True)
    )
