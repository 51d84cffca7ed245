"""Services that run as tasks of Amazon ECS, on EC2 and on Fargate."""

from rollbacks.platforms.ecs.platform import Ecs

__all__ = ["Ecs"]
