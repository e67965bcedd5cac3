# Tests of the command line and of the report's contract.

.PHONY: report-check
## report-check: the command line's behaviour, and the JSON report against its schema
report-check: $(BIN) $(FIXTURE_DMP)
	@B=$(B) sh tests/report/run.sh "$(RUNNER) $(BIN)" build/fixtures $(PYTHON)
