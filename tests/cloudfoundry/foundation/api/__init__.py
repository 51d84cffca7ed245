"""The API, resource by resource: importing it enters every function into the routes."""

from . import (
    apps,
    builds,
    droplets,
    environments,
    jobs,
    packages,
    processes,
    roots,
    routes,
    spaces,
)

__all__ = [
    "apps",
    "builds",
    "droplets",
    "environments",
    "jobs",
    "packages",
    "processes",
    "roots",
    "routes",
    "spaces",
]
