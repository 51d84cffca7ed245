"""Apps of Cloud Foundry: droplets, routes and instances."""

from rollbacks.platforms.pcf.platform import CloudFoundry

__all__ = ["CloudFoundry"]
