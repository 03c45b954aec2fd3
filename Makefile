# The commands of the house. `make demo` and `make test` need only Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PORT   ?= 4200
SEEDS  ?= 300
FIRST  ?= 0
JOBS   ?= 2

# Nothing about how pfflow is used leaves this machine.
export DO_NOT_TRACK = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false
export PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT = false
export PREFECT_SERVER_UI_V2_ENABLED = false

.DEFAULT_GOAL := help
.PHONY: help install demo up test simulate screenshots check format lint types floors clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "pfflow needs Python 3.11 or newer; name one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(READY) ## Build the virtual environment.

demo: $(READY) ## Live a motorway financing's first quarter; nothing leaves this machine.
	$(BIN)/python -m flows.demo

up: $(READY) ## Start Prefect's server and a worker with the example's deployments; stop with Ctrl-C.
	$(BIN)/python -m flows.up --port $(PORT)

test: $(READY) ## Run the tests; those whose service is missing are skipped with the reason.
	$(BIN)/python -m pytest -n auto --dist loadgroup

simulate: $(READY) ## Live SEEDS lives from FIRST on with faults at every boundary; every invariant must hold.
	PYTHONPATH=. $(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST) --jobs $(JOBS)

screenshots: $(READY) ## Take the README's pictures anew; needs chromium and chromedriver.
	PFFLOW_REQUIRE=browser PFFLOW_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/flows/test_in_browser.py

check: format lint types floors test ## Everything that must be true before a commit.

format: $(READY) ## Check the formatting.
	$(BIN)/ruff format --check .

lint: $(READY) ## Check the style.
	$(BIN)/ruff check .

types: $(READY) ## Check the types.
	$(BIN)/mypy

floors: $(READY) ## Check that imports only go down.
	$(BIN)/lint-imports

clean: ## Remove what the commands made, the virtual environment included.
	rm -rf $(VENV) .demo .pfflow .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
