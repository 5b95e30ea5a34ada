"""Errors of the knowledge library.

KnowledgeError
├── CatalogueError            a catalogue file breaks the format; names file, line and field
├── DocumentError             a document that cannot be taken into the catalogue; names the file
│   ├── UnsupportedDocument   of a kind that is not read (.txt, .doc), or not what it claims to be
│   ├── LockedDocument        protected by a password
│   ├── DamagedDocument       truncated or corrupt
│   ├── OversizedDocument     too large, or it would unpack to something absurd
│   ├── ScannedDocument       pages that are pictures, or whose text layer cannot be read
│   └── NotAPolicy            read, but it holds no clause, or nobody can have issued it
├── RosterError               a file of enterprises that cannot be used as a whole; names the file
├── TableError                a file of enterprises that cannot be read, or one that cannot be written
├── RuleError                 a change to a condition that cannot be made; says what can be changed
├── EngineMissing             Spark was asked for and is not installed
├── EncoderError              a model is missing or does not fit the stored vectors
└── LabelError                an evaluation file breaks the format; names file and line
"""

from __future__ import annotations


class KnowledgeError(Exception):
    """Anything the knowledge library refuses, in words a maintainer can act on."""


class CatalogueError(KnowledgeError):
    """A catalogue that may not be used; ``problems`` holds one line a defect."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class DocumentError(KnowledgeError):
    """A document that cannot be taken in; ``file`` is its name, ``reason`` says why and what to do."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file}：{reason}")


class UnsupportedDocument(DocumentError):
    """Of a kind that is not read, or its content is no document at all."""


class LockedDocument(DocumentError):
    """Protected by a password."""


class DamagedDocument(DocumentError):
    """Truncated or corrupt."""


class OversizedDocument(DocumentError):
    """Too large, or it would unpack to something absurd."""


class ScannedDocument(DocumentError):
    """``pages`` (counted from 1) are pictures, or their text layer cannot be read."""

    def __init__(self, file: str, reason: str, pages: tuple[int, ...]) -> None:
        self.pages = pages
        super().__init__(file, reason)


class NotAPolicy(DocumentError):
    """Read without trouble, but it holds no clause, or nothing tells who issued it."""


class RosterError(KnowledgeError):
    """A file of enterprises that cannot be used; ``file`` is its name, ``reason`` says why and what to do."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file}：{reason}")


class TableError(KnowledgeError):
    """A file of enterprises that cannot be used; ``where`` names the file, with the line where one is to blame."""

    def __init__(self, where: str, reason: str) -> None:
        self.where, self.reason = where, reason
        super().__init__(f"{where}：{reason}")


class RuleError(KnowledgeError):
    """A change to a policy's condition that cannot be made; the message says what can be changed."""


class EngineMissing(KnowledgeError):
    """An optional engine is not installed; the message says how to get it."""


class EncoderError(KnowledgeError):
    """The encoder named in the settings cannot be used as asked."""


class LabelError(KnowledgeError):
    """An evaluation file that does not follow the format of ``qifu eval``."""
