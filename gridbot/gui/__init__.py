"""The only room that imports PySide6; it looks at snapshots and sends commands."""
