"""One step on a namespace of a cluster, without the engine around it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollbacks.platforms.base import (
    ArtifactRef,
    Inspection,
    Observation,
    Progress,
    Running,
    Secret,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.kubernetes import Kubernetes
from tests.kubernetes.manifests import IMAGE, NAME
from tests.platforms.ssh.control import RecordingControl


@dataclass
class Control(RecordingControl):
    """As the engine's, with a time limit of its own; `seconds` is what is left.

    `until`: once an outcome says this, the time is over.
    """

    seconds: float = 20.0
    until: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._deadline = time.monotonic() + self.seconds

    def time_left(self) -> float:
        if self.until and any(self.until in each.message for each in self.outcomes.values()):
            return 0.0
        return self._deadline - time.monotonic()


@dataclass
class Bench:
    """A step of one kind, with the same manifests for every release."""

    namespace: str
    credential: str
    manifests: str
    kind: str = "k8s.rollout"
    workloads: Sequence[str] = (f"Deployment/{NAME}",)
    connector: Mapping[str, Any] = field(default_factory=dict)
    control: Control = field(default_factory=Control)
    captured: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def step(self) -> Step:
        return Kubernetes.steps[self.kind]

    @property
    def target(self) -> TargetRef:
        settings = {"namespace": self.namespace, "workloads": list(self.workloads)}
        secret = Secret(self.credential) if self.credential else None
        return TargetRef("Shop", NAME, "production", "east", self.connector, settings, secret)

    def spec(self, release: str, **settings: Any) -> StepSpec:
        model = self.step.settings_model.model_validate({"manifests": self.manifests, **settings})
        version = release.partition("-")[2]
        return StepSpec(
            name="Step",
            kind=self.kind,
            settings=model.model_dump(),
            variables={},
            artifact=ArtifactRef(version, f"{IMAGE}:{version}", "", "DOCKER_IMAGE"),
            instances=tuple(self.workloads),
            release=release,
        )

    def deploy(self, release: str, seconds: float = 20.0, until: str = "") -> Progress:
        """Capture, unless that was done, and one call of apply."""
        self.control, spec = Control(seconds, until), self.spec(release)
        if release not in self.captured:
            self.captured[release] = self.step.capture(self.target, spec, self.control)
        return self.step.apply(self.target, spec, self.captured[release], self.control)

    def roll_back(self, release: str, seconds: float = 20.0, until: str = "") -> Progress:
        """One call of undo."""
        self.control = Control(seconds, until)
        spec = self.spec(release)
        return self.step.undo(self.target, spec, self.captured[release], self.control)

    def inspect(self, release: str, *, is_undo: bool = False, **settings: Any) -> Inspection:
        captured = self.captured[release] if is_undo else None
        return self.step.inspect(self.target, self.spec(release, **settings), captured)

    def observe(self) -> Observation:
        return Kubernetes().observe(self.target)


def done(progress: Progress) -> None:
    assert not isinstance(progress, Running), progress.message


def bench_in(cluster: Any, manifests: str, **choices: Any) -> Bench:
    """In a namespace of its own, as an administrator unless another credential is given."""
    namespace = choices.pop("namespace", None) or cluster.namespace()
    credential = choices.pop("credential", None)
    if credential is None:
        credential = Path(cluster.kubeconfig).read_text()
    return Bench(namespace, credential, manifests, **choices)
