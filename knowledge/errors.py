"""Errors of the knowledge library.

KnowledgeError
├── CatalogueError   a catalogue file breaks the format; names file, line and field
├── EncoderError     a model is missing or does not fit the stored vectors
└── LabelError       an evaluation file breaks the format; names file and line
"""

from __future__ import annotations


class KnowledgeError(Exception):
    """Anything the knowledge library refuses, in words a maintainer can act on."""


class CatalogueError(KnowledgeError):
    """A catalogue that may not be used; ``problems`` holds one line a defect."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class EncoderError(KnowledgeError):
    """The encoder named in the settings cannot be used as asked."""


class LabelError(KnowledgeError):
    """An evaluation file that does not follow the format of ``qifu eval``."""
