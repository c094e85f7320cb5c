# Copyright: (c) 2026, the kubenode.connections authors
# SPDX-License-Identifier: GPL-3.0-or-later

# make audit   what this machine does to idle connections; changes nothing
# make test    every check; may install missing Debian packages as root
# make kernels what it does on virtual machines with real IPVS, for every kernel, the tests of these, and Debian 11 and 13
# make pythons what make test leaves out: the Pythons and the ansible-cores in between
# make proof   each failure shown, cured by the role, shown cured, on every kernel of the lab; writes docs/proof.md
# make bench   measures what an audit and an apply cost, next to the ways of others, in half an hour; writes docs/benchmarks.md
# make trust   makes each call of an apply and a restore fail, gives every parser a million hostile inputs; writes docs/trust.md
# make lab     virtual machines with real kernels to try things in; prints how to get in
# make lab-stop  ends exactly those
# make cluster   a real cluster with kubelet, containerd and kube-proxy on two of these machines; prints how to get in
# make cluster-stop  ends exactly that
# make docsite   the documentation as a site, in .build/docsite/html
# make pins      after a change of the requirements: the newest packages that they allow, each file held to its hash
# make release   checks and builds what is released of the last commit, says what to do next; uploads nothing
# make clean     removes everything these made

PYTHON ?= python3
ARGS ?=

BUILD := .build
VENV := $(BUILD)/venv
TEST_VENV := $(BUILD)/test-venv
VERSION := $(shell sed -n 's/^version: *//p' galaxy.yml)
ARTIFACT := $(BUILD)/kubenode-connections-$(VERSION).tar.gz
COLLECTIONS := $(BUILD)/collections
INSTALLED := $(COLLECTIONS)/.installed
CHECKOUT := $(BUILD)/dev/ansible_collections/kubenode

# Ansible's own files, apart for each user who runs this and not in anybody's home.
ANSIBLE_FILES := $(CURDIR)/$(BUILD)/ansible-$(shell id -u)
ANSIBLE := ANSIBLE_HOME='$(ANSIBLE_FILES)' ANSIBLE_COLLECTIONS_PATH='$(CURDIR)/$(COLLECTIONS)' $(VENV)/bin/ansible

# Everything that goes into the artifact. Folders are in the list, too: a removed file changes its folder's time.
SOURCES := $(shell find . -mindepth 1 \( -name '.?*' -o -name __pycache__ -o -path ./molecule \
	-o -path './tests/*' ! -path ./tests/config.yml \) -prune -o -print | sed 's,^\./,,') tests/artifact.py

# $(call quietly,NAME,COMMAND): the user sees the output only where the command fails.
quietly = mkdir -p $(BUILD)/log; { $(2); } >$(BUILD)/log/$(1).log 2>&1 || { \
	cat $(BUILD)/log/$(1).log >&2; echo "make: $(1) failed; the lines above are its log, $(BUILD)/log/$(1).log" >&2; exit 1; }

# Ansible refuses to run in a locale that is not UTF-8.
export LC_ALL := C.UTF-8

.DELETE_ON_ERROR:
.PHONY: help audit test pythons kernels proof bench trust lab lab-stop cluster cluster-stop install pins docsite release clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))

audit: install
	@ANSIBLE_REMOTE_TMP='$(ANSIBLE_FILES)/tmp' $(ANSIBLE)-playbook kubenode.connections.audit \
		--inventory localhost, --connection local \
		--extra-vars '{"ansible_python_interpreter": "{{ ansible_playbook_python }}", "keepalive_become": false}' $(ARGS)

test: install $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/python noxfile.py $(ARGS)

pythons: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s pythons cores

kernels: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s lab molecule_ipvs distributions

proof: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s proof -- $(ARGS)

bench: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s bench -- --full --to docs $(ARGS)

trust: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s trust
	@$(TEST_VENV)/bin/nox -s fuzz -- --inputs 1000000 --to docs/trust.md

lab: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/python tests/lab up $(ARGS)

lab-stop:
	@$(PYTHON) tests/lab down

cluster: $(TEST_VENV)/.made
	@$(call cluster,$(TEST_VENV)/bin/python,up)

cluster-stop:
	@$(call cluster,$(PYTHON),down)

install: $(INSTALLED)

docsite: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s docsite

pins: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s pins

release: $(TEST_VENV)/.made
	@$(TEST_VENV)/bin/nox -s release

clean:
	@[ ! -d "$${LAB_CACHE:-tests/lab/cache}/cluster" ] || $(call cluster,$(PYTHON),down)
	$(PYTHON) tests/lab clean
	rm -rf $(BUILD) .nox .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): $(ARTIFACT)
	@$(call quietly,install,$(ANSIBLE)-galaxy collection install --force --collections-path $(COLLECTIONS) $(ARTIFACT))
	@touch $@

$(ARTIFACT): $(SOURCES) | $(VENV)/.made
	@$(call quietly,build,ANSIBLE_HOME='$(ANSIBLE_FILES)' $(VENV)/bin/python tests/artifact.py . $(BUILD))

$(VENV)/.made: tests/locks/tools.txt
	@$(call make_venv,$(VENV),audit-venv,ansible-core jmespath)

$(TEST_VENV)/.made: tests/locks/tools.txt
	@$(call make_venv,$(TEST_VENV),test-venv,nox)

# $(call cluster,PYTHON,VERB): the checkout is a collection there, by a link.
cluster = { mkdir -p $(CHECKOUT) && ln -sfn ../../../.. $(CHECKOUT)/connections && \
	PYTHONPATH=$(BUILD)/dev $(1) -m ansible_collections.kubenode.connections.tests.cluster.real $(2); }

# $(call make_venv,FOLDER,NAME,PACKAGES)
define make_venv
command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not there. Install Python 3.10 or newer." >&2; exit 1; }
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), ansible-core needs Python 3.10 or newer." \
		"Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "make: $(PYTHON) has no venv module. Install it (Debian: apt install python3-venv)." >&2; exit 1; }
echo "Installing $(3) into $(1), once." >&2
rm -rf $(1)
$(call quietly,$(2),$(PYTHON) -m venv $(1) && $(PYTHON) tests/pins.py tools $(3) >$(1)/requirements.txt && \
	$(1)/bin/pip install --disable-pip-version-check --no-deps --require-hashes -r $(1)/requirements.txt)
touch $@
endef
