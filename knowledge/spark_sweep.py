"""The sweep on Spark: the kernel of one machine, through ``mapInArrow``, on as many as there are."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from knowledge.enterprise_table import SLICE, EnterpriseTable, Intake, Problems
from knowledge.errors import EngineMissing, TableError
from knowledge.fields import Fields
from knowledge.masks import Plan
from knowledge.pairs import COLUMNS, Labels, Pairing
from knowledge.policy import Policy
from knowledge.staging import write_parquet
from knowledge.sweep import SweepReport, report_of
from knowledge.table_files import Piece
from knowledge.verdicts import Verdict

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SCHEMA = ", ".join(f"{name} string" for name in COLUMNS)
_SENT = 1 << 16  # pairs handed to Spark at a time
_RAISED = re.compile(r"[\w.]*(Error|Exception): .")
_INSTALL = (
    "没有装 Spark：pip install 'qifu[spark]'（或 pip install pyspark 'pandas<3'），另需 Java 17"
)


@dataclass
class Done:
    """What the tasks have done so far; a task that Spark runs twice counts twice."""

    enterprises: int = 0
    pairs: Counter[Verdict] = field(default_factory=Counter)
    problems: Problems = field(default_factory=Problems)
    is_synthetic: bool = False

    def merge(self, other: Done) -> Done:
        self.enterprises += other.enterprises
        self.pairs.update(other.pairs)
        self.problems.merge(other.problems)
        self.is_synthetic |= other.is_synthetic
        return self


def sweep_on_spark(
    policies: Iterable[Policy], table: EnterpriseTable, out: Path, day: date
) -> SweepReport:
    """As ``knowledge.sweep.sweep``, but ``out`` becomes a folder of parquet files; Spark shows its own progress.

    Parquet is read by Spark; csv and jsonl are first made into parquet here. ``out`` must lie where all machines see it.

    Raises:
        EngineMissing: no pyspark, or no Java.
        TableError: a table that cannot be read, or an ``out`` that cannot be written.
    """
    plan = Plan.of(policies)
    with _session() as spark, _folder(out) as part, _as_parquet(table) as source:
        done = spark.sparkContext.accumulator(Done(), _Merging())
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(SLICE))
        frame = spark.read.parquet(str(source))
        pairs = frame.mapInArrow(_kernel(plan, Labels.of(plan, day), table.fields, done), _SCHEMA)
        with _told(table.file.path.name):
            pairs.write.mode("overwrite").parquet(str(part))
        found: Done = done.value
    problems = table.problems
    problems.merge(found.problems)
    synthetic = table.is_synthetic or found.is_synthetic
    return report_of(plan, found.pairs, found.enterprises, problems, synthetic)


def _kernel(
    plan: Plan, labels: Labels, fields: Fields, done: Any
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    def pairs(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        intake, pairing, enterprises = Intake(fields), Pairing(plan), 0
        for batch in batches:
            cells = dict(zip(batch.schema.names, batch.columns, strict=True))
            found = intake.slice(Piece(batch.num_rows, cells))
            enterprises += len(found)
            for block in pairing.blocks(found):
                yield from block.arrow(labels, _SENT)
        done.add(Done(enterprises, pairing.counts, intake.problems, intake.is_synthetic))

    return pairs


class _Merging:
    """How Spark adds up what its tasks have done (``pyspark.AccumulatorParam``)."""

    def zero(self, value: Done) -> Done:
        return Done()

    def addInPlace(self, value: Done, other: Done) -> Done:
        return value.merge(other)


@contextmanager
def _as_parquet(table: EnterpriseTable) -> Iterator[Path]:
    """The table itself, or what it holds as parquet, for the time being."""
    if table.file.kind == ".parquet":
        table.check()
        yield table.file.path.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="qifu-spark-") as folder:
        staged = Path(folder) / "enterprises.parquet"
        write_parquet(table, staged)
        yield staged


@contextmanager
def _session() -> Iterator[SparkSession]:
    """The running session, or one of its own that ends with the block."""
    try:
        import pandas  # noqa: F401  (mapInArrow asks for it)
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineMissing(_INSTALL) from error
    running = SparkSession.getActiveSession()
    if running:
        yield running
        return
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    here = os.pathsep.join([str(Path(__file__).resolve().parents[1]), *filter(None, sys.path)])
    builder = SparkSession.builder.appName("qifu sweep").config(
        "spark.executorEnv.PYTHONPATH", here
    )
    try:
        spark = builder.config("spark.ui.enabled", "false").getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise EngineMissing(f"Spark 没有起来（{_first_line(error)}）；请先装 Java 17") from error
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turns what Spark raises into one line."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise TableError(name, f"Spark 没有做完：{_cause(str(error))}") from error


@contextmanager
def _folder(target: Path) -> Iterator[Path]:
    """A folder to write to; it takes the target's place when the block ends well, and is gone when it does not."""
    if target.exists() and not (target / "_SUCCESS").is_file():
        raise TableError(str(target), "已经有了，又不是 Spark 以前写的结果；请换个名字")
    if not target.parent.is_dir():
        raise TableError(str(target), f"没有 {target.parent} 这个文件夹")
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as room:
        part, old = Path(room) / "new", Path(room) / "old"
        yield part
        if target.exists():
            target.replace(old)
        part.replace(target)


def _cause(message: str) -> str:
    """Of a traceback that came from a worker, the line that says what happened."""
    lines = [line.strip() for line in message.strip().splitlines()]
    said = [line for line in lines if _RAISED.match(line)]
    return (said or lines or ["?"])[-1 if said else 0][:300]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
