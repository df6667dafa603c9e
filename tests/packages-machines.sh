# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Machines for tests/packages: containers in which Debian's systemd is booted,
# each with a root directory of its own on top of one that is only read.
#
# For each machine there is a function of its name, which runs a command there.
# Nothing outside of $work, of control groups that are named after it, and of
# the network and mount namespaces that the caller is in, is touched.
#
# For bash.  The caller sets $work, an absolute name.

machines=

# machine_root NAME: makes the root directory of machine NAME.
machine_root() {
    local dir=$work/$1
    mkdir -p "$dir/upper" "$dir/work" "$dir/root" &&
    mount -t overlay "vmfex-$1" "$dir/root" -o \
        "lowerdir=$work/base,upperdir=$dir/upper,workdir=$dir/work"
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
    local name=$1
    case " $machines " in
    *" $name "*) ;;
    *) machines="$machines $name" ;;
    esac
    eval "$name() { machine_run $name \"\$@\"; }"
    (in_cgroups "vmfex-packages-$$-$name" systemd-nspawn --quiet --boot \
         --directory="$work/$name/root" --machine="$name" \
         --keep-unit --register=no --private-network --console=pipe \
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

# machine_reboot NAME: which cuts its cables.
machine_reboot() {
    local i nspawn
    nspawn=$(cat "$work/$1/nspawn.pid")
    machine_run "$1" systemctl reboot
    for i in {1..1200}; do
        kill -0 "$nspawn" 2> /dev/null || break
        sleep 0.1
    done
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
    local init
    init=$(cat "$work/$2/init.pid")
    unshare --net sleep 3600 > /dev/null 2>&1 &
    echo $! > "$work/$1.pid"
    until test "$(readlink "/proc/$!/ns/net")" != \
               "$(readlink /proc/self/ns/net)"; do
        sleep 0.01
    done
    eval "$1() { nsenter --net=/proc/$!/ns/net -- \"\$@\"; }"
    ip link add e0 netns $! type veth peer name "$3" netns "$init" &&
    nsenter --net=/proc/$!/ns/net ip address add "$4/24" dev e0 &&
    nsenter --net=/proc/$!/ns/net ip link set e0 up &&
    machine_run "$2" ip link set "$3" up
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
    kill $(cat "$work"/*.pid) 2> /dev/null
    wait
    for name in $machines; do
        umount "$work/$name/root"
        for dir in $(cgroup_mounts); do
            find "$dir/vmfex-packages-$$-$name" -depth -type d \
                -exec rmdir {} \; 2> /dev/null
        done
    done
    machines=
}
