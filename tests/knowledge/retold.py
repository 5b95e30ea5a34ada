"""Run by test_any_question.py in a process of its own: answers questions and prints what can be seen of the answers.

Arguments: a folder for vectors, then the questions.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from knowledge.answer import Answerer
from knowledge.catalogue import read_catalogue
from knowledge.dense import VectorCache
from knowledge.outcome import Answer
from knowledge.retrieval import Retriever
from tests.knowledge.samples import HashedEncoder

TODAY = date(2026, 11, 24)


def told(answers: list[Answer]) -> list[object]:
    """What can be seen of answers, to the last digit."""
    return [
        [a.text, a.chance, a.policy_id, list(a.listed), list(a.offered), list(a.related)]
        for a in answers
    ]


def main(folder: Path, questions: list[str]) -> None:
    answerer = Answerer(Retriever(read_catalogue(), HashedEncoder(), VectorCache(folder)))
    print(json.dumps([told(answerer.answers(question, TODAY)) for question in questions]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
