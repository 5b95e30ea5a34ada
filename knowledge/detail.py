"""Tells whether a record holds the very detail a question asks for, where its facet alone says too little.

付款要等几天 asks for the process and 评审看哪几项 for the conditions, but a record that has both may answer neither. A logistic
model looks at what is left of the question once the policy's name is taken out: how it asks (character n-grams), and
whether the record knows the unit, the facet and the characters of what is asked. What tells most are the details that
``particulars`` knows by name: one that is asked for and nowhere stated is missing.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np

from knowledge.catalogue import Catalogue
from knowledge.clauses import clauses_of, facets_recorded
from knowledge.facets import facets_of
from knowledge.lexical import fold
from knowledge.particulars import Record, asked_in
from knowledge.policy import Facet, Policy
from knowledge.question import content_of, without_places
from knowledge.text_model import Features, TextModel, from_json, grams_of

MODEL_FILE = Path(__file__).parent / "data" / "details.json"
FEATURES = (
    "unit_held",
    "facet_recorded",
    "characters_held",
    "share_left",
    "details_unstated",
    "details_stated",
)
MOST_COUNTED = 2
READ_CHARS = 120
_NAME_CHARS = 3

# 几个工作日, 多少平方: what is counted, and how a record writes a figure of it.
_UNITS: Mapping[str, str] = {
    "工作日|天|日": "工作日|天|日内|日前",
    "周|星期": "周|星期",
    "月": "月",
    "年": "年",
    "次|期|批|笔": "次|期|分年|批",
    "份|张": "份|张",
    "家|户": "家|户",
    "栋|幢|层|处": "栋|幢|层|处",
    "人|名|位": "人|名",
    "平方米|平方|平米|平|㎡": "平|㎡",
    "分": "分",
    "成|个点|%": "%|点",
    "倍": "倍",
    "小时": "小时",
    "公里": "公里",
    "块|元|万|亿": "元|万|亿",
    "档": "档|类|级",
    "项|件": "项|件|个",
    "岁": "岁",
}
_COUNTED = re.compile(rf"(?:几多|多少|哪几|几)[个间家]?({'|'.join(_UNITS)})")
_FIGURE = r"[\d一二两三四五六七八九十百千]\s*[个万亿多]*(?:{})"


class Details:
    """Holds questions against the records of one catalogue; never changes, so threads may share it."""

    def __init__(
        self,
        catalogue: Catalogue,
        model: TextModel | None = None,
        before: Details | None = None,
    ) -> None:
        """``before`` knows an earlier state of the catalogue: policies it had already are not read again."""
        self._model = model or read_model()
        self._policies = catalogue.policies
        known = before._same_in(catalogue) if before else {}
        told = {id_: before._stating[id_] for id_ in known} if before else {}
        fresh = [policy for policy in catalogue.policies.values() if policy.id not in known]
        new = {policy.id: record_of(policy) for policy in fresh}
        self._records = known | new
        self._stating: dict[str, Record] = told | {policy.id: Record(policy) for policy in fresh}
        self._said: Counter[str] = Counter(before._said) if before else Counter()
        self._said.update(char for record in new.values() for char in set(record))
        if before:
            gone = (record for id_, record in before._records.items() if id_ not in known)
            self._said.subtract(char for record in gone for char in set(record))
        count = len(self._records)
        self._weights = {
            char: math.log(1 + count / (held + 0.5)) for char, held in self._said.items() if held
        }
        self._rare = math.log(1 + count / 0.5)

    def _same_in(self, catalogue: Catalogue) -> dict[str, str]:
        """The records of the policies that ``catalogue`` has as they are here."""
        return {
            policy.id: self._records[policy.id]
            for policy in catalogue.policies.values()
            if self._policies.get(policy.id) is policy
        }

    def is_missing(self, text: str, policy: Policy) -> bool:
        """Whether the record surely lacks what ``text`` asks of ``policy``."""
        return not self._model.says(self.features(text, policy))

    def chance(self, text: str, policy: Policy) -> float:
        """The chance (0-1) that the record of ``policy`` holds what ``text`` asks of it."""
        return self._model.chance(self.features(text, policy))

    def features(self, text: str, policy: Policy) -> Features:
        """The figures named by ``FEATURES``, and the character n-grams of what is asked."""
        folded = fold(text)[-READ_CHARS:]
        asked = asking_part(folded, policy) or folded
        record = self._records[policy.id]
        facets = facets_of(folded)
        recorded = float(facets[0] in facets_recorded(policy)) if facets else 0.5
        share = len(asked) / max(len(folded), 1)
        held = self._characters_held(content_of(asked), record)
        unstated, stated = self._particulars(asked, policy)
        figures = [_unit_held(folded, record), recorded, held, share, unstated, stated]
        return np.array(figures), grams_of(asked)

    def unstated(self, text: str, policy: Policy) -> tuple[str, ...]:
        """What the details are called that ``text`` asks for by name and the record of ``policy`` does not state."""
        folded = fold(text)[-READ_CHARS:]
        record = self._stating[policy.id]
        asked = asked_in(asking_part(folded, policy) or folded)
        return tuple(each.called for each in asked if not record.states(each))

    def facets_stating(self, text: str, policy: Policy) -> tuple[Facet, ...]:
        """The facets in which the record of ``policy`` states every detail ``text`` asks for by name, else none."""
        folded = fold(text)[-READ_CHARS:]
        record = self._stating[policy.id]
        found = [record.facets_stating(each) for each in asked_in(asking_part(folded, policy))]
        return tuple(dict.fromkeys(chain.from_iterable(found))) if all(found) else ()

    def _particulars(self, asked: str, policy: Policy) -> tuple[float, float]:
        """How many details asked for the record does not state, and, where it states all, how many those are."""
        record = self._stating[policy.id]
        states = [record.states(each) for each in asked_in(asked)]
        unstated = min(states.count(False), MOST_COUNTED)
        return float(unstated), float(0 if unstated else min(len(states), MOST_COUNTED))

    def _characters_held(self, said: str, record: str) -> float:
        """The share (0-1) of what the characters of ``said`` weigh that the record has; 1 where nothing is said."""
        chars = sorted({char for char in said if char.isalnum()})
        mass = sum(self._weights.get(char, self._rare) for char in chars)
        held = sum(self._weights[char] for char in chars if char in record)
        return held / mass if mass else 1.0


def asking_part(folded: str, policy: Policy) -> str:
    """A folded question without the policy's names and without places; what it asks of the policy."""
    for name in map(fold, (policy.title, *policy.aliases)):
        for size in range(len(name), _NAME_CHARS - 1, -1):
            for start in range(len(name) - size + 1):
                folded = folded.replace(name[start : start + size], " ")
    return " ".join(without_places(folded).split())


def record_of(policy: Policy) -> str:
    """All a record says, folded."""
    names = (
        policy.title,
        *policy.aliases,
        *policy.industries,
        policy.category,
        policy.benefit_type,
    )
    return fold(" ".join([*names, *(clause.text for clause in clauses_of(policy))]))


def _unit_held(folded: str, record: str) -> float:
    """1 where the record has a figure of every unit asked for, -1 where not, 0 where none is asked for."""
    asked = _COUNTED.findall(folded)
    if not asked:
        return 0.0
    written = (next(w for said, w in _UNITS.items() if unit in said.split("|")) for unit in asked)
    return 1.0 if all(re.search(_FIGURE.format(each), record) for each in written) else -1.0


@lru_cache(maxsize=1)
def read_model(path: Path = MODEL_FILE) -> TextModel:
    return from_json(json.loads(path.read_text(encoding="utf-8")))
