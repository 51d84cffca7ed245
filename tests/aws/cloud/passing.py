"""Which actions go to moto as they are. What is not here and not ours is refused by name."""

_ECS = """
CreateCapacityProvider CreateCluster DeleteCapacityProvider DeregisterContainerInstance
DescribeCapacityProviders ListAccountSettings ListAttributes ListClusters ListContainerInstances
PutAccountSetting PutAttributes PutClusterCapacityProviders RegisterContainerInstance
UpdateCapacityProvider UpdateCluster UpdateClusterSettings UpdateContainerInstancesState
"""
_AUTO_SCALING = """
DeletePolicy DeleteScheduledAction DescribeLifecycleHooks DescribePolicies
DescribeScheduledActions PutScalingPolicy PutScheduledUpdateGroupAction
"""
_SOME = {
    "ecs": frozenset(_ECS.split()),
    "autoscaling": frozenset(_AUTO_SCALING.split()),
    "application-autoscaling": frozenset(),
    "sts": frozenset(),
}


def is_passed_on(service: str, action: str) -> bool:
    """Everything of the services that moto is right about, as far as it has it."""
    return service not in _SOME or action in _SOME[service]
