# Measurements: ratios within one run, with the goal beside. Nothing is asserted by time.
# docs/performance.md says what is measured and how.

BENCH_DMP := $(patsubst tests/bench/dumps/%.txt,build/bench/%.dmp,$(wildcard tests/bench/dumps/*.txt))
XLAT_BENCH := $(if $(XLAT_HAVE),$(B)/tests/bench/xlat_bench)
PEER_LD := $(shell $(PKG_CONFIG) --libs libkdumpfile 2>/dev/null)

build/bench/%.dmp: tests/bench/dumps/%.txt tests/bench/herd.txt fixtures/dumps/demo.txt $(FIXTURE_LIB) $(FIXTURE_DATA)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) fixtures/build.py $< $@

$(B)/tests/bench/xlat_bench: $(B)/tests/bench/xlat_bench.o $(LIB)
	$(Q)$(LINK) -o $@ $< $(LIB) $(LIBS_LD) $(XLAT_LD)

$(B)/tests/bench/read_bench: $(B)/tests/bench/read_bench.o $(LIB)
	$(Q)$(LINK) -o $@ $< $(LIB) $(LIBS_LD) $(PEER_LD)

.PHONY: bench
## bench: times, memory and ratios, with their goals; asserts nothing
bench: bench-runs bench-read bench-xlat bench-gzip

.PHONY: bench-runs
## bench-runs: times and memory of common runs of the program
bench-runs: $(BIN) $(B)/tests/bench/bench$(EXE) $(addprefix build/fixtures/,triage-c.dmp demo.dmp full-big.dmp) $(BENCH_DMP)
	@$(B)/tests/bench/bench $(BIN) ../shared/real/triage_x64_19041.dmp build/fixtures $(RUNS)

.PHONY: bench-read
## bench-read: reading every captured page, against cat; random pages, against libkdumpfile
bench-read: $(B)/tests/bench/read_bench
	@mkdir -p build/bench
	@$(B)/tests/bench/read_bench build/bench

.PHONY: bench-gzip
## bench-gzip: a dump in a gzip file, against gzip -dc and the plain dump
bench-gzip: $(BIN) build/fixtures/demo.dmp
	@$(PYTHON) tests/bench/gzip_bench.py $(BIN) build/fixtures build/bench

.PHONY: bench-xlat
## bench-xlat: random translations, against libaddrxlat
bench-xlat: $(XLAT_BENCH)
	@$(if $(XLAT_BENCH),$(XLAT_BENCH),echo "skip bench-xlat: libaddrxlat is not installed")
