"""How fast all workers together may ask one provider: platforms take their turns from here."""

from django.db import Error, connection

from dashboard.models import Bucket
from rollbacks.platforms.base import PlatformError
from rollbacks.runtime import MACHINE

# Of what a provider allows us and everybody else. What is on its way may arrive closer together
# than it was sent, so even the way back does not take all.
USUAL_SHARE, SHARE_OF_WAYS_BACK = 0.5, 0.9


class SharedPace:
    """The Pace of platforms.base, kept in the database and by its clock.

    `goes_back`: it is for taking a deployment back, which waits for nothing that can wait.
    """

    def __init__(self, *, goes_back: bool = False) -> None:
        self._share = SHARE_OF_WAYS_BACK if goes_back else USUAL_SHARE

    def take(self, bucket: str, rate: float, burst: int) -> float:
        is_own = connection.connection is None  # of a platform's thread, which no one else tidies
        try:
            return Bucket.take(
                bucket, MACHINE.shared_now(), rate=rate * self._share, burst=burst * self._share
            )
        except Error:
            raise PlatformError("the database that keeps the pace does not answer") from None
        finally:
            if is_own:
                connection.close()
