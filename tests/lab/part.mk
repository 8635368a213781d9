# The local cloud's own tests, with the AWS clients that nobody here wrote. Included by the root Makefile, run from the root.

LAB_CLOUD_DIR := tests/lab
LAB_CLOUD_VENV := .cache/lab-cloud/venv
LAB_CLOUD_BIN := $(CURDIR)/$(LAB_CLOUD_VENV)/bin

.PHONY: setup-lab-cloud test-lab-cloud lint-lab-cloud

$(LAB_CLOUD_VENV)/.ready: $(LAB_CLOUD_DIR)/requirements.txt
	@python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
		|| { echo "missing: CPython 3.10 or newer with venv and pip. On Debian: apt install python3-venv" >&2; exit 1; }
	python3 -m venv $(LAB_CLOUD_VENV)
	$(LAB_CLOUD_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

setup-lab-cloud: $(LAB_CLOUD_VENV)/.ready

test-lab-cloud: setup-lab-cloud
	cargo build --quiet --release -p faultlayer-cli
	cd $(LAB_CLOUD_DIR) && FAULTLAYER="$(CURDIR)/target/release/faultlayer" "$(LAB_CLOUD_BIN)/python" -m pytest -q -n 2

lint-lab-cloud: setup-lab-cloud
	cd $(LAB_CLOUD_DIR) && "$(LAB_CLOUD_BIN)/ruff" check . && "$(LAB_CLOUD_BIN)/ruff" format --check . && "$(LAB_CLOUD_BIN)/mypy"
