# Faultlayer. `make demo` shows the main job, `make test` runs everything; each installs what it needs into this folder
# (.cache, .venv, node_modules, target) or names exactly what is missing.

.DEFAULT_GOAL := help
SHELL := /bin/bash
# Cargo's own progress where somebody sees it.
TERMINAL := $(shell test -t 2 && echo yes)
export CARGO_TERM_PROGRESS_WHEN := $(if $(TERMINAL),auto,never)
# Bytecode is kept wherever Python is told otherwise too: else each of a thousand processes compiles the tests anew.
unexport PYTHONDONTWRITEBYTECODE

# How Node calls this system, and what a shared library's name ends in here.
SYSTEM := $(if $(filter Darwin,$(shell uname -s)),darwin,linux)
LIBRARY := $(if $(filter darwin,$(SYSTEM)),dylib,so)

# Lambda's name for this machine's architecture, and what building a layer takes beside its sources. A Mac's own layers, for
# `faultlayer run`, are called after it.
LAYER_ARCH := $(if $(filter darwin,$(SYSTEM)),darwin_)$(patsubst aarch64,arm64,$(shell uname -m))
LAYER_TOOLS := .cache/zig/.ready Cargo.lock $(addprefix tools/,layer-library layer-link cross-rust debian-packages elf.py layer_archive.py third_party.py)

# The command depends on every crate but the bindings: whatever is chosen beside it gets the same features, so that the AWS SDK and
# tokio are compiled once for building and testing, and once for clippy. The engine by itself needs neither.
HOST := --quiet --release -p faultlayer-cli
HOST_CRATES := $(HOST) -p faultlayer-report -p faultlayer-lab -p faultlayer-ssm-documents -p faultlayer-fis

# What a part's tests need is a target of its own, prepare-NAME, which is done already where tests run beside each other.
unprepared = $(if $(PREPARED),,prepare-$(1))

# What this machine says to a question, asked once: under a name, by which every make started from here knows it too.
once = $(if $(filter undefined,$(origin $(1))),$(eval export $(1) := $$(shell $(2))))$($(1))

has = $(call once,HAS_$(1),command -v $(1) 2>/dev/null)

# What a part needs beyond Rust, a C compiler and Python, its part.mk says. Without it the part is skipped, by name.
lacks = $(strip $(foreach tool,$(NEEDS_$(1)),$(if $(call has,$(tool)),,$(tool))))

# What is here is known only once all parts are read: prerequisites that ask for it say `$$(call here,…)`.
.SECONDEXPANSION:

include $(sort $(wildcard */part.mk) $(wildcard tests/*/part.mk))

.PHONY: help demo prepare test every-runtime lint layers cli check-tools test-core lint-core lint-tools format-docs demo-account fuzz clean fresh-root

help:
	@echo "make demo     a function, healthy and under faults: the table of both, and the records"
	@echo "make test     all tests and lints"
	@echo "make lint     the lints alone"
	@echo "make bench    what Faultlayer costs, beside its peers"
	@echo "make layers   dist/layers/faultlayer-*.zip"
	@echo "make stack    dist/stack.json, the CloudFormation template"
	@echo "make cli      target/release/faultlayer"

check-tools:
	@tools/check-tools

cli: check-tools
	@test -e target/release/faultlayer || echo "building the command: the first time some five to ten minutes on two cores" >&2
	cargo build $(if $(TERMINAL),$(filter-out --quiet,$(HOST)),$(HOST))
	@echo "target/release/faultlayer"

# Every part's targets have its name at the end: test-NAME, lint-NAME, prepare-NAME, layers-NAME.
named = $(sort $(patsubst $(1)-%:,%,$(call once,NAMED_$(1),grep -hoE '^$(1)-[a-z-]+:' Makefile */part.mk tests/*/part.mk 2>/dev/null)))
here = $(foreach part,$(call named,$(1)),$(if $(call lacks,$(part)),,$(1)-$(part)))
LACKING = $(foreach part,$(call named,test),$(if $(call lacks,$(part)),--skipped "test-$(part): $(call lacks,$(part))"))

lint: check-tools $(call here,lint)

layers: check-tools $(call here,layers)
	@cd dist/layers && $(SHA256) *.zip >SHA256SUMS && cat SHA256SUMS

SHA256 = $(if $(call has,sha256sum),sha256sum,shasum -a 256)

# Lambda's layers of an architecture, this machine's or another one, where a compiler for it can be had.
layers-x86_64 layers-arm64: layers-%: check-tools
	@if tools/cross-rust $* >/dev/null; then \
		$(MAKE) --no-print-directory $(patsubst layers-%,dist/layers/faultlayer-%-$*.zip,$(call here,layers)) && \
		cd dist/layers && $(SHA256) *.zip >SHA256SUMS; \
	else echo "skipped: the layers for $*, see above" >&2; fi

# All that the tests need, built and set up, which nothing beside it may be.
prepare: check-tools $(call here,prepare)

# Four parts beside each other, for most wait more than they compute: those first that take longest, and the lints as one of
# them. Each has its own log, and a line at the end.
AT_ONCE ?= 4
LONGEST := $(addprefix test-,stack ssm python node java run aws lab)
test: check-tools
	@tools/test-parts $(LACKING) --at-once $(AT_ONCE) --first prepare \
		$(filter $(call here,test),$(LONGEST)) lint $(filter-out $(LONGEST),$(call here,test))

# Each test of a layer on every interpreter and client that is here, where `make test` deals it some of them.
every-runtime: check-tools
	FAULTLAYER_EVERY_RUNTIME=1 tools/test-parts $(LACKING) --at-once $(AT_ONCE) --first prepare \
		$(filter test-python test-node test-java,$(call here,test))

# The stack's layers are Lambda's, which a Mac's processes cannot load.
NO_STACK = $(or $(call lacks,fis),$(if $(filter darwin,$(SYSTEM)),Linux))

# The languages of this machine; what the others lack, tools/demo says.
demo: check-tools cli $(call here,layers)
	@lacks_node="$(call lacks,node)" lacks_java="$(call lacks,java)" tools/demo
	@$(if $(NO_STACK),echo "skipped: the stack in the lab: $(NO_STACK)",$(MAKE) --no-print-directory demo-account)
	@echo && echo "the same as a page, to open in a browser:" && cat dist/demo/pages

# The demo on a machine that has nothing but what the README asks for, made of Debian's packages. It wants root, and takes long.
fresh-root:
	tools/fresh-root demo

# The mission without an account: the page's own AWS commands, typed into the lab.
demo-account: cli setup-lab
	@$(MAKE) --no-print-directory stack >.cache/stack.log
	@$(LAB_CLOUD_BIN)/python tools/demo_account.py target/release/faultlayer fis/README.md dist/stack.json

test-core: check-tools
	cargo test --quiet --release -p faultlayer-core
	python3 tests/vectors/check.py
	python3 tests/vectors/sampling.py | cmp - tests/vectors/sampling.json
	cargo test $(HOST) -p faultlayer-report

lint-core: check-tools
	cargo fmt --all -- --check
	cargo clippy --quiet --release --all-targets -p faultlayer-core -- -D warnings
	cargo clippy $(HOST_CRATES) --all-targets -- -D warnings
	tools/check-lengths

# With the venv of the Python part.
lint-tools: $(PYTHON_VENV)/.ready
	$(PYTHON_BIN)/ruff check --quiet tools/test-parts tools/*.py tests/layers bindings-node/scripts bindings-java/scripts tests/vectors
	$(PYTHON_BIN)/mypy --strict --no-error-summary tools/test-parts tools/*.py
	$(PYTHON_BIN)/mdformat --check $(MARKDOWN) || { echo "make format-docs wraps the pages" >&2; exit 1; }

# Every page, wrapped at 100 as .mdformat.toml says.
MARKDOWN = $(shell git ls-files '*.md' 2>/dev/null || find . -name '*.md' -not -path '*/node_modules/*' -not -path './target/*' -not -path './.cache/*')
format-docs: $(PYTHON_VENV)/.ready
	$(PYTHON_BIN)/mdformat $(MARKDOWN)

# libFuzzer with coverage, as cargo-fuzz has it without a sanitizer, by options that any Rust knows. It wants a C++ compiler.
TARGET ?= matching
SECONDS_LONG ?= 600
COVERAGE := -Cpasses=sancov-module -Ccodegen-units=1 --cfg fuzzing $(addprefix -Cllvm-args=-sanitizer-coverage-,\
	level=4 inline-8bit-counters pc-table trace-compares)
fuzz:
	cd fuzz && RUSTFLAGS="$(COVERAGE)" cargo build --quiet --release --features libfuzzer --bin $(TARGET) \
		--target $(shell rustc -vV | sed -n 's/^host: //p') --target-dir target/coverage
	mkdir -p fuzz/artifacts/$(TARGET) fuzz/target/corpus/$(TARGET)
	fuzz/target/coverage/*/release/$(TARGET) fuzz/target/corpus/$(TARGET) fuzz/corpus/$(TARGET) -max_len=20000 -timeout=25 \
		-max_total_time=$(SECONDS_LONG) -print_final_stats=1 -artifact_prefix=fuzz/artifacts/$(TARGET)/

clean:
	rm -rf target dist .cache
