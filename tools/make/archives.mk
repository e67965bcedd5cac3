# Dumps in gzip and zip archives.

ARCHIVES := build/fixtures/archives.stamp

$(ARCHIVES): tests/archives/make.py build/fixtures/demo.dmp build/fixtures/triage-k.dmp
	$(Q)$(PYTHON) tests/archives/make.py build/fixtures
	@touch $@

.PHONY: archives
## archives: dumps in gzip files and zip archives, whole and broken, against the plain file
archives: $(BIN) $(ARCHIVES)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" $(PYTHON) tests/archives/run.py
