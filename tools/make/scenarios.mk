# One machine under every structure layout, and the same with pages missing; every column filled.

SCENARIO_WORDS := $(if $(filter release,$(CONFIG)),,--few) $(if $(ALL),--all)

.PHONY: scenarios
## scenarios: one machine under every structure layout gives the same answers (ALL=1: each revision)
scenarios: $(BIN)
	@B=$(B) RUNNER="$(RUNNER)" $(PYTHON) tests/scenarios/run.py $(BIN) build/scenarios $(SCENARIO_WORDS)

.PHONY: scenario-pages
## scenario-pages: the same with one page after another removed: nothing wrong is said (ALL=1: each page)
scenario-pages: $(BIN)
	@B=$(B) RUNNER="$(RUNNER)" $(PYTHON) tests/scenarios/run.py $(BIN) build/scenarios --pages 8 $(if $(ALL),--all)

COLUMN_DMP := $(addprefix build/fixtures/,demo.dmp locks-19041.dmp machine.dmp notepad-pae.dmp prototype-pte.dmp)
COLUMN_DMP += $(filter-out build/fixtures/no-% %big.dmp $(COLUMN_DMP),$(FIXTURE_DMP))

.PHONY: columns
## columns: each column of each table holds a value in some dump of the fixtures
columns: $(BIN) $(FIXTURE_DMP) $(BUGCHECK_STAMP) $(PATTERN_DMP)
	@B=$(B) RUNNER="$(RUNNER)" $(PYTHON) tests/columns/run.py $(BIN) $(COLUMN_DMP) \
		$(sort $(wildcard build/fixtures/bugchecks/*.dmp)) $(PATTERN_DMP)
