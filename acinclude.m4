dnl SPDX-License-Identifier: Apache-2.0

dnl VMFEX_ENABLE_SANITIZERS
dnl
dnl --enable-sanitizers: AddressSanitizer and UndefinedBehaviorSanitizer, in
dnl our code and in an Open vSwitch that we build.
AC_DEFUN([VMFEX_ENABLE_SANITIZERS],
  [AC_ARG_ENABLE(
     [sanitizers],
     [AS_HELP_STRING([--enable-sanitizers],
        [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
     [], [enable_sanitizers=no])
   SANITIZER_FLAGS=
   SANITIZER_LDFLAGS=
   OVS_SANITIZER_FLAGS=
   AS_IF([test "$enable_sanitizers" != no],
     [SANITIZER_FLAGS="-fsanitize=address,undefined"
      SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-omit-frame-pointer -fno-common"
      # Open vSwitch itself makes use of x86's unaligned access.
      OVS_SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-sanitize=alignment"
      AC_MSG_CHECKING([whether $CC has the sanitizers])
      vmfex_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS $SANITIZER_FLAGS"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR(m4_normalize([
           $CC cannot link a program with $SANITIZER_FLAGS: install its
           sanitizer libraries, or leave out --enable-sanitizers]))])
      # With shared ones, gcc's UndefinedBehaviorSanitizer writes no log files,
      # and a daemon has no other place to write to.
      AC_MSG_CHECKING([whether $CC links the sanitizers statically on request])
      vmfex_save_LDFLAGS=$LDFLAGS
      SANITIZER_LDFLAGS="-static-libasan -static-libubsan"
      LDFLAGS="$LDFLAGS $SANITIZER_LDFLAGS -Werror"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         SANITIZER_LDFLAGS=])
      LDFLAGS=$vmfex_save_LDFLAGS
      CFLAGS=$vmfex_save_CFLAGS])
   AC_SUBST([SANITIZER_FLAGS])
   AC_SUBST([SANITIZER_LDFLAGS])])

dnl VMFEX_ENABLE_FUZZING
dnl
dnl --enable-fuzzing: the targets of tests/fuzz, and what libFuzzer has to see
dnl of our code; see tests/fuzz/fuzz.h.  "make fuzz" configures that way.
AC_DEFUN([VMFEX_ENABLE_FUZZING],
  [AC_ARG_ENABLE(
     [fuzzing],
     [AS_HELP_STRING([--enable-fuzzing],
        [build for "make fuzz", with the sanitizers])],
     [], [enable_fuzzing=no])
   FUZZ_LDFLAGS=
   AS_IF([test "$enable_fuzzing" != no],
     [FUZZ_LDFLAGS="-fsanitize=fuzzer,address,undefined"
      SANITIZER_FLAGS="-fsanitize=fuzzer-no-link,address,undefined"
      SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-sanitize-recover=undefined"
      SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-omit-frame-pointer"
      SANITIZER_LDFLAGS="-fsanitize=address,undefined"
      AC_MSG_CHECKING([whether $CC has libFuzzer])
      vmfex_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS $FUZZ_LDFLAGS"
      AC_LINK_IFELSE([AC_LANG_SOURCE([
int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long int size);
int
LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long int size)
{
    return size && data[[0]] == 'x' ? -1 : 0;
}])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR(m4_normalize([
           $CC cannot link a program with $FUZZ_LDFLAGS: install the packages
           clang and libclang-rt-dev, and configure with CC=clang]))])
      CFLAGS=$vmfex_save_CFLAGS])
   AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" != no])
   AC_SUBST([FUZZ_LDFLAGS])])

dnl VMFEX_WITH_DPDK
dnl
dnl Sets with_dpdk to "no", "shared", "static", or "" if Open vSwitch is built
dnl already and the user left the choice to it.
AC_DEFUN([VMFEX_WITH_DPDK],
  [AC_ARG_WITH(
     [dpdk],
     [AS_HELP_STRING([--with-dpdk@<:@=shared|static@:>@],
        [build Open vSwitch with DPDK (default: if pkg-config finds libdpdk;
         "yes" is "shared")])],
     [], [with_dpdk=])
   AS_CASE([$with_dpdk],
     [''|no|shared|static], [],
     [yes], [with_dpdk=shared],
     [AC_MSG_ERROR([--with-dpdk takes "shared" or "static", not "$with_dpdk"])])
  ])

dnl VMFEX_WITH_OVS
dnl
dnl Finds Open vSwitch, and configures it in ovs/ of the build tree, into which
dnl it is unpacked if it is a tarball.  "make" builds it.
AC_DEFUN([VMFEX_WITH_OVS],
  [AC_REQUIRE([AC_PROG_SED])
   AC_ARG_VAR([OVS_CONFIGURE_FLAGS],
     [more options for Open vSwitch's own configure])
   AC_ARG_WITH(
     [ovs-source],
     [AS_HELP_STRING([--with-ovs-source=DIR|TARBALL],
        [Open vSwitch to build, or a directory with openvswitch.tar.gz
         (default: /usr/src/openvswitch)])],
     [], [with_ovs_source=])
   AC_ARG_WITH(
     [ovs-build],
     [AS_HELP_STRING([--with-ovs-build=DIR],
        [Open vSwitch that is built already, used as it is])],
     [], [with_ovs_build=])
   AC_ARG_WITH(
     [ovs-programs],
     [AS_HELP_STRING([--with-ovs-programs=DIR],
        [for tests, take programs such as ovs-vsctl from there, where the same
         Open vSwitch was built, and build only what we link with])],
     [], [with_ovs_programs=])
   AS_CASE([$with_ovs_programs],
     [yes|no], [AC_MSG_ERROR([--with-ovs-programs needs a directory])],
     [?*],
       [OVS_PROGRAMSDIR=`cd "$with_ovs_programs" 2>/dev/null && pwd`
        AS_IF([test ! -e "$OVS_PROGRAMSDIR/utilities/ovs-vsctl"],
          [AC_MSG_ERROR([$with_ovs_programs has no utilities/ovs-vsctl])])
        OVS_GOAL=vmfex-objects],
     [OVS_PROGRAMSDIR= OVS_GOAL=vmfex-programs])
   AS_CASE([$with_ovs_source],
     [yes|no],
       [AC_MSG_ERROR([--with-ovs-source needs a directory or a tarball])])
   AS_CASE([$with_ovs_build],
     [yes|no], [AC_MSG_ERROR([--with-ovs-build needs a directory])])

   vmfex_top=`pwd`
   vmfex_ovs_source=$with_ovs_source
   AS_IF([test "X$vmfex_ovs_source" = X],
     [vmfex_ovs_source=/usr/src/openvswitch])
   # Debian's openvswitch-source is a tarball in this directory up to Debian
   # 12, and after that the directory itself.
   for vmfex_file in "$vmfex_ovs_source"/openvswitch.tar.*; do
     AS_IF([test -f "$vmfex_file" && test ! -e "$vmfex_ovs_source/configure"],
       [vmfex_ovs_source=$vmfex_file])
   done
   # A source directory that somebody built in place is a built tree.
   AS_IF([test "X$with_ovs_build" = X \
          && test -d "$vmfex_ovs_source" \
          && test -e "$vmfex_ovs_source/config.status"],
     [AC_MSG_NOTICE([$vmfex_ovs_source is a build tree, taken as it is])
      with_ovs_build=$vmfex_ovs_source])

   AS_IF([test "X$with_ovs_build" != X],
     [build_ovs=no
      OVS_BUILDDIR=`cd "$with_ovs_build" 2>/dev/null && pwd`
      AS_IF([test "X$OVS_BUILDDIR" = X],
        [AC_MSG_ERROR([$with_ovs_build is not a directory])])
      for vmfex_file in config.h lib/.libs/libopenvswitch.a; do
        AS_IF([test ! -e "$OVS_BUILDDIR/$vmfex_file"],
          [AC_MSG_ERROR(m4_normalize([
             $OVS_BUILDDIR has no $vmfex_file: --with-ovs-build needs an Open
             vSwitch tree in which "configure" and "make" have run]))])
      done
      VMFEX_DISTCHECK_FLAGS="--with-ovs-build=$OVS_BUILDDIR"],
     [build_ovs=yes
      AS_IF([test "X$with_dpdk" = X],
        [AC_MSG_CHECKING([for libdpdk])
         AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists libdpdk],
           [with_dpdk=shared], [with_dpdk=no])
         AC_MSG_RESULT([$with_dpdk])])
      _VMFEX_PREPARE_OVS
      VMFEX_DISTCHECK_FLAGS="--with-ovs-source=$vmfex_ovs_source"
      VMFEX_DISTCHECK_FLAGS="$VMFEX_DISTCHECK_FLAGS --with-dpdk=$with_dpdk"])
   AM_CONDITIONAL([BUILD_OVS], [test "$build_ovs" = yes])
   _VMFEX_ASK_OVS
  ])

dnl Sets OVS_BUILDDIR to a tree in which Open vSwitch's configure has run.
AC_DEFUN([_VMFEX_PREPARE_OVS],
  [OVS_BUILDDIR=$vmfex_top/ovs
   AS_IF(
     [test -d "$vmfex_ovs_source"],
       [vmfex_ovs_source=`cd "$vmfex_ovs_source" && pwd`
        AS_IF([test ! -e "$vmfex_ovs_source/configure"],
          [AS_IF([test -e "$vmfex_ovs_source/boot.sh"],
             [AC_MSG_ERROR(m4_normalize([
                $vmfex_ovs_source has no "configure": run ./boot.sh there
                first]))],
             [AC_MSG_ERROR(m4_normalize([
                $vmfex_ovs_source is not a source directory of Open vSwitch:
                it has neither "configure" nor "boot.sh", nor is there an
                openvswitch.tar.gz]))])])
        AS_IF([test "$vmfex_ovs_source" = "$OVS_BUILDDIR"],
          [AC_MSG_ERROR(m4_normalize([
             Open vSwitch is going to be built in $OVS_BUILDDIR: its source has
             to be somewhere else]))])
        vmfex_ovs_configure=$vmfex_ovs_source/configure
        vmfex_ovs_sum=`cksum < "$vmfex_ovs_configure"`],
     [test -f "$vmfex_ovs_source"],
       [AS_CASE([$vmfex_ovs_source], [/*], [],
          [vmfex_ovs_source=$vmfex_top/$vmfex_ovs_source])
        vmfex_ovs_configure=./configure
        vmfex_ovs_sum=`cksum < "$vmfex_ovs_source"`],
     [test "X$with_ovs_source" != X],
       [AC_MSG_ERROR(m4_normalize([
          --with-ovs-source=$with_ovs_source: no such file or directory]))],
     [AC_MSG_ERROR(m4_normalize([
        there is no Open vSwitch in $vmfex_ovs_source: install the package
        openvswitch-source, or name another one with --with-ovs-source or
        --with-ovs-build]))])

   # Open vSwitch runs where our daemon runs: same compiler, same directories.
   AS_IF([test "X$prefix" = XNONE],
     [vmfex_prefix=$ac_default_prefix], [vmfex_prefix=$prefix])
   AS_IF([test "X$exec_prefix" = XNONE],
     [vmfex_exec_prefix='${prefix}'], [vmfex_exec_prefix=$exec_prefix])
   set dummy \
     "CC=$CC" "CFLAGS=$CFLAGS${OVS_SANITIZER_FLAGS:+ }$OVS_SANITIZER_FLAGS" \
     "CPPFLAGS=$CPPFLAGS" "LDFLAGS=$LDFLAGS" "LIBS=$LIBS" \
     "--prefix=$vmfex_prefix" "--exec-prefix=$vmfex_exec_prefix" \
     "--bindir=$bindir" "--sbindir=$sbindir" "--libdir=$libdir" \
     "--sysconfdir=$sysconfdir" "--localstatedir=$localstatedir" \
     "--datarootdir=$datarootdir" "--datadir=$datadir" \
     "--mandir=$mandir" "--docdir=$docdir" \
     --disable-shared --enable-silent-rules
   shift
   AS_IF([test "X$host_alias" != X],
     [set "$[@]" "--host=$host_alias" "--build=$build_alias"])
   AS_IF([test "$with_dpdk" = no],
     [set "$[@]" --without-dpdk], [set "$[@]" "--with-dpdk=$with_dpdk"])
   eval "set \"\$[@]\" $OVS_CONFIGURE_FLAGS"

   # Doing it again, for the same result, is what "./config.status --recheck"
   # asks for each time that our own configure has changed.
   vmfex_ovs_id="$vmfex_ovs_source $vmfex_ovs_sum $[*]"
   AC_MSG_CHECKING([for Open vSwitch in $OVS_BUILDDIR])
   AS_IF(
     [test "X$vmfex_ovs_id" = \
         "X`cat "$OVS_BUILDDIR/.vmfex-configured" 2>/dev/null`"],
     [AC_MSG_RESULT([yes])],
     [AS_IF([test -e "$OVS_BUILDDIR"],
        [AC_MSG_RESULT([another one or with other options, removed])],
        [AC_MSG_RESULT([no])])
      rm -rf "$vmfex_top/ovs" "$vmfex_top/ovs.stamp"
      mkdir "$OVS_BUILDDIR" || AC_MSG_ERROR([cannot make $OVS_BUILDDIR])
      AS_IF([test "$vmfex_ovs_configure" = ./configure],
        [AC_MSG_NOTICE([unpacking $vmfex_ovs_source])
         AS_IF([tar -x -C "$OVS_BUILDDIR" --strip-components=1 \
                  -f "$vmfex_ovs_source"], [],
           [rm -rf "$OVS_BUILDDIR"
            AC_MSG_ERROR([cannot unpack $vmfex_ovs_source])])
         AS_IF([test ! -e "$OVS_BUILDDIR/configure"],
           [rm -rf "$OVS_BUILDDIR"
            AC_MSG_ERROR(m4_normalize([
              $vmfex_ovs_source holds no "configure" of Open vSwitch: unpack it
              yourself, run ./boot.sh there, and name the directory with
              --with-ovs-source]))])])
      # Open vSwitch's makefile would write dirs.py into its source tree: it
      # gets a copy of its Python modules to work with, see ovs.mk.
      AS_IF([test "$vmfex_ovs_configure" != ./configure],
        [AS_MKDIR_P(["$OVS_BUILDDIR/python"])
         vmfex_file=python/ovs/dirs.py
         cp -R "$vmfex_ovs_source/python/ovs" "$OVS_BUILDDIR/python/" &&
         chmod -R u+w "$OVS_BUILDDIR/python" &&
         cp "$vmfex_ovs_source/$vmfex_file.template" \
           "$OVS_BUILDDIR/$vmfex_file" ||
           AC_MSG_ERROR([cannot copy $vmfex_ovs_source/python])])
      vmfex_log=$vmfex_top/ovs-configure.log
      AC_MSG_NOTICE([configuring Open vSwitch (details in ovs-configure.log)])
      AS_IF(
        [(# Nobody writes the tests in a configure script to be free of leaks.
          ASAN_OPTIONS=detect_leaks=0; export ASAN_OPTIONS
          unset MAKEFLAGS MFLAGS MAKELEVEL CONFIG_FILES CONFIG_HEADERS
          cd "$OVS_BUILDDIR" && $SHELL "$vmfex_ovs_configure" "$[@]" &&
          ${MAKE-make} -f Makefile -f "$vmfex_srcdir/build-aux/ovs.mk" \
            vmfex-headers) > "$vmfex_log" 2>&1 < /dev/null],
        [echo "$vmfex_ovs_id" > "$OVS_BUILDDIR/.vmfex-configured"],
        [tail -n 15 "$vmfex_log" >&2
         AC_MSG_ERROR(m4_normalize([
           Open vSwitch could not be configured: see above, ovs-configure.log
           and $OVS_BUILDDIR/config.log]))])])
  ])

dnl Asks the makefile in OVS_BUILDDIR what ovs-vswitchd is made of.
AC_DEFUN([_VMFEX_ASK_OVS],
  [AC_MSG_CHECKING([what ovs-vswitchd is made of])
   # "-o": a tree that is not ours is not brought up to date.
   vmfex_answer=`unset MAKEFLAGS MFLAGS MAKELEVEL
     ${MAKE-make} -s --no-print-directory -C "$OVS_BUILDDIR" \
       -o Makefile -o manpages.mk \
       -f Makefile -f "$vmfex_srcdir/build-aux/ovs.mk" vmfex-print \
     2>&AS_MESSAGE_LOG_FD`
   ovs_version= ovs_objects=
   eval "$vmfex_answer"
   AS_IF([test "X$ovs_version" = X || test "X$ovs_objects" = X],
     [AC_MSG_RESULT([unknown])
      AC_MSG_ERROR(m4_normalize([
        $OVS_BUILDDIR/Makefile does not say how ovs-vswitchd is built; GNU make
        is needed, see config.log]))])
   AC_MSG_RESULT([$ovs_version])

   AS_IF([test "$build_ovs" = no],
     [for vmfex_file in $ovs_objects $ovs_libraries; do
        AS_IF([test ! -e "$vmfex_file"],
          [AC_MSG_ERROR([$vmfex_file is missing: run make in $OVS_BUILDDIR])])
      done
      vmfex_dpdk=no
      AS_IF([test "X$ovs_dpdk_ldflags" != X], [vmfex_dpdk=yes])
      AS_CASE([$with_dpdk,$vmfex_dpdk],
        [no,yes], [AC_MSG_ERROR(m4_normalize([
           --without-dpdk was given, but $OVS_BUILDDIR was built with DPDK]))],
        [shared,no|static,no], [AC_MSG_ERROR(m4_normalize([
           --with-dpdk was given, but $OVS_BUILDDIR was built without DPDK]))])
      with_dpdk=$vmfex_dpdk
      # Sanitized objects do not link without the sanitizer.
      AS_IF([test "X$SANITIZER_FLAGS" = X],
        [SANITIZER_FLAGS=$ovs_sanitizer_flags])])

   OVS_VERSION=$ovs_version
   OVS_SRCDIR=$ovs_srcdir
   OVS_OBJECTS=$ovs_objects
   OVS_LIBRARIES=$ovs_libraries
   # Its libraries call each other.
   OVS_LIBS="-Wl,--start-group $ovs_libraries -Wl,--end-group $ovs_libs"
   OVS_LDFLAGS=$ovs_ldflags
   OVS_CFLAGS=$ovs_cflags
   OVS_CPPFLAGS=
   for vmfex_dir in "$OVS_BUILDDIR" "$OVS_SRCDIR/include" \
       "$OVS_BUILDDIR/include" "$OVS_SRCDIR/lib" "$OVS_BUILDDIR/lib" \
       "$OVS_SRCDIR"; do
     AS_CASE([" $OVS_CPPFLAGS "],
       [*" -I $vmfex_dir "*], [],
       [OVS_CPPFLAGS="$OVS_CPPFLAGS${OVS_CPPFLAGS:+ }-I $vmfex_dir"])
   done
   OVS_CPPFLAGS="$OVS_CPPFLAGS $ovs_cppflags"
   OVS_PYTHONDIR=$OVS_SRCDIR/python
   AS_IF([test -e "$OVS_BUILDDIR/python/ovs/__init__.py"],
     [OVS_PYTHONDIR=$OVS_BUILDDIR/python])
   AC_SUBST([OVS_PYTHONDIR])
   AC_SUBST([OVS_VERSION])
   AC_SUBST([OVS_SRCDIR])
   AC_SUBST([OVS_BUILDDIR])
   AS_IF([test "X$OVS_PROGRAMSDIR" = X], [OVS_PROGRAMSDIR=$OVS_BUILDDIR])
   AC_SUBST([OVS_PROGRAMSDIR])
   AC_SUBST([OVS_GOAL])
   AC_SUBST([OVS_OBJECTS])
   AC_SUBST([OVS_LIBRARIES])
   AC_SUBST([OVS_LIBS])
   AC_SUBST([OVS_LDFLAGS])
   AC_SUBST([OVS_CFLAGS])
   AC_SUBST([OVS_CPPFLAGS])
   AC_SUBST([VMFEX_DISTCHECK_FLAGS])
   HAVE_DPDK=$with_dpdk
   AC_SUBST([HAVE_DPDK])
  ])

dnl VMFEX_WITH_BPF
dnl
dnl What the kernel path is built with, unless --without-bpf is given: clang
dnl compiles the eBPF programs, and libbpf loads them.  Defines HAVE_BPF in
dnl vmfex-config.h.
AC_DEFUN([VMFEX_WITH_BPF],
  [AC_ARG_WITH(
     [bpf],
     [AS_HELP_STRING([--without-bpf], [build without the kernel path])],
     [], [with_bpf=yes])
   AC_ARG_VAR([CLANG], [compiles eBPF programs])
   BPF_CFLAGS=
   BPF_LIBS=
   AS_IF([test "$with_bpf" != no],
     [AC_CHECK_PROGS([CLANG], [clang])
      AS_IF([test "X$CLANG" = X],
        [AC_MSG_ERROR(m4_normalize([
           clang is missing, which compiles the eBPF programs of the kernel
           path: install the package clang, or use --without-bpf]))])
      AC_MSG_CHECKING([whether $CLANG compiles eBPF programs])
      vmfex_dir=`$CC -print-multiarch 2>/dev/null`
      BPF_CFLAGS="-target bpf -mcpu=v2 -g -O2"
      AS_IF([test "X$vmfex_dir" != X],
        [BPF_CFLAGS="$BPF_CFLAGS -idirafter /usr/include/$vmfex_dir"])
      cat > conftest.bpf.c <<_VMFEX_EOF
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int f(struct xdp_md *ctx) { return bpf_xdp_get_buff_len(ctx); }
_VMFEX_EOF
      AS_IF([$CLANG $BPF_CFLAGS -c conftest.bpf.c -o conftest.bpf.o \
               2>&AS_MESSAGE_LOG_FD],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR(m4_normalize([
           $CLANG cannot compile eBPF programs, see config.log: install the
           packages clang and libbpf-dev, or use --without-bpf]))])
      rm -f conftest.bpf.c conftest.bpf.o
      PKG_CHECK_MODULES([LIBBPF], [libbpf >= 0.8], [],
        [AC_MSG_ERROR(m4_normalize([
           libbpf 0.8 or later is missing, which loads the eBPF programs of the
           kernel path: install the package libbpf-dev, or use
           --without-bpf]))])
      BPF_LIBS=$LIBBPF_LIBS
      vmfex_define="@%:@define HAVE_BPF 1"],
     [vmfex_define="/* @%:@undef HAVE_BPF */"
      VMFEX_DISTCHECK_FLAGS="$VMFEX_DISTCHECK_FLAGS --without-bpf"])
   vmfex_config_h="$vmfex_config_h$as_nl/* Defined to 1 if the kernel path is "
   vmfex_config_h="${vmfex_config_h}built in. */$as_nl$vmfex_define$as_nl"
   AM_CONDITIONAL([HAVE_BPF], [test "$with_bpf" != no])
   HAVE_BPF=$with_bpf
   AC_SUBST([HAVE_BPF])
   AC_SUBST([BPF_CFLAGS])
   AC_SUBST([BPF_LIBS])])

dnl VMFEX_ENABLE_WERROR
dnl
dnl Open vSwitch's own warnings, those that our compiler knows, as errors.
AC_DEFUN([VMFEX_ENABLE_WERROR],
  [AC_ARG_ENABLE(
     [Werror],
     [AS_HELP_STRING([--disable-Werror],
        [do not treat warnings in our code as errors])],
     [], [enable_Werror=yes])
   AC_MSG_CHECKING([which warnings $CC has])
   VMFEX_WARNING_FLAGS=
   vmfex_save_CFLAGS=$CFLAGS
   vmfex_count=0
   for vmfex_flag in -Wall -Wextra -Wno-sign-compare -Wpointer-arith \
       -Wformat -Wformat-security -Wswitch-enum -Wunused-parameter \
       -Wbad-function-cast -Wcast-align -Wstrict-prototypes \
       -Wold-style-definition -Wmissing-prototypes \
       -Wmissing-field-initializers -Wthread-safety -fno-strict-aliasing \
       -Wswitch-bool -Wlogical-not-parentheses -Wsizeof-array-argument \
       -Wbool-compare -Wshift-negative-value -Wduplicated-cond \
       -Qunused-arguments -Wshadow -Wmultistatement-macros \
       -Wcast-align=strict -Wno-null-pointer-arithmetic \
       -Warray-bounds-pointer-arithmetic $ovs_warning_flags; do
     AS_CASE([" $VMFEX_WARNING_FLAGS "], [*" $vmfex_flag "*], [continue])
     # A compiler accepts every -Wno-, known or not.
     AS_CASE([$vmfex_flag],
       [-Wno-*], [vmfex_test=-W`AS_ECHO(["$vmfex_flag"]) | $SED 's/^-Wno-//'`],
       [vmfex_test=$vmfex_flag])
     CFLAGS="$vmfex_save_CFLAGS -Werror $VMFEX_WARNING_FLAGS $vmfex_test"
     AC_COMPILE_IFELSE([AC_LANG_SOURCE([int vmfex_x;])],
       [VMFEX_WARNING_FLAGS="$VMFEX_WARNING_FLAGS $vmfex_flag"
        vmfex_count=`expr $vmfex_count + 1`])
   done
   CFLAGS=$vmfex_save_CFLAGS
   AC_MSG_RESULT([$vmfex_count of them])
   VMFEX_WERROR_FLAGS=
   AS_IF([test "$enable_Werror" != no], [VMFEX_WERROR_FLAGS=-Werror])
   AC_SUBST([VMFEX_WARNING_FLAGS])
   AC_SUBST([VMFEX_WERROR_FLAGS])])

dnl VMFEX_CHECK_OVS(NAME, HEADERS, CODE, DESCRIPTION)
dnl
dnl Defines NAME in vmfex-config.h if CODE, in a function's body, compiles after
dnl HEADERS of Open vSwitch.  DESCRIPTION completes "whether".
AC_DEFUN([VMFEX_CHECK_OVS],
  [AC_MSG_CHECKING([whether $4])
   vmfex_save_CFLAGS=$CFLAGS
   vmfex_save_CPPFLAGS=$CPPFLAGS
   CPPFLAGS="$OVS_CPPFLAGS $CPPFLAGS"
   CFLAGS="$CFLAGS $OVS_CFLAGS -Werror=implicit-function-declaration"
   CFLAGS="$CFLAGS -Werror=incompatible-pointer-types -Werror=int-conversion"
   AC_COMPILE_IFELSE([AC_LANG_DEFINES_PROVIDED[]dnl
#include <config.h>
$2

int
main(void)
{
    $3
    return 0;
}], [vmfex_ok=yes], [vmfex_ok=no])
   CFLAGS=$vmfex_save_CFLAGS
   CPPFLAGS=$vmfex_save_CPPFLAGS
   AC_MSG_RESULT([$vmfex_ok])
   AS_IF([test $vmfex_ok = yes],
     [vmfex_define="@%:@define $1 1"], [vmfex_define="/* @%:@undef $1 */"])
   vmfex_config_h="$vmfex_config_h$as_nl/* Defined to 1 if $4. */$as_nl"
   vmfex_config_h="$vmfex_config_h$vmfex_define$as_nl"
  ])

dnl VMFEX_CHECK_OVS_FEATURES
dnl
dnl What differs between versions of Open vSwitch.  Versions themselves are
dnl never looked at: stable releases change interfaces, too.
AC_DEFUN([VMFEX_CHECK_OVS_FEATURES],
  [vmfex_config_h=
   VMFEX_CHECK_OVS([HAVE_OVS_HEADERS],
     [#include "ofproto/ofproto-provider.h"
      #include "dpif-provider.h"
      #include "netdev-provider.h"],
     [],
     [Open vSwitch has its provider headers])
   AS_IF([test $vmfex_ok = no],
     [AC_MSG_ERROR(m4_normalize([
        the headers of Open vSwitch in $OVS_SRCDIR do not compile: see
        config.log]))])

   VMFEX_CHECK_OVS([HAVE_DPIF_PORT_QUERY_BY_NUMBER_BOOL],
     [#include "dpif.h"],
     [dpif_port_query_by_number(NULL, 0, NULL, false);],
     [dpif_port_query_by_number() takes a fourth argument])
   VMFEX_CHECK_OVS([HAVE_DP_PACKET_BATCH_DESTROY],
     [#include "dp-packet.h"],
     [dp_packet_batch_destroy(NULL);],
     [a dp_packet_batch has to be destroyed])
   VMFEX_CHECK_OVS([HAVE_DP_PACKET_OL_L4_CSUM_PARTIAL],
     [#include "dp-packet.h"],
     [dp_packet_ol_set_l4_csum_partial(NULL);
      return dp_packet_ol_l4_csum_partial(NULL);],
     [a received dp_packet tells that its checksum is not complete])
   VMFEX_CHECK_OVS([HAVE_CT_FLUSH_MATCH],
     [#include "ofproto/ofproto-provider.h"],
     [const struct ofproto_class *class = NULL;
      class->ct_flush(NULL, NULL, NULL);],
     [ct_flush in struct ofproto_class takes a match])
   VMFEX_CHECK_OVS([HAVE_CTL_CONTEXT_INIT_COMMAND_LAST],
     [#include "db-ctl-base.h"],
     [ctl_context_init_command(NULL, NULL, false);],
     [ctl_context_init_command() takes a third argument])
   VMFEX_CHECK_OVS([HAVE_JSON_ARRAY_AT],
     [#include "openvswitch/json.h"],
     [(void) json_array_at(NULL, 0);],
     [json_array_at()])
   VMFEX_CHECK_OVS([HAVE_NETDEV_GET_SPEED],
     [#include "netdev-provider.h"],
     [const struct netdev_class *class = NULL;
      (void) class->get_speed;],
     [struct netdev_class has get_speed])
   VMFEX_CHECK_OVS([HAVE_ODP_EXECUTE_INIT],
     [#include "odp-execute.h"],
     [odp_execute_init();],
     [odp_execute_init() exists])
   VMFEX_CHECK_OVS([HAVE_ODP_FLOW_FORMAT_SKIP_NO_MASK],
     [#include "odp-util.h"],
     [odp_flow_format(NULL, 0, NULL, 0, NULL, NULL, false, false);],
     [odp_flow_format() takes an eighth argument])
   VMFEX_CHECK_OVS([HAVE_PMD_INPUT_FUNC],
     [#include "dpif-netdev-private-thread.h"],
     [struct dp_netdev_pmd_thread *pmd = NULL;
      dp_netdev_input_func input = dp_netdev_impl_get_default();
      struct dp_packet_batch *batch = NULL;
      odp_port_t in_port = 0;
      int32_t retval = input(pmd, batch, in_port);
      pmd->netdev_input_func = input;
      (void) retval;
      (void) pmd->dp;
      (void) pmd->core_id;
      (void) pmd->static_tx_qid;
      (void) pmd->n_output_batches;
      (void) hmap_count(&pmd->send_port_cache);
      dp_netdev_impl_get(NULL, &pmd, 1);
      pmd_perf_stats_init(&pmd->perf_stats);],
     [a PMD thread's input function can be replaced])
   HAVE_PMD_HOOK=$vmfex_ok
   VMFEX_CHECK_OVS([HAVE_PMD_THREAD],
     [#include "dpif-netdev-thread.h"
      #include "util.h"],
     [struct dp_netdev_pmd_thread *pmd = NULL;
      pmd->ctx.now = 0;
      (void) pmd->dp;
      (void) pmd->core_id;
      (void) pmd->static_tx_qid;
      (void) pmd->n_output_batches;
      (void) hmap_count(&pmd->send_port_cache);
      pmd_perf_start_iteration(&pmd->perf_stats);
      pmd_perf_end_iteration(&pmd->perf_stats, 0, 0, 0, false);
      pmd_perf_stats_init(&pmd->perf_stats);
      xnanosleep_no_quiesce(0);],
     [what a PMD thread received can be taken from it])
   if test $vmfex_ok = yes; then
     HAVE_PMD_HOOK=yes
   fi
   AC_SUBST([HAVE_PMD_HOOK])
   VMFEX_CHECK_OVS([HAVE_DAEMONIZE_START_2],
     [#include "daemon.h"],
     [daemonize_start(false, false);],
     [daemonize_start() takes a second argument])
  ])

dnl _VMFEX_FEATURE(NAME, YES-OR-NO, WHY-NOT)
m4_define([_VMFEX_FEATURE],
  [AS_CASE(["$2"],
     [no], [vmfex_features="$vmfex_features${as_nl}$1 no: $3"],
     [?*], [vmfex_features="$vmfex_features${as_nl}$1 yes"],
     [AC_MSG_ERROR([nobody found out about this: $1])])])

dnl VMFEX_LIST_FEATURES
dnl
dnl Sets vmfex_features to a table of what is built in, and why not what is not,
dnl for the end of configure and for "ovs-appctl vmfex/version".
AC_DEFUN([VMFEX_LIST_FEATURES],
  [vmfex_no_hook="this Open vSwitch lets nobody replace its PMD threads' input"
   vmfex_unbound=no vmfex_tls=no
   AS_IF([grep '^@%:@define HAVE_UNBOUND 1' "$OVS_BUILDDIR/config.h" \
            >/dev/null], [vmfex_unbound=yes])
   AS_IF([grep '^@%:@define HAVE_OPENSSL 1' "$OVS_BUILDDIR/config.h" \
            >/dev/null], [vmfex_tls=yes])
   vmfex_features="\
Open vSwitch:    $OVS_VERSION
emulated path:   yes"
   _VMFEX_FEATURE([direct path:    ], [$HAVE_PMD_HOOK], [$vmfex_no_hook])
   _VMFEX_FEATURE([queues on loan: ], [$HAVE_PMD_HOOK], [$vmfex_no_hook])
   _VMFEX_FEATURE([kernel path:    ], [$HAVE_BPF], [--without-bpf was given])
   _VMFEX_FEATURE([DPDK:           ], [$HAVE_DPDK],
     [Open vSwitch is built without it])
   _VMFEX_FEATURE([names of hosts: ], [$vmfex_unbound],
     [Open vSwitch is built without libunbound])
   _VMFEX_FEATURE([TLS:            ], [$vmfex_tls],
     [Open vSwitch is built without OpenSSL])])

dnl VMFEX_WITH_SYSTEMD
dnl
dnl Where units of systemd are installed, or "no".
AC_DEFUN([VMFEX_WITH_SYSTEMD],
  [AC_ARG_WITH([systemdsystemunitdir],
     [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
        [install units of systemd there, for example in
         /usr/lib/systemd/system, and its sysusers.d and tmpfiles.d in
         PREFIX/lib (default: do not)])],
     [], [with_systemdsystemunitdir=no])
   AS_CASE([$with_systemdsystemunitdir],
     [no], [],
     [/*], [],
     [AC_MSG_ERROR([--with-systemdsystemunitdir wants a directory])])
   AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
   AM_CONDITIONAL([HAVE_SYSTEMD],
     [test "$with_systemdsystemunitdir" != no])])

dnl VMFEX_CONFIG_HEADER(FILE)
dnl
dnl Writes what VMFEX_CHECK_OVS found.  AC_CONFIG_HEADERS is of no use here: it
dnl would define PACKAGE_NAME and others that Open vSwitch's config.h defines.
AC_DEFUN([VMFEX_CONFIG_HEADER],
  [cat > conftest.h <<_VMFEX_EOF
/* SPDX-License-Identifier: Apache-2.0 */
/* $1.  Made by configure. */

#ifndef VMFEX_CONFIG_H
#define VMFEX_CONFIG_H 1

/* Our own version; VERSION is that of Open vSwitch. */
@%:@define VMFEX_VERSION "$PACKAGE_VERSION"

/* What is built in, and why not what is not: a line for each. */
@%:@define VMFEX_FEATURES \\
`AS_ECHO(["$vmfex_features"]) | $SED 's/.*/    "&\\\\n" \\\\/; $ s/ \\\\$//'`
$vmfex_config_h
#endif /* $1 */
_VMFEX_EOF
   AS_IF([cmp -s conftest.h $1],
     [AC_MSG_NOTICE([$1 is unchanged])
      rm -f conftest.h],
     [AC_MSG_NOTICE([creating $1])
      mv conftest.h $1])])

dnl VMFEX_SUMMARY
AC_DEFUN([VMFEX_SUMMARY],
  [AS_IF([test "$build_ovs" = yes],
     [vmfex_source=$vmfex_ovs_source], [vmfex_source=$OVS_SRCDIR])
   AS_IF([test "$build_ovs" = yes],
     [vmfex_built="built by make"], [vmfex_built="built already"])
   AS_IF([test "X$SANITIZER_FLAGS" = X],
     [vmfex_san=no], [vmfex_san=$SANITIZER_FLAGS])
   AS_ECHO(["
$PACKAGE_NAME $PACKAGE_VERSION

`AS_ECHO(["$vmfex_features"]) | $SED 's/^/  /'`

  source:          $vmfex_source
  build tree:      $OVS_BUILDDIR ($vmfex_built)
  compiler:        $CC $CFLAGS
  warnings:        `test -n "$VMFEX_WERROR_FLAGS" \
                      && echo 'are errors' || echo 'are only shown'`
  sanitizers:      $vmfex_san
"])])
