"""The application as a person at a desk has it: a real window on a virtual screen, found and used by accessible names.

`make test-desktop` and `make test-package` run these programs. They are no tests of pytest: they need a screen, a
message bus and, for the package, an empty Debian.
"""
