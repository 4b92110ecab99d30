"""The application as a person at a desk has it: a real window on a virtual screen, found and used by accessible names.

These are programs, not tests of pytest: `make test-desktop` and `make test-package` run them, as they need a screen, a message
bus and, for the package, an empty Debian.
"""
