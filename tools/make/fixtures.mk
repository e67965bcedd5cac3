# Fixtures (dumps built from text), the demo, golden tests, torture and benchmarks.

FIXTURE_TXT := $(filter-out fixtures/dumps/nt-%,$(sort $(wildcard fixtures/dumps/*.txt)))
FIXTURE_DMP := $(FIXTURE_TXT:fixtures/dumps/%.txt=build/fixtures/%.dmp)
FIXTURE_LIB := fixtures/build.py $(wildcard fixtures/lib/*.py fixtures/lib/kdbg.txt)
FIXTURE_DATA := $(wildcard data/layouts/*.layout)

# A description may include another, so each dump depends on all of them.
build/fixtures/%.dmp: fixtures/dumps/%.txt $(wildcard fixtures/dumps/*.txt fixtures/parts/*.txt) $(FIXTURE_LIB) $(FIXTURE_DATA)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) fixtures/build.py $< $@

# One description with a variant for each family of bugchecks.
BUGCHECK_TXT := fixtures/bugchecks.txt
BUGCHECK_STAMP := build/fixtures/bugchecks/stamp
$(BUGCHECK_STAMP): $(BUGCHECK_TXT) $(addprefix fixtures/dumps/,demo.txt nt-19041-804.txt x86-2003.txt) \
		$(FIXTURE_LIB) $(FIXTURE_DATA)
	$(Q)rm -rf $(@D)
	$(Q)$(PYTHON) fixtures/build.py $< $(@D)/
	@touch $@

.PHONY: fixtures
## fixtures: build every test dump from its text description into build/fixtures
fixtures: $(FIXTURE_DMP) $(BUGCHECK_STAMP)

.PHONY: demo
## demo: build a sample dump of a driver crash and analyse it
demo: $(BIN) build/fixtures/demo.dmp
	@$(RUNNER) $(BIN) build/fixtures/demo.dmp

.PHONY: fixtures-selftest
## fixtures-selftest: test the fixture builder by itself
fixtures-selftest:
	$(Q)B=$(B) $(PYTHON) fixtures/selftest.py

.PHONY: golden
## golden: run the program over the built dumps and compare its output (UPDATE=1 rewrites)
golden: $(BIN) $(FIXTURE_DMP) $(BUGCHECK_STAMP)
	$(Q)B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" V=$(V) UPDATE=$(UPDATE) $(PYTHON) tests/golden/run.py $(CASES)

TORTURE := $(B)/tests/torture/torture$(EXE)

.PHONY: torture
## torture: flip every byte of the first 64 KB of a minidump, cut it everywhere: no crash, all named
torture: $(TORTURE) $(BIN) $(FIXTURE_DMP)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" TORTURE=$(TORTURE) sh tests/torture/run.sh all

.PHONY: torture-sample
## torture-sample: the same over a fixed sample
torture-sample: $(TORTURE) $(BIN) $(FIXTURE_DMP)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" TORTURE=$(TORTURE) sh tests/torture/run.sh sample
