# Dumps that a real QEMU writes, against what QEMU says of the same moment.

.PHONY: check-qemu
## check-qemu: memory and translations of a guest, dumped by QEMU; skipped where there is none
check-qemu: $(BIN)
	@B=$(B) BIN=$(BIN) $(PYTHON) tests/qemu/run.py build/qemu
