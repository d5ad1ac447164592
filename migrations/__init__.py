"""The schema's history: every change to the tables, up and down, for SQLite and PostgreSQL.

A revision's number is the start of its file's name in `versions`, so that a program can tell at once which it knows.
"""
