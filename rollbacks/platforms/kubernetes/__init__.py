"""Workloads in a namespace of a Kubernetes cluster."""

from rollbacks.platforms.kubernetes.platform import Kubernetes

__all__ = ["Kubernetes"]
