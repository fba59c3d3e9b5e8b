# The one definition of clean and of working; CI calls the same targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BROWSER := $(VENV)/.browser

.PHONY: install demo test test-long bench check format lock clean

install: $(READY)

# uv installs what the lock names; on a new machine it comes into the environment by pip.
$(READY): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	mkdir -p $(VENV)/typing && ln -sfn ../../src $(VENV)/typing/panel_session_monitor
	touch $@

$(BROWSER): $(READY)
	tests/install-browser
	touch $@

demo: install
	$(BIN)/psm demo

test: $(BROWSER)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not long and not alone"
	$(BIN)/python -m pytest -m "alone and not long"

test-long: $(BROWSER)
	$(BIN)/python -m pytest -m long

bench: install
	$(BIN)/python -m benchmarks

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The lock holds versions and hashes of every package for every platform, and no addresses.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--all-extras --group dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist artefacts
