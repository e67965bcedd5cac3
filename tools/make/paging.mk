# Page walks against libaddrxlat, an independent implementation, where it is installed.

XLAT_HAVE := $(shell $(PKG_CONFIG) --exists libaddrxlat 2>/dev/null && echo yes)
ifeq ($(CONFIG),win)
XLAT_HAVE :=
endif
XLAT_LD = $(shell $(PKG_CONFIG) --libs libaddrxlat)
XLAT_BIN := $(if $(XLAT_HAVE),$(B)/tests/xlat/xlat)
XLAT_COUNT ?= 4000000

$(B)/tests/xlat/xlat: $(B)/tests/%: $(B)/tests/%.o $(LIB)
	$(Q)$(LINK) -o $@ $< $(LIB) $(LIBS_LD) $(XLAT_LD)

.PHONY: xlat-sample check-xlat
## xlat-sample: a few hundred thousand translations against libaddrxlat
xlat-sample: $(XLAT_BIN)
	@B=$(B) sh tests/xlat/run.sh "$(XLAT_BIN)" 100000

## check-xlat: XLAT_COUNT (4 million) translations in every paging mode against libaddrxlat
check-xlat: $(XLAT_BIN)
	@B= sh tests/xlat/run.sh "$(XLAT_BIN)" $(XLAT_COUNT)
