"""The only room that imports PySide6 and pyqtgraph; it looks at snapshots and sends commands."""
