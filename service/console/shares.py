"""A share with its interval, as every page and endpoint of the console gives it."""

from __future__ import annotations

from pydantic import BaseModel
from scipy.stats import binomtest


class Share(BaseModel):
    """``hits`` of ``n`` with the 95 % Wilson interval (Wilson 1927); absent when nothing was counted."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    n: int


def share_of(hits: int, n: int) -> Share:
    if n == 0:
        return Share(value=None, low=None, high=None, hits=0, n=0)
    interval = binomtest(hits, n).proportion_ci(0.95, "wilson")
    return Share(value=hits / n, low=float(interval.low), high=float(interval.high), hits=hits, n=n)
