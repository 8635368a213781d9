# Faultlayer. `make demo` shows the main job, `make test` runs everything; each installs what it needs into this folder
# (.cache, .venv, node_modules, target) or names exactly what is missing.

.DEFAULT_GOAL := help
SHELL := /bin/bash
export CARGO_TERM_PROGRESS_WHEN := never

include $(sort $(wildcard */part.mk) $(wildcard tests/*/part.mk))

.PHONY: help demo test lint bench layers cli check-tools test-core lint-core fuzz-plan clean

help:
	@echo "make demo     a function, healthy and under faults: the table of both, and the records"
	@echo "make test     all tests and lints"
	@echo "make lint     the lints alone"
	@echo "make bench    what the layers cost, as ratios measured side by side"
	@echo "make layers   dist/layers/faultlayer-*.zip"
	@echo "make cli      target/release/faultlayer"

check-tools:
	@tools/check-tools

cli: check-tools
	cargo build --quiet --release -p faultlayer-cli
	@echo "target/release/faultlayer"

# Every part's targets have its name at the end; a part that is not there has none.
PARTS := $(sort $(patsubst test-%,%,$(filter test-%,$(shell grep -hoE '^(test|lint|bench|layers|demo)-[a-z-]+:' Makefile */part.mk tests/*/part.mk 2>/dev/null | tr -d :))))
LINTS := $(sort $(filter lint-%,$(shell grep -hoE '^lint-[a-z-]+:' Makefile */part.mk tests/*/part.mk 2>/dev/null | tr -d :)))
BENCHES := $(sort $(filter bench-%,$(shell grep -hoE '^bench-[a-z-]+:' */part.mk 2>/dev/null | tr -d :)))
LAYERS := $(sort $(filter layers-%,$(shell grep -hoE '^layers-[a-z-]+:' */part.mk 2>/dev/null | tr -d :)))

lint: check-tools $(LINTS)

bench: check-tools cli $(BENCHES)

layers: check-tools $(LAYERS)
	@ls -l dist/layers

# One part after the other, each with its own log, and a line for each at the end.
test: check-tools
	@tools/test-parts lint $(addprefix test-,$(PARTS))

# The languages of this machine; tools/demo says which it lacks.
has = $(shell command -v $(1) 2>/dev/null)
DEMO_LAYERS := layers-python $(if $(call has,npm),$(filter layers-node,$(LAYERS))) $(if $(and $(call has,mvn),$(call has,javac)),$(filter layers-java,$(LAYERS)))

demo: check-tools cli $(DEMO_LAYERS)
	@tools/demo

test-core: check-tools
	cargo test --quiet --release -p faultlayer-core
	python3 tests/vectors/check.py
	python3 tests/vectors/sampling.py | cmp - tests/vectors/sampling.json
	cargo test --quiet --release -p faultlayer-cli

lint-core: check-tools
	cargo fmt --all -- --check
	cargo clippy --quiet --release --all-targets -p faultlayer-core -p faultlayer-cli -- -D warnings
	tools/check-lengths

# For developers: cargo install cargo-fuzz, and a nightly toolchain.
fuzz-plan:
	cd fuzz && cargo +nightly fuzz run plan

clean:
	rm -rf target dist .cache
