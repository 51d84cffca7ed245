"""Hosts reached over SSH."""

from rollbacks.platforms.base import Platform


class Ssh(Platform):
    name = "SSH"
    label = "SSH"
    steps = {}

    def default_phases(self, workflow_type): return []
    def select(self, target, selection): return ()
    def observe(self, target, instances=()): raise NotImplementedError
