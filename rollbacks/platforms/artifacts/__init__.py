"""Artifacts that are files: got, checked, and packed again for hosts."""
