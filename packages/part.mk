# What users install: wheels, npm packages, jars, crates, plain archives. Included by the root Makefile, run from the root.

PACKAGES_VENV := .cache/packages/venv
PACKAGES_BIN := $(PACKAGES_VENV)/bin
PACKAGES_PYTHON = $(CURDIR)/$(PACKAGES_BIN)/python
RELEASE := dist/release
# The architectures of a release; one that this machine has no compiler for can be left out. The command is built on a machine
# of its own architecture.
ARCHES ?= x86_64 arm64
# The crates that go to crates.io; those of the bindings go to users in their languages' packages.
CRATES = $(shell sed -n 's/^members = \[\(.*\)\]/\1/p' Cargo.toml | tr -d '",' | tr ' ' '\n' | grep -v '^bindings-' | sed 's/^/faultlayer-/')

NEEDS_packages := npm javac mvn
NEEDS_workflows := go
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

.PHONY: test-packages lint-packages docs lint-docs lint-workflows release release-libraries release-library release-command release-java release-crates

$(PACKAGES_VENV)/.ready: packages/requirements.txt | check-python
	test -x $(PACKAGES_BIN)/python || $(PYTHON) -m venv $(PACKAGES_VENV)
	$(PACKAGES_BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

prepare-packages: $(PACKAGES_VENV)/.ready cli layers-python layers-node stack target/layers/$(LAYER_ARCH)/libfaultlayer_python.so

# Each package of this machine's architecture, installed into an empty environment and used there; of the command the build
# that is there already. It takes what `make stack` wrote.
test-packages: $(call unprepared,packages)
	cd packages && PATH="$(CURDIR)/$(PACKAGES_BIN):$$PATH" "$(PACKAGES_PYTHON)" -m pytest

lint-packages: $(PACKAGES_VENV)/.ready
	cd packages && "$(CURDIR)/$(PACKAGES_BIN)/ruff" check --quiet . && "$(CURDIR)/$(PACKAGES_BIN)/ruff" format --quiet --check . \
		&& "$(CURDIR)/$(PACKAGES_BIN)/mypy" --no-error-summary

# dist/site: the repository's pages with search; every link and anchor between them is followed.
docs: $(PACKAGES_VENV)/.ready
	@"$(PACKAGES_PYTHON)" packages/scripts/docs_site.py dist/site

lint-docs: $(PACKAGES_VENV)/.ready
	@"$(PACKAGES_PYTHON)" packages/scripts/docs_site.py .cache/packages/site

lint-workflows:
	go run $(ACTIONLINT)

# All of it for this machine's architecture, of the libraries and layers for each, into dist/release: what a tag's workflow
# publishes. Slow: everything is built anew.
release:
	rm -rf $(RELEASE)
	$(MAKE) release-libraries
	$(MAKE) release-command
	@cd $(RELEASE) && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort | xargs sha256sum >SHA256SUMS
	@cat $(RELEASE)/SHA256SUMS

release-libraries: $(PACKAGES_VENV)/.ready
	@"$(PACKAGES_PYTHON)" packages/scripts/project.py
	$(MAKE) $(foreach arch,$(ARCHES),$(patsubst layers-%,dist/layers/faultlayer-%-$(arch).zip,$(call here,layers)))
	$(MAKE) stack
	$(MAKE) $(addprefix release-,library java crates)
	@mkdir -p $(RELEASE)/layers && cp dist/layers/* $(RELEASE)/layers

release-library: $(PACKAGES_VENV)/.ready $(PYTHON_VENV)/.ready $(ARCHES:%=target/layers/%/libfaultlayer_python.so)
	for arch in $(ARCHES); do \
		"$(PACKAGES_PYTHON)" packages/scripts/wheel.py library $$arch $(RELEASE)/python && \
		"$(PACKAGES_PYTHON)" packages/scripts/npm.py native $(RELEASE)/npm $$arch || exit 1; done
	"$(PACKAGES_PYTHON)" packages/scripts/npm.py main $(RELEASE)/npm
	cd $(PYTHON_DIR) && "$(CURDIR)/$(PYTHON_BIN)/maturin" sdist --out "$(CURDIR)/$(RELEASE)/python"
	PATH="$(CURDIR)/$(PYTHON_BIN):$$PATH" $(PYTHON_BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
		--wheel-dir target/sdist $(RELEASE)/python/faultlayer-*.tar.gz

# What comes with the command is taken from dist as it is there.
release-command: $(PACKAGES_VENV)/.ready $(ZIG_VENV)/.ready
	tools/command
	"$(PACKAGES_PYTHON)" packages/scripts/wheel.py command $(LAYER_ARCH) $(RELEASE)/python
	"$(PACKAGES_PYTHON)" packages/scripts/npm.py cli $(RELEASE)/npm $(LAYER_ARCH)
	"$(PACKAGES_PYTHON)" packages/scripts/archive.py $(LAYER_ARCH) $(RELEASE)/archives

# A Maven repository with the library, its sources, its documentation and one jar with native code for each architecture.
release-java: | check-java
	for arch in $(ARCHES); do \
		machine=$${arch/arm64/aarch64}; place=$(JAVA_DIR)/library/target/natives/linux-$$machine/dev/faultlayer/native/linux-$$machine; \
		mkdir -p $$place && cp target/layers/$$arch/libfaultlayer_java.so $$place/ || exit 1; done
	$(MVN) -f $(JAVA_DIR)/pom.xml deploy -P release -pl .,runtime,library -DskipTests \
		-DaltDeploymentRepository="local::file://$(CURDIR)/$(RELEASE)/maven"
	python3 $(JAVA_DIR)/scripts/try_install.py $(RELEASE)/maven

# Each is built from its package alone, those that it depends on from theirs: none needs to be published for that.
release-crates:
	cargo package --quiet --no-verify $(addprefix -p ,$(CRATES)) --target-dir target/crates
	CARGO_PROFILE_DEV_DEBUG=0 cargo publish --quiet --dry-run $(addprefix -p ,$(CRATES)) --target-dir target/crates
	@mkdir -p $(RELEASE)/crates && cp target/crates/package/*.crate $(RELEASE)/crates
