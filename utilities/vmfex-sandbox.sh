# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# Hosts, switches and VMs in network namespaces: shell functions for
# "quickstart demo", "quickstart sandbox" and the tests in tests/system-*.at.
#
# A node, that is a host or a switch, is a network namespace with an
# ovsdb-server and an ovs-vswitchd-vmfex of its own.  A VM is a network
# namespace with one network device, e0.  Trunks, and the cables from VMs to
# their hosts, are veth pairs.  Nothing outside of these namespaces and of one
# directory is touched, so an Open vSwitch of the machine is not disturbed, and
# any number of sandboxes can run side by side.
#
# For each node and each VM there is a command of its name, which runs a
# command there:
#
#     host1 ovs-vsctl show
#     vm1 ping vm2
#
# The caller has ovs-vswitchd-vmfex and Open vSwitch's programs in PATH, and
# sets OVS_PKGDATADIR to the directory of vswitch.ovsschema.  It is root, and has
# read vmfex-logs.sh.
#
# For POSIX shells that have "local".

# sandbox_create DIR ID
#
# Starts a sandbox without anything in it, in DIR, an absolute name.  Names of
# network namespaces begin with ID, which must be unique on the machine.
# The caller then has to see to it that sandbox_destroy is called, whatever
# happens.
sandbox_create() {
    SANDBOX_DIR=$1
    SANDBOX_ID=$2
    SANDBOX_NODES=
    SANDBOX_VMS=
    mkdir -p "$SANDBOX_DIR/bin" || return 1
    # The VMs have an /etc/hosts of their own, with their names, where that can
    # be had without writing to /etc.
    cat /etc/hosts > "$SANDBOX_DIR/hosts" 2>/dev/null || :
    PATH=$SANDBOX_DIR/bin:$PATH
    export PATH
}

# sandbox_destroy
#
# Ends the daemons and deletes the namespaces of the sandbox.  Leaves its
# directory alone.  May be called at any time, and again.
sandbox_destroy() {
    local name ns pids i
    pids=
    for name in $SANDBOX_NODES; do
        for i in ovs-vswitchd ovsdb-server; do
            pids="$pids $(cat "$SANDBOX_DIR/$name/$i.pid" 2>/dev/null)"
        done
    done
    # Whatever else runs there, such as a server in a VM, is ours, too.
    for ns in $SANDBOX_NODES $SANDBOX_VMS; do
        pids="$pids $(ip netns pids "$SANDBOX_ID-$ns" 2>/dev/null)"
    done
    sandbox_kill $pids
    for ns in $SANDBOX_NODES $SANDBOX_VMS; do
        ip netns del "$SANDBOX_ID-$ns" 2>/dev/null
    done
    SANDBOX_NODES=
    SANDBOX_VMS=
    return 0
}

# _sandbox_runs PID: there is such a process, and it is not a zombie.
_sandbox_runs() {
    kill -0 "$1" 2>/dev/null &&
    ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# sandbox_kill PID...
#
# Ends processes, and waits until they are gone.
sandbox_kill() {
    local pid i left
    for i in TERM 2 3 4 5 6 7 8 9 10 KILL 12 13; do
        left=
        for pid; do
            if _sandbox_runs "$pid"; then
                left="$left $pid"
            fi
        done
        test -n "$left" || return 0
        set -- $left
        case $i in
        [A-Z]*) kill -$i "$@" 2>/dev/null ;;
        esac
        sleep 0.2
    done
    return 1
}

# A command to run another one in network namespace NAME of the sandbox.
_sandbox_command() {
    local name
    name=$1
    cat > "$SANDBOX_DIR/bin/$name.tmp" || return 1
    chmod +x "$SANDBOX_DIR/bin/$name.tmp" &&
    mv "$SANDBOX_DIR/bin/$name.tmp" "$SANDBOX_DIR/bin/$name"
}

_sandbox_namespace() {
    local name
    name=$SANDBOX_ID-$1
    ip netns add "$name" || return 1
    # A device with an IPv6 address says so on its own; that makes captures
    # and counters hard to read.
    nsenter --net="/run/netns/$name" -- sh -c '
        for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do
            test ! -e $f || echo 1 > $f
        done' 2>/dev/null
    _sandbox_ip "$1" link set lo up
}

# _sandbox_ip NAME ARGUMENT...
#
# Like "ip -n", which needs more of the machine than a network namespace.
_sandbox_ip() {
    local name
    name=$1
    shift
    nsenter --net="/run/netns/$SANDBOX_ID-$name" -- ip "$@"
}

# The namespace of node NAME, its directory, and its command.
_sandbox_node_namespace() {
    local name dir
    name=$1
    dir=$SANDBOX_DIR/$name
    SANDBOX_NODES="$SANDBOX_NODES $name"
    _sandbox_namespace "$name" || return 1
    mkdir -p "$dir" || return 1
    _sandbox_command "$name" <<END
#!/bin/sh
OVS_RUNDIR='$dir' OVS_LOGDIR='$dir' OVS_DBDIR='$dir' OVS_SYSCONFDIR='$dir'
export OVS_RUNDIR OVS_LOGDIR OVS_DBDIR OVS_SYSCONFDIR
test \$# != 0 || set -- "\${SHELL:-/bin/sh}"
exec nsenter --net='/run/netns/$SANDBOX_ID-$name' -- "\$@"
END
}

# sandbox_manager
#
# Makes the node "manager", with the manager's database and vmfex-managerd.
# VMFEX_SCHEMA is the file of its schema.
sandbox_manager() {
    local dir
    dir=$SANDBOX_DIR/manager
    _sandbox_node_namespace manager &&
    ovsdb-tool create "$dir/vmfex.db" "$VMFEX_SCHEMA" &&
    manager ovsdb-server -vconsole:off --detach --no-chdir --pidfile \
        --log-file --remote=punix:"$dir/vmfex.sock" "$dir/vmfex.db" &&
    manager vmfex-managerd -vconsole:off --detach --no-chdir --pidfile \
        --log-file
}

# sandbox_controller NODE host|switch
#
# Tells NODE who the manager is, and starts its vmfex-controller.
sandbox_controller() {
    local bridge
    bridge=
    test "$2" = host || bridge=external_ids:vmfex-switch-bridge=br-up
    sandbox_run "$1" ovs-vsctl set Open_vSwitch . \
        external_ids:system-id="$1" external_ids:vmfex-node="$2" \
        external_ids:vmfex-remote="unix:$SANDBOX_DIR/manager/vmfex.sock" \
        $bridge &&
    sandbox_run "$1" vmfex-controller -vconsole:off --detach --no-chdir \
        --pidfile --log-file
}

# sandbox_node NAME
#
# Makes a host or a switch, and starts its daemons.
sandbox_node() {
    local name dir program
    name=$1
    dir=$SANDBOX_DIR/$name
    program=$(command -v ovs-vswitchd-vmfex) || {
        echo "ovs-vswitchd-vmfex is not in PATH" >&2
        return 1
    }
    case $program in
    /*) ;;
    *) program=$(pwd)/$program ;;
    esac

    _sandbox_node_namespace "$name" || return 1

    # Under its usual name, so that tools find it without being told.
    ln -sf "$program" "$dir/ovs-vswitchd" &&
    ovsdb-tool create "$dir/conf.db" \
        "$OVS_PKGDATADIR/vswitch.ovsschema" &&
    "$name" ovsdb-server -vconsole:off --detach --no-chdir --pidfile \
        --log-file --remote=punix:"$dir/db.sock" \
        --remote=db:Open_vSwitch,Open_vSwitch,manager_options \
        "$dir/conf.db" &&
    "$name" ovs-vsctl --no-wait --timeout=20 init &&
    sandbox_start_vswitchd "$name"
}

# sandbox_start_vswitchd NODE [OPTION...]
sandbox_start_vswitchd() {
    local name
    name=$1
    shift
    "$name" "$SANDBOX_DIR/$name/ovs-vswitchd" -vconsole:off --detach \
        --no-chdir --pidfile --log-file "$@" \
        unix:"$SANDBOX_DIR/$name/db.sock"
}

# sandbox_stop_node NODE
#
# Ends the daemons of NODE in the proper way, and waits until they are gone.
sandbox_stop_node() {
    sandbox_stop_daemon "$1" ovs-vswitchd exit --cleanup &&
    sandbox_stop_daemon "$1" ovsdb-server exit
}

# sandbox_stop_daemon NODE DAEMON COMMAND...
sandbox_stop_daemon() {
    local node daemon pid i
    node=$1 daemon=$2
    shift 2
    pid=$(cat "$SANDBOX_DIR/$node/$daemon.pid") &&
    "$node" ovs-appctl --timeout=20 -t "$daemon" "$@" || return 1
    for i in $(seq 600); do
        _sandbox_runs "$pid" || return 0
        sleep 0.05
    done
    echo "$daemon of $node did not end" >&2
    return 1
}

# sandbox_trunk NODE1 DEVICE1 NODE2 DEVICE2 [MTU]
#
# Puts a cable between two nodes.  It takes a larger MTU than that of the VMs,
# 1500, to make room for a tag.
sandbox_trunk() {
    local mtu
    mtu=${5-1600}
    ip link add "$2" netns "$SANDBOX_ID-$1" type veth \
        peer name "$4" netns "$SANDBOX_ID-$3" &&
    _sandbox_ip "$1" link set "$2" mtu "$mtu" up &&
    _sandbox_ip "$3" link set "$4" mtu "$mtu" up
}

# sandbox_vm NAME NODE PORT ADDRESS/LEN [MTU]
#
# Makes a VM whose cable is device PORT of NODE.  VMs know each other by name.
sandbox_vm() {
    local name address
    name=$1 address=$4
    SANDBOX_VMS="$SANDBOX_VMS $name"
    _sandbox_namespace "$name" || return 1
    echo "${address%/*} $name" >> "$SANDBOX_DIR/hosts"
    _sandbox_command "$name" <<END || return 1
#!/bin/sh
test \$# != 0 || set -- "\${SHELL:-/bin/sh}"
exec nsenter --net='/run/netns/$SANDBOX_ID-$name' -- \\
     unshare --mount -- sh -c \\
     'mount --bind "\$0" /etc/hosts 2>/dev/null; exec "\$@"' \\
     '$SANDBOX_DIR/hosts' "\$@"
END
    sandbox_vm_cable "$@"
}

# sandbox_vm_cable NAME NODE PORT ADDRESS/LEN [MTU]
#
# Gives a VM its device and its cable, anew if these were deleted.
sandbox_vm_cable() {
    local name node port address mtu
    name=$1 node=$2 port=$3 address=$4
    mtu=${5-1500}
    ip link add e0 netns "$SANDBOX_ID-$name" type veth \
        peer name "$port" netns "$SANDBOX_ID-$node" &&
    _sandbox_ip "$name" link set e0 mtu "$mtu" \
        address "$(_sandbox_mac "$address")" &&
    _sandbox_ip "$name" addr add "$address" dev e0 &&
    _sandbox_ip "$name" link set e0 up &&
    _sandbox_ip "$node" link set "$port" mtu "$mtu" up
}

# A MAC address that is easily recognised: 52:54:00:00:00:03 for 10.0.0.3.
_sandbox_mac() {
    local address b c d
    address=${1%/*}
    address=${address#*.}
    b=${address%%.*} address=${address#*.}
    c=${address%%.*} d=${address#*.}
    printf '52:54:00:%02x:%02x:%02x\n' "$b" "$c" "$d"
}

# sandbox_run COMMAND...
#
# Runs a command that a user would type, by way of $SANDBOX_RUN, which may show
# it.
sandbox_run() {
    ${SANDBOX_RUN-} "$@"
}

# sandbox_host_bridge HOST TAG UPLINK...
#
# Configures a host, without adapters.
sandbox_host_bridge() {
    local host tag uplink
    host=$1 tag=$2
    shift 2
    sandbox_run "$host" ovs-vsctl add-br br-fex \
        -- set bridge br-fex datapath_type=vmfex || return 1
    for uplink; do
        sandbox_trunk_port "$host" br-fex "$uplink" uplink "$tag" || return 1
    done
}

# sandbox_switch_bridges SWITCH TAG DOWNLINK...
#
# Configures a switch, without vethernet ports.
sandbox_switch_bridges() {
    local switch tag downlink
    switch=$1 tag=$2
    shift 2
    sandbox_run "$switch" ovs-vsctl add-br br-dn \
        -- set bridge br-dn datapath_type=vmfex || return 1
    for downlink; do
        sandbox_trunk_port "$switch" br-dn "$downlink" downlink "$tag" ||
            return 1
    done
    sandbox_run "$switch" ovs-vsctl add-br br-up \
        -- set bridge br-up datapath_type=netdev
}

# sandbox_trunk_port NODE BRIDGE DEVICE ROLE TAG
sandbox_trunk_port() {
    # VN-Tag is the default, no need to write it.
    set -- "$1" "$2" "$3" other_config:vmfex-role="$4" "$5"
    case $5 in
    vn-tag) set -- "$1" "$2" "$3" "$4" ;;
    *) set -- "$1" "$2" "$3" "$4" other_config:vmfex-tag="$5" ;;
    esac
    sandbox_run "$1" ovs-vsctl add-port "$2" "$3" -- set interface "$3" \
        "$4" ${5+"$5"}
}

# sandbox_adapter HOST ADAPTER TRUNK VIF [OPTION...]
sandbox_adapter() {
    local host adapter trunk vif
    host=$1 adapter=$2 trunk=$3 vif=$4
    shift 4
    sandbox_run "$host" ovs-vsctl add-port br-fex "$adapter" \
        -- set interface "$adapter" type=vethernet \
        options:trunk="$trunk" options:vif="$vif" "$@"
}

# sandbox_vethernet SWITCH PORT VLAN TRUNK VIF [OPTION...]
sandbox_vethernet() {
    local switch port vlan trunk vif
    switch=$1 port=$2 vlan=$3 trunk=$4 vif=$5
    shift 5
    sandbox_run "$switch" ovs-vsctl add-port br-up "$port" tag="$vlan" \
        -- set interface "$port" type=vethernet \
        options:trunk="$trunk" options:vif="$vif" "$@"
}

# The sandbox that the demo shows, in three steps.
#
#     vm1 -- vnet1 host1 eth1 ------ eth7 switch
#     vm3 -- vnet3 host1                  switch
#     vm2 -- vnet2 host2 eth1 ------ eth8 switch
sandbox_demo_machines() {
    sandbox_node host1 &&
    sandbox_node host2 &&
    sandbox_node switch &&
    sandbox_trunk host1 eth1 switch eth7 &&
    sandbox_trunk host2 eth1 switch eth8 &&
    sandbox_vm vm1 host1 vnet1 10.0.0.1/24 &&
    sandbox_vm vm2 host2 vnet2 10.0.0.2/24 &&
    sandbox_vm vm3 host1 vnet3 10.0.0.3/24
}

# sandbox_demo_switch [TAG]
sandbox_demo_switch() {
    sandbox_switch_bridges switch "${1-vn-tag}" eth7 eth8 &&
    sandbox_vethernet switch ve1 10 eth7 1 &&
    sandbox_vethernet switch ve3 20 eth7 2 &&
    sandbox_vethernet switch ve2 10 eth8 1
}

# sandbox_demo_hosts [TAG]
sandbox_demo_hosts() {
    sandbox_host_bridge host1 "${1-vn-tag}" eth1 &&
    sandbox_adapter host1 veth1 eth1 1 &&
    sandbox_adapter host1 veth2 eth1 2 &&
    SANDBOX_RUN= sandbox_host_bridge host2 "${1-vn-tag}" eth1 &&
    SANDBOX_RUN= sandbox_adapter host2 veth1 eth1 1
}

# Where libvirt would add the VMs' ports.
sandbox_demo_ports() {
    sandbox_run host1 ovs-vsctl add-port br-fex vnet1 &&
    sandbox_run host1 ovs-vsctl add-port br-fex vnet3 &&
    sandbox_run host2 ovs-vsctl add-port br-fex vnet2
}

# sandbox_wait_state NODE VETHERNET STATE
sandbox_wait_state() {
    "$1" ovs-vsctl --timeout=20 wait-until interface "$2" "status:state=$3"
}

sandbox_demo_wait() {
    sandbox_wait_state host1 veth1 active &&
    sandbox_wait_state host1 veth2 active &&
    sandbox_wait_state host2 veth1 active &&
    sandbox_wait_state switch ve1 active &&
    sandbox_wait_state switch ve2 active &&
    sandbox_wait_state switch ve3 active
}

# sandbox_check_logs NODE...
#
# Prints each line of the logs of NODEs that is a warning or worse, see
# vmfex_warnings().  Fails if there is any.
sandbox_check_logs() {
    local node status
    status=0
    for node; do
        vmfex_warnings "" "$SANDBOX_DIR/$node"/*.log |
            sed "s/^/$node: /" > "$SANDBOX_DIR/$node/warnings"
        if test -s "$SANDBOX_DIR/$node/warnings"; then
            cat "$SANDBOX_DIR/$node/warnings"
            status=1
        fi
    done
    return $status
}
