"""Chooses the department an appeal goes to, by rule and by meaning, and says how sure it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.encoder import Encoder, Vectors
from nlu.normalise import normalise_text
from service.appeals.departments import STREETS, Department, comparable
from service.appeals.elsewhere import asked_of_elsewhere

# From tests/service/appeals/calibrate_dispatch.py, where the loss is flat in WORD_WEIGHT from 3 to 6; within that, 4
# gives the most honest confidence on matters of another hand (data/dispatch/train and dev: calibration error 0.095 at
# 3, 0.053 at 4; on the held-out half of the older set 0.052 and 0.026).
WORD_WEIGHT = 4.0
MEANING_WEIGHT = 1.5
HINT = 0.4
ALIAS = 1.5
TRIAGE_BELOW = 0.45
TRIAGE_BELOW_WITHOUT_WORDS = 0.7


@dataclass(frozen=True)
class Candidate:
    """One department considered: its share of the confidence (0-1), the reason in Chinese.

    ``words`` are the words of the matter that point to it, empty when only the meaning does.
    """

    department: str
    confidence: float
    reason: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dispatch:
    """Where an appeal goes, and the best three ``candidates``, best first.

    ``confidence`` (0-1) is the best candidate's, also when it was too low and the appeal went to
    the centre for triage; ``is_triage`` tells that from a matter that is the centre's own.
    """

    department: str
    confidence: float
    candidates: tuple[Candidate, ...]
    is_triage: bool = False


@dataclass(frozen=True)
class _Space:
    """The duties as unit rows around their centre, and the centre of what people write.

    Small e5 models put every Chinese sentence within a narrow cone; without its axis the
    differences count (measured on unseen matters: right by meaning alone 61 % -> 74 %).
    """

    duties: Vectors
    question_centre: Vectors


class Dispatcher:
    """Keyword rules and likeness to duties, as one multinomial model over the departments.

    The duties are encoded once, at the first use or by :meth:`warm`; ``passages`` may take them
    from a cache instead of the encoder. Safe to use from many threads.
    """

    def __init__(
        self,
        departments: Sequence[Department],
        encoder: Encoder,
        passages: Callable[[Sequence[str]], Vectors] | None = None,
    ) -> None:
        self._encoder = encoder
        self._passages = passages or encoder.passages
        self._streets = [d for d in departments if d.is_street]
        self._choices = [d for d in departments if d not in self._streets]
        self._triage = next(d for d in departments if d.triage)
        self._by_name = {comparable(name): d for d in departments for name in (d.name, *d.aliases)}
        self._weights = [_word_weights(d) for d in self._choices]
        self._owner = [i for i, d in enumerate(self._choices) for _ in d.duties]
        self._space: _Space | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Encodes the duties now (a few seconds of one core) instead of at the first appeal."""
        self._duty_space()

    def dispatch(self, matter: str, policy_department: str | None = None) -> Dispatch:
        """The department for a matter; the policy's own department wins when it is in the table.

        A policy department outside the table (another district, the province) goes to the centre
        with that reason.
        """
        ranked = self.rank(matter)
        if policy_department is not None and policy_department.strip():
            return self._by_policy(policy_department, ranked)
        if place := asked_of_elsewhere(normalise_text(matter)):
            return self._beyond(f"问的是{place}的事项，不在本区办理", ranked, ranked[0].confidence)
        best = ranked[0]
        top = tuple(ranked[:3])
        needed = TRIAGE_BELOW if best.words else TRIAGE_BELOW_WITHOUT_WORDS
        if best.confidence < needed:
            return Dispatch(self._triage.name, best.confidence, top, is_triage=True)
        return Dispatch(best.department, best.confidence, top)

    def rank(self, matter: str) -> list[Candidate]:
        """Every department that may be chosen, surest first; confidences sum to 1."""
        matter = normalise_text(matter)
        text = comparable(matter)
        words, found = self._words(text)
        meaning = self._meaning(matter)
        allowed = [not d.named_only or words[i] >= ALIAS for i, d in enumerate(self._choices)]
        logits = np.where(allowed, WORD_WEIGHT * words + MEANING_WEIGHT * meaning, -np.inf)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = [int(i) for i in np.argsort(-shares, kind="stable") if allowed[int(i)]]
        return [
            Candidate(
                self._place(self._choices[i], text).name,
                round(float(shares[i]), 4),
                _reason(found[i], float(meaning[i])),
                tuple(found[i]),
            )
            for i in order
        ]

    def _by_policy(self, name: str, ranked: list[Candidate]) -> Dispatch:
        for part in name.replace("，", "、").replace(",", "、").split("、"):
            known = self._by_name.get(comparable(part))
            if known is not None:
                first = Candidate(known.name, 1.0, f"政策主管部门：{part.strip()}")
                others = [c for c in ranked if c.department != known.name]
                return Dispatch(known.name, 1.0, (first, *others[:2]))
        return self._beyond(f"政策主管部门“{name.strip()}”不在分派名单内", ranked)

    def _beyond(
        self, reason: str, ranked: Sequence[Candidate], confidence: float = 1.0
    ) -> Dispatch:
        """To the centre, which tells the person where to go."""
        first = Candidate(self._triage.name, confidence, reason)
        others = [c for c in ranked if c.department != self._triage.name]
        return Dispatch(self._triage.name, confidence, (first, *others[:2]), is_triage=True)

    def _words(self, text: str) -> tuple[Vectors, list[list[str]]]:
        """Per department the strength of its words in the text (a capped sum), and the words."""
        hits = [
            (start, start + len(word), i, word)
            for i, weights in enumerate(self._weights)
            for word in weights
            for start in _starts(text, word)
        ]
        strength = np.zeros(len(self._choices), dtype=np.float32)
        found: list[list[str]] = [[] for _ in self._choices]
        inner = _inner_spans({(start, end) for start, end, _, _ in hits})
        for start, end, i, word in hits:
            # 社保 inside 社保补贴 is another department's word: the longest speaks alone.
            if (start, end) not in inner and word not in found[i]:
                found[i].append(word)
                strength[i] += self._weights[i][word]
        return np.minimum(strength, np.float32(2.0)), found

    def _meaning(self, matter: str) -> Vectors:
        """How much nearer each department's nearest duty is than the others', in deviations."""
        space = self._duty_space()
        cosines = space.duties @ _unit(self._encoder.queries([matter]) - space.question_centre)[0]
        best = np.full(len(self._choices), -1.0, dtype=np.float32)
        np.maximum.at(best, self._owner, cosines)
        spread = float(best.std())
        scaled: Vectors = (best - best.mean()) / (spread if spread > 0 else 1.0)
        return scaled

    def _place(self, department: Department, text: str) -> Department:
        """The sub-district the matter names, or a place of; else the department unchanged."""
        if department.code != STREETS:
            return department
        named = [
            (len(word), street)
            for street in self._streets
            for word in (*street.aliases, *street.places)
            if comparable(word) in text
        ]
        return max(named, key=lambda pair: pair[0])[1] if named else department

    def _duty_space(self) -> _Space:
        with self._lock:
            if self._space is None:
                duties = self._passages([t for d in self._choices for t in d.duties])
                questions = self._encoder.queries([d.example or d.duties[0] for d in self._choices])
                self._space = _Space(_unit(duties - duties.mean(axis=0)), questions.mean(axis=0))
            return self._space


def _word_weights(department: Department) -> dict[str, float]:
    weights = {comparable(word): HINT for word in department.hints}
    weights |= {comparable(word): 1.0 for word in department.keywords}
    return weights | {comparable(name): ALIAS for name in (department.name, *department.aliases)}


def _inner_spans(spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The spans that lie inside a longer one."""
    inner, reach = set(), -1
    # Longest first at each start, so whatever contains a span has been passed before it.
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end <= reach:
            inner.add((start, end))
        reach = max(reach, end)
    return inner


def _starts(text: str, word: str) -> list[int]:
    starts, at = [], text.find(word)
    while at >= 0:
        starts.append(at)
        at = text.find(word, at + 1)
    return starts


def _reason(words: Sequence[str], meaning: float) -> str:
    parts = [f"提到“{'”“'.join(words[:3])}”"] if words else []
    if meaning >= 1.0 or not parts:
        parts.append("与部门职责相近" if meaning >= 1.0 else "无明显线索")
    return "，".join(parts)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return scaled
