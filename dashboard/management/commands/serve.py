"""`manage.py serve`: the site, the worker and the sweep in one process."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dashboard import serving

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve the site; with the default broker, do the work of the workers too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument(
            "--end-with-stdin", action="store_true", help="end when standard input is closed"
        )

    def handle(
        self, *args: Any, host: str, port: int, end_with_stdin: bool, **options: Any
    ) -> None:
        try:
            serving.require_migrated()
            listening = serving.listen(host, port)
        except serving.CannotServe as error:
            raise CommandError(str(error)) from None
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listening.getsockname()[1]}/"
        if end_with_stdin:
            serving.end_with_stdin()
        serving.serve(listening, lambda: self._say(f"Lastgood is at {url}"))

    def _say(self, text: str) -> None:
        if settings.LOG_FORMAT == "json":
            log.info(text)
            return
        self.stdout.write(text)
        self.stdout.flush()
