"""Holds a conversation with an answerer; everything said in it must be honest."""

from __future__ import annotations

from datetime import date

from knowledge.answer import Answerer
from knowledge.discussion import Discussion
from knowledge.outcome import Answer
from tests.knowledge.honesty import assert_honest

TODAY = date(2026, 11, 24)


def talk(answerer: Answerer, *texts: str) -> list[Answer]:
    """The answers to the last text after the others were said."""
    discussion, answers = Discussion(), list[Answer]()
    for text in texts:
        answers = answerer.answers(text, TODAY, discussion)
        for answer in answers:
            assert_honest(answer, answerer.catalogue, TODAY)
        discussion = answers[-1].discussion
    return answers


def only(answers: list[Answer]) -> Answer:
    (answer,) = answers
    return answer
