# Faults in calls to AWS: real clients, a real server (moto), and a proxy that says the same on the wire as the engine.

AWS_VENV := .cache/aws/venv

.PHONY: test-aws lint-aws

$(AWS_VENV)/.ready: tests/aws/requirements.txt | check-python
	$(PYTHON) -m venv $(AWS_VENV)
	$(AWS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

prepare-aws: $(AWS_VENV)/.ready cli setup-python native-python layers-python $(if $(call lacks,java),,layers-java calls-java)

test-aws: $(call unprepared,aws)
	cd tests/aws && "$(CURDIR)/$(AWS_VENV)/bin/python" -m pytest -q -n auto

lint-aws: $(PYTHON_VENV)/.ready
	$(PYTHON_BIN)/ruff check --quiet --config tests/aws/pyproject.toml tests/aws examples/dynamodb
	$(PYTHON_BIN)/ruff format --quiet --check --config tests/aws/pyproject.toml tests/aws examples/dynamodb
