# The lab: its crate's own tests, then the local cloud from outside, with the AWS clients that nobody here wrote. Included by the root
# Makefile, run from the root. (`faultlayer run` is tested in tests/run.)

LAB_CLOUD_DIR := tests/lab
LAB_CLOUD_VENV := .cache/lab-cloud/venv
LAB_CLOUD_BIN := $(CURDIR)/$(LAB_CLOUD_VENV)/bin
IN_LAB_TESTS = cd $(LAB_CLOUD_DIR) && $(RUN_FUNCTIONS) FAULTLAYER="$(CURDIR)/target/release/faultlayer"

.PHONY: setup-lab test-lab lint-lab models sweep-lab

$(LAB_CLOUD_VENV)/.ready: $(LAB_CLOUD_DIR)/requirements.txt
	@python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
		|| { echo "missing: CPython 3.10 or newer with venv. On Debian: apt install python3-venv" >&2; exit 1; }
	python3 -m venv $(LAB_CLOUD_VENV)
	$(LAB_CLOUD_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

setup-lab: $(LAB_CLOUD_VENV)/.ready $$(FUNCTIONS_VENV)/.ready

# Writes the services' model.json from botocore, as their operations.txt say, and the samples of requests in every protocol.
models: setup-lab
	$(LAB_CLOUD_BIN)/python $(LAB_CLOUD_DIR)/models.py
	$(LAB_CLOUD_BIN)/python $(LAB_CLOUD_DIR)/wire.py

prepare-lab: cli setup-lab

test-lab: $(call unprepared,lab)
	cargo test $(HOST) -p faultlayer-lab --lib
	$(IN_LAB_TESTS) "$(LAB_CLOUD_BIN)/python" -m pytest -q -n 2

# What was answered is never lost: 200 kills, full disks and torn writes, where `make test` has a few.
sweep-lab: setup-lab
	cargo build $(HOST)
	$(IN_LAB_TESTS) FAULTLAYER_LAB_ROUNDS=200 "$(LAB_CLOUD_BIN)/python" -m pytest -q test_losses.py

lint-lab: setup-lab
	cargo clippy $(HOST_CRATES) --all-targets -- -D warnings
	cargo fmt -p faultlayer-lab -- --check
	cd $(LAB_CLOUD_DIR) && "$(LAB_CLOUD_BIN)/ruff" check . && "$(LAB_CLOUD_BIN)/ruff" format --check . && "$(LAB_CLOUD_BIN)/mypy"
