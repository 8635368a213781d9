# The CloudFormation stack at work in the lab. Included by the root Makefile, run from the root.

STACK_TESTS_DIR := tests/stack
IN_STACK_TESTS = cd $(STACK_TESTS_DIR) && $(RUN_FUNCTIONS) FAULTLAYER="$(CURDIR)/target/release/faultlayer"

.PHONY: setup-sam test-stack lint-stack rights-stack sweep-stack

# AWS SAM's command line, whose requirements pip takes minutes to resolve. Without it one test is skipped, by name.
setup-sam: .cache/sam/.ready
.cache/sam/.ready:
	python3 -m venv .cache/sam
	.cache/sam/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 && \
		.cache/sam/bin/uv pip install --quiet --python .cache/sam/bin/python aws-sam-cli==1.170.0 && touch $@ || \
		{ rm -rf .cache/sam; echo "skipped: AWS SAM's command line cannot be installed here" >&2; }

# What cannot be built here is not deployed; its tests say so.
prepare-stack: cli setup-lab setup-sam $$(if $$(call lacks,fis),,stack)
	$(if $(call lacks,fis),@echo "dist/stack.json is not built: $(call lacks,fis)")

# Each file has a lab and a stack of its own, and waits most of the time: the command line looks every 30 s.
test-stack: $(call unprepared,stack)
	$(IN_STACK_TESTS) "$(LAB_CLOUD_BIN)/python" -m pytest -q -n 4 --dist loadfile

# Every statement, action and resource of the roles taken away by itself, where `make test` has a few.
rights-stack: setup-lab cli
	$(IN_STACK_TESTS) FAULTLAYER_EVERY_RIGHT=1 "$(LAB_CLOUD_BIN)/python" -m pytest -q test_roles.py

# Experiments of the deployed stack, stopped, alarmed, levered, timed out and left alone by their command, at many moments.
sweep-stack: setup-lab cli
	$(MAKE) --no-print-directory stack
	$(IN_STACK_TESTS) FAULTLAYER_STACK_ROUNDS=40 "$(LAB_CLOUD_BIN)/python" -m pytest -q -s test_experiments.py

lint-stack: setup-lab
	cd $(STACK_TESTS_DIR) && "$(LAB_CLOUD_BIN)/ruff" check . && "$(LAB_CLOUD_BIN)/ruff" format --check . && "$(LAB_CLOUD_BIN)/mypy"
