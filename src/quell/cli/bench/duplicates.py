"""`quell bench duplicates`: how long it takes to tell whether a message belongs to one of many open tickets."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from quell.cli.bench.figure import Figure, share
from quell.cli.demo.day import WHOLE, Spoken, company, messages
from quell.core.company_file import read_company
from quell.core.reading import Message, OpenTicket

COMMAND = "quell bench duplicates"
TICKETS, MESSAGES = 400, 100


async def measure(tickets: int = TICKETS, count: int = MESSAGES) -> list[Figure]:
    """The engine's whole answer beside the plainest way: the nearest sentence vector among all members."""
    return await asyncio.to_thread(_measure, tickets, count)


def _measure(tickets: int, count: int) -> list[Figure]:
    from quell.ml.embedder import Embedder, find_weights
    from quell.ml.engine import Engine

    with tempfile.TemporaryDirectory(prefix="quell-bench-") as folder:
        weights = find_weights()
        embedder = Embedder(weights, Path(folder)) if weights is not None else None
        engine = Engine(embedder=embedder)
        engine.fit(read_company(company())[0])
        stream = [_message(each) for each in messages(WHOLE)]
        open_ones = _open(stream, tickets)
        asked = [_fresh(each, index) for index, each in enumerate(stream[:count])]
        engine.propose(stream[0], open_ones, stream[-1].at)
        ours = _took(asked, lambda message: engine.propose(message, open_ones, message.at))
        plain = _took(asked, _nearest(embedder, open_ones)) if embedder is not None else []
    eyes = "with sentence vectors" if embedder is not None else "by words alone, no weights installed"
    says = (
        f"{count} new messages among {tickets} open tickets, {eyes}; kind, place, category, owner and priority at once"
    )
    against = share(plain, 0.5) * 1000 if plain else None
    yardstick = "nearest sentence vector only" if plain else ""
    return [
        Figure("one message among 400 open tickets, median" if tickets == TICKETS else "one message, median",
               share(ours, 0.5) * 1000, "ms", COMMAND, yardstick, against, None, says),
        Figure("the same, p99", share(ours, 0.99) * 1000, "ms", COMMAND, yardstick,
               share(plain, 0.99) * 1000 if plain else None, None, says),
    ]  # fmt: skip


def _message(spoken: Spoken) -> Message:
    row = spoken.row
    return Message(
        id=spoken.id,
        at=spoken.at,
        channel=spoken.channel,
        text=str(row["text"]),
        subject=row.get("subject"),
        sender=row.get("sender"),
        device=row.get("device"),
        labels=spoken.labels,
        identity=spoken.labels.get("fingerprint"),
    )


def _fresh(message: Message, index: int) -> Message:
    """The same words said once more by somebody else, so that nothing about it is remembered."""
    return Message(
        id=f"fresh-{index}", at=message.at + timedelta(days=30), channel=message.channel,
        text=f"{message.text} ({index})", subject=message.subject, sender=message.sender, device=message.device,
    )  # fmt: skip


def _open(stream: Sequence[Message], count: int) -> list[OpenTicket]:
    found = []
    for number in range(count):
        first = stream[number % len(stream)]
        members = (first, stream[(number * 7 + 1) % len(stream)]) if number % 3 == 0 else (first,)
        found.append(OpenTicket(number + 1, first.at, tuple(sorted(members, key=lambda each: each.at))))
    return found


def _nearest(embedder: object, tickets: Sequence[OpenTicket]) -> Callable[[Message], object]:
    from quell.ml.embedder import Embedder

    assert isinstance(embedder, Embedder)
    members = np.stack([embedder.embed([each.members[0].text])[0] for each in tickets])
    return lambda message: int(np.argmax(members @ embedder.embed([message.text])[0]))


def _took(asked: Sequence[Message], answer: Callable[[Message], object]) -> list[float]:
    seconds = []
    for message in asked:
        began = time.perf_counter()
        answer(message)
        seconds.append(time.perf_counter() - began)
    return seconds
