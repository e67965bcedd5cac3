# Meta tests: what the project says about itself is true.

.PHONY: meta
## meta: layers, lengths, headers alone, documents against code
meta: $(BIN) shared build/fixtures/demo.dmp
	@B=$(B) BIN=$(BIN) CC="$(CC)" $(PYTHON) tests/meta/run.py layers source repository documents install

.PHONY: win-meta
## win-meta: the Windows program's imports, Unicode names, long paths and output (CONFIG=win)
win-meta: $(BIN) build/fixtures/header-only.dmp
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" $(PYTHON) tests/meta/run.py windows

.PHONY: readme
## readme: put today's screen of the demo into README.md
readme: $(BIN) build/fixtures/demo.dmp
	@$(PYTHON) tools/readme-screen.py $(BIN) build/fixtures/demo.dmp
