# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# "quickstart demo" with the manager.  For quickstart, whose functions it uses
# and which has the stand-alone demo.

IFACE_ID_PREFIX=b2f0a6c4-0000-4000-8000-00000000000

managed_picture() {
    cat <<'END'

                     vmfex-managerd, the manager's database
                    /            |            \
   vm1 10.0.0.1 --- vnet1 +-------+ VN-Tag      +--------+ ve1 profile web
                          | host1 | eth1 == eth7|        | ve3 profile db
   vm3 10.0.0.3 --- vnet3 +-------+             | switch |
                          +-------+ VN-Tag      |        |
   vm2 10.0.0.2 --- vnet2 | host2 | eth1 == eth8|        | ve2 profile web
                          +-------+             +--------+
END
}

managed_machines() {
    title "Two hosts, one switch, a manager, and three VMs"
    managed_picture
    say
    tell "They are network namespaces.  host1, host2 and switch each run an" \
        "ovsdb-server, an ovs-vswitchd-vmfex and a vmfex-controller of their" \
        "own.  In what follows, \"host1 COMMAND\" runs COMMAND on host1."
    sandbox_demo_machines && sandbox_manager || return 1
    sandbox_host_bridge host1 vn-tag eth1 &&
    sandbox_host_bridge host2 vn-tag eth1 &&
    sandbox_switch_bridges switch vn-tag eth7 eth8
}

managed_policy() {
    title "Once, and for all VMs: what there is, and what ports get"
    show manager vmfex-ctl policy-add default 4 \
        -- profile-add web 10 -- profile-add db 20 &&
    show manager vmfex-ctl switch-add switch \
        -- host-add host1 --policy=default \
        -- host-add host2 --policy=default \
        -- trunk-add host1 eth1 switch eth7 \
        -- trunk-add host2 eth1 switch eth8 || return 1
    tell "The policy gives each host 4 adapters, the profiles are VLAN 10 and" \
        "VLAN 20."
}

managed_controllers() {
    title "Each machine is told who the manager is"
    SANDBOX_RUN=show
    sandbox_controller host1 host || return 1
    SANDBOX_RUN=
    sandbox_controller host2 host &&
    sandbox_controller switch switch || return 1
    tell "The same on host2 and switch.  The hosts get adapters at once:"
    host1 ovs-vsctl --timeout=20 wait-until interface veth4 \
        status:state=free &&
    host2 ovs-vsctl --timeout=20 wait-until interface veth4 status:state=free
    expect "the manager made adapters on both hosts" test $? = 0
    show host1 ovs-appctl vmfex/show
}

# libvirt_port VM HOST PORT PROFILE: what libvirt does when a VM starts.
libvirt_port() {
    local vm=$1 host=$2 port=$3 profile=$4 mac
    mac=$("$vm" ip -br link show e0 | awk '{ print $3 }')
    sandbox_run "$host" ovs-vsctl --timeout=5 -- --may-exist add-port br-fex \
        "$port" -- set Interface "$port" external-ids:attached-mac="\"$mac\"" \
        -- set Interface "$port" \
        external-ids:iface-id="$IFACE_ID_PREFIX${vm#vm}" \
        -- set Interface "$port" external-ids:vm-id="$vm" \
        -- set Interface "$port" external-ids:port-profile="$profile" \
        -- set Interface "$port" external-ids:iface-status=active
}

managed_ports() {
    title "VMs start: libvirt adds a port, and that is all"
    SANDBOX_RUN=show
    libvirt_port vm1 host1 vnet1 web || return 1
    SANDBOX_RUN=
    libvirt_port vm2 host2 vnet2 web &&
    libvirt_port vm3 host1 vnet3 db || return 1
    tell "The same for vm2 with profile web and vm3 with profile db.  The" \
        "ports activate themselves:"
    for vm in 1 2 3; do
        expect "the port of vm$vm activated itself" manager vmfex-ctl \
            --timeout=20 port-wait $IFACE_ID_PREFIX$vm active
    done
    show manager vmfex-ctl show
    show switch ovs-vsctl --columns=name,tag find port tag=10
    expect "the switch has a port in VLAN 10 for vm1 and for vm2" \
        test "$(grep -c '^name' "$sandbox/out")" = 2
}

managed_vlan() {
    title "VMs of one profile reach each other, others do not"
    show vm1 ping -q -c 3 -i 0.3 -w 2 vm3
    expect "vm1 does not reach vm3, on the same host, with another profile" \
        out ' 0 received.*100% packet loss'
}

managed_profile() {
    title "A profile's edit reaches the ports that have it at once"
    show manager vmfex-ctl profile-set db --vlans=10
    vm1 ip neigh flush dev e0
    for ((i = 0; i < 50; i++)); do
        vm1 ping -q -c 1 -W 1 vm3 > /dev/null && break
        sleep 0.1
    done
    show vm1 ping -q -c 3 -i 0.3 -w 5 vm3
    expect "after one edit of its profile, vm3 is in reach" \
        out '3 received, 0% packet loss'
}

# Moves vm1 to host2, as QEMU does: the VM's NIC is at one place and then, with
# the same addresses, at the other, from where it announces itself.
move_cable() {
    vm1 sh -c 'ip link set e0 down
        ip addr del 10.0.0.1/24 dev e0
        ip addr add 10.0.0.1/24 dev e1
        ip link set e1 up'
}

managed_move() {
    local pid sent received
    title "vm1 moves to host2, while vm2 pings it"
    ip link add e1 netns "$SANDBOX_ID-vm1" type veth \
        peer name vnet1 netns "$SANDBOX_ID-host2" &&
    _sandbox_ip vm1 link set e1 address "$(_sandbox_mac 10.0.0.1/24)" &&
    vm1 ethtool -K e1 tx off > /dev/null &&
    vm1 sh -c 'echo 1 > /proc/sys/net/ipv4/conf/e1/arp_notify' &&
    _sandbox_ip host2 link set vnet1 up || return 1

    vm2 ping -q -c 300 -i 0.01 -W 1 vm1 > "$sandbox/ping" 2>&1 &
    pid=$!
    sleep 0.5
    SANDBOX_RUN=show
    libvirt_port vm1 host2 vnet1 web
    SANDBOX_RUN=
    tell "host2 is the destination: its port gets an adapter, whose channel" \
        "is the standby of ve1 on the switch.  Then the VM goes on there, and" \
        "its first frame switches ve1 over, in the datapath.  Last, libvirt" \
        "removes the port on host1."
    host2 ovs-vsctl --timeout=20 wait-until interface vnet1 \
        external_ids:vmfex-state=incoming
    expect "the port on host2 waited for vm1" test $? = 0
    switch ovs-vsctl --timeout=20 wait-until interface ve1 \
        'options:standby-trunk=eth8'
    expect "the switch was ready for the move before it happened" test $? = 0
    sleep 0.2
    move_cable
    show manager vmfex-ctl --timeout=20 port-wait --host=host2 \
        ${IFACE_ID_PREFIX}1 active
    expect "the manager followed: vm1 is bound to host2" \
        manager vmfex-ctl --timeout=20 port-wait --host=host2 \
        ${IFACE_ID_PREFIX}1 active
    show host1 ovs-vsctl --if-exists del-port vnet1
    wait $pid
    show_as "vm2 ping -q -c 300 -i 0.01 vm1     # meanwhile" cat "$sandbox/ping"
    sent=$(sed -n 's/ packets transmitted.*//p' "$sandbox/ping")
    received=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$sandbox/ping")
    tell "Lost in the move: $((sent - received)) of $sent pings, one each 10" \
        "ms."
    expect "the move lost less than half a second of pings" \
        test $((sent - received)) -lt 50
    for ((i = 0; i < 100; i++)); do
        test "$(host1 ovs-vsctl --bare --columns=name find interface \
            status:state=free | grep -c .)" = 3 && break
        sleep 0.1
    done
    expect "host1 has its adapter back" test $i -lt 100
}

managed_end() {
    title "The manager's view at the end"
    show manager vmfex-ctl port-list
    expect "three ports are active" \
        test "$(grep -c ' active ' "$sandbox/out")" = 3
    show switch ovs-appctl vmfex/show
    expect "there is no warning in the logs of the machines" \
        sandbox_check_logs host1 host2 switch manager
}

managed_demo() {
    managed_machines && managed_policy && managed_controllers &&
        managed_ports || die "could not configure the machines"
    demo_ping
    managed_vlan
    managed_profile
    demo_acl
    managed_move || die "could not move the VM"
    managed_end
}
