# dumpscan: one makefile for everything. `make help` lists the targets.
#
# CONFIG chooses the object folder build/CONFIG and the flags in tools/config-CONFIG.mk:
# release (default), asan, fuzz, win. V=1 shows the commands.
# Data files become C tables: tools/gen/NAME.sh prints build/gen/NAME.c.
# A room adds its own targets in tools/make/ROOM.mk.

CONFIG ?= release
VERSION := $(shell cat VERSION)
SOVERSION := 0
PREFIX ?= /usr/local
DESTDIR ?=
B := build/$(CONFIG)
GEN := build/gen
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
PKG_CONFIG ?= pkg-config

# The first python3 that has the JSON Schema validator, for the tests; else the first one.
ifndef PYTHON
PYTHON := $(shell for p in python3 /usr/bin/python3; do $$p -W ignore -c 'import jsonschema' 2>/dev/null && echo $$p && break; done)
PYTHON := $(or $(PYTHON),python3)
endif
export PYTHON

# Libraries by pkg-config name. Every other library of the project is added here and, where it
# can be had for Windows, in tools/windows-deps.sh.
LIBS := sqlite3 libcjson liblzma capstone zlib

# KDUMPFILE=0 builds without libkdumpfile: kdump-compressed files are then refused by name.
KDUMPFILE ?= $(if $(filter win,$(CONFIG)),0,1)
ifeq ($(KDUMPFILE),1)
LIBS += libkdumpfile
CPPFLAGS_KDUMP := -DDS_KDUMPFILE
endif

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS_ALL := -Iinclude -Isrc -I$(GEN) -DDS_VERSION='"$(VERSION)"' $(CPPFLAGS_KDUMP) $(CPPFLAGS)
CFLAGS_COMMON := -std=c11 -g $(WARN)

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang

include tools/config-$(CONFIG).mk

LIB_SRC := $(sort $(filter-out src/cli/% src/base/posix/% src/base/win32/%,$(wildcard src/*/*.c)) $(wildcard src/base/$(OS_DIR)/*.c))
CLI_SRC := $(sort $(wildcard src/cli/*.c))
GEN_SRC := $(patsubst tools/gen/%.sh,$(GEN)/%.c,$(sort $(wildcard tools/gen/*.sh)))
UNIT_SRC := $(sort $(wildcard tests/unit/*_test.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(GEN_SRC:$(GEN)/%.c=$(B)/gen/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%$(EXE))
DATA_FILES := $(shell find data patterns -type f 2>/dev/null)

LIB := $(B)/libdumpscan.a
BIN := $(B)/dumpscan$(EXE)

.PHONY: all
## all: build the library and the program (default)
all: $(BIN)

# Objects are made again when the compiler or a flag changes, not only a source.
COMPILE := $(CC) $(CFLAGS_COMMON) $(CFLAGS_CONFIG) $(CFLAGS) $(CPPFLAGS_ALL) $(LIBS_CFLAGS)
LINK := $(CC) $(LDFLAGS_CONFIG) $(LDFLAGS)
FLAGS := $(B)/flags
FLAGS_NOW := $(COMPILE) | $(LINK) $(LIBS_LD)
ifneq ($(file <$(FLAGS)),$(FLAGS_NOW))
$(shell mkdir -p $(B))
$(file >$(FLAGS),$(FLAGS_NOW))
endif

$(B)/%.o: %.c $(FLAGS) $(DEPS_READY)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(EXTRA) -MMD -MP -c $< -o $@

# Generated tables: the compiler's time goes into code, not into optimising constants.
$(B)/gen/%.o: $(GEN)/%.c $(FLAGS)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -g0 -MMD -MP -c $< -o $@

# A data file that was removed is newer than nothing: the list of names is an input too.
INPUTS := $(GEN)/inputs
ifneq ($(file <$(INPUTS)),$(sort $(DATA_FILES)))
$(shell mkdir -p $(GEN))
$(file >$(INPUTS),$(sort $(DATA_FILES)))
endif

$(GEN)/%.c: tools/gen/%.sh $(wildcard tools/gen/*.awk) $(INPUTS) $(DATA_FILES)
	@mkdir -p $(@D)
	$(Q)sh $< > $@.tmp.$(CONFIG) && mv $@.tmp.$(CONFIG) $@
.SECONDARY:

$(LIB): $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BIN): $(CLI_OBJ) $(LIB)
	$(Q)$(LINK) -o $@ $(CLI_OBJ) $(LIB) $(LIBS_LD)

$(B)/tests/%$(EXE): $(B)/tests/%.o $(LIB)
	$(Q)$(LINK) -o $@ $< $(LIB) $(LIBS_LD)

.PHONY: unit
## unit: build and run the unit tests
unit: $(UNIT_BIN) $(BIN)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" sh tests/run-unit.sh $(UNIT_BIN)

-include $(sort $(wildcard tools/make/*.mk))

# `make check` runs these suites; each writes its counts to $(B)/results.
SUITES_release := unit fixtures-selftest golden scenarios scenario-pages columns report-check patterns-check badfiles archives guests \
	check-qemu check-data check-tables check-layouts torture-sample fuzz-replay xlat-sample meta
SUITES_asan := unit golden scenarios report-check patterns-check badfiles archives guests torture-sample
SUITES_win := unit golden report-check patterns-check badfiles archives guests win-meta
SUITES := $(SUITES_$(CONFIG))

.PHONY: check
## check: every test; ends with one line of counts
check: all
	@MAKE="$(MAKE)" LABEL="$(LABEL)" sh tests/run-suites.sh $(B)/results $(SUITES)

.PHONY: asan check-asan windows check-windows
## asan: build with AddressSanitizer and UndefinedBehaviorSanitizer
asan:
	@$(MAKE) --no-print-directory CONFIG=asan all
## check-asan: the tests under the sanitizers
check-asan:
	@$(MAKE) --no-print-directory CONFIG=asan check
## windows: cross-compile the static build/win/dumpscan.exe
windows:
	@$(MAKE) --no-print-directory CONFIG=win all
## check-windows: the tests of the Windows program, under wine
check-windows:
	@$(MAKE) --no-print-directory CONFIG=win check; rc=$$?; sh tools/wine-run.sh --stop; exit $$rc

.PHONY: clean
## clean: remove everything that was built
clean:
	rm -rf build

.PHONY: help
## help: list the targets
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | sort | awk -F': ' '{printf "  %-18s %s\n", $$1, substr($$0, length($$1) + 3)}'

-include $(shell find $(B) -name '*.d' 2>/dev/null)
