"""The ways in and out: one file a channel, each ending in `CHANNEL = …`; files named `_…` are parts of them."""
