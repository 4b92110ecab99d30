"""Real exchanges: through ccxt, and Firi, which ccxt lacks. Unified dictionaries go no further than this room."""
