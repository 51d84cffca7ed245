from rollbacks.platforms.ami import rights


def test_a_setup_takes_also_what_its_undo_takes() -> None:
    forward = set(rights.of_step("ami.setup", {}, is_undo=False))
    assert forward >= set(rights.of_step("ami.setup", {}, is_undo=True)) - {
        "autoscaling:AttachLoadBalancerTargetGroups",
        "autoscaling:DetachLoadBalancerTargetGroups",
    }
    assert "ec2:CreateLaunchTemplateVersion" in forward


def test_only_who_shifts_traffic_needs_the_rule() -> None:
    rule = {"listener_rule": "arn"}
    assert "elasticloadbalancing:ModifyRule" in rights.of_step("ami.shift", rule, is_undo=True)
    assert "elasticloadbalancing:ModifyRule" not in rights.of_step("ami.stage", rule, is_undo=False)
    assert "elasticloadbalancing:DescribeRules" not in rights.of_step(
        "ami.upgrade", {}, is_undo=False
    )


def test_a_schedule_takes_a_right_only_where_it_is_copied() -> None:
    put = "autoscaling:BatchPutScheduledUpdateGroupAction"
    assert put in rights.of_step("ami.upgrade", {"scheduled_actions": True}, is_undo=False)
    assert put not in rights.of_step("ami.upgrade", {"scheduled_actions": False}, is_undo=False)
