"""ECS services, tasks and task definitions of our own; clusters and their instances are moto's."""
