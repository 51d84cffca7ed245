"""The API, resource by resource: importing it enters every function into the routes."""

from . import (
    apps,
    builds,
    deployments,
    droplets,
    environments,
    jobs,
    manifests,
    packages,
    processes,
    revisions,
    roots,
    routes,
    services,
    sidecars,
    spaces,
    usage,
)

__all__ = [
    "apps",
    "builds",
    "deployments",
    "droplets",
    "environments",
    "jobs",
    "manifests",
    "packages",
    "processes",
    "revisions",
    "roots",
    "routes",
    "services",
    "sidecars",
    "spaces",
    "usage",
]
