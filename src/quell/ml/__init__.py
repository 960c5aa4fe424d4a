"""The small models: they read messages, propose with a calibrated chance and exact reasons, and never decide."""
