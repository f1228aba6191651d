"""The rules in plain Python: no Django, Celery, boto3, clock, settings or I/O."""
