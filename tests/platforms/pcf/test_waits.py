import pytest

from rollbacks.platforms.pcf.waits import Life


@pytest.mark.parametrize(
    ("before", "after", "is_steady"),
    [
        (Life("a", 5, at=0), Life("a", 15, at=10), True),
        (Life("a", 0, at=0), Life("a", 0, at=0.5), True),
        (Life("a", 1, at=0), Life("b", 1, at=10), False),
        (Life("", 5, at=0), Life("", 14, at=10), True),  # whole seconds, and the way of an answer
        (Life("", 5, at=0), Life("", 5, at=10), False),  # started again five seconds ago
        (Life("", 5, at=0), Life("", 3, at=1), False),
    ],
)
def test_an_instance_that_was_started_in_between_is_another(
    before: Life, after: Life, is_steady: bool
) -> None:
    assert before.goes_on_in(after) == is_steady
