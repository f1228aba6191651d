"""One function for each verb: owns the transaction, writes the audit event, queues on commit."""
