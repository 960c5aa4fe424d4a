"""Feeds history through the real rooms with a clock of its own: for evaluation, backtests and what-ifs."""
