"""Fitting what is shipped: states of whole companies, stage after stage, one company left out at a time."""
