"""Corpora with a name, and the file format of some of them: one reader per file."""
