"""portal-config, the employee's one-file client; `make client` builds `portal_config.py` from these modules."""
