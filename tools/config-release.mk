# Optimised build for this machine.
OS_DIR := posix
EXE :=
CC ?= cc
CFLAGS_CONFIG := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS_release))
LIBS_LD := $(shell $(PKG_CONFIG) --libs $(LIBS_release)) -lm
