"""Dialogs that ask before a job starts."""
