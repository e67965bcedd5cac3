# AddressSanitizer and UndefinedBehaviorSanitizer; any report ends the run.
OS_DIR := posix
EXE :=
CFLAGS_CONFIG := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_CONFIG := -fsanitize=address,undefined
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIBS_LD := $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm
