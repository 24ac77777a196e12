"""Blocks of a page, and the page that they make."""
