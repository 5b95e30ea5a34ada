"""Carries answers from the worker's threads to the requests and streams waiting for them.

The outbox table is the truth; this is only the fast way. What is lost here (a slow reader, another
process) is found again by the worker's look at the outbox, by ``Last-Event-ID``, or by the history.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVarTuple

from service.conversations.turns import Answer, Delivery

_QUEUED_EVENTS = 100
_Given = TypeVarTuple("_Given")


@dataclass(frozen=True)
class Typing:
    """A turn of this conversation has begun."""


class Subscription:
    """One open stream: yields what happens in its conversation until it is closed.

    ``known_seq``: every reply up to it was queued, or given to the reader before; absent until
    ``begin_after``. A reply may come before an older one written elsewhere, but each comes once.
    """

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.known_seq: int | None = None
        self._beyond: set[int] = set()
        self._events: asyncio.Queue[Delivery | Typing | None] = asyncio.Queue(_QUEUED_EVENTS)
        self._is_closed = False

    def begin_after(self, seq: int) -> None:
        """Says that the reader has every reply up to ``seq``, by other ways."""
        self.known_seq = seq

    def offer(self, event: Delivery | Typing) -> None:
        """Queues an event; a reader too slow to keep up is closed and comes back for the rest."""
        if self._is_closed:
            return
        if isinstance(event, Delivery):
            if event.seq in self._beyond or event.seq <= (self.known_seq or 0):
                return
            self._beyond.add(event.seq)
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self.close()

    def advance(self, seq: int) -> None:
        """Notes that every reply up to ``seq`` has been offered."""
        if self.known_seq is not None and seq > self.known_seq:
            self.known_seq = seq
            self._beyond = {beyond for beyond in self._beyond if beyond > seq}

    def close(self) -> None:
        """Ends the stream after what the reader is handling now."""
        if self._is_closed:
            return
        self._is_closed = True
        while self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[Delivery | Typing]:
        """What happens, until the stream is closed."""
        while (event := await self._events.get()) is not None:
            yield event


class Hub:
    """Lives on the event loop; its second half may be called from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: dict[str, set[Subscription]] = {}
        self._waiting: dict[str, set[asyncio.Future[Answer]]] = {}
        self._sent: set[int] = set()
        self._sent_lock = threading.Lock()
        self._is_closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop that every waiting request runs on."""
        self._loop = loop

    def close(self) -> None:
        """Ends every stream, so that the server can stop; called on the loop."""
        self._is_closed = True
        for streams in self._streams.values():
            for stream in streams:
                stream.close()

    # -- on the loop ---------------------------------------------------------------------------

    @contextmanager
    def subscribe(self, conversation_id: str) -> Iterator[Subscription]:
        """A stream of the conversation, for as long as the block lasts."""
        subscription = Subscription(conversation_id)
        self._streams.setdefault(conversation_id, set()).add(subscription)
        if self._is_closed:
            subscription.close()
        try:
            yield subscription
        finally:
            streams = self._streams[conversation_id]
            streams.discard(subscription)
            if not streams:
                del self._streams[conversation_id]

    @contextmanager
    def waiting(self, message_id: str) -> Iterator[asyncio.Future[Answer]]:
        """A future for the answer of a message, fulfilled if this process answers it."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(message_id, set()).add(future)
        try:
            yield future
        finally:
            future.cancel()
            futures = self._waiting[message_id]
            futures.discard(future)
            if not futures:
                del self._waiting[message_id]

    def sent(self, deliveries: Iterable[Delivery]) -> None:
        """Notes that replies were handed to a response or a stream."""
        with self._sent_lock:
            self._sent.update(delivery.seq for delivery in deliveries)

    # -- from any thread -----------------------------------------------------------------------

    def typing(self, conversation_id: str) -> None:
        """Tells the conversation's streams that a turn has begun."""
        if conversation_id in self._streams:
            self._call(self._offer, conversation_id, [Typing()])

    def answered(self, conversation_id: str, message_id: str, answer: Answer) -> None:
        """Hands an answer to the requests waiting for it and to the conversation's streams."""
        self._call(self._resolve, conversation_id, message_id, answer)

    def posted(self, conversation_id: str, deliveries: Sequence[Delivery]) -> None:
        """Hands lines that answer no message to the conversation's streams at once."""
        if conversation_id in self._streams:
            self._call(self._offer, conversation_id, deliveries)

    def catch_up(self, conversation_id: str, deliveries: Sequence[Delivery]) -> None:
        """Hands over what the outbox holds after ``positions``, without a gap; known ones skip."""
        self._call(self._advance, conversation_id, deliveries)

    def positions(self) -> dict[str, int]:
        """For every conversation with a stream, up to where all its streams know the outbox."""
        positions = {}
        for conversation_id, streams in tuple(self._streams.items()):
            known = [stream.known_seq for stream in tuple(streams)]
            if begun := [seq for seq in known if seq is not None]:
                positions[conversation_id] = min(begun)
        return positions

    def sent_seqs(self) -> set[int]:
        """Outbox numbers that were handed over and are not marked so yet."""
        with self._sent_lock:
            return set(self._sent)

    def forget_sent(self, seqs: Iterable[int]) -> None:
        """Takes what is marked now off ``sent_seqs``."""
        with self._sent_lock:
            self._sent.difference_update(seqs)

    def _call(self, function: Callable[[*_Given], None], *arguments: *_Given) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            return  # the loop closed in between; nobody is waiting any more

    def _offer(self, conversation_id: str, events: Iterable[Delivery | Typing]) -> None:
        for stream in self._streams.get(conversation_id, ()):
            for event in events:
                stream.offer(event)

    def _advance(self, conversation_id: str, deliveries: Sequence[Delivery]) -> None:
        self._offer(conversation_id, deliveries)
        for stream in self._streams.get(conversation_id, ()):
            stream.advance(deliveries[-1].seq)

    def _resolve(self, conversation_id: str, message_id: str, answer: Answer) -> None:
        for future in self._waiting.get(message_id, ()):
            if not future.done():
                future.set_result(answer)
        self._offer(conversation_id, answer.deliveries)
