"""A worker process: runs the queue's jobs, mends what a dead worker left, and minds orders that ran out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import procrastinate
from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Job as QueuedJob
from sqlalchemy.exc import SQLAlchemyError

from quell.core.errors import QuellError, Refused, TryAgain
from quell.journey import flow, tasks
from quell.settings import Settings
from quell.store import checkpoint_file, checkpoints, companies, sessions
from quell.store.jobs import QUEUE
from quell.store.mending import retry_stalled
from quell.wiring import Built, opened

HEARTBEAT_S = 2.0
DEAD_AFTER_S = 10.0
MEND_EVERY_S = 3.0
MIND_ORDERS_EVERY_S = 15.0
SEAL_EVERY_S = 5.0
SEAL_WITHIN_S = 5.0
SWEEP_EVERY_S = 3600.0
FINISH_WITHIN_S = 20.0
ATTEMPTS_MAX = 12
ATTEMPTS_BUG_MAX = 4
WAIT_FIRST_S = 1
WAIT_MAX_S = 300

log = logging.getLogger("quell.worker")


class Patience(procrastinate.BaseRetryStrategy):
    """Outside trouble is tried again for long, our own bugs a few times, refusals never.

    A TryAgain may carry the seconds that the other side asked us to wait as its second argument.
    """

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        """When to try again, None for never."""
        if isinstance(exception, Refused):
            return None
        most = ATTEMPTS_MAX if isinstance(exception, TryAgain) else ATTEMPTS_BUG_MAX
        if job.attempts >= most:
            return None
        asked = exception.args[1] if len(exception.args) > 1 else None
        wait_s = asked if isinstance(asked, int) else min(WAIT_FIRST_S * 2**job.attempts, WAIT_MAX_S)
        return RetryDecision(retry_in={"seconds": wait_s})


def register(built: Built) -> None:
    """Let every piece of work of the flow be done by its room's verb."""
    for name in flow.WORK:
        built.jobs.task(name=name, queue=QUEUE, retry=Patience(), pass_context=True)(_work(built, name))


def _work(built: Built, name: str) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, **args: object) -> None:
        try:
            await flow.do(built.house, name, args)
        except Exception as error:
            log.warning("job_failed task=%s error=%s: %s", name, type(error).__name__, error)
            if name in flow.GIVEN_UP and _is_last(error, context):
                await flow.give_up(built.house, name, args, f"{type(error).__name__}: {error}")
                return
            raise

    return run


def _is_last(error: Exception, context: JobContext) -> bool:
    return context.job is None or Patience().get_retry_decision(exception=error, job=context.job) is None


async def run(settings: Settings) -> None:
    """Work until told to stop."""
    async with opened(settings, "quell worker") as built:
        await work(built)


async def work(built: Built) -> None:
    """Take jobs until cancelled or told to stop by a signal."""
    register(built)
    await get_ready(built)
    minders = [
        asyncio.create_task(every(MEND_EVERY_S, lambda: retry_stalled(built.jobs, DEAD_AFTER_S))),
        asyncio.create_task(every(MIND_ORDERS_EVERY_S, lambda: flow.do(built.house, tasks.MIND_ORDERS, {}))),
        asyncio.create_task(every(SEAL_EVERY_S, lambda: seal(built))),
        asyncio.create_task(every(SWEEP_EVERY_S, lambda: sweep(built))),
    ]
    log.info("worker_ready concurrency=%s", built.settings.workers)
    try:
        await built.jobs.run_worker_async(
            queues=[QUEUE],
            concurrency=built.settings.workers,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=DEAD_AFTER_S,
            shutdown_graceful_timeout=FINISH_WITHIN_S,
            fetch_job_polling_interval=1.0,
            delete_jobs="successful",
        )
    finally:
        for each in minders:
            each.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*minders, return_exceptions=True)
        await seal_at_the_end(built)


async def get_ready(built: Built) -> None:
    """Build the model and fit it, so that the first message does not wait for that; a company may still be missing."""
    await asyncio.to_thread(lambda: built.house.mind.model)
    async with built.store.read() as connection:
        if await companies.loaded_at(connection) is not None:
            await built.house.mind.ready(connection)


async def seal(built: Built, now: bool = False) -> None:
    """Make a checkpoint over all chains when one is due, or `now` when anything has happened since the last."""
    file = built.settings.home / checkpoint_file.NAME
    await checkpoints.make(built.store, built.signer.sign_checkpoint, file, now=now)


async def seal_at_the_end(built: Built) -> None:
    """Leave nothing unsigned while everything stands still; without the signer the next start does it."""
    try:
        async with asyncio.timeout(SEAL_WITHIN_S):
            await seal(built, now=True)
    except (QuellError, SQLAlchemyError, TimeoutError) as error:
        log.warning("left_unsigned error=%s: %s", type(error).__name__, error)


async def sweep(built: Built) -> None:
    """Remove the sessions that have ended and the failed sign-ins that no longer count."""
    async with built.store.engine.begin() as connection:
        await sessions.sweep(connection, built.store.clock())


async def every(seconds: float, verb: Callable[[], Awaitable[object]]) -> None:
    """Call a verb again and again; trouble is logged, and the next turn tries anew."""
    while True:
        try:
            await verb()
        except Exception as error:
            log.warning("periodic_failed error=%s: %s", type(error).__name__, error)
        await asyncio.sleep(seconds)
