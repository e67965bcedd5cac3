# Memory of guest machines in the files of their hypervisors.

GUESTS := build/fixtures/guests.stamp

$(GUESTS): $(filter-out %/run.py,$(wildcard tests/guests/*.py)) \
		$(patsubst %,build/fixtures/%.dmp,guest guest-high guest-x86 guest-arm64)
	$(Q)$(PYTHON) tests/guests/make.py build/fixtures
	@touch $@

.PHONY: guests
## guests: the same machine out of every container of a hypervisor
guests: $(BIN) $(GUESTS)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" $(PYTHON) tests/guests/run.py
