"""What gridbot writes down for people: log files, exports, crash reports; nothing secret leaves here."""
