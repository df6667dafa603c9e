# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Machines for tests/packages and tests/networks: containers in which Debian's
# systemd is booted, each with a root directory of its own on top of one that is
# only read.
#
# For each machine there is a function of its name, which runs a command there.
# Nothing outside of $work, of control groups that are named after it, and of
# the network and mount namespaces that the caller is in, is touched.
#
# For bash.  The caller sets $work, an absolute name, and, for packages, $debs,
# the directory where these are, and $cache, one for what is downloaded.

machines=
packages="openvswitch-switch-vmfex vmfex-common vmfex-controller vmfex-manager"
program=/usr/lib/openvswitch-switch-vmfex/ovs-vswitchd-vmfex
arch=$(dpkg --print-architecture)

# machine_tarball LIST: the root directory that machines begin with: Debian with
# stock Open vSwitch, whatever the packages depend on, and those of LIST, with
# commas in between.  Sets $tarball.
machine_tarball() {
    local include
    include=$(for package in $packages; do
                  dpkg-deb -f "$debs/$package"_*_"$arch.deb" Depends || exit 1
              done | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' |
              grep -vE '^$|^vmfex-' | sort -u | paste -s -d ,)
    include=$1,$include
    tarball=$cache/packages-root-$(echo "$include" | cksum | cut -d ' ' -f 1)
    test ! -e "$tarball" || return 0
    mmdebstrap --quiet --variant=minbase --format=tar \
        --include="$include" bookworm "$tarball.$$" || return 1
    mv "$tarball.$$" "$tarball"
}

# install_on MACHINE PACKAGE...
install_on() {
    local machine=$1 package files=
    shift
    for package; do
        files="$files /debs/${package}_${version}_$arch.deb"
    done
    "$machine" dpkg --install $files
}

# machine_root NAME: makes the root directory of machine NAME, on top of $base or
# of $work/base.
machine_root() {
    local dir=$work/$1
    mkdir -p "$dir/upper" "$dir/work" "$dir/root" &&
    mount -t overlay "vmfex-$1" "$dir/root" -o \
        "lowerdir=${base-$work/base},upperdir=$dir/upper,workdir=$dir/work"
}

# machine_network NAME: gives machine NAME, that is not booted yet, a network
# namespace that is there before it boots, and afterwards, as network cards are.
# In this one, it is $work/NAME/netns.
machine_network() {
    : > "$work/$1/netns" && unshare --net="$work/$1/netns" true
}

# machine_cards NAME COMMAND...: runs COMMAND in that network namespace.
machine_cards() {
    local netns=$work/$1/netns
    shift
    nsenter --net="$netns" -- "$@"
}

# Runs a command in control groups that are named NAME.
in_cgroups() {
    local name=$1 dir
    shift
    for dir in $(cgroup_mounts); do
        mkdir -p "$dir/$name" && echo $BASHPID > "$dir/$name/cgroup.procs" ||
            return 1
    done
    exec "$@"
}

# Where hierarchies are mounted that tell processes apart.
cgroup_mounts() {
    awk '$3 == "cgroup2" || $3 == "cgroup" && $4 ~ /name=systemd/ {
             print $2 }' /proc/mounts
}

# machine_boot NAME: boots machine NAME, and does not wait for it.
machine_boot() {
    local name=$1 network=--private-network
    test ! -e "$work/$name/netns" ||
        network="--network-namespace-path=$work/$name/netns --capability=CAP_NET_ADMIN"
    case " $machines " in
    *" $name "*) ;;
    *) machines="$machines $name" ;;
    esac
    eval "$name() { machine_run $name \"\$@\"; }"
    (in_cgroups "vmfex-packages-$$-$name" systemd-nspawn --quiet --boot \
         --directory="$work/$name/root" --machine="$name" \
         --keep-unit --register=no $network --console=pipe \
         --link-journal=no --system-call-filter=bpf --bind-ro="$work/debs:/debs" \
         < /dev/null > "$work/$name/console" 2>&1) &
    echo $! > "$work/$name/nspawn.pid"
}

# machine_wait NAME: waits until it has booted, without a failed unit.
machine_wait() {
    local i pid state
    for i in {1..600}; do
        pid=$(cat "/proc/$(cat "$work/$1/nspawn.pid")/task/"*/children |
              head -n 1)
        pid=${pid%% *}
        if test -n "$pid" &&
           test "$(readlink "/proc/$pid/ns/pid")" != \
                "$(readlink /proc/self/ns/pid)"; then
            echo "$pid" > "$work/$1/init.pid"
            state=$(machine_run "$1" systemctl is-system-running 2> /dev/null)
            test "$state" != running || return 0
        fi
        sleep 0.1
    done
    echo "$1 did not boot: ${state:-not even systemd}" >&2
    machine_run "$1" systemctl --no-pager --failed
    tail -n 20 "$work/$1/console"
    return 1
}

# machine_reboot NAME [COMMAND...]: which cuts its cables, unless it has
# machine_network.  COMMAND is run while it is off.
machine_reboot() {
    local i nspawn
    nspawn=$(cat "$work/$1/nspawn.pid")
    machine_run "$1" systemctl reboot
    for i in {1..1200}; do
        kill -0 "$nspawn" 2> /dev/null || break
        sleep 0.1
    done
    test $# = 1 || "${@:2}" || return 1
    machine_boot "$1" && machine_wait "$1"
}

# machine_run NAME COMMAND...
machine_run() {
    local pid
    pid=$(cat "$work/$1/init.pid") || return 1
    shift
    nsenter --target "$pid" --all -- env -C / -i HOME=/root LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# machine_cable NAME1 DEVICE1 NAME2 DEVICE2 [MTU]
machine_cable() {
    ip link add "$2" netns "$(cat "$work/$1/init.pid")" type veth \
        peer name "$4" netns "$(cat "$work/$3/init.pid")" &&
    machine_run "$1" ip link set "$2" mtu "${5-1600}" up &&
    machine_run "$3" ip link set "$4" mtu "${5-1600}" up
}

# machine_management NAME ADDRESS: connects it to all others.
machine_management() {
    ip link add "m-$1" type veth \
        peer name mgmt netns "$(cat "$work/$1/init.pid")" &&
    ip link set "m-$1" master mgmt up &&
    machine_run "$1" ip address add "$2/24" dev mgmt &&
    machine_run "$1" ip link set mgmt up
}

# machine_vm NAME MACHINE PORT ADDRESS: a VM, and the tap of it.
machine_vm() {
    vm_namespace "$1" && vm_plug "$@"
}

# vm_namespace NAME: a VM, or something else that has its own IP stack, in
# namespace $work/NAME.netns.
vm_namespace() {
    : > "$work/$1.netns" && unshare --net="$work/$1.netns" true &&
    eval "$1() { nsenter --net='$work/$1.netns' -- \"\$@\"; }"
}

# vm_plug NAME MACHINE PORT ADDRESS: its device, and the tap of that.
vm_plug() {
    ip link add e0 netns "$work/$1.netns" type veth \
        peer name "$3" netns "$(cat "$work/$2/init.pid")" &&
    vm_address "$1" "$4" &&
    machine_run "$2" ip link set "$3" up
}

# vm_address NAME ADDRESS
vm_address() {
    nsenter --net="$work/$1.netns" ip address add "$2/24" dev e0 &&
    nsenter --net="$work/$1.netns" ip link set e0 up
}

# pings VM ADDRESS: starts to ping, one hundred times a second.
pings() {
    nsenter --net="$work/$1.netns" -- \
        ping -D -n -i 0.01 -W 1 "$2" > "$work/$1.pings" 2>&1 &
    echo $! > "$work/$1.pinger"
}

# Ends that.  Sets $lost, the number of pings without an answer in between
# those with one, and $gap, the longest time in milliseconds between two answers.
pings_end() {
    sleep 0.3
    kill -INT "$(cat "$work/$1.pinger")"
    wait "$(cat "$work/$1.pinger")"
    read -r lost gap < <(
        sed -n 's/^\[\([0-9.]*\)\].*icmp_seq=\([0-9]*\).*time=.*/\1 \2/p' \
            "$work/$1.pings" |
        awk 'NR == 1 { first = $2 }
             NR > 1 && $1 - old > gap { gap = $1 - old }
             { old = $1; if ($2 > last) last = $2 }
             END { printf "%d %d\n", last - first + 1 - NR, gap * 1000 }')
    test "${gap:-0}" -gt 0
}

# machine_end NAME: powers it off, and deletes it.
machine_end() {
    local nspawn
    nspawn=$(cat "$work/$1/nspawn.pid")
    kill "$nspawn"
    within 60 not kill -0 "$nspawn" 2> /dev/null || return 1
    machine_delete "$1"
    rm -rf --one-file-system "${work:?}/$1"
    machines=" $machines "
    machines=${machines/ $1 / }
}

machine_delete() {
    local dir
    umount "$work/$1/root"
    test ! -e "$work/$1/netns" || umount "$work/$1/netns"
    for dir in $(cgroup_mounts); do
        find "$dir/vmfex-packages-$$-$1" -depth -type d \
            -exec rmdir {} \; 2> /dev/null
    done
}

# Ends all of it.
machines_end() {
    local name pid dir i
    for name in $machines; do
        kill "$(cat "$work/$name/nspawn.pid")" 2> /dev/null
    done
    # nspawn sends the machine's init a signal to power off.
    # shellcheck disable=SC2034
    for i in {1..100}; do
        pid=
        for name in $machines; do
            kill -0 "$(cat "$work/$name/nspawn.pid")" 2> /dev/null && pid=some
        done
        test -n "$pid" || break
        sleep 0.1
    done
    for name in $machines; do
        kill -KILL "$(cat "$work/$name/init.pid")" \
            "$(cat "$work/$name/nspawn.pid")" 2> /dev/null
    done
    # shellcheck disable=SC2046
    kill $(cat "$work"/*.pinger) 2> /dev/null
    wait
    for dir in "$work"/*.netns; do
        test ! -e "$dir" || umount "$dir"
    done
    for name in $machines; do
        machine_delete "$name"
    done
    machines=
}
