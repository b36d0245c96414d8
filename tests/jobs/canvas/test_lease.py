"""A worker asks Canvas only as long as it may be sure that nobody else does."""

import time

import pytest

from jobs.canvas.lease import Lease
from service.errors import LeaseLost


def test_a_lease_that_ran_out_stops_its_worker_until_it_is_renewed() -> None:
    lease = Lease(0)
    with pytest.raises(LeaseLost, match="the lease ran out"):
        lease.require()
    lease = Lease(60)
    lease.require()
    lease.renewed(time.monotonic() - 61)
    with pytest.raises(LeaseLost):
        lease.require()
    lease.renewed(time.monotonic())
    lease.require()
