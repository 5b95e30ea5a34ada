"""Builds the tree of a document's headings, articles and lists, and cuts it into pieces, each with a label and a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from knowledge.documents.blocks import Block, Paragraph, Table
from knowledge.documents.facets import names_facet
from knowledge.documents.grids import read_grid
from knowledge.documents.marks import Annex, Mark, Rank, read_annex, read_mark, unspaced
from knowledge.documents.word_numbers import chinese

# Lists below （一） up to this many characters are one piece: "1. 营业执照" alone tells nobody anything.
GATHER_UP_TO = 400
ANNEX_LIST = "附件清单"
_LISTS_ANNEXES = re.compile(r"附\s?件\s?(?:[：:]|\d{1,2}\s?[：:.．、]).{0,80}$")
_LONGEST_HEADING = 40
_ENDS_SENTENCE = re.compile(r"[。；;！!？?，,]")
_ENDS_IN_MARK = re.compile(r"[、）)．.章节]$")
_BRACKETED = re.compile(r"[【\[]\s?([^】\]]{1,30})\s?[】\]]\s?")
_RUN_IN = re.compile(r"([^。；，,：:]{2,20})[。：:](?=.)")


@dataclass(frozen=True)
class Piece:
    """A clause without an id: what it is called, the headings it stands in (itself included), its words, its page.

    ``context`` are the headings and lead-ins that say what it is about, outermost first.
    """

    label: str
    path: tuple[str, ...]
    text: str
    page: int | None
    context: tuple[str, ...]


@dataclass
class _Node:
    """A heading, article or list item. ``title`` is its heading text, empty where words follow its number at once."""

    rank: Rank
    written: str
    depth: int = 0
    title: str = ""
    page: int | None = None
    items: list[Paragraph | Table | _Node] = field(default_factory=list)

    @property
    def heading(self) -> str:
        name = self.title.rstrip("：: ")
        if not self.written:
            return name
        space = (
            " "
            if name and self.rank in {Rank.PART, Rank.CHAPTER, Rank.SECTION, Rank.ARTICLE}
            else ""
        )
        return f"{self.written}{space}{name}"

    @property
    def order(self) -> tuple[int, int]:
        return (self.rank, self.depth)


@dataclass(frozen=True)
class _Place:
    """Where pieces stand: the annex (or ``""``), the path so far, what it is about, the label so far.

    ``base`` is what the label of an item below begins with; outside of articles that leaves out 第2段.
    """

    part: str
    path: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    label: str = ""
    base: str = ""
    in_article: bool = False


def outline(blocks: Sequence[Block], part: str = "", heading: str = "") -> list[Piece]:
    """The pieces of ``blocks`` in order; every character is in a piece's text, its label or its path.

    ``part`` begins the labels where the blocks are not the main text (附件1); annexes inside ``blocks`` get their own.
    """
    pieces: list[Piece] = []
    blocks = [b for b in blocks if isinstance(b, Paragraph) or any(map(any, b.rows))]
    for name, title, own in _parts(blocks, part, heading):
        text, listed = _annex_list(own)
        path = tuple(each for each in (" ".join(filter(None, (name, title))),) if each)
        pieces += _cut(_tree(text), _Place(name, path, (title,) if title else ()))
        if listed:
            lines = "\n".join(each.text for each in listed)
            pieces.append(Piece(ANNEX_LIST, (*path, ANNEX_LIST), lines, listed[0].page, ()))
        if title and not own:
            pieces.append(Piece(name or title, path, title, None, (title,)))
    return [replace(each, path=tuple(filter(None, each.path))) for each in pieces]


def _annex_list(blocks: Sequence[Block]) -> tuple[list[Block], list[Paragraph]]:
    """Takes out the list of annexes under a notice: 附件：1. 申请表, and the lines 2., 3. after it."""
    for at, block in enumerate(blocks):
        if not (isinstance(block, Paragraph) and _LISTS_ANNEXES.match(block.text)):
            continue
        listed = [block]
        for each in blocks[at + 1 :]:
            mark = read_mark(each.text) if isinstance(each, Paragraph) else None
            is_item = mark is not None and mark.rank is Rank.THREE and len(each.text) < 60  # type: ignore[union-attr]
            if not isinstance(each, Paragraph) or not (is_item or _LISTS_ANNEXES.match(each.text)):
                break
            listed.append(each)
        return [*blocks[:at], *blocks[at + len(listed) :]], listed
    return list(blocks), []


def _parts(
    blocks: Sequence[Block], part: str, heading: str
) -> Iterator[tuple[str, str, list[Block]]]:
    """The main text and its annexes: name, title, blocks."""
    starts = _annex_starts(blocks)
    begin, name, title = 0, part, heading
    for at, annex in [*starts.items(), (len(blocks), Annex("", ""))]:
        own = list(blocks[begin:at])
        if name != part or title != heading:
            title, own = _annex_title(title, own)
        if own or (name != part and title):
            yield name, title, own
        begin, name, title = at + 1, annex.name, annex.title


def _annex_starts(blocks: Sequence[Block]) -> dict[int, Annex]:
    """Where annexes begin. A list of annexes names each before it comes, so the last mention of a name counts."""
    last: dict[str, tuple[int, Annex]] = {}
    for at, block in enumerate(blocks):
        annex = read_annex(block.text) if isinstance(block, Paragraph) else None
        if annex is None:
            continue
        follows = blocks[at + 1] if at + 1 < len(blocks) else None
        text = follows.text if isinstance(follows, Paragraph) else ""
        is_list = text != "" and (
            read_annex(text) is not None or re.match(r"[12][.．、]", annex.title) is not None
        )
        if follows is not None and not is_list:
            last[annex.name] = (at, annex)
    return dict(sorted(last.values()))


def _annex_title(title: str, blocks: list[Block]) -> tuple[str, list[Block]]:
    """An annex's title: beside its name, or the short line below it."""
    if title or not blocks or not isinstance(blocks[0], Paragraph):
        return title, blocks
    first = blocks[0].text
    if (
        len(first) > 60
        or _ENDS_SENTENCE.search(first)
        or first.endswith(("：", ":"))
        or read_mark(first)
    ):
        return title, blocks
    return unspaced(first), blocks[1:]


def _tree(blocks: Sequence[Block]) -> _Node:
    root = _Node(Rank.PART, "", depth=-1)
    stack = [root]
    for block in blocks:
        if isinstance(block, Table):
            _close_list(stack)
            stack[-1].items.append(block)
            continue
        node = _opened(block)
        if node is None:
            _close_list(stack)
            stack[-1].items.append(block)
            continue
        while len(stack) > 1 and stack[-1].order >= node.order:
            stack.pop()
        stack[-1].items.append(node)
        stack.append(node)
    return root


def _opened(block: Paragraph) -> _Node | None:
    """The node a paragraph opens, if it begins with a number or is a heading of its own."""
    mark = read_mark(block.text)
    if mark is not None:
        return _numbered(mark, block)
    text = unspaced(block.text)
    if block.heading is not None and len(text) <= 60 and not text.endswith(("。", "；")):
        return _Node(Rank.HEADING, "", block.heading, text, block.page)
    if names_facet(text.rstrip("：:")) and not _ENDS_SENTENCE.search(text):
        return _Node(Rank.HEADING, "", 9, text, block.page)
    return None


def _numbered(mark: Mark, block: Paragraph) -> _Node:
    node = _Node(mark.rank, mark.written, 0, "", block.page)
    rest = mark.rest
    if bracketed := _BRACKETED.match(rest):
        node.title = bracketed[0].strip()
        rest = rest[bracketed.end() :]
    elif mark.rank <= Rank.SECTION or _is_heading(rest):
        node.title, rest = rest, ""
    elif mark.rank <= Rank.TWO and (run_in := _RUN_IN.match(rest)):
        node.title = run_in[1] if len(rest) > len(run_in[1]) + 12 else ""
    if rest:
        node.items.append(Paragraph(rest, block.page))
    return node


def _is_heading(text: str) -> bool:
    """A short line without a full stop; one that ends in a colon leads a list, unless it only names a facet."""
    if text.endswith(("：", ":")):
        return names_facet(text[:-1])
    return 0 < len(text) <= _LONGEST_HEADING and not _ENDS_SENTENCE.search(text)


def _close_list(stack: list[_Node]) -> None:
    """Before an unnumbered paragraph: leaves the list it does not belong to.

    In an article that is any list (前款所称… is its next 款); elsewhere a numbered item that already has its words.
    """
    article = next((i for i, node in enumerate(stack) if node.rank is Rank.ARTICLE), None)
    if article is not None:
        del stack[article + 1 :]
        return
    while stack[-1].rank >= Rank.THREE and stack[-1].items:
        stack.pop()


def _cut(node: _Node, at: _Place) -> Iterator[Piece]:
    """The pieces of what ``node`` holds; ``at`` already names the node itself."""
    paragraphs = _paragraphs(node)
    several = len(paragraphs) > 1
    tables = [item for item in node.items if isinstance(item, Table)]
    number = table_number = 0
    here = at
    run: list[_Node] = []
    waiting: Paragraph | None = None

    def flush() -> Iterator[Piece]:
        nonlocal run, waiting
        yield from _paragraph_with_list(waiting, run, here)
        run, waiting = [], None

    for item in node.items:
        if isinstance(item, _Node) and item.rank >= Rank.THREE:
            run.append(item)
            continue
        yield from flush()
        if isinstance(item, _Node):
            yield from _node(item, here)
        elif isinstance(item, Table):
            table_number += 1
            yield from _rows(item, here, table_number if len(tables) > 1 else None)
        else:
            number += 1
            here = _at_paragraph(at, item, number if several else None)
            waiting = item
    yield from flush()


def _paragraphs(node: _Node) -> list[Paragraph]:
    return [item for item in node.items if isinstance(item, Paragraph)]


def _at_paragraph(at: _Place, paragraph: Paragraph, number: int | None) -> _Place:
    """The place of one paragraph among several (``number``), or of the only one (``None``)."""
    lead = (paragraph.text,) if paragraph.text.endswith(("：", ":")) else ()
    context = at.context + lead
    if number is None:
        return replace(at, context=context)
    if at.in_article:
        step = f"第{chinese(number)}款"
        label = f"{at.label}{step}"
        return replace(at, path=(*at.path, step), context=context, label=label, base=label)
    label = f"{_spaced(at.label)}第{number}段" if at.label else f"{at.part or '正文'}第{number}段"
    return replace(at, context=context, label=label, base=at.label)


def _paragraph_with_list(
    paragraph: Paragraph | None, run: list[_Node], at: _Place
) -> Iterator[Piece]:
    """A paragraph and the numbered list after it: one piece when short, else one for it and one for each item."""
    lines = [line for node in run for line in _lines(node)]
    size = sum(map(len, lines)) + (len(paragraph.text) if paragraph else 0)
    if any(_holds_table(node) for node in run) or size > GATHER_UP_TO:
        if paragraph is not None:
            yield _piece(at, paragraph.text, paragraph.page)
        for node in run:
            yield from _node(node, at)
    elif paragraph is not None:
        yield _piece(at, "\n".join([paragraph.text, *lines]), paragraph.page)
    elif run and at.label:
        yield _piece(at, "\n".join(lines), run[0].page)
    else:
        for node in run:
            yield from _node(node, at)


def _lines(node: _Node) -> Iterator[str]:
    """A list item and all below it as written, one line each."""
    texts = [item.text for item in node.items if isinstance(item, Paragraph)]
    run_in = bool(texts) and texts[0].startswith(node.title)
    own = ([] if run_in or not node.title else [node.title]) + texts
    yield f"{node.written}{own[0] if own else ''}"
    yield from own[1:]
    for item in node.items:
        if isinstance(item, _Node):
            yield from _lines(item)


def _holds_table(node: _Node) -> bool:
    return any(
        isinstance(i, Table) or (isinstance(i, _Node) and _holds_table(i)) for i in node.items
    )


def _node(node: _Node, at: _Place) -> Iterator[Piece]:
    """The pieces of a heading, article or item; one that holds nothing but its heading is itself a piece."""
    place = _inside(node, at)
    if not node.items:
        yield _piece(place, node.title or node.written, node.page)
        return
    yield from _cut(node, place)


def _inside(node: _Node, at: _Place) -> _Place:
    """The place of what a node holds."""
    context = (*at.context, node.title) if node.title else at.context
    if at.in_article and node.rank > Rank.ARTICLE:
        step = _item_of_article(node)
        label = f"{at.base}{step}"
        named = step if _says_title(node) else f"{step} {node.title}"
        return _Place(at.part, (*at.path, named), context, label, label, True)
    if node.rank <= Rank.ONE or not at.base:
        own = node.written or node.heading
        label = f"{at.part} {own}" if at.part else own
    else:
        label = f"{_spaced(at.base)}{node.written}"
    is_article = node.rank is Rank.ARTICLE
    return _Place(at.part, (*at.path, node.heading), context, label, label, is_article)


def _says_title(node: _Node) -> bool:
    """Whether the words of a node begin with its title, or it has none."""
    paragraphs = (item for item in node.items if isinstance(item, Paragraph))
    return not node.title or any(item.text.startswith(node.title) for item in paragraphs)


def _spaced(label: str) -> str:
    """The label with a space after it where it ends in a word: 申报条件 （一）, but 一、（一）."""
    return label if _ENDS_IN_MARK.search(label) else f"{label} "


def _item_of_article(node: _Node) -> str:
    """An item as the law cites it: 第（一）项, and below it 第1目."""
    if node.rank is Rank.TWO:
        return f"第{node.written}项"
    if node.rank is Rank.THREE:
        return f"第{node.written.rstrip('.．、 ')}目"
    return node.written


def _rows(table: Table, at: _Place, number: int | None) -> Iterator[Piece]:
    """One piece a row; the column names are context, so that a list of materials is known as one."""
    grid = read_grid(table)
    name = (
        f"表{number}"
        if number is not None
        else ""
        if at.part and at.label in {"", at.part}
        else "表"
    )
    base = " ".join(filter(None, (at.label or at.part, name)))
    path = (*at.path, grid.caption) if grid.caption else at.path
    if grid.caption and not grid.rows:
        yield Piece(base, path, grid.caption, table.page, at.context)
    for row in grid.rows:
        if not row.text:
            continue
        own = row.name or ""
        context = (*at.context, *filter(None, (grid.caption, own)))
        label = f"{base} {own}" if own and len(own) <= 12 else f"{base} 第{row.number}行"
        yield Piece(label.strip(), path, row.text, table.page, context)


def _piece(at: _Place, text: str, page: int | None) -> Piece:
    return Piece(at.label or at.part or "正文", at.path, text, page, at.context)
