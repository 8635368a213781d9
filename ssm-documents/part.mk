# The Automation documents: built from the scripts, tested against moto, LocalStack's community core and the lab.

SSM := ssm-documents
SSM_CACHE := .cache/ssm
SSM_BIN := $(SSM_CACHE)/venv/bin
# As Systems Manager runs the scripts; building the documents takes 3.11 itself.
# A version manager's shim may be on the path without the version: only what runs counts.
ssm_python = $(call once,PYTHON_$(subst .,_,$(1)),for one in python$(1) $$$$HOME/.pyenv/versions/$(1).*/bin/python; do "$$$$one" -c '' 2>/dev/null && echo "$$$$one" && break; done)
SSM_PYTHON := $(or $(call ssm_python,3.11),python3)
LOCALSTACK_PYTHON := $(call ssm_python,3.13)
LOCALSTACK := localstack_core-4.14.0

# Automation runs Python 3.11, and so do the tests; without one the part is skipped.
NEEDS_ssm := npm $(if $(call once,SSM_PYTHON_FITS,$(SSM_PYTHON) -c 'import sys; print(1) if sys.hexversion >= 0x30b0000 else None' 2>/dev/null),,python3.11)

.PHONY: ssm-documents setup-ssm test-ssm lint-ssm sweep-ssm random-ssm scale-ssm

# The shipped JSON, from scripts/. To be run after every change there or of core/plan.fields.json.
ssm-documents: $(SSM_CACHE)/venv/.ready
	$(SSM_BIN)/python $(SSM)/scripts/build.py

.SECONDARY: $(SSM_CACHE)/venv/.ready
$(SSM_CACHE)/venv/.ready: $(SSM)/tests/requirements.txt
	@$(SSM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "missing: CPython 3.11 or newer. On Debian: apt install python3 python3-venv" >&2; exit 1; }
	$(SSM_PYTHON) -m venv $(SSM_CACHE)/venv
	$(SSM_BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# The last community core that runs without a token; only with the pins of its own source archive.
$(SSM_CACHE)/localstack/.ready:
ifneq ($(LOCALSTACK_PYTHON),)
	$(LOCALSTACK_PYTHON) -m venv $(SSM_CACHE)/localstack
	cd $(SSM_CACHE)/localstack && bin/pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: localstack-core==4.14.0 \
		&& tar -xzf $(LOCALSTACK).tar.gz $(LOCALSTACK)/requirements-runtime.txt \
		&& bin/pip install --quiet --disable-pip-version-check -r $(LOCALSTACK)/requirements-runtime.txt \
		&& bin/pip install --quiet --disable-pip-version-check --no-deps localstack-core==4.14.0
	@touch $@
else
	@echo "missing: CPython 3.13, without which LocalStack is no referee" >&2
endif

$(SSM_CACHE)/node/.ready:
	@command -v npm >/dev/null || { echo "missing: npm, for the documents' referees. On Debian: apt install npm" >&2; exit 1; }
	mkdir -p $(SSM_CACHE)/node
	echo '{"private": true}' > $(SSM_CACHE)/node/package.json
	cd $(SSM_CACHE)/node && npm install --silent --no-audit --no-fund \
		@cdklabs/cdk-ssm-documents@0.0.74 aws-ssm-document-language-service@1.0.0 ajv@8
	@touch $@

setup-ssm: $(SSM_CACHE)/venv/.ready $(SSM_CACHE)/localstack/.ready $(SSM_CACHE)/node/.ready

SSM_TEST = cd $(SSM) && FAULTLAYER=$(CURDIR)/target/release/faultlayer $(CURDIR)/$(SSM_BIN)/python -m pytest

prepare-ssm: cli setup-ssm

# The scripts and documents against all three endpoints, the crate, and the tools that load documents. Most of it waits, for updates,
# polls and paces: six beside each other keep two processors busy.
test-ssm: $(call unprepared,ssm)
	$(SSM_TEST) -n 4 --dist worksteal $$(test -e $(CURDIR)/$(SSM_CACHE)/localstack/.ready || echo --deselect tests/test_localstack.py)
	node $(SSM)/tests/referees.mjs $(SSM_CACHE)/node
	cargo test $(HOST) -p faultlayer-ssm-documents --lib

# Every API call cut in every way, in attach, change and roll-back, where `make test` deals the ways: about a thousand points.
sweep-ssm: cli setup-ssm
	$(SSM_TEST) -n 4 -k 'cut' tests/test_sweep.py tests/test_lab.py
sweep-ssm: export SWEEP = all

# Experiments interrupted at random moments while the machine is busy: a thousand, judged by what restores itself.
random-ssm: cli setup-ssm
	$(SSM_TEST) tests/test_random.py
random-ssm: export RANDOM_RUNS ?= 1000
random-ssm: export RANDOM_BESIDE ?= 8
random-ssm: export RANDOM_BUSY ?= 4

# Three hundred functions under the account's rates.
scale-ssm: cli setup-ssm
	$(SSM_TEST) tests/test_scale.py
scale-ssm: export SCALE = 300

lint-ssm: $(SSM_CACHE)/venv/.ready
	$(if $(findstring 3.11,$(shell $(SSM_PYTHON) --version)),$(SSM_BIN)/python $(SSM)/scripts/build.py --check)
	cd $(SSM) && $(CURDIR)/$(SSM_BIN)/ruff check --quiet scripts tests && $(CURDIR)/$(SSM_BIN)/ruff format --quiet --check scripts tests
	cd $(SSM) && $(CURDIR)/$(SSM_BIN)/mypy --no-error-summary scripts
	cargo clippy $(HOST_CRATES) --all-targets -- -D warnings
	cargo fmt -p faultlayer-ssm-documents -- --check
