"""`quell demo`: a sample company's working day, played through the real channels with real agent processes."""
