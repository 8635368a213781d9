# The network part: faults in a process's connections, and their tests with real clients and servers. Included by the root Makefile,
# run from the root.

NETWORK_DIR := network
NETWORK_BIN := .cache/network/venv/bin

.PHONY: setup-network native-network test-network lint-network

.cache/network/venv/.ready: $(NETWORK_DIR)/tests/requirements.txt | check-python
	$(PYTHON) -m venv .cache/network/venv
	$(NETWORK_BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

setup-network: .cache/network/venv/.ready

# The mechanics as a library that the tests load.
native-network: | check-python
	cargo build --quiet --release -p faultlayer-network --example network_harness

prepare-network: setup-network native-network

test-network: $(call unprepared,network)
	cargo test --quiet --release -p faultlayer-network
	cd $(NETWORK_DIR) && "$(CURDIR)/$(NETWORK_BIN)/python" -m pytest -q -p no:cacheprovider tests

lint-network: $(PYTHON_VENV)/.ready
	cargo clippy --quiet --release --all-targets -p faultlayer-network -- -D warnings
	cargo fmt -p faultlayer-network -- --check
	$(PYTHON_BIN)/ruff check --quiet --config $(PYTHON_DIR)/pyproject.toml $(NETWORK_DIR)
	$(PYTHON_BIN)/ruff format --quiet --check --config $(PYTHON_DIR)/pyproject.toml $(NETWORK_DIR)
