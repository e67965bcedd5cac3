# Tables' documentation, and the tests of the patterns.

TABLES_TOOL := $(B)/tools/tables

$(TABLES_TOOL): $(B)/tools/tables.o $(LIB)
	$(Q)$(LINK) -o $@ $< $(LIB) $(LIBS_LD)

.PHONY: docs/TABLES.md check-tables
## docs/TABLES.md: write the documentation of the SQL tables from their specification
docs/TABLES.md: $(TABLES_TOOL)
	@mkdir -p docs
	$(Q)$(TABLES_TOOL) > $@.tmp && mv $@.tmp $@

## check-tables: docs/TABLES.md is what the specification says
check-tables: $(TABLES_TOOL)
	$(Q)$(TABLES_TOOL) | diff -u docs/TABLES.md - || { echo "run: make docs/TABLES.md"; exit 1; }
	@echo "check-tables 1 0 0" >> $(B)/results

PATTERN_TXT := $(sort $(wildcard tests/patterns/*.txt tests/patterns/*/*.txt))
PATTERN_DMP := $(PATTERN_TXT:tests/%.txt=build/%.dmp)

build/patterns/%.dmp: tests/patterns/%.txt $(wildcard fixtures/dumps/*.txt fixtures/parts/*.txt) $(FIXTURE_LIB) $(FIXTURE_DATA)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) fixtures/build.py $< $@

.PHONY: patterns-check
## patterns-check: every pattern on a dump that matches, one that does not, one that cannot tell
patterns-check: $(B)/tests/patterns/outcomes$(EXE) $(PATTERN_DMP)
	@B=$(B) RUNNER="$(RUNNER)" sh tests/patterns/run.sh $< build/patterns
	@B=$(B) $(PYTHON) tests/patterns/schema.py
