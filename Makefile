# dumpscan: one makefile for everything. `make help` lists the targets.
#
# CONFIG chooses the object folder and flags: release (default), asan, fuzz, win.
# Data files become C tables in build/gen/: tools/gen/NAME.sh prints build/gen/NAME.c.

CONFIG ?= release
VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
DESTDIR ?=
B := build/$(CONFIG)
GEN := build/gen
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
PKG_CONFIG ?= pkg-config
PYTHON ?= python3

LIBS_release := sqlite3 libcjson liblzma
LIBS_asan := $(LIBS_release)
LIBS_fuzz := $(LIBS_release)

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS_ALL := -Iinclude -Isrc -I$(GEN) -DDS_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS_COMMON := -std=c11 -g $(WARN)

include tools/config-$(CONFIG).mk

LIB_SRC := $(sort $(filter-out src/cli/% src/base/posix/% src/base/win32/%,$(wildcard src/*/*.c)) $(wildcard src/base/$(OS_DIR)/*.c))
CLI_SRC := $(sort $(wildcard src/cli/*.c))
GEN_SRC := $(patsubst tools/gen/%.sh,$(GEN)/%.c,$(sort $(wildcard tools/gen/*.sh)))
UNIT_SRC := $(sort $(wildcard tests/unit/*_test.c))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(GEN_SRC:$(GEN)/%.c=$(B)/gen/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%$(EXE))
DATA_FILES := $(shell find data patterns -type f 2>/dev/null)

LIB := $(B)/libdumpscan.a
BIN := $(B)/dumpscan$(EXE)

.PHONY: all
## all: build the library and the program (default)
all: $(BIN)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_COMMON) $(CFLAGS_CONFIG) $(CFLAGS) $(CPPFLAGS_ALL) $(LIBS_CFLAGS) -MMD -MP -c $< -o $@

# Generated tables: the compiler's time goes into code, not into optimising constants.
$(B)/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_COMMON) $(CFLAGS_CONFIG) -g0 $(CFLAGS) $(CPPFLAGS_ALL) -MMD -MP -c $< -o $@

$(GEN)/%.c: tools/gen/%.sh $(wildcard tools/gen/*.awk) $(DATA_FILES)
	@mkdir -p $(@D)
	$(Q)sh $< > $@.tmp && mv $@.tmp $@

$(LIB): $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BIN): $(CLI_OBJ) $(LIB)
	$(Q)$(CC) $(LDFLAGS_CONFIG) $(LDFLAGS) -o $@ $(CLI_OBJ) $(LIB) $(LIBS_LD)

$(B)/tests/unit/%$(EXE): $(B)/tests/unit/%.o $(LIB)
	$(Q)$(CC) $(LDFLAGS_CONFIG) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS_LD)

.PHONY: unit
## unit: build and run the unit tests
unit: $(UNIT_BIN) $(BIN)
	@B=$(B) BIN=$(BIN) RUNNER="$(RUNNER)" sh tests/run-unit.sh $(UNIT_BIN)

-include $(sort $(wildcard tools/make/*.mk))

.PHONY: clean
## clean: remove everything that was built
clean:
	rm -rf build

.PHONY: help
## help: list the targets
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | sort

-include $(shell find $(B) -name '*.d' 2>/dev/null)
