"""Application Auto Scaling, of ECS services only; moto's changes no capacity."""
