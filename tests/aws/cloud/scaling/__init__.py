"""EC2 Auto Scaling groups of our own, whose instances are moto's; policies and hooks are moto's."""
