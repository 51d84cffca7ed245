from datetime import UTC, datetime, timedelta

from rollbacks.platforms.ami import policies

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CPU = {
    "PolicyName": "cpu",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingConfiguration": {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
    },
}
REQUESTS = {
    "PolicyName": "requests",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingConfiguration": {
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": "app/a/1/targetgroup/b/2",
        },
        "TargetValue": 100.0,
    },
}
STEPS = {
    "PolicyName": "steps",
    "PolicyType": "StepScaling",
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
}


def test_what_the_platform_makes_of_a_policy_is_no_part_of_it() -> None:
    told = {**CPU, "AutoScalingGroupName": "a", "PolicyARN": "arn", "StepAdjustments": []}
    alarms = [{"AlarmName": "TargetTracking-a-high"}]
    assert policies.kept([{**told, "Alarms": alarms}]) == [CPU]


def test_what_counts_the_requests_of_a_target_group_is_not_copied() -> None:
    assert policies.copied([CPU, REQUESTS, STEPS]) == [CPU, STEPS]


def test_the_difference_is_what_is_put_and_what_is_deleted() -> None:
    slower = {**CPU, "TargetTrackingConfiguration": {"TargetValue": 70.0}}
    assert policies.differing([CPU, STEPS], [slower, REQUESTS]) == ([CPU, STEPS], ["requests"])
    assert policies.differing([CPU], [CPU]) == ([], [])


def test_policies_whose_alarms_know_only_the_base_group_are_named() -> None:
    alarm = [{"AlarmName": "busy"}]
    assert list(policies.unheard([{**CPU, "Alarms": alarm}, {**STEPS, "Alarms": alarm}])) == [
        "steps (busy)"
    ]


def test_a_scheduled_action_that_is_over_is_left_out() -> None:
    past, future = NOW - timedelta(days=1), NOW + timedelta(days=1)
    once = {"ScheduledActionName": "once", "StartTime": past, "DesiredCapacity": 1}
    daily = {"ScheduledActionName": "daily", "Recurrence": "0 8 * * *", "StartTime": past}
    later = {"ScheduledActionName": "later", "StartTime": future, "MinSize": 2}
    assert policies.scheduled([once, daily, later], NOW) == [
        {"ScheduledActionName": "daily", "Recurrence": "0 8 * * *"},
        later,
    ]
