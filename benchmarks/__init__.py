"""What is fast, measured beside what one would use instead: `python -m benchmarks [--json] [--check]`.

Every row compares two ways to the same end, in CPU milliseconds where it does not say otherwise: both run in turn, at
least five times, and their medians make the ratio. Absolute figures depend on the machine; the ratio hardly does. The
goal stands in the code beside its row; `--check` ends with an error where one does not hold.

    configs.py       rendering and merging a person's config, beside botocore's parser and awscli's writer
    validations.py   one interactive validation through Celery, beside the bare calls
      rounds.py        its one side: the portal, which asks for validations and waits for the worker
      bare.py          its other side: the same calls in boto3, nothing around them
    sweeps.py        the whole schedule, on PostgreSQL and Valkey servers of their own: speed, cost of a call, growth
      scheduled.py     its one side: the portal, which lets all roles fall due and waits for the workers
      bare_threads.py  its other side: the same tries in threads, without database and queue
      bare_calls.py    one call on a shared boto3 client
    peers.py         Prowler's test of a connection, beside our two calls: `--prowler PYTHON` names its environment
      prowler_side.py, two_calls.py
    parts.py         the processes of a row
      servers.py       PostgreSQL and Valkey
      sts_stand_in.py  what answers in place of STS
"""
