"""Corpora with a name, one per file; each registers itself when `tf_vmf.data` imports it."""
