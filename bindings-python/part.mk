# The Python part: the layer, the library, their tests. Included by the root Makefile, run from the root.

PYTHON ?= python3
PYTHON_DIR := bindings-python
PYTHON_VENV := .cache/python/venv
PYTHON_BIN := $(PYTHON_VENV)/bin
ZIG_VENV := .cache/zig
PYTHON_LAYER := dist/layers/faultlayer-python-$(LAYER_ARCH).zip
PYTHON_LINTED := $(PYTHON_DIR) tests/layers/test_python_layer.py tests/live examples/python
PYTHON_SOURCES := $(shell find $(PYTHON_DIR)/src $(PYTHON_DIR)/layer $(PYTHON_DIR)/python core/src network/src -name '*.rs' -o -name '*.py') \
	$(PYTHON_DIR)/Cargo.toml core/Cargo.toml network/Cargo.toml Cargo.toml

.PHONY: check-python setup-python layers-python native-python wheel-python test-python lint-python

check-python:
	@command -v cargo >/dev/null || { echo "missing: Rust (cargo). Get it from https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "missing: a C compiler as linker. On Debian: apt install gcc" >&2; exit 1; }
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
		|| { echo "missing: CPython 3.10 or newer with venv. On Debian: apt install python3-venv" >&2; exit 1; }

$(PYTHON_VENV)/.ready: $(PYTHON_DIR)/requirements-dev.txt | check-python
	$(PYTHON) -m venv $(PYTHON_VENV)
	$(PYTHON_BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(ZIG_VENV)/.ready: tools/requirements-layers.txt | check-python
	test -x $(ZIG_VENV)/bin/python || $(PYTHON) -m venv $(ZIG_VENV)
	$(ZIG_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

setup-python: $(PYTHON_VENV)/.ready
	@$(PYTHON_BIN)/python $(PYTHON_DIR)/scripts/setup_clients.py

dist/layers/faultlayer-python-%.zip: $(PYTHON_SOURCES) $(PYTHON_DIR)/scripts/pack_layer.py $(LAYER_TOOLS)
	tools/layer-library faultlayer-python $* layer
	.cache/zig/bin/python $(PYTHON_DIR)/scripts/pack_layer.py target/layers/$*/libfaultlayer_python.layer.so $@

# What a wheel has: all of it.
target/layers/%/libfaultlayer_python.so: $(PYTHON_SOURCES) $(LAYER_TOOLS)
	tools/layer-library faultlayer-python $*

layers-python: $(PYTHON_LAYER)

# The library's native module, beside its Python files, for the tests and for `import faultlayer` from the checkout.
native-python: | check-python
	cargo build --quiet --release -p faultlayer-python
	@cmp -s target/release/libfaultlayer_python.$(LIBRARY) $(PYTHON_DIR)/python/faultlayer/_native.abi3.so \
		|| cp target/release/libfaultlayer_python.$(LIBRARY) $(PYTHON_DIR)/python/faultlayer/_native.abi3.so

# dist/wheels/faultlayer-*.whl, and a look at it from an environment of its own.
wheel-python: $(PYTHON_VENV)/.ready
	cd $(PYTHON_DIR) && "$(CURDIR)/$(PYTHON_BIN)/maturin" build --quiet --release --out "$(CURDIR)/dist/wheels"
	rm -rf .cache/python/wheel && $(PYTHON) -m venv .cache/python/wheel
	.cache/python/wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/wheels/faultlayer-*.whl
	.cache/python/wheel/bin/python -c 'import faultlayer as f; assert f.wrap(len, f.Fault.payload(7))("x") == 7'

prepare-python: setup-python native-python layers-python

test-python: $(call unprepared,python)
	cd $(PYTHON_DIR) && FAULTLAYER_LAYER_ZIP="$(CURDIR)/$(PYTHON_LAYER)" "$(CURDIR)/$(PYTHON_BIN)/python" -m pytest -c pyproject.toml -q -n auto \
		tests ../tests/layers/test_python_layer.py ../examples/python
	@$(PYTHON_BIN)/python $(PYTHON_DIR)/scripts/test_everywhere.py

lint-python: $(PYTHON_VENV)/.ready native-python
	cargo clippy --quiet --release -p faultlayer-python -- -D warnings
	cargo fmt -p faultlayer-python -- --check
	$(PYTHON_BIN)/ruff check --quiet --config $(PYTHON_DIR)/pyproject.toml $(PYTHON_LINTED)
	$(PYTHON_BIN)/ruff format --quiet --check --config $(PYTHON_DIR)/pyproject.toml $(PYTHON_LINTED)
	cd $(PYTHON_DIR) && "$(CURDIR)/$(PYTHON_BIN)/mypy"
