# The layers' archives: what is in them and what they need. Included by the root Makefile, run from the root.

LAYERS_PYTEST = cd tests/layers && "$(CURDIR)/$(PYTHON_BIN)/python" -m pytest -q -p no:cacheprovider

.PHONY: test-layers test-arm64 older-glibc reproduce-layers

prepare-layers: $(PYTHON_VENV)/.ready $$(call here,layers)

# Of the archives that are there: those of this machine's languages and architecture, others once `make layers` has built them.
test-layers: $(call unprepared,layers)
	$(LAYERS_PYTEST) test_archives.py

# The arm64 layers and packages in an arm64 Python, Node and Java, under qemu where this machine is another. Not part of `make test`: it
# builds three more layers and fetches what runs them.
test-arm64: $(PYTHON_VENV)/.ready layers-arm64 $(if $(call lacks,java),,clients-java)
	$(LAYERS_PYTEST) -rs test_arm64.py test_arm64_packages.py

# The x86_64 layers under GLIBC 2.31, in CPython 3.10, Node and Java. Not part of `make test`: it fetches some 300 MB.
older-glibc: $(PYTHON_VENV)/.ready layers $(if $(call lacks,java),,clients-java)
	$(LAYERS_PYTEST) -rs test_older_glibc.py

# Builds this commit's layers in two folders and compares them, byte for byte.
reproduce-layers:
	tools/reproduce-layers $(patsubst layers-%,%,$(call here,layers))
