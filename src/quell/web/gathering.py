"""Requests at hooks that come while others are being stored: they are stored together, with one commit for all."""

import asyncio
from dataclasses import dataclass, field

from quell.core.errors import Refused
from quell.core.incoming import Receipt
from quell.journey.house import House
from quell.journey.intake import room as intake
from quell.journey.intake.room import Knock

TOGETHER_MAX = 64
TOGETHER_BYTES_MAX = 8 * 1024 * 1024
AT_ONCE_MAX = 2


@dataclass
class Waiting:
    """A request and whoever waits for its answer."""

    knock: Knock
    answer: "asyncio.Future[Receipt | Exception]"


@dataclass
class Gathering:
    """One for each process; a request that comes alone waits for nobody."""

    house: House
    waiting: list[Waiting] = field(default_factory=list)
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def take(self, knock: Knock) -> Receipt:
        """Store a request, with those that came meanwhile; returns when it is durable, raises what `take` raises."""
        mine = Waiting(knock, asyncio.get_running_loop().create_future())
        self.waiting.append(mine)
        if len(self.tasks) < AT_ONCE_MAX:
            task = asyncio.create_task(self._work())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        answer = await mine.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _work(self) -> None:
        while self.waiting:
            await self._store(self._next())

    def _next(self) -> list[Waiting]:
        """The oldest that fit together; at least one."""
        count, size = 1, len(self.waiting[0].knock.hook.body)
        for each in self.waiting[1:TOGETHER_MAX]:
            size += len(each.knock.hook.body)
            if size > TOGETHER_BYTES_MAX:
                break
            count += 1
        chosen, self.waiting = self.waiting[:count], self.waiting[count:]
        return chosen

    async def _store(self, together: list[Waiting]) -> None:
        try:
            answers: list[Receipt | Refused] = await intake.take_all(self.house, [each.knock for each in together])
        except Exception as error:
            if len(together) == 1:
                _tell(together[0], error)
                return
            # One of them may be to blame, and the others must not suffer for it.
            for each in together:
                await self._store([each])
            return
        for each, answer in zip(together, answers, strict=True):
            _tell(each, answer)


def _tell(waiting: Waiting, answer: Receipt | Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(answer)
