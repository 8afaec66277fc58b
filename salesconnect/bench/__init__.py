"""`manage.py bench`: each measure beside the fastest plain way to do the same work on the same data."""
