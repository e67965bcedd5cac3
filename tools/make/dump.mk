# Files that are no dump, or a broken one.
.PHONY: badfiles
## badfiles: give the program files that are no readable dump; check exit status and words
badfiles: $(BIN)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" sh tests/badfiles/run.sh
