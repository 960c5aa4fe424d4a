"""What the pages show: frozen values, already in words, so that a template decides nothing."""
