"""A second, slow implementation of the strategy that shares no line with gridbot and exists to disagree with it."""
