"""What is fast, measured beside what one would use instead: `python -m benchmarks [--json] [--check]`.

Every row compares two ways to the same end, in CPU milliseconds: both run in turn, at least five times, and their
medians make the ratio. Absolute figures depend on the machine; the ratio hardly does. The goal stands in the code
beside its row; `--check` ends with an error where one does not hold.

    configs.py       rendering and merging a person's config, beside botocore's parser and awscli's writer
    validations.py   one interactive validation through Celery, beside the bare calls
      rounds.py        its one side: the portal, which asks for validations and waits for the worker
      bare.py          its other side: the same five calls in boto3, nothing around them
      sts_stand_in.py  what answers both
"""
