PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs docs-errors screenshots clean

demo: $(VENV)/.installed
	$(BIN)/python manage.py demo

test: $(VENV)/.installed
	$(BIN)/python -W error -m pytest --cov --cov-report=term $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m docs.errors --check

docs: docs-errors
	$(BIN)/python -m pip install --quiet --group doc
	$(BIN)/python -m sphinx -W -q docs docs/_build

docs-errors: $(VENV)/.installed
	$(BIN)/python -m docs.errors

screenshots: $(VENV)/.installed
	$(BIN)/python -m docs.screenshots

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

clean:
	rm -rf $(VENV) example_project/var
