import json

from rollbacks.platforms.pcf.loads import Load
from rollbacks.platforms.pcf.states import State, digest
from tests.platforms.pcf.described import state


def test_what_is_kept_is_read_again() -> None:
    one = state(bindings=("b",), sidecars=({"name": "s"},), policy={"instance_min_count": 1})
    assert State.parsed(json.loads(json.dumps(one.as_json))) == one


def test_a_policy_says_how_many_and_the_identity_does_not() -> None:
    policy = {"instance_min_count": 1}
    assert state(instances=2).identity != state(instances=3).identity
    assert state(instances=2, policy=policy).identity == state(instances=3, policy=policy).identity


def test_what_decides_what_runs_is_in_the_identity_and_a_name_is_not() -> None:
    one = state()
    assert state(name="other", revision="x", features={"ssh": True}).identity == one.identity
    for change in ({"droplet": "x"}, {"environment": "x"}, {"bindings": ("x",)}):
        assert state(**change).identity != one.identity


def test_the_load_is_that_of_all_instances() -> None:
    assert state(instances=3).load == Load(memory=192, instances=3)
    assert state(instances=3, is_started=False).load == Load()


def test_a_digest_tells_that_something_is_another_and_nothing_else() -> None:
    environment = {"PASSWORD": "s3cret"}
    assert digest("a", environment) == digest("a", dict(environment))
    assert digest("a", environment) != digest("b", environment)
    assert "s3cret" not in digest("a", environment)
