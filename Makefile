# `make demo` needs Python 3.11 or newer and nothing else; `make test` is the whole truth.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# As on a site that other machines reach, so that the check of a deployment has something to check.
DEPLOYED := LASTGOOD_HOSTS=lastgood.example LASTGOOD_ORIGINS=https://lastgood.example \
	LASTGOOD_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(48))')

.PHONY: help demo run test test-kerberos test-kubernetes test-nightly bench bench-aws bench-hosts bench-kubernetes programs kerberos-programs
.DEFAULT_GOAL := help

help:
	@echo "make demo   Lastgood with a small real fleet on this machine, from nothing (PORT=8000)"
	@echo "make run    Lastgood on this machine, with your own data in var/ (PORT=8000)"
	@echo "make test   everything that is checked: format, lint, types, contracts, tests"
	@echo "make test-nightly  what takes longer: more aborts, kills and outages, 20,000 simulated schedules"
	@echo "make test-kubernetes   the tests of that platform on the cluster of KUBECONFIG"
	@echo "make test-kerberos   Windows hosts entered with Kerberos, in a realm of the tests' own"
	@echo "make bench-kubernetes  a rollback beside kubectl's, there or on the tests' own API server"
	@echo "make bench-aws  a rollback of ECS services beside the AWS CLI's, on the tests' own AWS"
	@echo "make bench-hosts  what hosts cost, beside asyncssh, ssh, Ansible and pyinfra, on real sshd"
	@echo "make bench  how fast it is, beside other ways in the same run"

demo: $(VENV)/lastgood.installed
	@$(BIN)/python manage.py demo

run: $(VENV)/lastgood.installed
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py serve --port $(or $(PORT),8000)

test: $(VENV)/dev.installed programs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy accounts dashboard rollbacks
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check
	$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/pytest -n auto --dist worksteal

test-kubernetes: $(VENV)/dev.installed
	@test -n "$$KUBECONFIG" || { echo "Name a cluster: make test-kubernetes KUBECONFIG=PATH (NODES=pretend where it has none)" >&2; exit 1; }
	LASTGOOD_TEST_KUBECONFIG="$$KUBECONFIG" LASTGOOD_TEST_NODES=$(NODES) $(BIN)/pytest tests/kubernetes

# Kerberos' libraries are made by a compiler, so they are no part of what everybody installs.
test-kerberos: $(VENV)/dev.installed kerberos-programs var/kerberos/installed
	PYTHONPATH=var/kerberos $(BIN)/pytest tests/winrm/test_kerberos.py

var/kerberos/installed: | $(VENV)/dev.installed kerberos-programs
	$(BIN)/python -m pip install --quiet --no-deps --target var/kerberos decorator==5.3.1 gssapi==1.12.0 krb5==0.10.0
	@touch $@

test-nightly: $(VENV)/dev.installed programs test-kerberos
	LASTGOOD_TEST_ABORTS=500 LASTGOOD_TEST_SEED=$$(date +%j) $(BIN)/pytest tests/trials
	LASTGOOD_TEST_NIGHTLY=1 LASTGOOD_TEST_SEED=$$(date +%j) $(BIN)/pytest -s tests/surviving tests/outages
	LASTGOOD_TEST_NIGHTLY=1 $(BIN)/pytest tests/ami tests/cloudfoundry tests/ecs tests/engine tests/hosts tests/kubernetes tests/winrm tests/platforms/kubernetes tests/platforms/ssh tests/platforms/winrm tests/pages/test_looks.py
	$(BIN)/python manage.py simulate --schedules 20000

bench-kubernetes: $(VENV)/dev.installed
	LASTGOOD_TEST_KUBECONFIG="$$KUBECONFIG" LASTGOOD_TEST_NODES=$(NODES) $(BIN)/pytest -q -s --show-capture=no tests/benchmarks/kubernetes.py

# The AWS CLI wants its own versions of what we use, so it has a venv of its own, unless one is named.
OWN_AWS_CLI := $(CURDIR)/var/awscli/bin/aws
AWS_CLI ?= $(OWN_AWS_CLI)

bench-aws: $(VENV)/dev.installed $(AWS_CLI)
	LASTGOOD_BENCH_AWS="$(AWS_CLI)" $(BIN)/pytest -q -s --show-capture=no tests/benchmarks/aws.py

$(OWN_AWS_CLI):
	$(PYTHON) -m venv var/awscli
	var/awscli/bin/python -m pip install --quiet awscli==1.46.2

# Ansible and pyinfra have venvs of their own, for the same reason, unless their programs are named.
OWN_ANSIBLE := $(CURDIR)/var/ansible/bin/ansible-playbook
OWN_PYINFRA := $(CURDIR)/var/pyinfra/bin/pyinfra
ANSIBLE ?= $(OWN_ANSIBLE)
PYINFRA ?= $(OWN_PYINFRA)

bench-hosts: $(VENV)/dev.installed $(ANSIBLE) $(PYINFRA)
	LASTGOOD_BENCH_ANSIBLE="$(ANSIBLE)" LASTGOOD_BENCH_PYINFRA="$(PYINFRA)" $(BIN)/pytest -q -s --show-capture=no tests/benchmarks/hosts.py

$(OWN_ANSIBLE):
	$(PYTHON) -m venv var/ansible
	var/ansible/bin/python -m pip install --quiet ansible-core==2.19.14

$(OWN_PYINFRA):
	$(PYTHON) -m venv var/pyinfra
	var/pyinfra/bin/python -m pip install --quiet pyinfra==3.10.0

bench: $(VENV)/dev.installed
	$(BIN)/pytest -q -s tests/benchmarks/permissions.py tests/benchmarks/shares.py
	$(BIN)/pytest -q -s --show-capture=no tests/benchmarks/engine.py

# Ends a recipe that has put Debian's names of what is not there into $$missing.
define install_missing
	test -z "$$missing" && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
	else \
		echo "The tests need these Debian packages, please install them:$$missing" >&2; exit 1; \
	fi
endef

# What the tests use that is not Python; installed where that is permitted, else named.
programs:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v sshd >/dev/null || test -x /usr/sbin/sshd || missing="$$missing openssh-server"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	test -x /usr/lib/rabbitmq/bin/rabbitmq-server || missing="$$missing rabbitmq-server"; \
	command -v git >/dev/null || missing="$$missing git"; \
	command -v nginx >/dev/null || test -x /usr/sbin/nginx || missing="$$missing nginx-light"; \
	command -v sudo >/dev/null || missing="$$missing sudo"; \
	command -v pgrep >/dev/null || missing="$$missing procps"; \
	$(install_missing)

kerberos-programs:
	@missing=""; \
	test -x /usr/sbin/krb5kdc || missing="$$missing krb5-kdc"; \
	test -x /usr/sbin/kadmin.local || missing="$$missing krb5-admin-server"; \
	command -v krb5-config >/dev/null || missing="$$missing libkrb5-dev"; \
	command -v cc >/dev/null || missing="$$missing gcc libc6-dev"; \
	headers=$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))'); \
	test -f "$$headers/Python.h" || missing="$$missing python3-dev"; \
	$(install_missing)

$(VENV)/%.installed: requirements/%.txt | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	@echo "Installing $<, once…"
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Lastgood needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
