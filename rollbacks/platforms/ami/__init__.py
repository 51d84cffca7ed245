"""Services that run on EC2 instances of Auto Scaling groups."""

from rollbacks.platforms.ami.platform import Ami

__all__ = ["Ami"]
