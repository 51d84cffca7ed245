"""A real nginx in front of two groups of hosts, and a client that never stops asking it."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from tests.ports import LOOPBACK, free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
START_SECONDS = 20.0

_CONFIG = """\
daemon off;
{user}
pid {directory}/pid;
error_log {directory}/error.log warn;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    {temporary}
    {upstreams}
    {hosts}
    server {{
        listen {address}:{port};
        location / {{ include {directory}/serving.conf; }}
    }}
}}
"""
_HOST = "server {{ listen {address}:{port}; root {root}/current; add_header X-Host {name}; }}"
_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass
class Nginx:
    """The proxy and, in the same process, the web server of every host.

    `show` and `switch` are the commands of an infrastructure definition.
    """

    directory: Path
    port: int = 0
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/index.html"

    @property
    def serving(self) -> Path:
        return self.directory / "serving.conf"

    @property
    def show(self) -> str:
        return f"sed -n 's/.*#//p' {self.serving}"

    @property
    def switch(self) -> str:
        """Written beside, tested, and taken over by a reload, which ends no request.

        A reload returns at once, and the old workers take requests for a while after it.
        """
        new = f"{self.serving}.new"
        return (
            f'echo "proxy_pass http://$LASTGOOD_COLOR; #$LASTGOOD_COLOR" > {new} && '
            f"mv {new} {self.serving} && "
            f"{NGINX} -t -q -c {self.directory}/nginx.conf && "
            f'old=$(pgrep -P "$(cat {self.directory}/pid)") && '
            f"{NGINX} -s reload -c {self.directory}/nginx.conf && "
            "for worker in $old; do "
            'until grep -q "shutting down" /proc/$worker/cmdline || [ ! -e /proc/$worker ]; '
            "do sleep 0.1; done 2>/dev/null; done"
        )

    def color(self) -> str:
        return self.serving.read_text().partition("#")[2].strip()

    def page(self) -> tuple[int, str]:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", "/index.html")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def nginx_before(
    groups: Mapping[str, Sequence[str]], roots: Mapping[str, Path], directory: Path
) -> Iterator[Nginx]:
    """Serves `root/current` of each host on a port of its own, and one group on its own port."""
    assert NGINX, "nginx is not installed"
    directory.mkdir(parents=True)
    names = [name for names in groups.values() for name in names]
    made = Nginx(directory, free_port(), {name: free_port() for name in names})
    upstreams = [
        f"upstream {color} {{ "
        + " ".join(f"server {LOOPBACK}:{made.ports[name]};" for name in members)
        + " }"
        for color, members in groups.items()
    ]
    hosts = [
        _HOST.format(address=LOOPBACK, port=made.ports[name], root=roots[name], name=name)
        for name in names
    ]
    temporary = [f"{kind}_temp_path {directory}/{kind};" for kind in _KINDS]
    (directory / "nginx.conf").write_text(
        _CONFIG.format(
            directory=directory,
            # The files below pytest's directory are for this user alone.
            user="user root;" if os.geteuid() == 0 else "",
            temporary="\n    ".join(temporary),
            upstreams="\n    ".join(upstreams),
            hosts="\n    ".join(hosts),
            address=LOOPBACK,
            port=made.port,
        )
    )
    made.serving.write_text("proxy_pass http://blue; #blue")
    process = subprocess.Popen(
        [NGINX, "-c", str(directory / "nginx.conf"), "-e", str(directory / "error.log")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_it_answers(made, process)
        yield made
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _until_it_answers(nginx: Nginx, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            nginx.page()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError((nginx.directory / "error.log").read_text())


class Visitor:
    """Asks for the page all the time, and remembers every answer that differs from the last one."""

    def __init__(self, nginx: Nginx) -> None:
        self.count = 0
        self.answers: list[tuple[int, str]] = []
        self.faults: list[str] = []
        self._nginx = nginx
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def __enter__(self) -> "Visitor":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    @property
    def seen(self) -> set[str]:
        return {page for _, page in self.answers}

    def _ask(self) -> None:
        while not self._is_over.wait(0.003):
            try:
                answer = self._nginx.page()
            except OSError as error:
                self.faults.append(repr(error))
                continue
            self.count += 1
            if answer[0] != 200:
                self.faults.append(repr(answer))
            if answer not in self.answers:
                self.answers.append(answer)
