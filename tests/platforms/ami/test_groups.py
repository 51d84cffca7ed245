from rollbacks.platforms.ami import groups
from rollbacks.platforms.ami.groups import newest_first, of_release, state_of, states_in
from rollbacks.platforms.ami.sizes import Sizes
from tests.platforms.ami.described import group, machine, tags


def test_a_group_is_active_while_it_has_or_is_to_have_instances() -> None:
    assert group("a", "0/4/2").is_active
    assert not group("a", "0/4/0").is_active
    assert group("a", "0/4/0", Instances=[machine("i-1")]).is_active
    assert not group("a", "0/4/0", Instances=[machine("i-1", "Terminating:Wait")]).is_active
    assert not group("a", "0/4/2", Status="Delete in progress").is_active


def test_instances_of_a_warm_pool_are_none() -> None:
    found = group("a", "0/4/0", Instances=[machine("i-1", "Warmed:Stopped")])
    assert not found.is_active


def test_in_service_is_what_the_groups_own_checks_find_healthy() -> None:
    found = group(
        "a",
        Instances=[
            machine("i-1"),
            machine("i-2", "Pending"),
            machine("i-3", HealthStatus="Unhealthy"),
            machine("i-4", WeightedCapacity="3"),
        ],
    )
    assert [each.own_id for each in found.in_service] == ["i-1", "i-4"]
    assert groups.capacity_of(found.in_service) == 4
    assert len(found.staying) == 4


def test_newest_is_by_the_number_in_the_tag_not_by_name() -> None:
    found = [group(f"a__{n}", Tags=tags(number=n, release=f"{n}-1")) for n in ("9", "10", "x")]
    assert [each.name for each in newest_first(found)] == ["a__10", "a__9", "a__x"]
    assert of_release(found, "9-1") is found[0]
    assert of_release(found, "8-1") is None


def test_planned_sizes_survive_what_somebody_did_to_the_tag() -> None:
    assert group("a", Tags=tags(sizes="1/9/6")).planned_sizes == Sizes(1, 9, 6)
    assert group("a", "1/4/2", Tags=tags(sizes="many")).planned_sizes == Sizes(1, 4, 2)
    assert group("a", "1/4/2").planned_sizes == Sizes(1, 4, 2)


def test_a_state_comes_back_from_json_as_it_was() -> None:
    found = group(
        "a",
        TargetGroupARNs=["b", "a"],
        SuspendedProcesses=[{"ProcessName": "Launch", "SuspensionReason": "User"}],
    )
    was = state_of(found, [{"PolicyName": "cpu"}])
    assert states_in({"groups": {"a": was.as_json}}) == {"a": was}
    assert was.target_groups == ("a", "b")
    assert was.suspended == ("Launch",)
