"""The pages, one file a place: read input, call one verb or question, show the result."""
