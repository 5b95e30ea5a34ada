"""Writes Thrift structures in the compact protocol, as far as parquet's page headers and footer need it.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# A value's type and its bytes.
Coded = tuple[int, bytes]

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_SHORT_LIST = 15


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; ``number`` is not negative."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def i32(number: int) -> Coded:
    return _I32, varint(number << 1)


def i64(number: int) -> Coded:
    return _I64, varint(number << 1)


def binary(text: str | bytes) -> Coded:
    data = text.encode() if isinstance(text, str) else text
    return _BINARY, varint(len(data)) + data


def struct(fields: Mapping[int, Coded]) -> Coded:
    """``fields`` by their numbers, ascending, never more than 15 apart."""
    out, last = bytearray(), 0
    for number, (kind, data) in fields.items():
        out.append((number - last) << 4 | kind)
        out += data
        last = number
    return _STRUCT, bytes(out) + b"\0"


def structs(items: Sequence[Coded]) -> Coded:
    return _list(_STRUCT, items)


def i32s(numbers: Sequence[int]) -> Coded:
    return _list(_I32, [i32(number) for number in numbers])


def binaries(texts: Sequence[str]) -> Coded:
    return _list(_BINARY, [binary(text) for text in texts])


def _list(kind: int, items: Sequence[Coded]) -> Coded:
    is_short = len(items) < _SHORT_LIST
    head = bytes([min(len(items), _SHORT_LIST) << 4 | kind])
    size = b"" if is_short else varint(len(items))
    return _LIST, head + size + b"".join(data for _, data in items)
