from rollbacks.platforms.ami import previews
from rollbacks.platforms.base import Change
from tests.platforms.ami.described import spec, target

KEY = "Shop__web_shop__production"
PROD = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/prod/0123"
CAPTURED = {
    "groups": {
        "shop__1": {
            "sizes": "1/4/2",
            "target_groups": [PROD],
            "suspended": [],
            "policies": [],
        }
    },
    "name": "shop__2",
    "source": {"id": "lt-1", "version": "3"},
}


def test_a_deployment_says_which_ami_comes() -> None:
    assert previews.of_release(target(), spec("ami.setup"), None) == [
        Change(KEY, "AMI", previews.NOW, "ami-new")
    ]
    assert previews.of_upgrade(target(), spec("ami.upgrade", instances="25%"), None) == [
        Change(KEY, "instances of the new group", "", "25%")
    ]
    assert previews.of_switch(target(target_groups=[PROD]), spec("ami.switch"), None) == [
        Change(KEY, "prod", "the old group", "the new group")
    ]
    assert previews.of_shift(target(), spec("ami.shift", weight=30), None) == [
        Change(KEY, "weight of the new group", previews.NOW, "30 %")
    ]


def test_a_rollback_says_what_every_group_has_again_and_what_is_deleted() -> None:
    assert previews.of_release(target(), spec("ami.setup"), CAPTURED) == [
        Change(KEY, "minimum/maximum/desired of shop__1", previews.NOW, "1/4/2"),
        Change(KEY, "target groups of shop__1", previews.NOW, "prod"),
        Change(KEY, "group shop__2", "of this release", ""),
        Change(KEY, "version of lt-1", "of this release", ""),
    ]


def test_weights_come_back_as_a_pair() -> None:
    weighed = [{"TargetGroupArn": "a", "Weight": 100}, {"TargetGroupArn": "b", "Weight": 0}]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weighed}}]
    captured = {"groups": {}, "actions": actions}
    assert previews.of_shift(target(), spec("ami.shift", weight=30), captured) == [
        Change(KEY, "weights", previews.NOW, "a 100, b 0")
    ]
