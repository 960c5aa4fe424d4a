"""`quell bench`: load and speed on this machine, each figure beside its yardstick and measured in the same run."""
