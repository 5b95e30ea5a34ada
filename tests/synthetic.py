"""SYNTHETIC enterprises and support items, the same for the same seed, for benches and tests.

    python -m tests.synthetic enterprises --count 179747 --out enterprises.parquet
    python -m tests.synthetic items --count 3323 --out items.jsonl

Nobody exists: names are 合成企业000001, credit codes begin with SYN and can never be valid, a column ``synthetic`` and the
file's metadata say so. Marginals are invented after what is publicly known of such a district (many small trading
firms, few large ones, one in five on the platform); money, people and tax hang together. Items recombine the
conditions of the demo catalogue.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.documents.export import write_catalogue
from knowledge.fields import FieldSpec, read_fields
from knowledge.policy import Criterion, Op, Policy

ENTERPRISES, ITEMS = 179_747, 3_323
REGISTERED = 37_662 / 179_747  # the share that uses the platform and has filled in its record
_AT_ONCE = 20_000

# Share of the enterprises, and how much larger than average they are (log of revenue).
INDUSTRIES: dict[str, tuple[float, float]] = {
    "批发": (0.17, 0.3),
    "零售": (0.15, -0.6),
    "商贸": (0.1, 0.2),
    "信息咨询": (0.12, -0.4),
    "软件": (0.08, 0.0),
    "餐饮": (0.05, -0.5),
    "创意设计": (0.05, -0.5),
    "文化": (0.035, -0.3),
    "法律服务": (0.025, 0.3),
    "会计税务": (0.02, 0.0),
    "股权投资": (0.03, 0.8),
    "基金": (0.015, 1.5),
    "金融": (0.01, 2.5),
    "时尚": (0.02, -0.2),
    "时装服饰": (0.025, 0.0),
    "旅游": (0.015, 0.0),
    "会展": (0.015, 0.0),
    "人工智能": (0.015, 0.6),
    "集成电路": (0.015, 1.2),
    "生物医药": (0.01, 0.9),
    "医疗器械": (0.01, 0.6),
    "新能源": (0.01, 1.4),
    "影视演艺": (0.01, -0.2),
    "住宿": (0.01, 0.4),
    "融资租赁": (0.005, 1.8),
}
STREETS = {
    "福田街道": 0.17,
    "沙头街道": 0.15,
    "华强北街道": 0.14,
    "梅林街道": 0.12,
    "莲花街道": 0.1,
    "香蜜湖街道": 0.09,
    "园岭街道": 0.08,
    "南园街道": 0.07,
    "福保街道": 0.05,
    "华富街道": 0.03,
}
_DISTRICTS = {"福田区": 0.955, "南山区": 0.015, "罗湖区": 0.015, "龙岗区": 0.01, "光明区": 0.005}
# On file for (nearly) everyone, from the register; the rest is known of some of those on the platform.
_ON_FILE = {
    "registered_district": 0.995,
    "registered_city": 0.995,
    "registered_province": 0.995,
    "registered_years": 0.99,
    "industry": 0.93,
    "street": 0.9,
    "legal_person": 0.97,
    "tax_district": 0.85,
    "stat_district": 0.7,
    "qualifications": 0.8,
    "credit_ok": 0.75,
    "serious_dishonesty": 0.9,
    "employees": 0.45,
    "annual_revenue_cny": 0.4,
    "annual_tax_cny": 0.5,
    "is_sme": 0.6,
    "is_small_micro": 0.6,
    "is_industrial": 0.9,
    "is_private_or_sme": 0.7,
    "paid_in_capital_cny": 0.3,
}
_CLAIMS = {
    "credit_ok": 0.97,
    "legal_person": 0.93,
    "no_major_violation_1y": 0.98,
    "no_major_violation_3y": 0.96,
    "serious_dishonesty": 0.01,
    "research_integrity_ok": 0.99,
    "loan_repaid_on_time": 0.95,
    "is_private_or_sme": 0.97,
    "self_use_office": 0.8,
    "no_own_office": 0.85,
    "startup_subsidy_never": 0.97,
}
_QUALIFICATIONS = {  # share of the small, share of the large
    "科技型中小企业": (0.02, 0.1),
    "国家高新技术企业": (0.01, 0.2),
    "创新型中小企业": (0.01, 0.12),
    "专精特新中小企业": (0.004, 0.1),
    "专精特新小巨人": (0.0, 0.012),
    "省级专精特新": (0.0, 0.04),
    "高企培育入库企业": (0.01, 0.02),
    "科技型企业": (0.03, 0.1),
    "规上服务业": (0.0, 0.25),
    "规上工业": (0.0, 0.05),
    "限上商贸": (0.0, 0.2),
    "战新名录企业": (0.002, 0.05),
    "区级总部企业": (0.0, 0.02),
    "市级总部企业": (0.0, 0.01),
}


def enterprises(count: int = ENTERPRISES, seed: int = 1) -> Iterator[pa.RecordBatch]:
    """Synthetic enterprises, some thousands at a time; all batches have one schema."""
    schema = None
    for part, first in enumerate(range(0, count, _AT_ONCE)):
        rng = np.random.default_rng((seed, part))
        columns = _Population(rng, min(_AT_ONCE, count - first), first).columns()
        table = pa.RecordBatch.from_pydict(columns)
        schema = schema or table.schema.with_metadata({"synthetic": "true"})
        yield table.cast(schema)


def write_enterprises(target: Path, count: int = ENTERPRISES, seed: int = 1) -> None:
    """Writes parquet."""
    batches = enterprises(count, seed)
    first = next(batches)
    with pq.ParquetWriter(target, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def items(count: int = ITEMS, seed: int = 1) -> list[Policy]:
    """Synthetic items: real conditions recombined, thresholds moved, as many to an item as really occur."""
    rng = random.Random(seed)
    real = list(read_catalogue().policies.values())
    pool = [criterion for policy in real for criterion in policy.criteria]
    return [_item(number, rng, real, pool) for number in range(1, count + 1)]


def _item(number: int, rng: random.Random, real: list[Policy], pool: list[Criterion]) -> Policy:
    base = rng.choice(real)
    picked: dict[str, Criterion] = {}
    # The first condition, mostly the place, comes from the item it is made after.
    for criterion in (base.criteria[0], *rng.sample(pool, len(pool))):
        picked.setdefault(criterion.field, _moved(criterion, rng))
        if len(picked) >= len(base.criteria):
            break
    return replace(
        base,
        id=f"SYN-{number:04d}",
        title=f"合成政策{number:04d}",
        aliases=(),
        doc_no=None,
        source_url=None,
        summary="合成数据：由真实条件重新组合，不是真实政策。",
        note="合成数据，不是真实政策。",
        criteria=tuple(picked.values()),
        asked=(),
        wording=(),
    )


def _moved(criterion: Criterion, rng: random.Random) -> Criterion:
    value = criterion.value
    if criterion.op is Op.OR and isinstance(value, tuple):
        parts = tuple(_moved(part, rng) for part in value if isinstance(part, Criterion))
        return replace(criterion, value=parts)
    if criterion.op is Op.IN and criterion.field == "industry":
        some = rng.sample(list(INDUSTRIES), rng.randint(1, 6))
        return replace(criterion, value=tuple(sorted(some)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return replace(criterion, value=value * rng.choice((0.5, 1, 1, 2, 3, 5)))
    return criterion


class _Population:
    """One batch of enterprises; what hangs together is drawn once."""

    def __init__(self, rng: np.random.Generator, count: int, first: int) -> None:
        self._rng, self._count, self._first = rng, count, first
        names, shares = list(INDUSTRIES), np.array([share for share, _ in INDUSTRIES.values()])
        self._industry = rng.choice(len(names), count, p=shares / shares.sum())
        lift = np.array([more for _, more in INDUSTRIES.values()])[self._industry]
        self._years = np.round(np.minimum(rng.exponential(7, count), 45), 1)
        size = rng.normal(0, 2.0, count) + lift + 0.03 * self._years
        self._revenue = np.round(np.minimum(np.exp(14.2 + size), 5e11), -2)
        self._staff = np.maximum(1, np.exp(1.6 + 0.55 * size + rng.normal(0, 0.6, count))).astype(
            int
        )
        self._tax = np.round(self._revenue * np.clip(rng.normal(0.04, 0.02, count), 0.001, 0.2), 0)
        self._platform = rng.random(count) < np.clip(REGISTERED * np.exp(0.25 * size), 0, 0.95)

    def columns(self) -> dict[str, Any]:
        numbers = range(self._first + 1, self._first + self._count + 1)
        columns: dict[str, Any] = {
            "name": [f"合成企业{number:06d}" for number in numbers],
            "credit_code": [f"SYN{number:015d}" for number in numbers],
            "synthetic": [True] * self._count,
        }
        for name, spec in read_fields().items():
            hidden = ~self._is_known(name)
            columns[name] = self._column(spec, hidden)
        return columns

    def _is_known(self, name: str) -> NDArray[np.bool_]:
        filled = 0.25 + 0.6 * _share(name, "filled")  # how often those on the platform filled it in
        stated = self._platform & (self._rng.random(self._count) < filled)
        on_file = self._rng.random(self._count) < _ON_FILE.get(name, 0.0)
        known: NDArray[np.bool_] = stated | on_file
        return known

    def _column(self, spec: FieldSpec, hidden: NDArray[np.bool_]) -> pa.Array:
        if spec.name == "qualifications":
            held: list[list[str] | None] = self._qualifications()
            for row in np.flatnonzero(hidden):
                held[row] = None
            return pa.array(held, pa.list_(pa.string()))
        if spec.type == "string":
            return pa.array(self._texts(spec.name), pa.string(), mask=hidden)
        if spec.type == "boolean":
            return pa.array(self._claims(spec.name), pa.bool_(), mask=hidden)
        return pa.array(self._numbers(spec), pa.float64(), mask=hidden)

    def _texts(self, name: str) -> NDArray[Any]:
        rng, count = self._rng, self._count
        if name == "industry":
            return np.array(list(INDUSTRIES), object)[self._industry]
        shares = _TEXTS.get(name) or {value: 1.0 for value in ("甲类", "乙类", "其他")}
        weights = np.array(list(shares.values()))
        return rng.choice(np.array(list(shares), object), count, p=weights / weights.sum())

    def _claims(self, name: str) -> NDArray[np.bool_]:
        known: dict[str, NDArray[np.bool_]] = {
            "is_sme": (self._staff < 300) & (self._revenue < 4e8),
            "is_small_micro": (self._staff < 50) & (self._revenue < 2e7),
            "is_industrial": np.isin(
                self._industry,
                [list(INDUSTRIES).index("集成电路"), list(INDUSTRIES).index("医疗器械")],
            ),
        }
        if name in known:
            return known[name]
        share = _CLAIMS.get(name, 0.02 + 0.4 * _share(name, "true"))
        drawn: NDArray[np.bool_] = self._rng.random(self._count) < share
        return drawn

    def _numbers(self, spec: FieldSpec) -> NDArray[np.float64]:
        rng, count, name = self._rng, self._count, spec.name
        known: dict[str, NDArray[np.float64]] = {
            "annual_revenue_cny": self._revenue,
            "employees": self._staff.astype(float),
            "annual_tax_cny": self._tax,
            "registered_years": self._years.astype(np.float64),
            "operating_years": self._years.astype(np.float64),
            "rd_expense_cny": np.round(self._revenue * rng.beta(1, 12, count), 0),
            "assets_total_cny": np.round(self._revenue * rng.lognormal(0, 0.7, count), 0),
            "district_contribution_cny": np.round(self._tax * 0.2, 0),
        }
        if name in known:
            return known[name]
        if spec.unit == "CNY":
            values = np.round(self._revenue * rng.lognormal(-2, 1, count), 0)
        elif spec.unit == "%":
            values = np.round(rng.beta(1.5, 4, count) * 100, 1)
        elif name == "listing_year":
            values = rng.integers(1995, 2026, count).astype(float)
        else:
            values = np.floor(
                rng.exponential({"分": 60, "月": 12, "年": 4}.get(spec.unit or "", 8), count)
            )
        low, high = spec.low or 0, spec.high or 1e13
        clipped: NDArray[np.float64] = np.clip(values, low, high)
        return clipped

    def _qualifications(self) -> list[list[str] | None]:
        large = self._revenue > 2e7
        held: list[list[str] | None] = [[] for _ in range(self._count)]
        for name, (small_share, large_share) in _QUALIFICATIONS.items():
            has = self._rng.random(self._count) < np.where(large, large_share, small_share)
            for row in np.flatnonzero(has):
                held[row].append(name)  # type: ignore[union-attr]
        return held


_TEXTS: dict[str, dict[str, float]] = {
    "street": STREETS,
    "registered_district": _DISTRICTS,
    "tax_district": _DISTRICTS,
    "stat_district": _DISTRICTS,
    "project_district": {"福田区": 0.8, "南山区": 0.1, "龙岗区": 0.1},
    "registered_city": {"深圳市": 0.997, "广州市": 0.002, "东莞市": 0.001},
    "operating_city": {"深圳市": 0.95, "广州市": 0.03, "东莞市": 0.02},
    "registered_province": {"广东省": 1.0},
    "taxpayer_type": {"小规模纳税人": 0.7, "一般纳税人": 0.3},
    "park": {"无": 0.9, "河套深圳园区": 0.06, "深圳高新区": 0.03, "前海合作区": 0.01},
    "listing_stage": {
        "无": 0.97,
        "新三板挂牌": 0.01,
        "辅导备案": 0.01,
        "境内上市": 0.007,
        "境外上市": 0.003,
    },
    "org_type": {"企业": 0.97, "研发机构": 0.01, "行业协会": 0.01, "研发中心": 0.01},
    "founder_type": {"其他": 0.8, "深圳户籍": 0.1, "毕业5年内高校毕业生": 0.07, "港澳居民": 0.03},
    "borrower_type": {"小微企业": 0.8, "个人": 0.2},
    "digital_service_type": {"非综合型": 0.8, "综合型": 0.2},
    "carrier_level": {"无": 0.9, "市级": 0.06, "省级": 0.03, "国家级": 0.01},
    "team_award": {"无": 0.99, "孔雀团队": 0.007, "珠江人才计划团队": 0.003},
}


def _share(name: str, what: str) -> float:
    """A number from 0 to 1 that always is the same for a field."""
    return crc32(f"{name}:{what}".encode()) / 2**32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("enterprises", "items"))
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.what == "enterprises":
        write_enterprises(given.out, given.count or ENTERPRISES, given.seed)
    else:
        write_catalogue(Catalogue(items(given.count or ITEMS, given.seed)), given.out)


if __name__ == "__main__":
    main()
