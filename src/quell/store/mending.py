"""Mends the queue after a worker died: its unfinished jobs are put back, since every one is safe to do twice."""

import procrastinate


async def retry_stalled(app: procrastinate.App, dead_after_s: float) -> int:
    """Put back the jobs of workers that were not heard of for so long; how many."""
    count = 0
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=dead_after_s):
        await app.job_manager.retry_job(job)
        count += 1
    return count
