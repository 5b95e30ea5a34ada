"""Takes in what somebody says while policies are matched, and decides what to ask next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from actions.base import Said
from actions.desk import Desk
from actions.match_state import (
    MOST_QUESTIONS,
    MOST_TIMES,
    OPENING,
    MatchState,
    SaidValue,
    said_value,
)
from actions.match_words import fact_text, held_text
from knowledge.matching import Matcher
from knowledge.next_question import next_question
from knowledge.profile import Known, Profile, Source, read_value
from knowledge.question import read_places
from nlu.profile.choices import CITY, HOME, with_places_around
from nlu.profile.reading import read_facts
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import clauses_of, talk

_STOP = re.compile(
    r"^(?:那|就|我|还是|，|,|(?:算了|停止?|停下|先?不想?(?:再)?(?:匹配|弄|搞|填|答|做|问|用|回答|说)(?:这么多|那么多)?|不用了|退出|结束|取消|到此为止|先这样|就这样|不要了|唔使|stop|quit)(?:吧|啦|了|匹配)*)+$",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"(?:直接|先|现在)?(?:看|出|给我?看?|要|显示|列出?)(?:一下|下|看)?(?:匹配)?(?:的)?结果|直接看|^结果(?:呢|出来了?吗?)?[?？]?$|^(?:够了|问够了|可以了|别问了|不要问了|没有?(?:了|别的了|其他了)|就这些了?)(?:吧|啦)?$"
)
_RESTART = re.compile(
    r"^(?:我要|我想|那)?(?:重新来|重来|从头(?:再)?来?|重新开始|重新填|重新匹配|清空|全部清空)(?:一次|一遍|吧|过)*$"
)
_HOW_MANY = re.compile(r"还(?:有|要问?|剩|得问?)(?:多少|几)个?|(?:多少|几)个问题")
_WHY_ASKED = re.compile(
    r"为(?:什么|啥|何)(?:要|得|需要)?(?:问|知道|填|了解|提供)|问(?:这个|这些)(?:干|做|有)|有(?:什么|啥)用"
)
_PASS_OPENING = re.compile(
    r"跳过|直接(?:回答|问|来|开始)|不(?:想|方便)?(?:说|提供|告诉)|没有|问我?吧|你问"
)
_ON_FILE = re.compile(r"登记|档案|系统|前者|前面那个|第一个|原来")
_AS_SAID = re.compile(r"我(?:刚才?)?说|后者|后面那个|第二个|新的|最新|^改")
_STOPPED = "好的，不再问了，您说的在本次对话里都记着。"
_NOT_UNDERSTOOD = "没听懂这句，换个说法再答一次就好；不想答就说“跳过”。"
_NOT_FOR_A_CONDITION = "这句里没有我能拿来核对条件的内容，换个说法再答一次；不想答就说“跳过”。"
_CLEARED = "好的，重新开始，之前说的都不算了。"
_EDGES = re.compile(r"^[\s，。！!,.@]+|[\s，。！!,.~～]+$")


@dataclass(frozen=True)
class MatchTalk:
    """One message in one match: what is known, what was said, what follows.

    ``profile`` is what the desk knows of the enterprise of the speaker, empty for nobody known.
    """

    matcher: Matcher
    profile: Profile
    state: MatchState
    day: date

    @classmethod
    def of(cls, matcher: Matcher, profile: Profile, state: MatchState, day: date) -> MatchTalk:
        """The match as it stands today: what the dictionary or the file no longer holds is left out."""
        fields, filed = matcher.fields, profile.facts
        state = replace(
            state,
            facts={name: each for name, each in state.facts.items() if name in fields},
            pending={n: each for n, each in state.pending.items() if n in fields and n in filed},
            asking=state.asking if state.asking in (*fields, OPENING) else None,
        )
        return cls(matcher, profile, state, day)

    @property
    def whole(self) -> Profile:
        """What is on file and what was said of it; a value that waits to be confirmed is not used."""
        joined = self.profile.joined(self.state.known())
        return with_places_around(joined, self.matcher.fields)

    @property
    def has_facts(self) -> bool:
        return bool(self.whole.facts)

    def hear(self, said: Said, desk: Desk) -> MatchTalk | None:
        """What the message adds; ``None`` where it holds nothing of a match."""
        heard = self._button(said) if said.is_button else self._text(said)
        if heard is None:
            return None
        heard = heard.taken(said)
        new = {
            name: each.known
            for name, each in heard.state.facts.items()
            if self.state.facts.get(name) != each and not each.is_derived
        }
        if new:
            desk.keep_said_facts(said.context.session, new, said.context.message_id)
        return heard

    def taken(self, said: Said) -> MatchTalk:
        """The message belongs to the match and adds nothing."""
        return replace(self, state=replace(self.state, heard=said.context.message_id))

    def not_understood(self, said: Said) -> MatchTalk:
        """An answer that says nothing: asked again once, then passed over."""
        state = self.state
        if state.pending and state.missed:
            name = next(iter(state.pending))
            return self.taken(said)._on_file(name)
        if not state.pending and (state.missed or state.asking is None):
            return self._passed_over(replace(state, heard=said.context.message_id))
        note = _NOT_FOR_A_CONDITION if said.intent == "provide_profile" else _NOT_UNDERSTOOD
        return replace(
            self,
            state=replace(state, heard=said.context.message_id, missed=1, notes=(note,)),
        )

    def planned(self) -> MatchTalk:
        """Chooses the next question; without one worth asking the match is ended."""
        state = self.state
        if state.is_ended or state.pending:
            return self
        if state.asking == OPENING or self._is_worth_repeating():
            return self
        if state.asking and state.asking != OPENING:
            state = state.passed_over(state.asking)
        if not self.has_facts and not state.asked:
            asked: Mapping[str, int] = {OPENING: 1}
            return replace(self, state=replace(state, asking=OPENING, asked=asked))
        question = None
        if len(state.asked.keys() - {OPENING}) < MOST_QUESTIONS:
            question = next_question(self.matcher, self.whole, self.day, state.avoid)
        if question is None:
            return replace(self, state=replace(state, asking=None, is_ended=True))
        name = question.spec.name
        return replace(self, state=replace(state, asking=name, asked={**state.asked, name: 1}))

    def begun_again(self) -> MatchTalk:
        """The same facts, new questions: whoever wishes for a match may be asked once more."""
        state = replace(self.state, asked={}, asking=None, is_ended=False, missed=0)
        if self.profile.name:
            note = f"按{self.profile.name}登记的信息匹配。"
            state = replace(state, notes=(*state.notes, note))
        return replace(self, state=state)

    def _is_worth_repeating(self) -> bool:
        state = self.state
        name = state.asking
        if name is None or name == OPENING or name in state.avoid or name in self.whole.facts:
            return False
        return state.asked.get(name, 0) <= MOST_TIMES

    def _button(self, said: Said) -> MatchTalk | None:
        if said.intent != "match_answer":
            return None
        told = str(said.entity("told") or "")
        name = str(said.entity("asked_field") or "")
        if told == "show":
            return self._ended()
        if told == "more":
            return self.begun_again()
        if told in ("file", "said"):
            return self._confirmed(name, told == "said")
        if told == "skip":
            return self._passed_over(self.state, name)
        spec = self.matcher.fields.get(name)
        if spec is None:
            return None
        given: object = {"yes": True, "no": False}.get(told, told)
        value, _ = read_value(given, spec)
        if value is None:
            return None
        known = Known(value, Source.SAID, self.day)
        return self._with({name: said_value(known, held_text(known, spec))})

    def _text(self, said: Said) -> MatchTalk | None:
        text, state = _EDGES.sub("", said.text), self.state
        if _RESTART.search(text):
            state = MatchState(asking=OPENING, asked={OPENING: 1}, notes=(_CLEARED,))
            return replace(self, state=state)
        is_open = state.asking is not None or bool(state.pending)
        if is_open and (_STOP.search(text) or _SHOW.search(text)):
            return self._ended(_STOPPED if _STOP.search(text) else "")
        if state.asking is not None and (note := self._about_questions(text)):
            return replace(self, state=replace(state, notes=(note,)))
        if self.has_facts and _SHOW.search(text):
            return self._ended()
        if state.pending and (answered := self._which_holds(text)):
            return answered
        facts = read_facts(
            said.text,
            self.matcher.fields,
            next(iter(state.pending), state.asking),
            given=tuple(state.facts),
            day=self.day,
            cuts=self.matcher.cuts,
        )
        named = said.entity("credit_code") or said.entity("company")
        if facts or named:
            heard = self._with_said(facts)
            return heard._with_name(str(named)) if named else heard
        if wrong := said.entity("invalid_credit_code"):
            note = f"信用代码 {wrong} 校验不通过，请核对18位字符；不用代码也可以直接说情况。"
            return replace(self, state=replace(state, notes=(note,)))
        if state.asking == OPENING and _PASS_OPENING.search(text):
            return self._passed_over(state)
        return None

    def _about_questions(self, text: str) -> str:
        """What is told to 还有几个问题 and 为什么问这个."""
        if _HOW_MANY.search(text):
            left = max(MOST_QUESTIONS - len(self.state.asked.keys() - {OPENING}) + 1, 1)
            return f"最多再问{left}个，随时可以说“看结果”。"
        if _WHY_ASKED.search(text):
            return "有些政策的条件要看这一点，知道了才能判断；不方便就说“跳过”。"
        return ""

    def _ended(self, note: str = "") -> MatchTalk:
        notes = (*self.state.notes, note) if note else self.state.notes
        state = replace(self.state, asking=None, pending={}, is_ended=True, notes=notes)
        return replace(self, state=state)

    def _passed_over(self, state: MatchState, name: str = "") -> MatchTalk:
        name = name or state.asking or ""
        if name and name != OPENING:
            state = state.passed_over(name)
        asking = None if name == state.asking or state.asking == OPENING else state.asking
        return replace(self, state=replace(state, asking=asking, missed=0))

    def _with_name(self, name: str) -> MatchTalk:
        notes = (*self.state.notes, f"记下：企业 {name}")
        asking = None if self.state.asking == OPENING else self.state.asking
        return replace(self, state=replace(self.state, called=name, notes=notes, asking=asking))

    def _with_said(self, facts: list[SaidFact]) -> MatchTalk:
        """Values are kept, refusals never asked again; what was unclear is said so."""
        state, stated = self.state, {}
        for fact in facts:
            known = fact.known(self.day)
            if known is not None:
                stated[fact.field] = said_value(known, fact.text, fact.is_derived)
            elif fact.answer is Answer.UNCLEAR:
                label = self.matcher.fields[fact.field].label
                note = fact.note or f"“{fact.text}”还不够明确，请再说一次"
                note = note if label in note else f"{label}：{note}"
                state = replace(state, notes=(*state.notes, f"{note.rstrip('。')}。"))
                if fact.field == state.asking:
                    times = state.asked.get(fact.field, 0) + 1
                    state = replace(state, asked={**state.asked, fact.field: times})
            else:
                pending = {name: v for name, v in state.pending.items() if name != fact.field}
                state = replace(state.passed_over(fact.field), pending=pending)
        return replace(self, state=state)._with(stated)

    def _with(self, stated: Mapping[str, SaidValue]) -> MatchTalk:
        """Adds what was stated; what contradicts the file waits until it is confirmed."""
        state = self.state
        facts, pending, confirmed = dict(state.facts), dict(state.pending), state.confirmed
        if any(not each.is_derived for name, each in stated.items() if name in _HOMES):
            facts = {name: each for name, each in facts.items() if not each.is_derived}
            facts = _without_old_home(facts, stated)
        kept: list[str] = []
        for name, each in stated.items():
            spec, filed = self.matcher.fields[name], self.profile.facts.get(name)
            is_settled = name in confirmed or filed is None or filed.agrees_with(each.known)
            if not is_settled and name in pending and pending[name].value == each.value:
                # Said again in answer to which of the two holds.
                confirmed, is_settled = (*confirmed, name), True
            if not is_settled:
                if not each.is_derived:
                    pending[name] = each
                continue
            old = facts.pop(name, None)
            if old is not None:
                known = old.known.joined(each.known)
                each = said_value(known, each.text, each.is_derived)
            facts[name] = each
            pending.pop(name, None)
            if not each.is_derived:
                kept.append(fact_text(each.known, spec))
        notes = (f"记下：{'；'.join(kept)}", *state.notes) if kept else state.notes
        asking = state.asking
        if asking is not None:
            answered = asking in stated or asking in state.avoid
            asking = None if answered or asking == OPENING else asking
        asked = dict(state.asked)
        if asking and asking != OPENING and kept:
            asked[asking] = asked.get(asking, 0) + 1
        return replace(
            self,
            state=replace(
                state,
                facts=facts,
                pending=pending,
                confirmed=confirmed,
                notes=notes,
                asking=asking,
                asked=asked,
                missed=0,
            ),
        )

    def _which_holds(self, text: str) -> MatchTalk | None:
        """登记的 or 我说的, to the first value that waits."""
        name = next(iter(self.state.pending))
        if _ON_FILE.search(text):
            return self._confirmed(name, is_said=False)
        return self._confirmed(name, is_said=True) if _AS_SAID.search(text) else None

    def _on_file(self, name: str) -> MatchTalk:
        """What is on file holds; what was said of the field is dropped."""
        state = self.state
        pending = {key: each for key, each in state.pending.items() if key != name}
        note = f"以登记的为准：{fact_text(self.profile.facts[name], self.matcher.fields[name])}"
        notes = (*state.notes, note)
        return replace(self, state=replace(state, pending=pending, notes=notes, missed=0))

    def _confirmed(self, name: str, is_said: bool) -> MatchTalk | None:
        if name not in self.state.pending:
            return None
        if not is_said:
            return self._on_file(name)
        pending = dict(self.state.pending)
        waited = pending.pop(name)
        state = replace(self.state, pending=pending)
        confirmed = (*state.confirmed, name)
        return replace(self, state=replace(state, confirmed=confirmed))._with({name: waited})


_HOMES = (HOME, CITY)


def _without_old_home(
    facts: dict[str, SaidValue], stated: Mapping[str, SaidValue]
) -> dict[str, SaidValue]:
    """注册在东莞 takes back that they are in 龙岗."""
    home, city = facts.get(HOME), stated.get(CITY)
    if home is None or city is None or HOME in stated:
        return facts
    if city.value in read_places().around(str(home.value)):
        return facts
    return {name: each for name, each in facts.items() if name != HOME}


def asks_something(text: str) -> bool:
    """Whether a clause of the text is a question."""
    return any(each.is_question for each in clauses_of(text))


def tells_of_self(text: str) -> bool:
    """Whether the text asks nothing and speaks of the own enterprise, or takes something back."""
    is_own = talk().subject.search(text) or talk().correction.search(text)
    return bool(is_own) and not asks_something(text)


def need_of_text(text: str) -> str:
    """The clauses that say what is wanted: 想租办公室."""
    wishes = [each.text for each in clauses_of(text) if talk().wish.search(each.text)]
    return "，".join(wishes)
