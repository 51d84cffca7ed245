"""The Celery application: it carries hints to workers, never state."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("lastgood")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
