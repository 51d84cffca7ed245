"""What /metrics tells: from the database wherever it knows, so that any web process can answer.

A constant number of queries. docs/operate.md says what each means and what to do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Min
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.models import FINISHED, Deployment, Status, WorkerSeen
from dashboard.operating import counts
from dashboard.operating.stuck import stuck

WORKERS_ARE_TOLD_FOR = timedelta(minutes=10)


class Metrics(Collector):
    """Everything, as of one moment."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterable[Metric]:
        yield from self._executions()
        yield from self._queue()
        yield self._stuck()
        workers = list(WorkerSeen.objects.filter(at__gte=self._now - WORKERS_ARE_TOLD_FOR))
        yield from self._workers(workers)
        snapshots = {worker.name: worker.counts for worker in workers}
        yield from counts.merged(snapshots | {counts.process_name(): counts.snapshot()})

    def _executions(self) -> Iterable[Metric]:
        ended = CounterMetricFamily(
            "lastgood_executions_finished",
            "Deployments and rollbacks that have ended, by how and why.",
            labels=["outcome", "code"],
        )
        statuses = Counter(dict.fromkeys(Status.values, 0))
        rows = Deployment.objects.order_by().values_list("status", "code")
        for status, code, count in rows.annotate(Count("pk")):
            statuses[status] += count
            if status in FINISHED:
                ended.add_metric([status, code], count)
        now = GaugeMetricFamily(
            "lastgood_executions", "Deployments and rollbacks by status.", labels=["status"]
        )
        for status, count in statuses.items():
            now.add_metric([status], count)
        return [now, ended]

    def _queue(self) -> Iterable[Metric]:
        queued = Deployment.objects.filter(status=Status.QUEUED)
        found = queued.aggregate(length=Count("pk"), since=Min("created_at"))
        age = (self._now - found["since"]).total_seconds() if found["since"] else 0.0
        return [
            GaugeMetricFamily("lastgood_queue_length", "Queued executions.", found["length"]),
            GaugeMetricFamily(
                "lastgood_queue_oldest_seconds", "Age of the oldest queued execution.", age
            ),
        ]

    def _stuck(self) -> Metric:
        found = GaugeMetricFamily(
            "lastgood_executions_stuck",
            "Executions that nobody works on and nobody is about to: must be 0.",
            labels=["reason"],
        )
        for reason, count in stuck(self._now).items():
            found.add_metric([reason], count)
        return found

    def _workers(self, workers: Sequence[WorkerSeen]) -> Iterable[Metric]:
        swept = GaugeMetricFamily(
            "lastgood_worker_sweep_age_seconds",
            "Since a worker process last said that its sweep goes round.",
            labels=["process"],
        )
        hinted = GaugeMetricFamily(
            "lastgood_worker_hint_age_seconds",
            "Since a worker process last took a hint from the broker.",
            labels=["process"],
        )
        for worker in workers:
            swept.add_metric([worker.name], (self._now - worker.at).total_seconds())
            if worker.took_hint_at:
                age = self._now - worker.took_hint_at
                hinted.add_metric([worker.name], age.total_seconds())
        return [swept, hinted]
