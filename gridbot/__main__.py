"""`python -m gridbot` is the command `gridbot`, and nothing more."""

from __future__ import annotations

from gridbot.cli import main

if __name__ == "__main__":
    main()
