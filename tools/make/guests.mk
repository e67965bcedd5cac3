# Memory of guest machines in the files of their hypervisors.

GUESTS := build/fixtures/guests.stamp

$(GUESTS): tests/guests/make.py tests/guests/vmware.py build/fixtures/guest.dmp
	$(Q)$(PYTHON) tests/guests/make.py build/fixtures/guest.dmp build/fixtures/guest
	@touch $@

.PHONY: guests
## guests: the same machine out of every container of a hypervisor
guests: $(BIN) $(GUESTS)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" $(PYTHON) tests/guests/run.py
