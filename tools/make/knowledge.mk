.PHONY: check-data
## check-data: bugcheck and error code data: names complete, texts our own, generators strict
check-data:
	@bad=0; for t in bugcheck-names bugcheck-rows own-words; do $(PYTHON) tests/meta/$$t.py || bad=1; done; \
	sh tests/meta/data-generators.sh || bad=1; exit $$bad
