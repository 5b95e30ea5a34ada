"""One thing a message states or asks for, as a typed value with its unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """A value found in a text; ``text[start:end]`` of the message is where it stood.

    ``kind`` and what ``value`` and ``unit`` then are:

    ===================  ==========================================  ======
    kind                 value                                       unit
    ===================  ==========================================  ======
    amount               money                                       CNY
    percentage           20 means 20 %                               %
    headcount            people                                      人
    years                length of time                              年
    year                 calendar year                               --
    rating               1 (worst) to 5                              星
    company              full name, brackets full-width              --
    credit_code          18 characters, check digit right            --
    invalid_credit_code  what was typed; ``note`` says what is off   --
    appeal_no            ``FT-20261123-0001``                        --
    phone                11 digits, mainland mobile                  --
    district, industry,  canonical name of the field dictionary;     --
    qualification        a qualification with ``note`` "planned" is
                         wanted, not held
    lacks_qualification  canonical name of what they say they lack   --
    facet                amount conditions materials window process  --
                         department contact validity
    ===================  ==========================================  ======

    A range ("300-500万", "三四十人") is two facts, lower bound first.
    """

    kind: str
    value: str | int | float
    unit: str | None
    start: int
    end: int
    text: str
    note: str | None = None
