# make audit   creates the environment and runs the main job on real data (QUICK=1: fewer models)
# make test    creates the environment and runs the tests
# make check   lint, types and layers, as the gate does
# make notebooks executes the notebooks in place
# make docs    the documentation in runs/docs, warnings as errors
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= runs/demo
READY := $(VENV)/.ready

.PHONY: audit test check slow notebooks docs clean

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "indist needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt --build-constraint constraints.txt --editable . --group test
	@touch $(READY)

audit: $(READY)
	$(BIN)/indist demo -o $(OUT) $(if $(QUICK),--quick)

test: $(READY)
	$(BIN)/python -m pytest -n 2 -q

slow: $(READY)
	$(BIN)/python -m pytest -n 2 -q -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

notebooks: $(READY)
	$(BIN)/python notebooks/run.py

docs: $(READY)
	$(BIN)/sphinx-build -W --keep-going -q -b html -d runs/doctrees docs runs/docs

clean:
	rm -rf $(VENV) runs build dist
