# What a distribution or a user installs. DESTDIR stages, PREFIX chooses the place.

SHLIB := libdumpscan.so.$(VERSION)
SONAME := libdumpscan.so.$(SOVERSION)
LIBDIR ?= $(PREFIX)/lib
DOCDIR := $(PREFIX)/share/doc/dumpscan
DOCS := README.md LICENSE NOTICE CHANGELOG.md
HEADERS := $(sort $(wildcard include/dumpscan/*.h))
BASH_COMPLETIONS := $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS := $(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS := $(PREFIX)/share/fish/vendor_completions.d

# The shared library exports what the public headers declare and nothing else.
$(B)/libdumpscan.map: $(HEADERS) tools/exports.awk
	@mkdir -p $(@D)
	$(Q)awk -f tools/exports.awk $(HEADERS) >$@.tmp && mv $@.tmp $@

$(B)/$(SHLIB): $(LIB_OBJ) $(B)/libdumpscan.map
	$(Q)$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,--version-script,$(B)/libdumpscan.map \
		-Wl,-z,defs -o $@ $(LIB_OBJ) $(LIBS_LD)

$(B)/dumpscan.pc: tools/dumpscan.pc.in VERSION Makefile $(FLAGS)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBS@|$(LIBS)|' $< >$@

.PHONY: shared
## shared: build the shared library
shared: $(B)/$(SHLIB)

.PHONY: install
## install: install program, library, headers, patterns, documents (DESTDIR, PREFIX)
install: all shared
	@rm -f $(B)/dumpscan.pc && $(MAKE) --no-print-directory $(B)/dumpscan.pc
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(PREFIX)/include/dumpscan $(DESTDIR)$(PREFIX)/share/dumpscan/patterns \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(BASH_COMPLETIONS) \
		$(DESTDIR)$(ZSH_COMPLETIONS) $(DESTDIR)$(FISH_COMPLETIONS) $(DESTDIR)$(DOCDIR)/docs
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/dumpscan
	install -m 644 $(LIB) $(DESTDIR)$(LIBDIR)/libdumpscan.a
	install -m 755 $(B)/$(SHLIB) $(DESTDIR)$(LIBDIR)/$(SHLIB)
	ln -sf $(SHLIB) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libdumpscan.so
	install -m 644 $(B)/dumpscan.pc $(DESTDIR)$(LIBDIR)/pkgconfig/dumpscan.pc
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include/dumpscan/
	install -m 644 $(sort $(wildcard patterns/*.json)) \
		$(DESTDIR)$(PREFIX)/share/dumpscan/patterns/
	install -m 644 man/dumpscan.1 $(DESTDIR)$(PREFIX)/share/man/man1/dumpscan.1
	install -m 644 completions/dumpscan.bash $(DESTDIR)$(BASH_COMPLETIONS)/dumpscan
	install -m 644 completions/_dumpscan $(DESTDIR)$(ZSH_COMPLETIONS)/_dumpscan
	install -m 644 completions/dumpscan.fish $(DESTDIR)$(FISH_COMPLETIONS)/dumpscan.fish
	install -m 644 $(DOCS) $(DESTDIR)$(DOCDIR)/
	install -m 644 $(sort $(wildcard docs/*)) $(DESTDIR)$(DOCDIR)/docs/

.PHONY: uninstall
## uninstall: remove what install put there (same DESTDIR and PREFIX)
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/dumpscan $(DESTDIR)$(LIBDIR)/libdumpscan.a \
		$(DESTDIR)$(LIBDIR)/libdumpscan.so $(DESTDIR)$(LIBDIR)/$(SONAME) \
		$(DESTDIR)$(LIBDIR)/$(SHLIB) $(DESTDIR)$(LIBDIR)/pkgconfig/dumpscan.pc \
		$(DESTDIR)$(PREFIX)/share/man/man1/dumpscan.1 \
		$(DESTDIR)$(BASH_COMPLETIONS)/dumpscan $(DESTDIR)$(ZSH_COMPLETIONS)/_dumpscan \
		$(DESTDIR)$(FISH_COMPLETIONS)/dumpscan.fish
	rm -rf $(DESTDIR)$(PREFIX)/include/dumpscan $(DESTDIR)$(PREFIX)/share/dumpscan \
		$(DESTDIR)$(DOCDIR)

.PHONY: dist
## dist: build/dumpscan-VERSION.tar.gz from what is committed
dist:
	@mkdir -p build
	git archive --prefix=dumpscan-$(VERSION)/ -o build/dumpscan-$(VERSION).tar.gz HEAD
