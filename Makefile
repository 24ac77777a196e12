# All targets set up .venv on first use; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= topics/demo

.PHONY: demo test test-all test-wheels lint docs bench tables clean help

# The stamp depends on the files that name dependencies, so a changed bound installs again.
$(VENV)/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tf_vmf needs Python >= 3.11; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[demo,dev]'
	touch $@

demo: $(VENV)/.installed  ## The topics of Wikipedia articles, offline; ends with a page to explore. DEMO=FOLDER puts it elsewhere.
	@# A second run replaces what the first one made, and nothing else.
	@if [ -f $(DEMO)/topics.csv ] && [ -f $(DEMO)/report.html ]; then rm -r $(DEMO); fi
	$(BIN)/python -m trainers.topics --corpus=wikipedia --num_topics=20 --output=$(DEMO)

# Each worker begins with one half of the tests, in their order, so that models shared by a file are made once; the first to end helps.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 2 --dist=worksteal

test: $(VENV)/.installed  ## The quick suite.
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.installed  ## Everything, slow tests included.
	$(PYTEST) -m "not slow"
	# In processes of their own: Keras itself keeps some memory per trained model.
	$(PYTEST) -m slow

lint: $(VENV)/.installed  ## Style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

docs: $(VENV)/.installed-docs  ## The documentation site, into docs/_build/html; warnings are errors. Needs no network once installed.
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs docs/_build/html
	@echo "docs/_build/html/index.html"

test-wheels: $(VENV)/.installed  ## Trains and reloads a model from the wheel, on Python 3.11, 3.12 and 3.13 where they are found.
	$(BIN)/python -m tools.test_wheels

bench: $(VENV)/.installed  ## Speed and accuracy beside named peers.
	$(BIN)/python -m benchmarks.run

tables: $(VENV)/.installed  ## Coefficient tables of the special functions, from mpmath (minutes).
	$(BIN)/python -m tools.generate_tables

clean:  ## Removes the environment and what was built.
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/outside docs/reference/*.rst

help:  ## This list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '%-12s %s\n' "$$name" "$$text"; done
