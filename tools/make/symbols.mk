# Layout data: proving it, and making it again.

$(B)/tests/layouts/query: $(B)/tests/layouts/query.o $(LIB)
	$(Q)$(LINK) -o $@ $< $(LIB) $(LIBS_LD)

.PHONY: check-layouts
## check-layouts: prove data/layouts against symbol tables and real dumps in ../shared
check-layouts: $(B)/tests/layouts/query
	$(Q)$(PYTHON) tests/layouts/check.py --engine $< --results $(B)/results ../shared

.PHONY: layouts
## layouts: (maintainers) write data/layouts anew from ../shared/layouts
layouts:
	$(Q)$(PYTHON) tools/make-layouts.py ../shared/layouts
