# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# What tests that are shell scripts say and check.  For bash.  The caller sets
# $work, an absolute name of a directory, and $here, to that of this one.

. "$here/wait.sh" || exit 1

say() {
    printf '%s\n' "$*"
}

die() {
    say "FAILED: $*"
    exit 1
}

# cannot_run TEXT: the machine has not what the test needs, which says nothing
# about what is tested.  A status of 77 is what Automake takes for that.
cannot_run() {
    test ! -e "$work/out" || cat "$work/out"
    say "NOT RUN: $*"
    exit 77
}

# title TEXT: what the checks that follow are about.
title() {
    say "$1 ($SECONDS s)"
}

# ok TEXT COMMAND...: COMMAND has to succeed.
ok() {
    local text=$1
    shift
    "$@" > "$work/out" 2>&1 || {
        cat "$work/out"
        die "$text: $*"
    }
    say "  ok: $text"
}

not() {
    ! "$@"
}

# out_is TEXT COMMAND...: that is what COMMAND prints.
out_is() {
    local expected=$1 out
    shift
    out=$("$@" 2>&1)
    test "$out" = "$expected" && return
    echo "expected: $expected"
    echo "got:      $out"
    return 1
}

# out_has REGEX COMMAND...: a line of what COMMAND prints matches.
out_has() {
    local regex=$1
    shift
    "$@" 2>&1 | tee "$work/out2" | grep -Eq -e "$regex" && return
    echo "nothing like \"$regex\" in:"
    cat "$work/out2"
    return 1
}
