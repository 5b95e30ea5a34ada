"""Cuts a message into the questions it asks, a comparison into its two sides."""

from __future__ import annotations

import re

from knowledge.facets import facets_of
from knowledge.lexical import fold
from knowledge.question import subject_of

MOST_QUESTIONS = 5
MOST_CUTS = 4
MOST_COMMAS = 2
COMPARED_CHARS = 200
MOST_ENUMERATED = 8
_SENTENCE = re.compile(r"(?<=[？?。！!；;\n])")
_CONNECTIVE = re.compile(
    r"(?<=[，,。？?；;\s])(?=(?:另外|此外|还有(?:就是|个|，|一|[招租买上])|顺便|再问|再请问|还想问|同时想|其次|以及|然后(?:想问|呢)))"
)
_ANOTHER = re.compile(r"\W*(另外|此外|还有|顺便|再问|再请问|还想问|同时|其次)")
_NUMBERED = re.compile(r"(?:(?<=[\s，,。：:；;？?哈])|^)(?=[1-9①-⑨][、.．)）]?[㐀-鿿])")
_ANNOUNCES = re.compile(
    r"(\W|你好|您好|请问|想问|问一?下|问个事|[两几三2-9]个(问题|事)|麻烦|请教|哈|哦|喔|嗯|老师|小福)*"
)
_ASKS = re.compile(
    r"什么|啥|哪|谁|怎么|怎样|如何|多少|几|吗|呢|么[？?]?$|能不能|可不可以|有没有|是否|是不是|要不要|咩|乜|点样|边|有冇"
)
_COMMA = re.compile(r"[，,、]|(?=以及|还有|另外|同时想)")
_COMPARES = re.compile(
    r"各(是|能|给|有|拿|补|多少|几)|分别|两(边|种|样|个|份)[^，。？?]{0,6}(多少|几|怎么|封顶|上限)|比一(下|比)|一起(报|说|给|讲)|"
    r"(哪个|哪一个|边个|哪项|哪种|谁)[^，。？?]{0,8}(多|高|大|划算|好|优|强|合适|容易|快|着数|抵)"
    r"|区别|差别|不同|不一样|差异|对比|比较|相比|比起来|差(多少|在哪)|一回事|一码事|两码事|两回事|哪个更|边个更|vs|pk"
    r"|(两|二|2)(个|项|样|者|份|边|种)[^，。？?]{0,6}(都|各|分别|还|是不是)"
    r"|还是[^，。？?]{1,30}(多|高|划算|好|合适)"
)
_BETWEEN = re.compile(r"和|跟|与|同埋|同|还是|以及|、|比|对比|vs|pk")
_COMMAS = re.compile(r"[,，]")
_ENUMERATES = re.compile(rf"{_BETWEEN.pattern}|[,，]")
_VERDICT = re.compile(
    r"(哪个|哪一个|边个|哪项|哪种|谁|有什么|有啥|有乜|各(是|能|给|有|拿|补|多少|几)|分别|是?不是|是?(一|两)(回|码)事|(这|那)?两(个|项|边|种|样|份|者)|一起(报|说|给|讲)|比一(下|比)|的?区别|的?差别|的?不同|不一样|一样|对比|比较|相比|比起来|差(多少|在哪)|更(多|高|大|好|划算|合适|容易)).*$"
)
_OPENING = re.compile(
    r"^[^，,。？?]{0,8}?(请问|想问|问下|问一下|比较一下|对比一下|比一下|小福)[，,：:\s]*(?=.{4})"
)


def split_questions(text: str) -> list[str]:
    """The questions of a message in order, at most ``MOST_QUESTIONS``; the message itself when it asks but one thing.

    A sentence that asks nothing (a greeting, what the enterprise is) stays with the question after it, or with the
    last one when none follows. Joined together the parts are the message.
    """
    pieces = [
        piece
        for sentence in _SENTENCE.split(text)
        for connected in _CONNECTIVE.split(sentence)
        for piece in _NUMBERED.split(connected)
    ]
    parts: list[str] = []
    opening = ""
    for piece in pieces:
        opening += piece
        if _is_question(piece):
            parts.append(opening)
            opening = ""
    if opening and parts:
        parts[-1] += opening
    if len(parts) < 2:
        return [text]
    # What asks for too much at once is answered as far as it goes; the last part takes the rest.
    most = MOST_QUESTIONS - 1
    return parts if len(parts) <= MOST_QUESTIONS else [*parts[:most], "".join(parts[most:])]


def starts_anew(part: str) -> bool:
    """Whether a part of a message announces another subject: 另外上市补贴呢."""
    return _ANOTHER.match(part) is not None


def split_clauses(text: str) -> list[list[str]]:
    """Ways to cut a message at a comma into two parts that each ask for something, at most ``MOST_COMMAS``.

    Only guesses: whether the parts speak of different policies is for the search to tell.
    """
    parts = [part for part in _COMMA.split(text) if part.strip()]
    if len(text) > COMPARED_CHARS:
        return []
    asks = [_is_question(part) for part in parts]
    cuts = [at for at in range(1, len(parts)) if asks[at] and any(asks[:at])]
    halves = [["，".join(parts[:at]), "，".join(parts[at:])] for at in cuts]
    return [pair for pair in halves if all(subject_of(fold(half)) for half in pair)][:MOST_COMMAS]


def _is_question(piece: str) -> bool:
    folded = fold(piece)
    if _ANNOUNCES.fullmatch(folded):
        return False
    if _NUMBERED.match(piece):
        return True
    return bool(facets_of(folded)) or (_ASKS.search(folded) is not None and len(folded) > 3)


def compared_subjects(text: str) -> list[tuple[str, str]]:
    """At most ``MOST_CUTS`` ways to read a message as two things compared, most balanced first; empty for none.

    和 may stand inside a name, so every place to cut is offered; the search tells which reading finds two policies.
    """
    core = _compared(text)
    cuts = [
        (_side(core[: cut.start()]), _side(core[cut.end() :])) for cut in _BETWEEN.finditer(core)
    ]
    sides = [(left, right) for left, right in cuts if len(left) >= 2 and len(right) >= 2]
    return sorted(sides, key=lambda side: abs(len(side[0]) - len(side[1])))[:MOST_CUTS]


def enumerated(text: str, *, with_topic: bool = False) -> tuple[str, ...]:
    """Everything a message compares, cut wherever it may be: A、B和C; empty where it compares nothing.

    创业大赛，企业参赛跟团队参赛哪个多 names its topic first; that is no side, and comes along only ``with_topic``.
    """
    compared = _compared(text)
    names_topic = len(_COMMAS.findall(compared)) == 1 and _BETWEEN.search(compared)
    if names_topic and not with_topic:
        return ()
    pieces = (_side(piece) for piece in _ENUMERATES.split(compared))
    sides = tuple(piece for piece in pieces if piece)
    is_whole = 1 < len(sides) <= MOST_ENUMERATED and all(len(side) >= 2 for side in sides)
    return sides if is_whole else ()


def compared_sides(text: str) -> list[tuple[str, ...]]:
    """All ways to read what a message compares, that with the most sides first."""
    many = enumerated(text, with_topic=True)
    return [*([many] if many else []), *compared_subjects(text)]


def _compared(text: str) -> str:
    """The part of a folded message that names what is compared; empty where it compares nothing."""
    folded = fold(text)
    if len(folded) > COMPARED_CHARS or not _COMPARES.search(folded):
        return ""
    puts_verdict_first = re.match(r"(哪个|哪一个|边个|谁)", folded) is not None
    return folded if puts_verdict_first else _VERDICT.sub("", _OPENING.sub("", folded))


def _side(piece: str) -> str:
    return piece.strip(" ,，、")
