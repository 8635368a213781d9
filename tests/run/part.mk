# `faultlayer run`, from outside: the environments, the run under a plan, its end. With the venv of the Python part.

# Where the command finds Python for the functions of tests: one in which nothing is installed, whatever this machine's has.
FUNCTIONS_VENV := .cache/functions/venv
RUN_FUNCTIONS := VIRTUAL_ENV="$(CURDIR)/$(FUNCTIONS_VENV)"

.PHONY: test-run lint-run

$(FUNCTIONS_VENV)/.ready: | check-python
	$(PYTHON) -m venv $(FUNCTIONS_VENV)
	@touch $@

prepare-run: cli layers-python $(PYTHON_VENV)/.ready $(FUNCTIONS_VENV)/.ready

test-run: $(call unprepared,run)
	cd tests/run && $(RUN_FUNCTIONS) "$(CURDIR)/$(PYTHON_BIN)/python" -m pytest -q -n auto

lint-run: $(PYTHON_VENV)/.ready
	cd tests/run && "$(CURDIR)/$(PYTHON_BIN)/ruff" check . ../../lab/src/runtime/clients && "$(CURDIR)/$(PYTHON_BIN)/ruff" format --check . ../../lab/src/runtime/clients
	cd tests/run && "$(CURDIR)/$(PYTHON_BIN)/mypy"
