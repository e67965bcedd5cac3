# Fuzzing: every tests/fuzz/fuzz_NAME.c is a target. The same targets run under libFuzzer and,
# without it, over a corpus made from the fixtures.

FUZZ_SECONDS ?= 60
FUZZ_CORPUS := build/corpus
FUZZ_STAMP := $(FUZZ_CORPUS)/stamp
FUZZ_NAMES := $(FUZZ_SRC:tests/fuzz/%.c=%)
FUZZ_EACH = $(shell n=$$(($(FUZZ_SECONDS) / $(words $(FUZZ_NAMES)))); echo $$((n > 0 ? n : 1)))
REPLAY_BIN := $(FUZZ_NAMES:%=$(B)/tests/fuzz/%-replay)

# The harness has no header: libFuzzer names its entry.
$(B)/tests/fuzz/%.o: EXTRA := -Wno-missing-prototypes

$(FUZZ_STAMP): tests/fuzz/corpus.py $(FUZZ_SRC) $(wildcard tests/fuzz/seeds/*/*) $(FIXTURE_DMP) \
		build/fixtures/archives.stamp build/fixtures/guests.stamp
	$(Q)$(PYTHON) tests/fuzz/corpus.py $(FUZZ_CORPUS) build/fixtures $(FUZZ_SRC)
	@touch $@

$(B)/tests/fuzz/%-replay: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/standalone.o $(LIB)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(LIB) $(LIBS_LD)

$(B)/tests/fuzz/%-fuzz: $(B)/tests/fuzz/%.o $(LIB)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $< $(LIB) $(LIBS_LD)

.PHONY: fuzz-replay-bins fuzz-run
fuzz-replay-bins: $(REPLAY_BIN)

.PHONY: fuzz-replay
## fuzz-replay: run the fuzz targets over the corpus made from fixtures, under the sanitizers
fuzz-replay: $(FUZZ_STAMP)
	@$(MAKE) --no-print-directory CONFIG=asan fuzz-replay-bins
	@B=$(B) sh tests/fuzz/replay.sh $(FUZZ_CORPUS) $(FUZZ_NAMES:%=build/asan/tests/fuzz/%-replay)

.PHONY: fuzz
## fuzz: run each target under libFuzzer, FUZZ_SECONDS (60) in all
fuzz: $(FUZZ_STAMP)
	@$(MAKE) --no-print-directory CONFIG=fuzz fuzz-run

fuzz-run: $(FUZZ_NAMES:%=$(B)/tests/fuzz/%-fuzz)
	@mkdir -p build/fuzz/crashes; bad=0; for n in $(FUZZ_NAMES); do \
		mkdir -p build/fuzz/found/$$n; \
		$(B)/tests/fuzz/$$n-fuzz -max_total_time=$(FUZZ_EACH) -timeout=5 -rss_limit_mb=512 \
			-malloc_limit_mb=64 -max_len=1048576 -print_funcs=0 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/crashes/$$n- \
			build/fuzz/found/$$n $(FUZZ_CORPUS)/$$n >build/fuzz/$$n.log 2>&1 || \
			{ bad=1; tail -n 60 build/fuzz/$$n.log; }; \
		echo "$$n: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/$$n.log) inputs"; \
	done; exit $$bad
