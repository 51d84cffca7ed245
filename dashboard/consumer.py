"""How a worker waits for its broker: at an even, short pace, for as long as it takes.

Celery's own waits two seconds longer after each try, up to half a minute, and gives up in the end.
"""

from functools import partial
from typing import Any

from celery.worker import consumer

AGAIN_SECONDS = 1.0


class Consumer(consumer.Consumer):
    """settings.CELERY_WORKER_CONSUMER."""

    def ensure_connected(self, conn: Any) -> Any:
        pace = {"interval_start": AGAIN_SECONDS, "interval_step": 0, "interval_max": AGAIN_SECONDS}
        conn.ensure_connection = partial(conn.ensure_connection, **pace)
        return super().ensure_connected(conn)
