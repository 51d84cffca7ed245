"""How fast all workers together may ask one provider: platforms take their turns from here."""

from django.db import Error, connection

from dashboard.models import Bucket
from rollbacks.platforms.base import PlatformError
from rollbacks.runtime import MACHINE


class SharedPace:
    """The Pace of platforms.base, kept in the database and by its clock."""

    def take(self, bucket: str, rate: float, burst: int) -> float:
        is_own = connection.connection is None  # of a platform's thread, which no one else tidies
        try:
            return Bucket.take(bucket, MACHINE.shared_now(), rate=rate, burst=burst)
        except Error:
            raise PlatformError("the database that keeps the pace does not answer") from None
        finally:
            if is_own:
                connection.close()
