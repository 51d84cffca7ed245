"""A change whose answer is lost: nobody knows, and the page says so."""

import pytest

from rollbacks import observation, specs
from rollbacks.platforms.aws.api import Lost
from rollbacks.platforms.base import OutcomeState
from tests.aws.cloud import Drop
from tests.ecs.conftest import Open
from tests.ecs.test_every_type import CASES
from tests.platforms.ssh.control import RecordingControl


@pytest.mark.parametrize("case", ["BASIC", "CANARY"])
@pytest.mark.parametrize("after_effect", [False, True])
def test_a_lost_answer_is_an_unknown_outcome(
    open_shop: Open, case: str, after_effect: bool
) -> None:
    shop = open_shop(**CASES[case])
    deployment = shop.start("1.4.1")
    step = deployment.phases.first().steps.first()
    target, control = observation.target_ref(deployment.target), RecordingControl()
    kind, spec = specs.kind_of(deployment.target, step.kind), specs.spec_of(deployment, step)
    captured = kind.capture(target, spec, control)
    lost = "ecs:UpdateService" if case == "BASIC" else "ecs:CreateService"
    shop.cloud.fail(lost, how=Drop(after_effect))
    with pytest.raises(Lost):
        kind.apply(target, spec, captured, control)
    assert control.states == {shop.key: OutcomeState.UNKNOWN}
    kind.apply(target, spec, captured, control)
    assert OutcomeState.UNKNOWN not in control.states.values()
