"""The REST API under /api/v1: read input, call one verb, show the result; errors are problem documents."""
