"""Trying the models on recorded streams in memory, with no database, and scoring what they said."""
