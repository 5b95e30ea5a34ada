"""Reads the policy catalogue from JSON lines, strictly: a file with any defect is refused as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from knowledge.acts import Act, ActKind
from knowledge.clauses import clauses_of
from knowledge.errors import CatalogueError
from knowledge.fields import FieldSpec, nearest_name, read_fields
from knowledge.policy import Clause, Criterion, Facet, Level, Op, Policy, Scalar, Status
from knowledge.profile import one_width

DATA = Path(__file__).parent / "data"
DEMO_CATALOGUE = DATA / "catalogue"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$")]


def _calendar_day(value: object) -> date:
    """Only YYYY-MM-DD; pydantic alone would also read numbers, as seconds since 1970."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("write a date as YYYY-MM-DD")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_calendar_day)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _CriterionRow(_Strict):
    field: Text
    op: Text  # checked by hand, so that a mistyped one is answered with the nearest
    value: bool | int | float | str | list[str] | list[_CriterionRow]
    note: Text


class _ClauseRow(_Strict):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}-\d{3,5}#c\d+$")]
    facet: Facet = Field(strict=False)
    label: Text
    text: Text
    path: list[Text]
    page: Annotated[int, Field(ge=1)] | None


class _ActRow(_Strict):
    kind: ActKind = Field(strict=False)
    title: Text
    doc_no: Text | None
    issuer: Text
    day: Day | None
    word: Text = "废止"
    clauses: list[Text] = Field(default_factory=list)
    until: Day | None = None


class _PolicyRow(_Strict):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}-\d{3,5}$")]
    title: Text
    aliases: list[Text]
    level: Level = Field(strict=False)
    place: Text | None
    issuer: Text
    doc_no: Text | None
    source_url: Url | None
    published: Day | None
    valid_from: Day | None
    valid_to: Day | None
    status: Literal["current", "expired", "unknown"]
    category: Text
    industries: list[Text]
    benefit_type: Text
    amount_max_cny: Annotated[int, Field(gt=0)] | None
    summary: Text | None
    criteria: list[_CriterionRow]
    materials: list[Text]
    window: Text | None
    department: Text
    phone: Text | None
    confidence: Literal["high", "medium", "low"]
    note: Text | None
    inferred: list[Text]
    asked: list[Text] = Field(default_factory=list)
    wording: list[_ClauseRow] = Field(default_factory=list)
    acts: list[_ActRow] = Field(default_factory=list)
    status_as_of: Day | None = None


# The keys of a policy, in the order a row has them.
KEYS = tuple(_PolicyRow.model_fields)
# Those a row may leave out.
OPTIONAL = frozenset(key for key, each in _PolicyRow.model_fields.items() if not each.is_required())


_OPS = tuple(op.value for op in Op)


class Catalogue:
    """All policies by id, and their clauses by clause id, in file order."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.policies: dict[str, Policy] = {policy.id: policy for policy in policies}

    @cached_property
    def clauses(self) -> dict[str, Clause]:
        return {
            clause.id: clause for policy in self.policies.values() for clause in clauses_of(policy)
        }

    def clauses_of(self, policy_id: str) -> list[Clause]:
        """The clauses of one policy, in the order a reader expects them."""
        return self._by_policy[policy_id]

    @cached_property
    def _by_policy(self) -> dict[str, list[Clause]]:
        grouped: dict[str, list[Clause]] = {policy_id: [] for policy_id in self.policies}
        for clause in self.clauses.values():
            grouped[clause.policy_id].append(clause)
        return grouped

    def __len__(self) -> int:
        return len(self.policies)


def read_catalogue(
    source: Path = DEMO_CATALOGUE,
    fields: Mapping[str, FieldSpec] | None = None,
    base: Path | None = None,
    lines: dict[str, Policy] | None = None,
) -> Catalogue:
    """Reads one ``.jsonl`` file or all of a folder.

    ``base`` is a catalogue ``source`` lies over: a policy of the same id replaces the base's where it stands, others
    follow. ``source`` may then be empty or missing. ``lines`` are those read before with the same ``fields`` and their
    policies: a line that stands there gives the very same policy and is not checked again; afterwards it holds the lines
    of this reading.

    Raises:
        CatalogueError: with every defect found, each as ``file:line: field: what is wrong``.
    """
    known = read_fields() if fields is None else fields
    problems: list[str] = []
    before = dict(lines or {})
    read: dict[str, Policy] = {}
    policies = {} if base is None else _read_layer(_files(base), known, problems, before, read)
    is_bare = base is not None and not (source.is_file() or any(source.glob("*.jsonl")))
    policies |= _read_layer([] if is_bare else _files(source), known, problems, before, read)
    if problems:
        raise CatalogueError(problems)
    if lines is not None:
        lines.clear()
        lines.update(read)
    if not policies:
        raise CatalogueError([f"{source.name}: no policy in it; expected one JSON object a line"])
    return Catalogue(policies.values())


def _read_layer(
    paths: Iterable[Path],
    fields: Mapping[str, FieldSpec],
    problems: list[str],
    before: Mapping[str, Policy],
    read: dict[str, Policy],
) -> dict[str, Policy]:
    """The policies of one layer, in which an id stands once; adds what is wrong to ``problems``, lines to ``read``."""
    policies: dict[str, Policy] = {}
    where: dict[str, str] = {}
    for path in paths:
        for number, line in _lines(path):
            policy = before.get(line)
            if policy is None:
                found, policy = _read_line(path, number, line, fields)
                problems += found
            if policy is None:
                continue
            read[line] = policy
            at = f"{path.name}:{number}"
            if policy.id in policies:
                problems.append(f"{at}: id: {policy.id!r} is already used at {where[policy.id]}")
                continue
            policies[policy.id] = policy
            where[policy.id] = at
    return policies


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        files = sorted(source.glob("*.jsonl"))
        if files:
            return files
        raise CatalogueError([f"{source}: no .jsonl file in this folder"])
    if source.is_file():
        return [source]
    raise CatalogueError([f"{source}: no such file or folder"])


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogueError(
            [f"{path.name}: byte {error.start}: not UTF-8; save the file as UTF-8"]
        ) from error
    except OSError as error:
        raise CatalogueError([f"{path}: cannot be read: {error.strerror}"]) from error
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _read_line(
    path: Path, number: int, line: str, fields: Mapping[str, FieldSpec]
) -> tuple[list[str], Policy | None]:
    at = f"{path.name}:{number}"
    try:
        record = json.loads(line, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        return [f"{at}: column {error.colno}: not valid JSON: {error.msg}"], None
    except _DuplicateKey as error:
        return [f"{at}: {error}: this key stands twice in one object"], None
    except (ValueError, RecursionError) as error:
        return [f"{at}: record: JSON that cannot be read: {error}"], None
    problems, policy = read_row(record, fields)
    return [f"{at}: {problem}" for problem in problems], policy


def read_row(record: object, fields: Mapping[str, FieldSpec]) -> tuple[list[str], Policy | None]:
    """One policy from the object a line of the catalogue holds, and each defect as ``field: what is wrong``.

    With any defect there is no policy.
    """
    try:
        row = _PolicyRow.model_validate(record)
    except ValidationError as error:
        return _problems(error), None
    except (ValueError, RecursionError) as error:
        return [f"record: cannot be read: {error}"], None
    problems = list(_check(row, fields))
    return problems, None if problems else _policy(row)


class _DuplicateKey(Exception):
    """A JSON object names one key twice; the first value would be lost."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _DuplicateKey(key)
        result[key] = value
    return result


def _problems(error: ValidationError) -> list[str]:
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        name = (
            ".".join(str(part) for part in detail["loc"] if not _is_union_branch(part)) or "record"
        )
        found.setdefault(name, f"{name}: {detail['msg']}, got {str(detail['input'])[:60]!r}")
    return list(found.values())


def _is_union_branch(part: int | str) -> bool:
    """pydantic puts the tried type of a union into the location; a maintainer does not know these names."""
    return isinstance(part, str) and (part in {"bool", "int", "float", "str"} or "[" in part)


def _check(row: _PolicyRow, fields: Mapping[str, FieldSpec]) -> Iterable[str]:
    if row.valid_from and row.valid_to and row.valid_from > row.valid_to:
        yield f"valid_to: {row.valid_to} lies before valid_from {row.valid_from}"
    for key in row.inferred:
        if key not in _PolicyRow.model_fields:
            yield f"inferred: {key!r} is no key of a policy{_nearest(key, _PolicyRow.model_fields)}"
    for index, criterion in enumerate(row.criteria):
        yield from _check_criterion(criterion, row.id, f"criteria.{index}", fields)
    yield from _check_wording(row)


def _check_wording(row: _PolicyRow) -> Iterable[str]:
    if row.summary is None and not row.wording:
        yield "summary: a policy needs a summary or its own wording"
    seen: set[str] = set()
    for index, clause in enumerate(row.wording):
        if not clause.id.startswith(f"{row.id}#"):
            yield f"wording.{index}.id: {clause.id!r} does not begin with {row.id + '#'!r}"
        if clause.id in seen:
            yield f"wording.{index}.id: {clause.id!r} stands twice"
        seen.add(clause.id)


def _check_criterion(
    row: _CriterionRow, item: str, at: str, fields: Mapping[str, FieldSpec]
) -> Iterable[str]:
    if row.op == Op.OR:
        alternatives = row.value if isinstance(row.value, list) else []
        if (
            row.field != "any_of"
            or not alternatives
            or any(isinstance(a, str) for a in alternatives)
        ):
            yield f"{at}: op 'or' needs field 'any_of' and a list of criteria as value"
            return
        for index, alternative in enumerate(alternatives):
            assert isinstance(alternative, _CriterionRow)
            yield from _check_criterion(alternative, item, f"{at}.value.{index}", fields)
        return
    spec = fields.get(row.field)
    if spec is None:
        yield f"{at}.field: {item}: unknown field {row.field!r}{_nearest(row.field, fields)}"
    if row.op not in _OPS:
        yield f"{at}.op: {item}: unknown op {row.op!r} on {row.field!r}{_nearest(row.op.lower(), _OPS)}"
    if spec is None or row.op not in _OPS:
        return
    problem = _misfit(row, spec)
    if problem:
        yield f"{at}.value: {problem}"


def _misfit(row: _CriterionRow, spec: FieldSpec) -> str | None:
    """Why an op or its value does not fit the field's type; ``None`` when it does."""
    value, op = row.value, Op(row.op)
    if op in {Op.GTE, Op.GT, Op.LTE, Op.LT}:
        fits = (
            spec.type == "number" and isinstance(value, int | float) and not isinstance(value, bool)
        )
    elif op in {Op.INCLUDES_ANY, Op.EXCLUDES}:
        fits = spec.type == "string_list" and _is_string_list(value)
    elif op is Op.IN:
        fits = spec.type == "string" and _is_string_list(value)
    elif spec.type == "boolean":
        fits = isinstance(value, bool)
    elif spec.type == "number":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = spec.type == "string" and isinstance(value, str)
    return (
        None
        if fits
        else f"{value!r} does not fit op {op.value!r} on the {spec.type} field {spec.name!r}"
    )


def _is_string_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = nearest_name(name, known)
    return f"; did you mean {close!r}?" if close else ""


def _policy(row: _PolicyRow) -> Policy:
    values = {key: getattr(row, key) for key in _PolicyRow.model_fields}
    for key in ("aliases", "industries", "materials", "inferred", "asked"):
        values[key] = tuple(values[key])
    values["status"] = Status(row.status)
    values["criteria"] = tuple(_criterion(criterion) for criterion in row.criteria)
    values["wording"] = tuple(
        Clause(c.id, row.id, c.facet, c.label, c.text, tuple(c.path), c.page) for c in row.wording
    )
    values["acts"] = tuple(
        Act(**{**dict(act), "clauses": tuple(act.clauses)})  # the row's keys are the act's
        for act in row.acts
    )
    return Policy(**values)


def _criterion(row: _CriterionRow) -> Criterion:
    value: Scalar | tuple[str, ...] | tuple[Criterion, ...]
    if isinstance(row.value, list):
        strings = tuple(one_width(item) for item in row.value if isinstance(item, str))
        value = strings or tuple(
            _criterion(item) for item in row.value if isinstance(item, _CriterionRow)
        )
    else:
        value = one_width(row.value) if isinstance(row.value, str) else row.value
    return Criterion(row.field, Op(row.op), value, row.note)
