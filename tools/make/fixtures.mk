# Fixtures (dumps built from text), the demo, golden tests, torture and benchmarks.

FIXTURE_TXT := $(filter-out fixtures/dumps/nt-%,$(sort $(wildcard fixtures/dumps/*.txt)))
FIXTURE_DMP := $(FIXTURE_TXT:fixtures/dumps/%.txt=build/fixtures/%.dmp)
FIXTURE_LIB := fixtures/build.py $(wildcard fixtures/lib/*.py fixtures/lib/kdbg.txt)
FIXTURE_DATA := $(wildcard data/layouts/*.layout)

# A description may include another, so each dump depends on all of them.
build/fixtures/%.dmp: fixtures/dumps/%.txt $(wildcard fixtures/dumps/*.txt) $(FIXTURE_LIB) $(FIXTURE_DATA)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) fixtures/build.py $< $@

.PHONY: fixtures
## fixtures: build every test dump from its text description into build/fixtures
fixtures: $(FIXTURE_DMP)

.PHONY: demo
## demo: build a sample dump of a driver crash and analyse it
demo: $(BIN) build/fixtures/demo.dmp
	@$(RUNNER) $(BIN) build/fixtures/demo.dmp

.PHONY: fixtures-selftest
## fixtures-selftest: test the fixture builder by itself
fixtures-selftest:
	$(Q)B=$(B) $(PYTHON) fixtures/selftest.py
