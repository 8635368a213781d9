# The Java part: the agent's layer, the library, the sample function, their tests. Included by the root Makefile, run from the root.

JAVA_DIR := bindings-java
JAVA_ARCH := $(patsubst arm64,aarch64,$(shell uname -m))
JAVA_LAYER := dist/layers/faultlayer-java-$(LAYER_ARCH).zip
JAVA_TARGET := $(or $(CARGO_TARGET_DIR),target)
# A copy, which tests that build it again leave as it is: the layer is packed anew where its sources changed.
JAVA_AGENT := target/layers/faultlayer-agent.jar
JAVA_SOURCES := $(shell find $(JAVA_DIR)/src core/src network/src -type f) $(JAVA_DIR)/Cargo.toml core/Cargo.toml Cargo.toml $(JAVA_DIR)/scripts/pack_layer.py
JAVA_AGENT_SOURCES := $(shell find $(JAVA_DIR)/agent/src $(JAVA_DIR)/runtime/src -type f) $(wildcard $(JAVA_DIR)/pom.xml $(JAVA_DIR)/*/pom.xml)
JAVA_SAMPLE := examples/java/target/sample-function.jar
JAVA_SAMPLE_SOURCES := examples/java/pom.xml $(shell find examples/java/src -type f)
JAVA_CALLS := $(JAVA_DIR)/calls/target/.ready
JAVA_CALLS_SOURCES := $(JAVA_DIR)/pom.xml $(JAVA_DIR)/calls/pom.xml $(shell find $(JAVA_DIR)/calls/src -type f)
JAVA_OPT := $(JAVA_DIR)/it/target/opt
JAVA_PLATFORM := $(SYSTEM)-$(JAVA_ARCH)
JAVA_NATIVES := $(JAVA_DIR)/library/target/natives/$(JAVA_PLATFORM)/dev/faultlayer/native/$(JAVA_PLATFORM)
# What Maven's own JVM compiles of itself by C2, a build of some seconds never gets back.
MVN := MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC $$MAVEN_OPTS" mvn --batch-mode --quiet --no-transfer-progress

NEEDS_java := javac mvn

.PHONY: check-java layers-java native-java clients-java calls-java example-java install-java unpack-java test-java lint-java

check-java:
	@command -v cargo >/dev/null || { echo "missing: Rust (cargo). Get it from https://rustup.rs" >&2; exit 1; }
	@command -v javac >/dev/null || { echo "missing: a JDK, 17 or newer. On Debian: apt install openjdk-17-jdk-headless" >&2; exit 1; }
	@command -v mvn >/dev/null || { echo "missing: Maven 3.8 or newer. On Debian: apt install maven" >&2; exit 1; }
	@version=$$(javac -version 2>&1 | sed 's/javac //; s/[.-].*//'); [ "$$version" -ge 17 ] || { echo "missing: a JDK, 17 or newer, this is $$version" >&2; exit 1; }

$(JAVA_AGENT): $(JAVA_AGENT_SOURCES) | check-java
	$(MVN) -f $(JAVA_DIR)/pom.xml package -pl runtime,agent -DskipTests
	@mkdir -p $(@D)
	@cp $(JAVA_DIR)/agent/target/faultlayer-agent.jar $@

dist/layers/faultlayer-java-%.zip: $(JAVA_SOURCES) $(JAVA_AGENT) $(LAYER_TOOLS) | check-java
	tools/layer-library faultlayer-java $*
	.cache/zig/bin/python $(JAVA_DIR)/scripts/pack_layer.py target/layers/$*/libfaultlayer_java.so $(JAVA_AGENT) $@

layers-java: $(JAVA_LAYER) example-java

# The library's native code, for its tests and in the platform's jar.
native-java: | check-java
	cargo build --quiet --release -p faultlayer-java
	@mkdir -p $(JAVA_NATIVES)
	@cmp -s $(JAVA_TARGET)/release/libfaultlayer_java.$(LIBRARY) $(JAVA_NATIVES)/libfaultlayer_java.so \
		|| cp $(JAVA_TARGET)/release/libfaultlayer_java.$(LIBRARY) $(JAVA_NATIVES)/libfaultlayer_java.so

# The library in this user's Maven repository, with the native code for this machine; its pom needs the parent's there.
install-java: native-java
	$(MVN) -f $(JAVA_DIR)/pom.xml install -pl .,runtime,library -DskipTests

# The runtime clients and the functions that the tests run with them.
clients-java: | check-java
	$(MVN) -f $(JAVA_DIR)/pom.xml test-compile -pl it -am

# The function that tests/aws runs: it calls AWS by each of the SDKs' HTTP clients.
calls-java: $(JAVA_CALLS)
$(JAVA_CALLS): $(JAVA_CALLS_SOURCES) | check-java
	@rm -rf $(JAVA_DIR)/calls/target/classes/lib
	$(MVN) -f $(JAVA_DIR)/pom.xml process-classes -pl calls
	@touch $@

# The sample function as Lambda unpacks it: examples/java/target/classes.
example-java: $(JAVA_SAMPLE)
$(JAVA_SAMPLE): $(JAVA_SAMPLE_SOURCES) | check-java
	$(MVN) -f examples/java/pom.xml package
	@touch $@

# The tests run what is shipped: the layer's own archive, unpacked as Lambda unpacks it.
unpack-java: $(if $(PREPARED),,layers-java)
	rm -rf $(JAVA_OPT) && mkdir -p $(JAVA_OPT)
	python3 -m zipfile -e $(JAVA_LAYER) $(JAVA_OPT)

prepare-java: layers-java native-java

test-java: $(call unprepared,java) unpack-java
	rm -rf $(JAVA_DIR)/*/target/surefire-reports
	cargo test --quiet --release -p faultlayer-java
	jdks=$$($(ZIG_VENV)/bin/python $(JAVA_DIR)/scripts/jdks.py .cache/java/jdks) && \
		$(MVN) -f $(JAVA_DIR)/pom.xml verify -pl '!calls' -Dfaultlayer.jdks="$$jdks" \
		-Dfaultlayer.native.directory="$(abspath $(JAVA_TARGET))/release" -Dfaultlayer.layer="$(CURDIR)/$(JAVA_OPT)/faultlayer"
	python3 $(JAVA_DIR)/scripts/try_install.py
	@grep -h '^Tests run' $(JAVA_DIR)/*/target/surefire-reports/*.txt

# javac's own lints are errors in every build, test-java's too, beside which there must be no other; beside them the crate's and
# the form.
lint-java: | check-java
	cargo clippy --quiet --release --all-targets -p faultlayer-java -- -D warnings
	cargo fmt -p faultlayer-java -- --check
	cd $(JAVA_DIR) && $(MVN) spotless:check $(if $(PREPARED),,test-compile)
