"""Hosts reached over SSH."""

from rollbacks.platforms.ssh.platform import Ssh

__all__ = ["Ssh"]
