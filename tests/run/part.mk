# `faultlayer run`, from outside: the environments, the run under a plan, its end. With the venv of the Python part.

.PHONY: test-run lint-run

prepare-run: cli layers-python $(PYTHON_VENV)/.ready

test-run: $(call unprepared,run)
	cd tests/run && "$(CURDIR)/$(PYTHON_BIN)/python" -m pytest -q -n auto

lint-run: $(PYTHON_VENV)/.ready
	cd tests/run && "$(CURDIR)/$(PYTHON_BIN)/ruff" check . ../../lab/src/runtime/clients && "$(CURDIR)/$(PYTHON_BIN)/ruff" format --check . ../../lab/src/runtime/clients
	cd tests/run && "$(CURDIR)/$(PYTHON_BIN)/mypy"
