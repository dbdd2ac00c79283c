# From a fresh clone, Python (3.11 or newer) and make are all that is needed: the first
# target that you ask for makes .venv and installs into it; afterwards it starts at once.
#
#   make test ARGS='tests/test_docs.py -x'      ARGS goes to the command that is run
#   make test PYTHON=python3.13                 PYTHON makes .venv (after `make clean`)

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Both names, for pip's own installs and for the build backend's: older releases of pip
# know the first only, newer ones pin what builds with the second.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip

.DEFAULT_GOAL := help
.PHONY: help install tools demo demo-once test test-matrix screenshots lint format bench constraints clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv and install everything into it

tools: ## install what some tests want: Chromium, Node.js, Alertmanager (apt, as root)
	@.ci/tools

demo: $(INSTALLED) ## receive, price and report a fleet of agent runs; Ctrl-C ends it
	@$(BIN)/farthing demo $(ARGS)

demo-once: $(INSTALLED) ## the same, ending by itself after the report
	@$(BIN)/farthing demo --once $(ARGS)

# They start Python some hundred times, which compiles us each time if it may not write.
test: $(INSTALLED) ## run the tests, on every core
	@echo "test: pytest $(ARGS)"
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-matrix: $(INSTALLED) ## run the SDKs in environments of their own; write docs/sdks.md
	@echo "test-matrix: environments under build/matrix (the first time takes minutes)"
	@$(BIN)/python -m tests.matrix $(ARGS)

screenshots: $(INSTALLED) ## take the pictures of docs/images anew (needs Chromium: make tools)
	@$(BIN)/pytest -q tests/page/browser/test_looks.py -k picture --pictures

lint: $(INSTALLED) ## check style, types and layers
	@echo "lint: ruff check"
	@$(BIN)/ruff check --quiet --output-format concise
	@echo "lint: ruff format --check"
	@$(BIN)/ruff format --check --quiet --output-format concise
	@echo "lint: mypy"
	@$(BIN)/mypy --no-error-summary
	@echo "lint: lint-imports"
	@$(BIN)/lint-imports --cache-dir $(VENV)/.import-linter > $(VENV)/.layers \
		|| { cat $(VENV)/.layers; exit 1; }

format: $(INSTALLED) ## rewrite the sources in the project's style
	@$(BIN)/ruff check --fix --quiet --output-format concise
	@$(BIN)/ruff format

bench: $(INSTALLED) ## measure: throughput, latency, crashes, agents (an hour)
	@echo "bench: ingest"
	@$(BIN)/python -m benchmarks.ingest $(ARGS)
ifeq ($(ARGS),)
	@echo "bench: agent, calls"
	@$(BIN)/python -m benchmarks.agent.calls
	@$(BIN)/python -m benchmarks.agent.within
	@$(BIN)/python -m benchmarks.agent.startup
	@echo "bench: alerts"
	@$(BIN)/python -m benchmarks.alerts
	@$(BIN)/python -m benchmarks.alerts.latency
	@echo "bench: crashes"
	@$(BIN)/python -m benchmarks.crash
	@$(BIN)/python -m benchmarks.alerts.killed
endif

constraints: ## write constraints.txt anew, from the newest releases
	@echo "constraints: installing the newest releases into a new environment"
	@rm -rf build/constraints
	@$(PYTHON) -m venv build/constraints
	@build/constraints/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@sed '/^[^#]/d' constraints.txt > build/constraints.txt
	@build/constraints/bin/python -m pip freeze --exclude-editable \
		| sed 's/^backports\..*/&; python_version < "3.14"/' \
		| LC_ALL=C sort --ignore-case >> build/constraints.txt
	@mv build/constraints.txt constraints.txt
	@rm -rf build/constraints
	@echo "constraints: written; see what changed with 'git diff constraints.txt'"

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11: name a newer one, as in make PYTHON=python3.13"; exit 1; }
	@echo "install: making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "install: packages into $(VENV), at the versions of constraints.txt (a minute or two)"
	@$(PIP) install --quiet -e '.[dev]'
	@touch $@
