"""Gives the numbers Word shows before automatically numbered paragraphs; the file stores only the rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

_DIGITS = "零一二三四五六七八九"
_CHINESE = frozenset(
    {"chineseCounting", "chineseCountingThousand", "ideographDigital", "japaneseCounting",
     "taiwaneseCountingThousand", "taiwaneseCounting", "japaneseDigitalTenThousand"}
)  # fmt: skip
_CIRCLED = frozenset({"decimalEnclosedCircle", "decimalEnclosedCircleChinese"})


@dataclass(frozen=True)
class LevelRule:
    """How one level is written: the format of its number, the pattern around it, where it starts."""

    format: str
    pattern: str
    start: int


class Numbering:
    """Counts along the document; ask once a paragraph, in order."""

    def __init__(self, rules: Mapping[str, tuple[str, Mapping[int, LevelRule]]]) -> None:
        self._rules = rules
        self._counts: defaultdict[str, dict[int, int]] = defaultdict(dict)

    @classmethod
    def of(cls, word: Any) -> Numbering:
        """The numbering rules of a document; one without a numbering part has none."""
        part = next(
            (
                r.target_part
                for r in word.part.rels.values()
                if r.reltype.endswith("/numbering") and not r.is_external
            ),
            None,
        )
        return cls({} if part is None else _rules(part.element))

    def next_for(self, paragraph: Any, styles: Sequence[Any]) -> str:
        """The number before this paragraph, empty where it has none."""
        number_id, level = self._place(paragraph, styles)
        if number_id is None or number_id not in self._rules:
            return ""
        abstract, levels = self._rules[number_id]
        rule = levels.get(level)
        if rule is None:
            return ""
        counts = self._counts[abstract]
        counts[level] = counts.get(level, rule.start - 1) + 1
        for deeper in [each for each in counts if each > level]:
            del counts[deeper]
        return _shown(rule, levels, counts)

    @staticmethod
    def _place(paragraph: Any, styles: Sequence[Any]) -> tuple[str | None, int]:
        """Number list and level: the paragraph's own, else its style's."""
        level: int | None = None
        for element in [paragraph, *(style.element for style in styles)]:
            properties = getattr(element, "pPr", None)
            numbered = None if properties is None else properties.find(qn("w:numPr"))
            if numbered is None:
                continue
            if level is None and (own := numbered.find(qn("w:ilvl"))) is not None:
                level = int(own.get(qn("w:val"), "0"))
            if (found := numbered.find(qn("w:numId"))) is not None:
                return found.get(qn("w:val")), level or 0
        return None, 0


def _rules(root: Any) -> dict[str, tuple[str, dict[int, LevelRule]]]:
    abstracts = {
        each.get(qn("w:abstractNumId")): {
            int(level.get(qn("w:ilvl"), "0")): _rule(level) for level in each.iter(qn("w:lvl"))
        }
        for each in root.iterchildren(qn("w:abstractNum"))
    }
    rules = {}
    for number in root.iterchildren(qn("w:num")):
        abstract = number.find(qn("w:abstractNumId"))
        key = None if abstract is None else abstract.get(qn("w:val"))
        if key in abstracts:
            own_id = number.get(qn("w:numId"))
            restarts = number.find(qn("w:lvlOverride")) is not None
            rules[own_id] = (f"num{own_id}" if restarts else f"abstract{key}", abstracts[key])
    return rules


def _rule(level: Any) -> LevelRule:
    def value(tag: str, default: str) -> str:
        found = level.find(qn(tag))
        return default if found is None else found.get(qn("w:val"), default)

    start = value("w:start", "1")
    return LevelRule(
        value("w:numFmt", "decimal"), value("w:lvlText", ""), int(start) if start.isdigit() else 1
    )


def _shown(rule: LevelRule, levels: Mapping[int, LevelRule], counts: Mapping[int, int]) -> str:
    if rule.format in {"bullet", "none"}:
        return ""

    def written(match: re.Match[str]) -> str:
        level = int(match[1]) - 1
        of_level = levels.get(level, rule)
        return in_format(counts.get(level, of_level.start), of_level.format)

    return re.sub(r"%([1-9])", written, rule.pattern)


def in_format(number: int, name: str) -> str:
    """``number`` as Word writes it in the format ``name``; formats not met in official papers come as digits."""
    if name in _CHINESE:
        return chinese(number)
    if name in _CIRCLED and 1 <= number <= 20:
        return chr(0x245F + number)
    if name in {"lowerLetter", "upperLetter"} and 1 <= number <= 26:
        return chr((97 if name == "lowerLetter" else 65) + number - 1)
    return str(number)


def chinese(number: int) -> str:
    """1-999 in Chinese numerals (十二, 一百零三); anything else in digits."""
    if not 1 <= number <= 999:
        return str(number)
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    said = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        said += f"{_DIGITS[tens] if tens > 1 or hundreds else ''}十"
    elif hundreds and ones:
        said += "零"
    return said + (_DIGITS[ones] if ones else "")
