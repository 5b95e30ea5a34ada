"""What must hold of every answer, whatever was asked: stored clauses, the validity of the day, no promise."""

from __future__ import annotations

from datetime import date

from knowledge.catalogue import Catalogue
from knowledge.composition import Citation
from knowledge.outcome import Answer, Refusal
from knowledge.policy import Facet, Policy, Status

PROMISES = ("一定能", "一定可以", "保证能", "包过", "肯定能")
STAMPS = {
    Status.CURRENT: "现行有效",
    Status.EXPIRED: "已过期",
    Status.UPCOMING: "尚未施行",
    Status.UNKNOWN: "有效期未核实",
}
_APOLOGIES = {
    Refusal.NOTHING_FOUND: ("不能凭空回答", "不能拿别处的来回答"),
    Refusal.ELSEWHERE: ("不能凭空回答",),
    Refusal.NOT_RECORDED: ("不能凭空回答",),
    Refusal.DETAIL_NOT_RECORDED: ("没有写您问的这一点", "不能凭空回答"),
    Refusal.UNCLEAR: ("不太确定", "请问您说的是哪一项"),
    Refusal.ASKS_WHICH: ("请问",),
    Refusal.NEW_SUBJECT: ("刚才的就先放下",),
    Refusal.NONE_LISTED: ("目录里没有",),
}


def assert_honest(answer: Answer, catalogue: Catalogue, day: date) -> None:
    """Everything the product promises of an answer that can be checked without knowing the question."""
    assert answer.text.strip()
    answer.text.encode("utf-8")
    assert bool(answer.citations) is (answer.refusal is None)
    assert 0 <= answer.chance <= 1
    for citation in answer.citations:
        _assert_stored(citation, catalogue, day)
    assert len({citation.clause.id for citation in answer.citations}) == len(answer.citations)
    _assert_no_promise(answer)
    if answer.refusal:
        _assert_refused(answer, catalogue)
    else:
        _assert_shown(answer, catalogue)


def _assert_stored(citation: Citation, catalogue: Catalogue, day: date) -> None:
    assert citation.clause == catalogue.clauses[citation.clause.id]
    assert citation.policy == catalogue.policies[citation.clause.policy_id]
    assert citation.status is citation.policy.status_on(day)


def _assert_no_promise(answer: Answer) -> None:
    quoted = "".join(citation.clause.text for citation in answer.citations)
    said = [promise for promise in PROMISES if promise in answer.text and promise not in quoted]
    assert said == []


def _assert_refused(answer: Answer, catalogue: Catalogue) -> None:
    assert answer.refusal is not None
    assert any(words in answer.text for words in _APOLOGIES[answer.refusal])
    assert bool(answer.offered) is (answer.refusal is Refusal.UNCLEAR)
    for policy_id in answer.offered:
        assert f"《{catalogue.policies[policy_id].title}》" in answer.text
    assert not answer.listed


def _assert_shown(answer: Answer, catalogue: Catalogue) -> None:
    cited = {citation.policy.id for citation in answer.citations}
    if answer.listed:
        assert answer.policy_id is None
        assert len(set(answer.listed)) == len(answer.listed) >= 2
        assert cited == set(answer.listed)
    else:
        assert cited == {answer.policy_id}
        first = answer.text.index(heading_of(catalogue.policies[str(answer.policy_id)]))
        assert answer.text[:first] == "" or answer.text[:first].endswith("：\n")
    for citation in answer.citations:
        if citation.clause.facet is not Facet.VALIDITY:
            assert citation.clause.text in answer.text
        assert_stamped(answer.text, citation.policy, citation.status)


def heading_of(policy: Policy) -> str:
    return f"《{policy.title}》（"


def assert_stamped(text: str, policy: Policy, status: Status) -> None:
    """The policy's part of a text carries the stamp of its status beside the title, and no other.

    In a list or a comparison the stamp stands in the brackets after the title, else in the line on validity.
    """
    part = text[text.index(heading_of(policy)) :].removeprefix(heading_of(policy))
    said = [stamp for stamp in STAMPS.values() if part.startswith(stamp)]
    if not said:
        lines = [line for line in part.split("\n") if line.startswith("有效性：")]
        assert len(lines) == 1
        said = [stamp for stamp in STAMPS.values() if lines[0].startswith(f"有效性：{stamp}")]
    assert said == [STAMPS[status]]
