# The verbs of the project. `make help` lists them.
PYTHON ?= python3
# How many identifiers `make bench` loads.
IDENTIFIERS ?= 1000000
VENV := .venv
BIN := $(VENV)/bin
FUZZ_SECONDS ?= 20
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help venv run test check format peers bench fuzz constraints clean

help: ## list the verbs
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  \1\t/'

$(BIN)/idnode: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.test: $(BIN)/idnode pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable '.[test,fuzz,load]'
	@touch $@

$(VENV)/.check: $(BIN)/idnode pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable '.[test,check]'
	@touch $@

venv: $(BIN)/idnode ## make the virtual environment; leaves .venv/bin/idnode

run: venv ## start the 20 sector nodes and everything around them; Ctrl-C ends it
	@$(BIN)/idnode up

test: $(VENV)/.test peers ## run the tests
	$(BIN)/pytest -q -n 2 --dist loadfile

check: $(VENV)/.check ## style, types, import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.check ## put the sources into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

peers: ## Debian's DNS clients and PostgreSQL for the tests; without them those tests say SKIP
	@command -v kdig >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && { apt-get update -qq; apt-get install -y -qq knot-dnsutils; } >/dev/null 2>&1; } \
	  || echo "kdig is not installed and cannot be: tests that need it are skipped"
	@command -v pg_config >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && { apt-get update -qq; apt-get install -y -qq postgresql-common; \
	       echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf; \
	       apt-get install -y -qq postgresql; } >/dev/null 2>&1; } \
	  || echo "PostgreSQL is not installed and cannot be: tests that need it are skipped"

fuzz: $(VENV)/.test ## feed every decoder with what coverage suggests, FUZZ_SECONDS each
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

bench: $(VENV)/.test ## measure start-up, memory, answers beside those of peers, bulk loads, and overload (IDENTIFIERS=10000000 for many)
	$(BIN)/python -m load_tests.bench
	$(BIN)/python -m load_tests.bench.workers
	$(BIN)/python -m load_tests.bench.codecs
	$(BIN)/python -m load_tests.bench.bulk --identifiers $(IDENTIFIERS)
	$(BIN)/python -m load_tests.bench.overload
	$(BIN)/python -m load_tests.bench.slow_clients
	$(BIN)/python -m load_tests.bench.login_floods

constraints: $(VENV)/.check ## write constraints.txt from what is installed
	$(BIN)/pip freeze --exclude-editable | LC_ALL=C sort > constraints.txt

clean: ## remove what the other verbs made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
