"""The requests that `test_recorded.py` records, in their order."""
