"""Reads the numbers official papers go by: 福府规〔2024〕3号, 财政部公告2024年第16号."""

from __future__ import annotations

import re

from knowledge.documents.blocks import bare

DOC_NO = re.compile(
    r"([\u4e00-\u9fffA-Z]{2,14})\s?[〔\[［(（【]\s?(20\d\d|19\d\d)\s?[〕\]］)）】]\s?(?:第\s?)?(\d{1,5})\s?号"
)
# 财政部 税务总局公告2024年第16号, 中国人民银行令〔…〕
NOTICE_NO = re.compile(
    r"((?:[\u4e00-\u9fff]{2,12}[、 ]){0,4}[\u4e00-\u9fff]{2,24}?(?:公告|令))\s?((?:19|20)\d\d)\s?年\s?第\s?(\d{1,5})\s?号"
)
# What stands before a number in running text and is no part of it.
_LEAD_IN = re.compile(
    r"^.*(?:根据|依据|按照|依照|废止|文号|文件|通知|执行|关于|对|将|由|及|和|与|以|原)"
)


def read_doc_no(text: str) -> str:
    """The first number in ``text`` in its usual form, empty where there is none."""
    if found := DOC_NO.search(text):
        sign = _LEAD_IN.sub("", found[1])
        return f"{sign if len(sign) > 1 else found[1]}〔{found[2]}〕{found[3]}号"
    found = NOTICE_NO.search(text)
    return f"{found[1]}{found[2]}年第{found[3]}号" if found else ""


def folded_no(doc_no: str) -> str:
    """A number to compare by: brackets, white space and leading zeros make no difference."""
    text = re.sub(r"[〔\[［(（【]", "〔", bare(doc_no))
    text = re.sub(r"[〕\]］)）】]", "〕", text).replace("第", "")
    return re.sub(r"(?<=\D)0+(?=\d)", "", text)
