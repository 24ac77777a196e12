"""The sections of reports, one per file: a record, how it is found and how it is shown."""
