"""Deploying and rolling back on real sshd."""

import pytest

from rollbacks.platforms.base import Done, OutcomeState
from tests.platforms.ssh.conftest import Shop


@pytest.mark.parametrize("shop", [1, 3, 30], indirect=True)
def test_rolling_back_leaves_every_byte_as_it_was(shop: Shop) -> None:
    assert isinstance(shop.deploy("1-1.4.0"), Done)
    before = shop.trees()

    assert isinstance(shop.deploy("2-1.4.1"), Done)
    assert shop.links() == {"releases/2-1.4.1"}
    assert shop.trees() != before

    assert isinstance(shop.roll_back("2-1.4.1"), Done)
    assert shop.trees() == before
    assert set(shop.control.states.values()) == {OutcomeState.DONE}
