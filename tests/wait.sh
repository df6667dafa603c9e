# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# How tests wait, all of them: for a condition, never for a time.
#
# $VMFEX_SECOND is how many milliseconds "a second" has, for whatever has to be
# seen within some.  Sanitizers, an emulated processor, and a machine that does
# other things at the same time slow everything down: who knows of that sets it.
#
# For POSIX shells that have "local".

: "${VMFEX_SECOND:=1000}"

# vmfex_ms: prints the time since the machine was started, in milliseconds.
vmfex_ms() {
    local up rest
    read -r up rest < /proc/uptime
    echo "${up%.*}${up#*.}0"
}

# within SECONDS COMMAND [ARG...]: runs COMMAND until it succeeds, and fails if
# it still does not after so many "seconds", a whole number.
within() {
    local end last pause
    case $1 in
    ''|*[!0-9]*|[0-9][0-9][0-9][0-9]*)
        echo "within: $1 is not a number of seconds"
        return 2 ;;
    esac
    end=$(($(vmfex_ms) + $1 * VMFEX_SECOND)) last=false pause=0
    shift
    until "$@"; do
        if $last; then
            return 1
        fi
        # One more attempt begins after the time is over.
        if test "$(vmfex_ms)" -ge $end; then
            last=true
        fi
        # Who waits for long can wait a moment longer, and works less.
        pause=$((pause + 1))
        case $pause in
        ?|1?) sleep 0.05 ;;
        *) sleep 0.1 ;;
        esac
    done
}

# outputs EXPECTED COMMAND [ARG...]: succeeds if COMMAND prints EXPECTED.
outputs() {
    local expected
    expected=$1
    shift
    test "$("$@" 2>&1)" = "$expected"
}

# settled SECONDS EXPECTED COMMAND [ARG...]: succeeds as soon as COMMAND prints
# EXPECTED, and prints what it printed in the end if it does not within so many
# "seconds".
settled() {
    local seconds expected
    seconds=$1 expected=$2
    shift 2
    if within "$seconds" outputs "$expected" "$@"; then
        return 0
    fi
    echo "expected: $expected"
    echo "found: $("$@" 2>&1)"
    return 1
}
