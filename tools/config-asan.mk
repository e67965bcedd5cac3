# AddressSanitizer and UndefinedBehaviorSanitizer; any report ends the run.
OS_DIR := posix
EXE :=
CC ?= cc
CFLAGS_CONFIG := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_CONFIG := -fsanitize=address,undefined
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS_asan))
LIBS_LD := $(shell $(PKG_CONFIG) --libs $(LIBS_asan)) -lm
