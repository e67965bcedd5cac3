# One machine under every structure layout, and the same with pages missing.

SCENARIO_WORDS := $(if $(filter release,$(CONFIG)),,--few) $(if $(ALL),--all)

.PHONY: scenarios
## scenarios: one machine under every structure layout gives the same answers (ALL=1: each revision)
scenarios: $(BIN)
	@B=$(B) RUNNER="$(RUNNER)" $(PYTHON) tests/scenarios/run.py $(BIN) build/scenarios $(SCENARIO_WORDS)

.PHONY: scenario-pages
## scenario-pages: the same with one page after another removed: nothing wrong is said (ALL=1: each page)
scenario-pages: $(BIN)
	@B=$(B) RUNNER="$(RUNNER)" $(PYTHON) tests/scenarios/run.py $(BIN) build/scenarios --pages 8 $(if $(ALL),--all)
