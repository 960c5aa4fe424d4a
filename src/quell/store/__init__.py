"""PostgreSQL: the log of events, the tables folded from it, the queue of jobs; one file a noun."""
