# The way into an account: the CloudFormation stack and the FIS experiment templates. Included by the root Makefile, run from the root.

FIS := fis
FIS_VENV := .cache/fis/venv
FIS_BIN := $(FIS_VENV)/bin

NEEDS_fis := javac mvn

.PHONY: stack test-fis lint-fis

$(FIS_VENV)/.ready: $(FIS)/tests/requirements.txt | check-python
	$(PYTHON) -m venv $(FIS_VENV)
	$(FIS_BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# dist/stack.json, for `aws cloudformation package` and `deploy`: fis/README.md.
# Layers of the other architecture that were built once are brought up to date: old ones beside new documents would not fit.
stack: layers $(filter-out %-$(LAYER_ARCH).zip,$(wildcard dist/layers/faultlayer-*.zip)) $(FIS_VENV)/.ready
	@$(FIS_BIN)/python $(FIS)/scripts/build_stack.py

prepare-fis: cli example-java $(FIS_VENV)/.ready

test-fis: $(call unprepared,fis)
	cd $(FIS) && FAULTLAYER="$(CURDIR)/target/release/faultlayer" "$(CURDIR)/$(FIS_BIN)/python" -m pytest
	cargo test $(HOST) -p faultlayer-fis --lib

lint-fis: $(FIS_VENV)/.ready
	cd $(FIS) && "$(CURDIR)/$(FIS_BIN)/ruff" check . && "$(CURDIR)/$(FIS_BIN)/ruff" format --check . && "$(CURDIR)/$(FIS_BIN)/mypy"
	cargo clippy $(HOST_CRATES) --all-targets -- -D warnings
	cargo fmt -p faultlayer-fis -- --check
