"""Plays the conversations of ``dialogues.yml`` and ``match_dialogues.yml`` on the real model, catalogue and search; the desk is in memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.appeal import OPEN_STATES
from actions.desk import AppealDraft, AppealReason
from actions.replies import ReplyKind
from bot.runtime import BotRuntime
from bot.turn import TurnResult
from knowledge.answer import Answerer
from tests.actions.fake_desk import FakeDesk
from tests.bot.talk import Talk, kinds_of, text_of

DIALOGUES: list[dict[str, Any]] = [
    dialogue
    for name in ("dialogues.yml", "match_dialogues.yml")
    for dialogue in yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
]
CHECKS = {"say", "press", "kinds", "has", "lacks", "cites", "clause", "files", "asks", "intent"}


@pytest.fixture(scope="module")
def theirs(desk: FakeDesk) -> str:
    """The number of an appeal of somebody else."""
    draft = AppealDraft("somebody-else", "theirs", "楼下噪音", AppealReason.REQUESTED)
    return desk.file_appeal(draft).no


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: str(dialogue["name"]))
def test_dialogue(
    bot: BotRuntime, desk: FakeDesk, answerer: Answerer, theirs: str, dialogue: dict[str, Any]
) -> None:
    talk = Talk(bot)
    for turn in dialogue["turns"]:
        assert set(turn) <= CHECKS, f"unknown check in {turn}"
        before = len(desk.filed_by(talk.session))
        asked_before = len(desk.asked_by(talk.session))
        result = (
            talk.say(turn["say"].replace("THEIRS", theirs))
            if "say" in turn
            else talk.press(turn["press"])
        )
        filed = desk.filed_by(talk.session)[before:]
        where = f"{turn.get('say') or turn['press']} → {text_of(result)}"
        _check(turn, result, filed, where)
        if "asks" in turn:
            assert desk.asked_by(talk.session)[asked_before:] == turn["asks"], where
        _check_citations_are_stored(result, answerer)
    _check_end(dialogue.get("ends", {}), talk.session, desk)
    assert desk.appeals[theirs].state == "dispatched"


def _check(turn: dict[str, Any], result: TurnResult, filed: list[AppealDraft], where: str) -> None:
    said = text_of(result)
    cited = [card for reply in result.replies for card in reply.citations]
    if "kinds" in turn:
        assert [str(kind) for kind in kinds_of(result)] == turn["kinds"], where
    if "intent" in turn:
        assert result.trace.intent == turn["intent"], where
    if "cites" in turn:
        assert {card.policy_id for card in cited} == ({turn["cites"]} if turn["cites"] else set())
    if "clause" in turn:
        assert turn["clause"] in {card.clause for card in cited}, where
    if "files" in turn:
        told = [str(each) for draft in filed for each in (draft.reason, draft.matter)]
        assert told[: len(turn["files"])] == turn["files"], where
        assert len(filed) == bool(turn["files"]), where
    assert [text for text in turn.get("has", []) if text not in said] == [], where
    assert [text for text in turn.get("lacks", []) if text in said] == [], where


def _check_citations_are_stored(result: TurnResult, answerer: Answerer) -> None:
    """Whatever was asked: an answer cites, a refusal does not, and a quote is the stored clause."""
    for reply in result.replies:
        assert bool(reply.citations) is (reply.kind in (ReplyKind.ANSWER, ReplyKind.MATCH))
        for card in reply.citations:
            stored = answerer.catalogue.clauses_of(card.policy_id)
            assert (card.clause, card.quote) in {(each.label, each.text) for each in stored}


def _check_end(ends: dict[str, Any], session: str, desk: FakeDesk) -> None:
    appeals = desk.appeals_of(session)
    if "open" in ends:
        assert sum(appeal.state in OPEN_STATES for appeal in appeals) == ends["open"]
    if "supplements" in ends:
        added = [text for appeal in appeals for text in desk.supplements.get(appeal.no, [])]
        assert added == ends["supplements"]
    if "ratings" in ends:
        scores = [rating.score for rating in desk.ratings if rating.session == session]
        assert scores == ends["ratings"]


@pytest.mark.parametrize("text", ["国高" * 1000, "停" * 2000, "a" * 2000, "😀" * 2000, "，" * 2000])
def test_two_thousand_characters_are_one_turn(bot: BotRuntime, text: str) -> None:
    began = time.monotonic()
    result = Talk(bot).say(text)
    assert result.replies
    assert time.monotonic() - began < 4, "half of the limit of a turn"
    assert len(result.state) < 20_000


def test_long_problem_is_filed_whole(talk: Talk, desk: FakeDesk) -> None:
    matter = "园区停电影响生产，" * 200
    talk.say("我要提诉求")
    talk.say(matter)
    (draft,) = desk.filed_by(talk.session)
    assert draft.matter.startswith("园区停电影响生产")
    assert len(draft.matter) >= 1790


def test_message_played_twice_files_once(bot: BotRuntime, desk: FakeDesk) -> None:
    """After a crash the service runs the turn again, from the state before it."""
    talk = Talk(bot)
    first = talk.say("企业食堂补贴多少钱")
    again = Talk(bot, session=talk.session).say("企业食堂补贴多少钱")
    assert text_of(again) == text_of(first)
    assert len(desk.filed_by(talk.session)) == 1
