# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make help` lists the targets. Each one installs what it needs first.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TOOLS := tests/tools
# Commands of the virtual environment come first in every recipe.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# A virtual environment that happens to be active must not lead pip or Ansible astray.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

# Recipes install packages and share the bed: one at a time.
.NOTPARALLEL:

.PHONY: help demo test lint unit sanity molecule test-molecule test-integration bench \
	bench-deploy bench-kubernetes docs evidence-docker evidence-kubernetes up down up-kubernetes down-kubernetes setup docker lock clean distclean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | \
		sed -E 's/^([a-z-]+):.*## (.*)$$/\1|\2/' | awk -F'|' '{ printf "  make %-18s %s\n", $$1, $$2 }'

ifeq ($(RUNTIME),kubernetes)
demo: setup kubernetes-packages
	@tests/testbed/demo_kubernetes
else
demo: setup bed-packages docker  ## Deploy a platform on this machine, with load, a bad version and the way back (RUNTIME=kubernetes)
	@tests/testbed/demo
endif

test: setup  ## Everything that is checked: lint, unit, sanity, molecule, integration
	@$(TOOLS)/test

lint: setup  ## Every linter (ONLY="ruff mypy" for some of them)
	@$(TOOLS)/lint $(ONLY)

unit: setup  ## Unit tests on the oldest and the newest ansible-core (ARGS="-k name")
	@$(TOOLS)/unit $(ARGS)

sanity: setup  ## ansible-test sanity, without needing a network beyond the Python packages
	@$(TOOLS)/sanity

molecule: setup bed-packages docker  ## The scenario SCENARIO on the test bed, or all of them
	@$(TOOLS)/molecule $(SCENARIO)

test-molecule: molecule

test-integration: setup bed-packages test-packages postgres-packages docker  ## The integration tests on the test bed
	@$(TOOLS)/integration $(ARGS)

# The two halves of it, which `make test` runs beside each other.
.PHONY: test-hosts test-servers
test-hosts: setup bed-packages test-packages docker
	@$(TOOLS)/integration --lane=hosts

test-servers: setup kubernetes-packages postgres-packages
	@$(TOOLS)/integration --lane=servers

bench: setup bed-packages load-packages kubernetes-packages docker  ## All measurements of speed
	@$(TOOLS)/bench

bench-kubernetes: setup kubernetes-packages  ## Time of a release beside kubectl, Helm and kubernetes.core
	@$(TOOLS)/bench kubernetes

bench-deploy: setup bed-packages load-packages docker  ## Time of one deploy beside docker_compose_v2
	@$(TOOLS)/bench deploy

evidence-%: setup bed-packages test-packages load-packages docker
	@tests/evidence/run $*

evidence-kubernetes: setup kubernetes-packages  ## Every promise about Kubernetes, measured (build/evidence/kubernetes.json)
	@tests/evidence/run kubernetes

evidence-docker:  ## Every promise about Docker hosts, measured (build/evidence/docker.json)

evidence-postgres: setup bed-packages postgres-packages docker  ## Every promise about PostgreSQL, measured (build/evidence/postgres.json)
	@tests/evidence/run postgres

up: setup bed-packages docker  ## Bring the test bed up
	@tests/testbed/up

down: setup  ## Take the test bed down
	@tests/testbed/down

up-kubernetes: setup kubernetes-packages  ## Bring a Kubernetes cluster up on this machine (5 minutes when it must be built)
	@tests/testbed/kubernetes/up

down-kubernetes: setup  ## Take the Kubernetes cluster down
	@tests/testbed/kubernetes/down

docs: setup  ## The documentation as web pages in build/docs/html
	@$(TOOLS)/docs

setup:  ## The virtual environment in .venv, from the lock file
	@$(TOOLS)/setup

.PHONY: bed-packages load-packages test-packages postgres-packages evidence-postgres
bed-packages:
	@$(TOOLS)/packages docker:docker.io iptables:iptables mmdebstrap:mmdebstrap \
		ssh:openssh-client go:golang-go curl:curl

kubernetes-packages:
	@$(TOOLS)/packages containerd:containerd conntrack:conntrack etcd:etcd-server go:golang-go \
		ip:iproute2 iptables:iptables openssl:openssl runc:runc \
		file:/usr/lib/cni/bridge:containernetworking-plugins

postgres-packages:
	@$(TOOLS)/packages pgbackrest:pgbackrest pg_basebackup:postgresql

load-packages:
	@$(TOOLS)/packages wrk:wrk h2load:nghttp2-client

docker:  ## See to it that a Docker daemon answers
	@$(TOOLS)/docker start

# Peers of the integration tests: a registry on loopback, a browser for the pages of the report.
test-packages:
	@$(TOOLS)/packages docker-registry:docker-registry chromium:chromium

lock: setup  ## Resolve requirements/*.in into new lock files
	@$(TOOLS)/lock

clean:  ## Take the test bed down, stop the dockerd that make started, remove what was built
	@if [ -d build/testbed/kubernetes ]; then tests/testbed/kubernetes/down || true; fi
	@if [ -x tests/testbed/down ] && [ -d build/testbed ]; then tests/testbed/down || true; fi
	@$(TOOLS)/docker stop
	@rm -rf build .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache

distclean: clean  ## The same, and remove the virtual environments
	@rm -rf .venv .venv-newest
