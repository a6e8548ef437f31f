# Makefile -- builds, tests, runs and installs mod_userprofile. GNU make.
#
#   make           build/mod_userprofile.so and build/userprofilectl
#                  (POSTGRESQL=no: without the driver for PostgreSQL)
#   make run       a demo server on 127.0.0.1:8080 (PORT=); make stop ends it
#   make test      everything under t/ (T="t/20rest t/60ctl/x.t": a part of it;
#                  STORE=postgresql: the shared server's store is there;
#                  KEEP=1: keep the servers' files; see t/README.md)
#   make asan      the same under AddressSanitizer and UBSan
#   make valgrind  the same under valgrind
#   make tsan      the commit queue and the store's gate under ThreadSanitizer
#   make apr-debug APR=FOLDER   the C tests and t/20rest under AddressSanitizer,
#                  with the APR in FOLDER, whose pools take each piece by malloc()
#   make coverage  which lines no test reaches, of those under t/ (or of T=)
#   make soak      kills, stops, full disks and replaced files for SOAK_SECONDS,
#                  beside clients that check what is stored
#   make powerloss what a loss of power leaves of a store, POWERLOSS_STATES times
#   make failover  a primary of PostgreSQL is killed under load, FAILOVERS times
#   make fuzz      each fuzz target for FUZZ_SECONDS
#   make bench     how fast it is, against yardsticks (BENCH=quick: a part;
#                  BENCH_FULL=1: what takes long too); see t/bench/README.md
#   make bench-compare BASE=FOLDER   this build beside the one in FOLDER
#   make lint      layout, clang-tidy, the checks of the tree itself
#   make analyze   what gcc's analyzer and cppcheck find, in some minutes
#   make report    the longest files and functions
#   make deb       the Debian package, in build/deb, and what lintian says of it
#   make deb-test  the package in a Debian 12 of its own, from the first install
#                  to the purge; needs root and some minutes (MIRROR=)
#   make readme-test   the README to the letter in such a Debian; also root
#   make install   into this machine's Apache; make uninstall undoes it (data
#                  and a changed configuration stay)
#   make clean
#
# make install asks apxs where Apache's folders are, and puts userprofile.load
# and userprofile.conf into Debian's mods-available. Variables say otherwise:
# PREFIX (/usr/local), DOCDIR, DESTDIR, STATEDIR (the store's default place),
# LIBEXECDIR (Apache's modules), and LOAD and CONF, the two files that Apache
# reads; an empty one is not put anywhere. make uninstall wants the same ones. On
# RHEL, Fedora and their kin:
#
#   make install STATEDIR=/var/lib/httpd/userprofile \
#       LOAD=/etc/httpd/conf.modules.d/10-userprofile.conf \
#       CONF=/etc/httpd/conf.d/userprofile.conf
#
# The first make has conf/packages.sh install the Debian packages that are
# missing, and keeps what APR and Apache say of themselves in build/config.mk.

VERSION      = 0.1.0
PREFIX       = /usr/local
STATEDIR     = /var/lib/apache2/userprofile
DESTDIR      =
BUILD        = build
PORT         = 8080
MPM          = event
STORE        = lmdb
FUZZ_SECONDS = 30
POWERLOSS_STATES = 12000
SOAK_SECONDS = 3600
FAILOVERS    = 20
POSTGRESQL   = if-there
APXS         = apxs
CC           = gcc
CFLAGS       = -O2 -g
WERROR       = -Werror
HARDEN       = -D_FORTIFY_SOURCE=2 -fstack-protector-strong

BUILD_PACKAGES = apache2-bin apache2-dev liblmdb-dev \
    libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libssl-dev \
    zlib1g-dev $(LIBPQ_PACKAGES)
LIBPQ_PACKAGES = libpq-dev
RUN_PACKAGES   = curl openssl
TEST_PACKAGES  = chromium perl libapache2-mod-perl2 libwww-perl curl openssl strace \
    libapache2-mod-auth-openidc mandoc groff-base nghttp2-client python3-grpcio \
    ruby-grpc php-cli php-curl \
    $(if $(LIBPQ_INCLUDEDIR),postgresql pgbouncer) \
    $(if $(shell command -v npm),,nodejs npm)
LINT_PACKAGES  = $(TEST_PACKAGES) clang-format clang-tidy
ANALYZE_PACKAGES = cppcheck
FUZZ_PACKAGES  = clang libclang-rt-dev
DEB_PACKAGES   = build-essential debhelper dpkg-dev fakeroot lintian
BENCH_PACKAGES = $(RUN_PACKAGES) perl wrk nghttp2-client postgresql slapd \
    libldap-dev valgrind gnuplot-nox

ifeq ($(POSTGRESQL),no)
LIBPQ_PACKAGES =
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all programs run stop test asan tsan valgrind coverage soak powerloss
.PHONY: apr-debug failover fuzz fuzzers bench bench-compare bench-packages lint
.PHONY: analyze report deb deb-test readme-test install uninstall clean FORCE

all:

# What APR and Apache say: APR_CPPFLAGS, APR_LIBS, APU_LIBS, HTTPD_INCLUDEDIR,
# SBINDIR, TARGET, LIBEXECDIR, SYSCONFDIR. Made first, and read by a second pass
# of make.
CONFIG = $(BUILD)/config.mk
ifneq ($(filter-out clean report stop,$(or $(MAKECMDGOALS),all)),)
include $(CONFIG)
endif
HTTPD = $(SBINDIR)/$(TARGET)

# NAME = what COMMAND prints; what it cannot say ends make.
ask = said=$$($(2)) && [ "$$said" ] || { \
    echo "cannot build: '$(2)' fails" >&2; exit 1; }; echo "$(1) = $$said"

$(CONFIG): conf/packages.sh Makefile $(BUILD)/apxs
	@sh conf/packages.sh $(BUILD_PACKAGES)
	@{ $(call ask,APR_CPPFLAGS,apr-1-config --cppflags --includes); \
	   $(call ask,APR_LIBS,apr-1-config --link-ld); \
	   $(call ask,APU_LIBS,apu-1-config --link-ld); \
	   $(call ask,HTTPD_INCLUDEDIR,$(APXS) -q INCLUDEDIR); \
	   $(call ask,SBINDIR,$(APXS) -q SBINDIR); \
	   $(call ask,TARGET,$(APXS) -q TARGET); \
	   $(call ask,LIBEXECDIR,$(APXS) -q LIBEXECDIR); \
	   $(call ask,SYSCONFDIR,$(APXS) -q SYSCONFDIR); } >$@

# Another APXS is asked anew.
$(BUILD)/apxs: FORCE
	@mkdir -p $(@D)
	@echo '$(APXS)' | cmp -s - $@ || echo '$(APXS)' >$@

# Where libpq's headers are; nowhere: the driver for PostgreSQL is left out.
LIBPQ_INCLUDEDIR := $(if $(filter no,$(POSTGRESQL)),,\
    $(shell dir=$$(pg_config --includedir 2>/dev/null) && \
        [ -e "$$dir/libpq-fe.h" ] && echo "$$dir"))

# The rooms. Only httpd's, and mod_userprofile.c, see httpd's headers.
GEN   = $(BUILD)/gen
OBJ   = $(BUILD)/obj
ROOMS = core wire store store/lmdb service api ctl \
    $(if $(LIBPQ_INCLUDEDIR),store/postgresql)

ROOM_C      := $(wildcard $(ROOMS:%=src/%/*.c))
HTTPD_C     := mod_userprofile.c $(wildcard src/httpd/*.c)
TEST_C      := $(wildcard t/[0-9]*/*.c)
TEST_LIB_C  := $(wildcard t/lib/*.c)
FUZZ_C      := $(wildcard t/fuzz/fuzz_*.c)
BENCH_C     := $(wildcard t/bench/*.c)
HEADERS     := $(wildcard $(ROOMS:%=src/%/*.h) src/httpd/*.h t/lib/*.h)
STORE_PROTO := $(wildcard src/store/*/*.proto)
WIRE_PROTO  := $(shell [ ! -d src/wire/proto ] || \
                 find src/wire/proto -name '*.proto')

GEN_C := $(STORE_PROTO:src/%.proto=$(GEN)/%.pb-c.c) \
         $(WIRE_PROTO:src/wire/proto/%.proto=$(GEN)/%.pb-c.c)
GEN_H := $(GEN_C:.c=.h) $(GEN)/store/postgresql/schema.sql.h

ROOM_OBJ     := $(ROOM_C:%.c=$(OBJ)/%.o) $(GEN_C:$(BUILD)/%.c=$(OBJ)/%.o)
HTTPD_OBJ    := $(HTTPD_C:%.c=$(OBJ)/%.o)
MODULE_OBJ   := $(HTTPD_OBJ) $(filter-out $(OBJ)/src/ctl/%,$(ROOM_OBJ))
TEST_LIB_OBJ := $(TEST_LIB_C:%.c=$(OBJ)/%.o)
TESTS        := $(TEST_C:t/%.c=$(BUILD)/t/%.t)
REPLAYS      := $(FUZZ_C:t/%.c=$(BUILD)/t/%.t)
FUZZERS      := $(FUZZ_C:t/%.c=$(BUILD)/t/%)

MODULE  = $(BUILD)/mod_userprofile.so
TOOL    = $(BUILD)/userprofilectl
ARCHIVE = $(BUILD)/libuserprofile.a

# Everything can be part of the module, so everything is position-independent
# and hidden; the module record alone is seen from outside.
ALL_CPPFLAGS = -Isrc -I$(GEN) $(APR_CPPFLAGS) $(ROOM_CPPFLAGS) \
    $(if $(LIBPQ_INCLUDEDIR),-DUP_POSTGRESQL) \
    -DUP_VERSION='"$(VERSION)"' -DUP_STATEDIR='"$(STATEDIR)"' $(CPPFLAGS)
ALL_CFLAGS   = -std=c99 -Wall -Wextra -Wshadow $(WERROR) $(ROOM_CFLAGS) \
    -fPIC $(VISIBILITY) -pthread $(HARDEN) $(CFLAGS)
ALL_LDFLAGS  = -pthread -Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS)
VISIBILITY   = -fvisibility=hidden
MODULE_LIBS  = -llmdb -lprotobuf-c -lcrypto -lz $(if $(LIBPQ_INCLUDEDIR),-lpq)
LIBS         = $(MODULE_LIBS) $(APU_LIBS) $(APR_LIBS)

# Hooks and directives have httpd's signatures, whether they use all of them or
# not.
$(HTTPD_OBJ): private ROOM_CPPFLAGS = -I$(HTTPD_INCLUDEDIR)
$(HTTPD_OBJ): private ROOM_CFLAGS = -Wno-unused-parameter
$(OBJ)/mod_userprofile.o: private VISIBILITY =
$(OBJ)/src/store/postgresql/%.o: private ROOM_CPPFLAGS = \
    -isystem $(LIBPQ_INCLUDEDIR)
$(OBJ)/t/%.o: private ROOM_CPPFLAGS = -It/lib \
    $(LIBPQ_INCLUDEDIR:%=-isystem %)

# One word for each step; V=1 shows the commands.
say = @$(if $(V),set -x,echo '  $(1) $@');

all: $(MODULE) $(TOOL)

programs: all $(TESTS) $(REPLAYS)

$(MODULE): $(MODULE_OBJ)
	$(call say,LD) $(CC) -shared $(ALL_LDFLAGS) -o $@ $^ $(MODULE_LIBS)

$(TOOL): $(filter $(OBJ)/src/ctl/%,$(ROOM_OBJ)) $(ARCHIVE)
	$(call say,LD) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(ARCHIVE): $(ROOM_OBJ)
	@rm -f $@
	$(call say,AR) $(AR) rcs $@ $^

$(BUILD)/t/%.t: $(OBJ)/t/%.o $(TEST_LIB_OBJ) $(ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(ALL_LDFLAGS) $(TEST_LDFLAGS) -o $@ $^ $(LIBS)

# A fuzz target as a test: it replays its corpus.
$(BUILD)/t/fuzz/%.t: $(OBJ)/t/fuzz/%.o $(OBJ)/t/fuzz/replay.o \
    $(TEST_LIB_OBJ) $(ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(ALL_LDFLAGS) $(TEST_LDFLAGS) -o $@ $^ $(LIBS)

# A fuzz target as libFuzzer runs it.
$(BUILD)/t/fuzz/%: $(OBJ)/t/fuzz/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(OBJ)/%.o: %.c $(BUILD)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP \
	    -c -o $@ $<

$(OBJ)/gen/%.o: $(GEN)/%.c $(BUILD)/flags | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP \
	    -c -o $@ $<

$(GEN)/store/%.pb-c.c $(GEN)/store/%.pb-c.h: src/store/%.proto
	@mkdir -p $(GEN)
	$(call say,GEN) protoc-c --proto_path=src --c_out=$(GEN) $<

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: src/wire/proto/%.proto
	@mkdir -p $(GEN)
	$(call say,GEN) protoc-c --proto_path=src/wire/proto --c_out=$(GEN) $<

# A text of C: a string for each line.
$(GEN)/store/postgresql/schema.sql.h: conf/schema.sql
	@mkdir -p $(@D)
	$(call say,GEN) sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $< >$@

# Changed flags, or another STATEDIR, compile everything again.
FLAGS = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
	 echo '$(subst ','\'',$(FLAGS))' >$@

-include $(shell [ ! -d $(OBJ) ] || find $(OBJ) -name '*.d')

run: all
	@sh conf/packages.sh $(RUN_PACKAGES)
	@BUILD=$(BUILD) PORT=$(PORT) HTTPD=$(HTTPD) LIBEXECDIR=$(LIBEXECDIR) \
	 sh conf/demo.sh start

stop:
	@BUILD=$(BUILD) sh conf/demo.sh stop

test: programs
	@sh conf/packages.sh $(TEST_PACKAGES)
	@BUILD=$(BUILD) MPM=$(MPM) STORE=$(STORE) UNDER=$(UNDER) KEEP=$(KEEP) APXS=$(APXS) \
	 HTTPD=$(HTTPD) perl t/TEST $(T)

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all \
    -fno-omit-frame-pointer
asan:
	@$(MAKE) BUILD=$(BUILD)/asan CFLAGS='-O1 -g $(SANITIZE)' HARDEN= \
	 UNDER=asan test

# Pools give no memory back before they are cleared, and do not look at it, so the
# sanitizer alone misses what is used too late or too far. The headers of APR-util
# are those of the system.
apr-debug:
	@[ -x '$(APR)/bin/apr-1-config' ] || { \
	    echo 'say APR=FOLDER, where an APR with --enable-pool-debug is' >&2; \
	    exit 1; }
	@PATH=$(APR)/bin:$$PATH LD_LIBRARY_PATH=$(APR)/lib \
	 $(MAKE) BUILD=$(BUILD)/apr-debug CFLAGS='-O1 -g $(SANITIZE)' HARDEN= \
	 CPPFLAGS="$$(apu-1-config --includes)" LDFLAGS=-L$(APR)/lib UNDER=asan \
	 T='$(or $(T),t/00core t/10store t/fuzz $(APR_DEBUG_REST))' test
# Not where httpd merges tables of two requests (FallbackResource), or speaks
# HTTP/2: such an APR refuses that of an httpd that was not built with it, with
# mod_userprofile or without.
APR_DEBUG_REST = $(filter-out %/guest.t %/without.t,$(wildcard t/20rest/*.t))

# What is about threads alone, under ThreadSanitizer: APR itself is not built
# with it, so tests that use more of APR than pools would report APR's locks.
TSAN_TESTS = $(patsubst %,$(BUILD)/tsan/t/10store/%.t,gate queue \
    $(if $(LIBPQ_INCLUDEDIR),pg_threads))
tsan:
	@$(MAKE) BUILD=$(BUILD)/tsan CFLAGS='-O1 -g -fsanitize=thread' HARDEN= \
	 $(TSAN_TESTS)
	$(if $(LIBPQ_INCLUDEDIR),perl -It/lib t/lib/with_postgres.pl) \
	    prove $(TSAN_TESTS)

# Counts are of this run alone. What calls the server from packages of npm has
# nothing to add.
COVERED = t/00core t/10store t/fuzz t/20rest t/30grpc t/40grpcweb t/45connect \
    t/50config t/60ctl t/70faults
coverage:
	@[ ! -d $(BUILD)/coverage ] || find $(BUILD)/coverage -name '*.gcda' -delete
	@$(MAKE) BUILD=$(BUILD)/coverage HARDEN= UNDER=coverage \
	 CFLAGS='-O0 -g --coverage -fprofile-update=atomic -DUP_COUNTED' \
	 TEST_LDFLAGS='-Wl,--wrap=_exit' \
	 T='$(or $(T),$(COVERED))' test
	@BUILD=$(BUILD)/coverage perl -It/lib t/check/coverage

soak:
	@SOAK_SECONDS=$(SOAK_SECONDS) $(MAKE) test T=t/70faults/soak.t

# Primaries of PostgreSQL that are killed under load, and standbys that are
# promoted.
failover: programs
	@FAILOVERS=$(FAILOVERS) $(MAKE) test T=t/70faults/failover.t

powerloss: $(BUILD)/t/10store/lmdb_powerloss.t
	POWERLOSS_STATES=$(POWERLOSS_STATES) $<

valgrind:
	@sh conf/packages.sh valgrind
	@$(MAKE) UNDER=valgrind test

# New inputs go to build/fuzz/corpus; what is worth keeping is copied by hand.
fuzz:
	@sh conf/packages.sh $(FUZZ_PACKAGES)
	@$(MAKE) BUILD=$(BUILD)/fuzz CC=clang HARDEN= \
	 CFLAGS='-O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link' fuzzers
fuzzers: $(FUZZERS)
	@for target in $(FUZZERS); do \
	    name=$${target##*/}; new=$(BUILD)/corpus/$$name; \
	    mkdir -p $$new; \
	    $$target -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	        -artifact_prefix=$(BUILD)/$$name- \
	        $$new t/fuzz/corpus/$$name || exit 1; \
	done

# The yardsticks, and the module with a step replaced by t/bench/without_*.c.
BENCH_BUILD = $(BUILD)/bench
YARDSTICKS  = $(BENCH_BUILD)/mod_yardstick.so $(BENCH_BUILD)/bare_lmdb \
    $(BENCH_BUILD)/ldap_load \
    $(if $(LIBPQ_INCLUDEDIR),$(BENCH_BUILD)/pg_statements) \
    $(patsubst %,$(BENCH_BUILD)/mod_userprofile_without_%.so,\
        access queue store)
WRAP_access = -Wl,--wrap=up_access_read,--wrap=up_access_check_org \
    -Wl,--wrap=up_access_check_rights
WRAP_queue  = -Wl,--wrap=up_queue_make,--wrap=up_queue_take \
    -Wl,--wrap=up_queue_submit,--wrap=up_queue_done
WRAP_store  = -Wl,--wrap=up_store_read,--wrap=up_store_update_seen

$(OBJ)/t/bench/mod_yardstick.o: private ROOM_CPPFLAGS = -I$(HTTPD_INCLUDEDIR)
$(OBJ)/t/bench/mod_yardstick.o: private ROOM_CFLAGS = -Wno-unused-parameter
$(OBJ)/t/bench/mod_yardstick.o: private VISIBILITY =

$(BENCH_BUILD)/mod_userprofile_without_%.so: $(OBJ)/t/bench/without_%.o \
    $(MODULE_OBJ)
	@mkdir -p $(@D)
	$(call say,LD) $(CC) -shared $(ALL_LDFLAGS) $(WRAP_$*) -o $@ $^ \
	    $(MODULE_LIBS)

$(BENCH_BUILD)/%.so: $(OBJ)/t/bench/%.o
	@mkdir -p $(@D)
	$(call say,LD) $(CC) -shared $(ALL_LDFLAGS) -o $@ $^

$(BENCH_BUILD)/%: $(OBJ)/t/bench/%.o $(OBJ)/t/bench/samples.o
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(BENCH_LIBS)
$(BENCH_BUILD)/bare_lmdb: private BENCH_LIBS = -llmdb
$(BENCH_BUILD)/bare_lmdb: $(OBJ)/src/store/lmdb/up_checksum.o
$(BENCH_BUILD)/ldap_load: private BENCH_LIBS = -llber
$(BENCH_BUILD)/pg_statements: private BENCH_LIBS = $(APR_LIBS)
$(BENCH_BUILD)/pg_statements: $(OBJ)/src/store/postgresql/up_pg_statement.o
$(OBJ)/t/bench/ldap_load.o: | bench-packages

bench-packages:
	@sh conf/packages.sh $(BENCH_PACKAGES)

BENCH_ENV = BUILD=$(BUILD) HTTPD=$(HTTPD) LIBEXECDIR=$(LIBEXECDIR) \
    ROUNDS=$(ROUNDS)
bench: all $(YARDSTICKS) bench-packages
	@$(BENCH_ENV) BENCH='$(BENCH)' BENCH_FULL=$(BENCH_FULL) \
	 perl t/bench/bench

bench-compare: all $(BENCH_BUILD)/mod_yardstick.so $(BENCH_BUILD)/bare_lmdb \
    bench-packages
	@[ '$(BASE)' ] || { \
	    echo 'say BASE=FOLDER, where the products of the other build are' >&2; \
	    exit 1; }
	@$(BENCH_ENV) BASE=$(BASE) perl t/bench/bench

lint: all $(GEN_H)
	@sh conf/packages.sh $(LINT_PACKAGES)
	@clang-format --dry-run -Werror $(ROOM_C) $(HTTPD_C) $(HEADERS) \
	    $(TEST_C) $(TEST_LIB_C) $(wildcard t/fuzz/*.c) $(BENCH_C) \
	    $(wildcard t/bench/*.h)
	@clang-tidy --quiet --warnings-as-errors='*' $(ROOM_C) $(HTTPD_C) -- \
	    -std=c99 $(ALL_CPPFLAGS) -I$(HTTPD_INCLUDEDIR) \
	    $(LIBPQ_INCLUDEDIR:%=-isystem %)
	@for script in t/TEST t/bench/bench t/check/report t/check/coverage \
	    t/package/deb t/package/readme \
	    $(wildcard t/lib/*.pm t/bench/*.pm \
	    t/bench/*/*.pm t/*/*.t); do \
	    perl -It/lib -It/bench -c $$script 2>&1 | grep -v 'syntax OK$$' && \
	        exit 1; \
	done; true
	@for script in conf/*.sh .ci/run; do sh -n $$script || exit 1; done
	@BUILD=$(BUILD) prove -It/lib t/check
	@perl -It/lib t/check/report

# gcc does not see that up_error() never returns NULL, and so takes each failure
# for a success that set nothing; -Wmaybe-uninitialized does see it.
GCC_ANALYZER = -fanalyzer -Wno-analyzer-null-dereference \
    -Wno-analyzer-use-of-uninitialized-value
# varFuncNullUB: NULL is a pointer in C. returnDanglingLifetime: takes the
# address of a variable, in the arguments of a call whose result is returned, for
# that result. preprocessorErrorDirective: it reads no headers of the system, and
# so misses what APR's need. uninitvar: takes an array that the loop before fills
# for an empty one. negativeIndex: takes the character before a pointer for one
# before an array.
CPPCHECK_OFF = varFuncNullUB returnDanglingLifetime preprocessorErrorDirective \
    uninitvar:src/store/lmdb/up_lmdb_request.c \
    negativeIndex:src/core/up_language.c *:$(BUILD)/*
analyze: $(GEN_H)
	@sh conf/packages.sh $(ANALYZE_PACKAGES)
	@$(MAKE) BUILD=$(BUILD)/analyze HARDEN= CFLAGS='-O2 -g $(GCC_ANALYZER)' all
	@cppcheck --quiet --std=c99 --platform=unix64 --error-exitcode=1 \
	    --enable=warning,performance,portability \
	    $(foreach off,$(CPPCHECK_OFF),'--suppress=$(off)') \
	    $(filter -I% -D%,$(ALL_CPPFLAGS)) -I$(HTTPD_INCLUDEDIR) \
	    $(ROOM_C) $(HTTPD_C)

# What to look at when something is to be made shorter.
report:
	@perl -It/lib t/check/report

# What is installed, each file with its place.
SHARE  = $(PREFIX)/share
DOCDIR = $(SHARE)/doc/userprofile
DATA   = $(SHARE)/userprofile
LOAD   = $(SYSCONFDIR)/mods-available/userprofile.load
CONF   = $(SYSCONFDIR)/mods-available/userprofile.conf
place  = $(foreach file,$(wildcard $(1)),$(file)=$(2)/$(notdir $(file)))
PLACED = $(MODULE)=$(LIBEXECDIR)/mod_userprofile.so \
    $(TOOL)=$(PREFIX)/bin/userprofilectl \
    $(call place,src/ctl/*.8,$(SHARE)/man/man8) \
    $(call place,conf/*.5,$(SHARE)/man/man5) \
    $(patsubst %.bash-completion,%,\
        $(call place,conf/*.bash-completion,$(SHARE)/bash-completion/completions)) \
    $(foreach file,$(WIRE_PROTO),$(file)=$(file:src/wire/%=$(DATA)/%)) \
    $(call place,conf/openapi.json conf/schema.sql,$(DATA)) \
    $(call place,conf/profile/*,$(DATA)/profile) \
    $(call place,conf/examples/*,$(DOCDIR)/examples)

# The paths in the files of conf/ are those of the Debian package.
PATHS = -e 's|/usr/lib/apache2/modules|$(LIBEXECDIR)|' \
        -e 's|/usr/share/userprofile|$(DATA)|' \
        -e 's|/var/lib/apache2/userprofile|$(STATEDIR)|'

install: all
	@for placed in $(PLACED); do \
	    file=$${placed%%=*}; place=$(DESTDIR)$${placed#*=}; \
	    case $$place in */bin/*) mode=755 ;; *) mode=644 ;; esac; \
	    echo "  INSTALL $$place"; \
	    install -D -m $$mode $$file $$place || exit 1; \
	done
	@install -d $(DESTDIR)$(dir $(STATEDIR))
	@for name in load conf; do \
	    sed $(PATHS) conf/userprofile.$$name \
	        >$(DESTDIR)$(DATA)/userprofile.$$name || exit 1; \
	done
	@DESTDIR=$(DESTDIR) DATA=$(DATA) LOAD=$(LOAD) CONF=$(CONF) \
	 SBINDIR=$(SBINDIR) sh conf/site.sh install

uninstall:
	@DESTDIR=$(DESTDIR) DATA=$(DATA) LOAD=$(LOAD) CONF=$(CONF) \
	 STATEDIR=$(STATEDIR) sh conf/site.sh uninstall
	@for placed in $(PLACED) =$(DATA)/userprofile.load \
	    =$(DATA)/userprofile.conf; do \
	    rm -f $(DESTDIR)$${placed#*=} || exit 1; \
	done
	@for folder in $(DATA) $(DOCDIR); do \
	    [ ! -d $(DESTDIR)$$folder ] || \
	    find $(DESTDIR)$$folder -depth -type d -empty -delete; \
	done

# dpkg-buildpackage wants debian/ at the top, so it works in a copy of the tree.
DEB      = $(BUILD)/deb
DEB_TREE = $(DEB)/tree
deb:
	@sh conf/packages.sh $(BUILD_PACKAGES) $(DEB_PACKAGES)
	@said=$$(dpkg-parsechangelog -l conf/debian/changelog -S Version) && \
	    [ "$${said%-*}" = '$(VERSION)' ] || { \
	    echo "cannot package version $(VERSION): conf/debian/changelog" \
	        "begins with $$said" >&2; exit 1; }
	@rm -rf $(DEB)
	@mkdir -p $(DEB_TREE)
	@cp -R Makefile mod_userprofile.c src conf $(DEB_TREE)
	@mv $(DEB_TREE)/conf/debian $(DEB_TREE)
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -b -uc
	lintian --allow-root --display-info \
	    --fail-on error,warning $(DEB)/*.changes

deb-test:
	@sh conf/packages.sh $(BUILD_PACKAGES) $(DEB_PACKAGES) debootstrap iproute2
	@MIRROR=$(MIRROR) perl t/package/deb

readme-test:
	@sh conf/packages.sh debootstrap iproute2
	@MIRROR=$(MIRROR) KEEP=$(KEEP) perl t/package/readme

clean:
	@BUILD=$(BUILD) sh conf/demo.sh clean
	rm -rf $(BUILD)
