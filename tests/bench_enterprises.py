"""Measures the import of enterprises and the look-up by name: ``python -m tests.bench_enterprises [--rows N]``.

All enterprises are synthetic. Prints a table; nothing is asserted.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from knowledge.fields import read_fields
from service.db import Database
from service.enterprises.importing import import_enterprises
from service.enterprises.names import NameIndex
from service.enterprises.operations import find_enterprise
from service.enterprises.profiles import profile_of
from tests.knowledge.roster.companies import code_of, to_xlsx

ALL, SOME, LOOKUPS = 179_747, 20_000, 200
_FIRST = "云帆智海天宇华中科鹏飞腾达星辰光远卓越创新汇通金源恒盛鼎立博雅思维联众合力宏图瑞康泰和润丰德信诚安顺利民生"
_TRADES = [
    "智能",
    "信息",
    "生物",
    "网络",
    "软件",
    "文化",
    "贸易",
    "物流",
    "餐饮",
    "投资",
    "设计",
    "环保",
    "能源",
]
_HEADER = [
    "企业名称", "统一社会信用代码", "注册区", "行业", "营收（万元）", "员工人数", "研发费用（万元）", "纳税额（万元）",
    "资产负债率", "成立日期", "企业资质", "是否独立法人", "实缴资本（万元）", "I类知识产权", "统计关系",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ALL, help="enterprises of the large import")
    rows = parser.parse_args().rows
    table = Table("what", "took", title="synthetic enterprises")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), rows, table.add_row)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add_row("peak memory", f"{peak:.0f} MB")
    Console().print(table)


def measure(folder: Path, count: int, tell: Callable[..., None]) -> None:
    people = [row_of(number) for number in range(count)]
    for name, data in files(people[:SOME], folder):
        database = Database.open(f"sqlite:///{folder / f'{name}.db'}")
        tell(f"import {min(SOME, count):,} rows of {name}", f"{timed_import(database, data):.2f} s")
        database.close()
    large = to_csv(people, folder / "all.csv")
    database = Database.open(f"sqlite:///{folder / 'all.db'}")
    longest: list[float] = []
    tell(f"import {count:,} rows of csv", f"{timed_import(database, large, longest):.2f} s")
    tell("  of which the transaction", f"{longest[0]:.2f} s")
    tell(f"import {count:,} rows again", f"{timed_import(database, large, longest):.2f} s")
    tell("  of which the transaction", f"{longest[1]:.2f} s")
    look_up(database, people, tell)
    database.close()


def row_of(number: int) -> list[object]:
    rng = random.Random(number)
    name = "".join(rng.choices(_FIRST, k=rng.choice([2, 3, 4]))) + rng.choice(_TRADES)
    return [
        f"深圳市{name}{rng.choice(['科技', '技术', '发展', '实业'])}有限公司",
        code_of(number),
        rng.choice(["福田", "南山", "罗湖区"]),
        rng.choice(["软件", "餐饮", "人工智能"]),
        rng.choice(["", rng.randint(1, 90_000)]),
        rng.randint(1, 900),
        rng.choice(["", rng.randint(0, 5_000)]),
        rng.randint(0, 900),
        f"{rng.randint(0, 99)}%",
        f"20{rng.randint(10, 25)}-0{rng.randint(1, 9)}-11",
        rng.choice(["", "国高", "国高；科小"]),
        rng.choice(["是", "否", ""]),
        rng.randint(0, 9_000),
        rng.choice(["", rng.randint(0, 30)]),
        rng.choice(["", "福田区"]),
    ]


def files(rows: Sequence[Sequence[object]], folder: Path) -> list[tuple[str, Path]]:
    import pyarrow
    import pyarrow.parquet as parquet

    xlsx, jsonl, columnar = (folder / f"some.{kind}" for kind in ("xlsx", "jsonl", "parquet"))
    xlsx.write_bytes(to_xlsx([_HEADER, *rows]))
    lines = (json.dumps(dict(zip(_HEADER, row, strict=True))) for row in rows)
    jsonl.write_text("\n".join(lines), encoding="utf-8")
    texts = [[str(row[at]) for row in rows] for at in range(len(_HEADER))]
    parquet.write_table(pyarrow.table(dict(zip(_HEADER, texts, strict=True))), columnar)
    return [
        ("csv", to_csv(rows, folder / "some.csv")),
        ("xlsx", xlsx),
        ("jsonl", jsonl),
        ("parquet", columnar),
    ]


def to_csv(rows: Sequence[Sequence[object]], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_HEADER, *rows])
    return path


def timed_import(database: Database, file: Path, writing: list[float] | None = None) -> float:
    began = time.perf_counter()
    marks = {"读取": began}

    def note(step: str, done: int, total: int | None) -> None:
        marks[step] = time.perf_counter()

    report = import_enterprises(database, file, read_fields(), progress=note)
    ended = time.perf_counter()
    assert report.problem_count == 0, report.problems[:3]
    if writing is not None:
        writing.append(ended - marks["读取"])
    return ended - began


def look_up(
    database: Database, people: Sequence[Sequence[object]], tell: Callable[..., None]
) -> None:
    index, rng = NameIndex(), random.Random(7)
    names = [str(rng.choice(people)[0]) for _ in range(LOOKUPS)]
    with database.reading() as db:
        began = time.perf_counter()
        index.find(db, names[0])
        tell("first look-up by name (reads all names)", f"{time.perf_counter() - began:.2f} s")
        exact = [timed(lambda name=name: index.find(db, name)) for name in names]  # type: ignore[misc]
        parts = [name[3:-4] + rng.choice(["", "公司"]) for name in names]
        near = [timed(lambda name=name: index.find(db, name)) for name in parts]  # type: ignore[misc]
        codes = [str(rng.choice(people)[1]) for _ in range(LOOKUPS)]
        whole = [timed(lambda code=code: _profile(db, code)) for code in codes]  # type: ignore[misc]
    for what, times in (("exact name", exact), ("near names", near), ("profile by code", whole)):
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[18]
        tell(f"{what}, p50 / p95", f"{p50:.1f} / {p95:.1f} ms")


def _profile(db: object, code: str) -> None:
    from sqlalchemy.orm import Session

    assert isinstance(db, Session)
    enterprise = find_enterprise(db, code)
    assert enterprise is not None
    profile_of(db, enterprise)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
