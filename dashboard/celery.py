"""The Celery application: it carries hints to workers, never state."""

import os
from typing import Any

from celery import Celery, Task, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")


class DeclaredTask(Task):  # type: ignore[type-arg]
    """Runs only what says what it needs (accounts.needs), as every other door."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self.run, "needs"):
            raise PermissionError(f"The task {self.name} declares no need: see accounts/needs.py.")
        return super().__call__(*args, **kwargs)


app = Celery("lastgood", task_cls=DeclaredTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Leave it as settings.LOGGING has it: without a receiver Celery sets the level itself."""
