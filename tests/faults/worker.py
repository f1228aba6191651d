"""The portal's own worker, with a role that makes the process die where `FAULT_POISON` names one."""

import os
import signal

from celery.signals import worker_process_init

from portal.celery import app

__all__ = ["app"]


@worker_process_init.connect
def make_one_role_poisonous(**_: object) -> None:
    from onboarding.aws import sts

    probe_role = sts.probe_role

    def probe_or_die(order):
        if order.role_arn.name == os.environ.get("FAULT_POISON"):
            os.kill(os.getpid(), signal.SIGKILL)
        return probe_role(order)

    sts.probe_role = probe_or_die
