# What crosses every part: the shipped documents, the shipped layers, real functions in the lab. Included by the root Makefile.

END_TO_END_DIR := tests/end-to-end

# The last four build the runtime client of Node 20 and 22.
NEEDS_end-to-end := npm javac mvn zip

.PHONY: test-end-to-end lint-end-to-end

# The runtime client of Node is built before: an SDK waits a minute for an answer, and the build takes longer.
prepare-end-to-end: cli setup-lab tools-node layers-python layers-node layers-java

test-end-to-end: $(call unprepared,end-to-end)
	cd $(END_TO_END_DIR) && $(RUN_FUNCTIONS) FAULTLAYER="$(CURDIR)/target/release/faultlayer" "$(LAB_CLOUD_BIN)/python" -m pytest -q -n 2

lint-end-to-end: setup-lab
	cd $(END_TO_END_DIR) && "$(LAB_CLOUD_BIN)/ruff" check . && "$(LAB_CLOUD_BIN)/ruff" format --check . && "$(LAB_CLOUD_BIN)/mypy"
