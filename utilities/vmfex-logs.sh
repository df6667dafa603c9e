# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# What daemons say that has to be looked at, for vmfex-sandbox.sh and all tests.

# vmfex_warnings SED FILE...
#
# Prints each line of the logs FILE that is a warning or worse, other than those
# that the sed expressions SED delete, which see messages of named threads, such
# as "|timeval(handler2)|WARN|", like those of the main one.  Not printed: that a
# client such as ovs-vsctl went away before it read all that a server had for
# it, and that the machine was slow.
vmfex_warnings() {
    local expected
    expected=$1
    shift
    sed -n "h
s/^\\([^|]*|[^|]*|[^|(]*\\)([^|]*)|/\\1|/
$expected
/^[^|]*|[^|]*|\\(ovsdb_jsonrpc_server\\|jsonrpc\\|stream_[a-z]*\\|reconnect\\)|/{
/Broken pipe/d
/reset by peer/d
/is not connected/d
/|WARN|Dropped [0-9]* log messages/d
}
/|timeval|WARN|Unreasonably long /d
/|timeval|WARN|faults: /d
/|timeval|WARN|disk: /d
/|timeval|WARN|context switches: /d
/|ovs_rcu|WARN|blocked [0-9]* ms waiting for /d
/|WARN|/bprint
/|ERR|/bprint
/|EMER|/bprint
d
:print
g
p" "$@"
}
