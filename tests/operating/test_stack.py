"""The production stack for real, but for the containers: PostgreSQL, Redis, web, worker, sshd."""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml

from tests.artifacts import checksum, zip_artifact
from tests.operating.stack import (
    COMPOSE,
    DOCKERFILE,
    ROOT,
    TOKEN,
    Api,
    Stack,
    copied_into_image,
    eventually,
    make_image,
)
from tests.servers import PostgreSQL, Redis
from tests.sshd import Fleet

INSTALL = {"name": "Install", "kind": "ssh.install"}
WAIT = {"name": "Wait", "kind": "wait", "settings": {"seconds": 4}}
BEGUN = "claimed with epoch 1"
OURS = ("migrate", "web", "worker")


def catalogue(fleet: Fleet, directory: Path) -> str:
    """One service on the fleet, two versions, and a group that may do everything there."""
    versions = []
    for version in ("1.4.1", "1.4.2"):
        content = zip_artifact({"index.html": version})
        path = directory / f"{version}.zip"
        path.write_bytes(content)
        versions.append(
            {"service": "web", "version": version, "location": str(path)}
            | {"checksum": checksum(content)}
        )
    key = directory / "client_key"
    key.write_text(fleet.private_key)
    shop = {
        "name": "Shop",
        "services": [{"name": "web", "deployment_type": "SSH", "artifact_type": "ZIP"}],
        "environments": [
            {
                "name": "Production",
                "type": "PRODUCTION",
                "infrastructures": [
                    {"name": "Hosts", "connector": "hosts", "settings": fleet.infrastructure}
                ],
            }
        ],
        "artifacts": versions,
        "workflows": [
            {
                "name": name,
                "type": "BASIC",
                "service": "web",
                "infrastructure": "Production / Hosts",
                "definition": {"phases": [{"name": "Hosts", "steps": steps}]},
            }
            for name, steps in (("Deploy", [INSTALL]), ("Deploy slowly", [WAIT, INSTALL]))
        ],
    }
    deploying = ["READ", "EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW", "ABORT_WORKFLOW"]
    may = {"applications": "ALL", "environments": ["ALL"]}
    return yaml.safe_dump(
        {
            "connectors": [
                {
                    "name": "hosts",
                    "deployment_type": "SSH",
                    "credential": f"file:{key}",
                    "settings": fleet.connector,
                }
            ],
            "applications": [shop],
            "user_groups": [
                {
                    "name": "Operators",
                    "account_permissions": ["Manage Applications"],
                    "app_permissions": [
                        {"type": "DEPLOYMENT", "actions": deploying, **may},
                        {"type": "ALL", "actions": ["READ"], **may},
                    ],
                }
            ],
        }
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Migrated, with web and one worker up."""
    image = make_image(tmp_path_factory.mktemp("stack") / "image")
    with PostgreSQL() as database, Redis() as broker:
        running = Stack(image, database, broker)
        try:
            assert running.start("migrate").wait(60) == 0, running.log("migrate").read_text()
            running.start("web")
            running.start("worker")
            yield running
        finally:
            running.end()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(2, tmp_path_factory.mktemp("fleet")) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def api(stack: Stack, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A key of a group that may deploy and roll back."""
    directory = tmp_path_factory.mktemp("shop")
    path = directory / "shop.yaml"
    path.write_text(catalogue(fleet, directory))
    created = stack.manage(f"apply {path}", "apikey create ci --group Operators")
    key = next(word for word in created.split() if word.startswith("lgk_"))
    eventually(stack.is_ready, 60, "getting ready")
    return Api(stack, key)


def finished(api: Api, execution: str, within: float = 30) -> str:
    """The status it ends in."""
    status = ""

    def is_over() -> bool:
        nonlocal status
        query = "query($id: String!) { execution(executionId: $id) { status } }"
        status = api.ask(query, id=execution)["execution"]["status"]
        return status in {"SUCCESS", "FAILED", "ABORTED", "PAUSED"}

    eventually(is_over, within, f"the end of {execution}")
    return status


def deploy(api: Api, version: str, workflow: str = "Deploy") -> str:
    query = '{ applicationByName(name: "Shop") { id } workflows { nodes { id name } } }'
    known = api.ask(query)
    ids = {each["name"]: each["id"] for each in known["workflows"]["nodes"]}
    sent = {
        "applicationId": known["applicationByName"]["id"],
        "entityId": ids[workflow],
        "executionType": "WORKFLOW",
        "serviceInputs": [
            {
                "name": "web",
                "artifactValueInput": {
                    "valueType": "BUILD_NUMBER",
                    "buildNumber": {"buildNumber": version},
                },
            }
        ],
    }
    query = "mutation($i: StartExecutionInput!) { startExecution(input: $i) { execution { id } } }"
    started: str = api.ask(query, i=sent)["startExecution"]["execution"]["id"]
    return started


def roll_back(api: Api, execution: str) -> str:
    query = (
        "query($id: String!) { rollbackConfirmation(executionId: $id) { plan { fingerprint } } }"
    )
    plan = api.ask(query, id=execution)["rollbackConfirmation"]["plan"]
    query = (
        "mutation($i: RollbackDeploymentInput!) "
        "{ rollbackDeployment(input: $i) { execution { id } } }"
    )
    sent = {"executionId": execution, "fingerprint": plan["fingerprint"], "notes": "Prices are 0"}
    started: str = api.ask(query, i=sent)["rollbackDeployment"]["execution"]["id"]
    return started


def test_a_rollback_through_postgresql_redis_and_a_worker_process(
    stack: Stack, api: Api, fleet: Fleet
) -> None:
    assert finished(api, deploy(api, "1.4.1")) == "SUCCESS"
    before = {host: fleet.tree(host) for host in fleet.hosts}
    bad = deploy(api, "1.4.2")
    assert finished(api, bad) == "SUCCESS"
    assert fleet.read("web-1", "current/index.html") == "1.4.2"

    rollback = roll_back(api, bad)

    assert finished(api, rollback) == "SUCCESS"
    assert {host: fleet.tree(host) for host in fleet.hosts} == before
    assert any("SUCCEEDED VERIFIED" in line for line in stack.said("worker", rollback))


def test_every_line_of_every_service_is_json_and_tells_no_secret(stack: Stack, api: Api) -> None:
    for service in ("web", "worker"):
        lines = stack.lines(service)
        assert all(set(line) >= {"time", "level", "logger", "message"} for line in lines)
        text = stack.log(service).read_text()
        for secret in ("lgk_", "ssss", "aaaa", TOKEN, "PRIVATE KEY"):
            assert secret not in text.replace("[redacted]", "")


def test_any_web_process_tells_what_the_worker_has_counted(stack: Stack, api: Api) -> None:
    assert httpx.get(f"{stack.url}/metrics").status_code == 401

    def text() -> str:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.get(f"{stack.url}/metrics", headers=headers).text

    eventually(lambda: "lastgood_worker_hint_age_seconds{" in text(), 20, "a canary")
    worker = stack.processes["worker"].pid
    assert f':{worker}"}}' in text().partition("lastgood_worker_hint_age_seconds{")[2]
    assert 'lastgood_executions_stuck{reason="NOT_TAKEN"} 0.0' in text()


def test_the_health_checks_of_the_services_pass(stack: Stack, api: Api) -> None:
    check = COMPOSE["services"]["worker"]["healthcheck"]["test"]
    assert check.pop(0) == "CMD"
    healthy = stack.run(*check)
    assert healthy.returncode == 0, healthy.stderr
    command = DOCKERFILE.partition("HEALTHCHECK")[2].partition("CMD ")[2].splitlines()[0]
    healthy = stack.run(*yaml.safe_load(command))
    assert healthy.returncode == 0, healthy.stderr


def test_a_rollback_goes_on_when_the_broker_has_lost_everything(stack: Stack, api: Api) -> None:
    bad = deploy(api, "1.4.2")
    assert finished(api, bad) == "SUCCESS"
    stack.broker.kill()
    rollback = roll_back(api, bad)  # its hint is lost
    stack.broker.start()
    assert finished(api, rollback) == "SUCCESS"


def test_the_site_keeps_no_connection_for_a_request_that_is_over(stack: Stack, api: Api) -> None:
    def connections() -> int:
        with psycopg.connect(stack.database.url_of("postgres")) as asking:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'lastgood'"
            [count] = asking.execute(query).fetchone() or [0]
        return int(count)

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(lambda _: stack.is_ready(), range(60)))
    eventually(lambda: connections() <= 5, 5, "closing connections")


def test_a_backup_can_be_restored_and_verified(stack: Stack, api: Api, tmp_path: Path) -> None:
    """As docs/operate.md has it."""
    dump = tmp_path / "lastgood.dump"
    tool = str(stack.database.program("pg_dump"))
    restore = str(stack.database.program("pg_restore"))
    source, target = stack.database.url, stack.database.create("restored")
    for command in (
        [tool, "--format=custom", f"--file={dump}", f"--dbname={source}"],
        [restore, "--exit-on-error", "--no-owner", f"--dbname={target}", str(dump)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    restored = {"LASTGOOD_DATABASE_URL": target}
    said = stack.manage("migrate --check", "audit verify", "permissions check", **restored)
    assert "all as they were recorded" in said
    # The key belongs to the backup.
    with pytest.raises(AssertionError, match="the trail is not what was recorded"):
        stack.manage("audit verify", **restored, LASTGOOD_AUDIT_KEY="b" * 60)


def test_the_image_has_all_it_needs_and_nothing_was_written_to_it(stack: Stack, api: Api) -> None:
    assert sorted(stack.image.rglob("*")) == stack.files


def test_a_worker_that_is_asked_to_end_hands_over_what_it_has_begun(stack: Stack, api: Api) -> None:
    slow = deploy(api, "1.4.2", "Deploy slowly")
    eventually(lambda: any(BEGUN in line for line in stack.said("worker", slow)), 20, "a beginning")
    stack.processes["worker"].send_signal(signal.SIGTERM)
    assert stack.processes["worker"].wait(30) == 0, stack.log("worker").read_text()
    assert stack.run("python", "manage.py", "workers", "--here").returncode == 1  # it took leave
    stack.start("worker")
    assert finished(api, slow) == "SUCCESS"
    assert any("claimed with epoch 2" in line for line in stack.said("worker", slow))
    stack.processes["worker"].send_signal(signal.SIGTERM)
    assert stack.processes["worker"].wait(30) == 0, stack.log("worker").read_text()


def test_the_site_ends_when_it_is_asked(stack: Stack, api: Api) -> None:
    stack.processes["web"].send_signal(signal.SIGTERM)
    assert stack.processes["web"].wait(20) == 0, stack.log("web").read_text()


# What the files say, where nothing can be run


def test_compose_describes_every_service_as_it_should() -> None:
    services = COMPOSE["services"]
    assert set(services) == {*OURS, "postgres", "redis"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["restart"], name
        assert "privileged" not in service, name
        assert "healthcheck" in service or name == "web", name  # the image's own
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]
    for name in ("web", "worker"):
        needs = services[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
    used = {each.partition(":")[0] for s in services.values() for each in s.get("volumes", ())}
    assert set(COMPOSE["volumes"]) == {each for each in used if not each.startswith(".")}


def test_the_examples_of_the_secret_files_have_no_secrets() -> None:
    for name in ("lastgood.env.example", "postgres.env.example"):
        lines = [
            each for each in (ROOT / name).read_text().splitlines() if each[:1] not in {"", "#"}
        ]
        given = dict(line.split("=", 1) for line in lines)
        for variable in given.keys() - {"LASTGOOD_DATABASE_URL"}:
            is_secret = variable.endswith(("_KEY", "_TOKEN", "_PASSWORD"))
            assert (given[variable] == "") == is_secret, variable
        assert ":PASSWORD@" in given.get("LASTGOOD_DATABASE_URL", ":PASSWORD@")


def test_the_image_runs_as_nobody_in_particular_and_checks_hashes() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER lastgood\n" in last
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in DOCKERFILE
    assert "pip install" not in last
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {f"!{source}" for source, _ in copied_into_image()} <= set(ignored)
