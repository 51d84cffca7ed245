"""Catalogue files to start from: one that is good, and a way to spoil it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User

GOOD = """\
connectors:
  - name: shop-hosts
    deployment_type: SSH
    credential: file:/etc/lastgood/ssh/id_ed25519
    settings:
      user: deploy
      known_hosts: /etc/lastgood/ssh/known_hosts
applications:
  - name: Shop
    description: What customers see.
    services:
      - name: web
        deployment_type: ssh
        artifact_type: TAR
    environments:
      - name: Production
        type: production
        infrastructures:
          - name: Web hosts
            connector: shop-hosts
            settings:
              directory: /srv/web
              hosts:
                - {name: web-1, address: 192.0.2.11}
      - name: Staging
        type: NON_PRODUCTION
    artifacts:
      - service: web
        version: "1.4"
        location: /srv/artifacts/web-1.4.tar.gz
    workflows:
      - name: Deploy web
        type: Basic
        service: web
        infrastructure: Production / Web hosts
        definition:
          phases:
            - name: Install
              steps:
                - name: Drain
                  kind: wait
                  settings:
                    seconds: 5
users:
  - username: erin
    first_name: Erin
user_groups:
  - name: Operators
    account_permissions: [Manage Applications]
    members: [erin]
    app_permissions:
      - type: DEPLOYMENT
        actions: [Read, Rollback Workflow]
        applications: ALL
        environments: [NON_PRODUCTION, Shop / Production]
freezes:
  - name: Holidays
    starts_at: 2030-12-20 00:00
    ends_at: 2031-01-02 00:00
    environment_type: PRODUCTION
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a catalogue file; by default the good one with one passage replaced."""

    def written(old: str = "", new: str = "", *, text: str = GOOD, name: str = "shop.yaml") -> Path:
        assert old in text
        path = tmp_path / name
        path.write_text(text.replace(old, new, 1))
        return path

    return written


@pytest.fixture
def admin(db: None) -> User:
    """Who administers the site."""
    return User.objects.create_superuser("admin")
