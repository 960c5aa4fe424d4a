"""Quell: an open, self-hosted IT ticketing system that sorts its own queue."""

__version__ = "0.1.0"
