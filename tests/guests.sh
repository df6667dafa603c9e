# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Real virtual machines for tests: a small Linux, and hosts with libvirt.
#
# The guest is Debian's kernel with an initial RAM disk of busybox.  It runs in
# QEMU without KVM, which is not everywhere where tests run, and boots in some
# seconds.  What it does:
#
# - Each of its network devices gets an address of the last byte of its MAC
#   address, 10.0.0.3 for 52:54:00:00:00:03, also one that is plugged later.
# - TCP port 99 takes a shell command and gives its output, see guest_run();
#   port 98 sends back what it gets, and port 97 its MD5 sum.
# - The MTU of its devices is the kernel's parameter "mtu", or 1500.
# - It has the program guest-frames, see guest-frames.c.
# - The power button switches it off.
# - What it says goes to the file NAME.console.
#
# A host is a node of utilities/vmfex-sandbox.sh with a libvirtd of its own,
# with directories and a host name of its own.
#
# For bash.  The caller has what vmfex-sandbox.sh wants, and a started sandbox, and
# sets $here to the name of this directory, and $guest_hook to that of
# controller/libvirt-hook.

# With vhost-user, VMs are in hugepages if the machine has enough of 2 MiB that
# are free: 48 for each, and as many again for one that moves.
guest_hugepages=
if test "$(awk '/^HugePages_Free:/ { n = $2 }
                /^Hugepagesize:/ && $2 == 2048 { print n }' \
               /proc/meminfo)" -ge 200 2> /dev/null; then
    guest_hugepages="<hugepages/>"
fi

# guests_make DIRECTORY: downloads what a guest is made of to DIRECTORY, or takes
# what is there, packs it in $work/guest, and sets $guest_kernel and
# $guest_initrd.
guests_make() {
    guests_download "$1" && mkdir "$work/guest" &&
    cc -O2 -static -I "$OVS_BUILDDIR" -o "$work/guest/guest-frames" \
        "$here/guest-frames.c" &&
    guests_pack "$work/guest" guests_init virtio_pci virtio_net button evdev \
        8021q -- "$work/guest/guest-frames"
}

# guests_download DIRECTORY: downloads the kernel, or takes what is there, and
# sets $guest_kernel and $guest_modules.  Several may do so at a time.
guests_download() {
    guest_kernel=$1/guest/vmlinuz
    guest_modules=$1/guest/modules
    (flock 9 && guests_download_locked "$1") 9> "$1/.lock-guest"
}

guests_download_locked() {
    local dir=$1/guest package
    package=$(apt-cache depends linux-image-cloud-amd64 |
              awk '/Depends: linux-image-/ { print $2; exit }')
    if test ! -e "$dir/$package.deb"; then
        rm -rf "$dir" && mkdir -p "$dir/download" &&
        (cd "$dir/download" &&
         apt-get -q -o APT::Sandbox::User=root download "$package") &&
        dpkg-deb -x "$dir"/download/*.deb "$dir/download" &&
        mv "$dir"/download/boot/vmlinuz-* "$guest_kernel" &&
        mv "$dir"/download/lib/modules/*/kernel "$guest_modules" &&
        mv "$dir"/download/*.deb "$dir/$package.deb" || return 1
        rm -rf "$dir/download"
    fi
}

# guests_pack DIRECTORY INIT MODULE... -- [PROGRAM...]: makes the initial RAM
# disk in DIRECTORY, and sets $guest_initrd.  INIT prints the first process,
# which loads MODULEs with ". /etc/modules".
guests_pack() {
    local dir=$1 init=$2 todo=$1/todo path
    guest_initrd=$dir/initrd
    shift 2
    rm -rf "$dir/root" && mkdir -p "$dir/root"/{bin,dev,etc,proc,sys} &&
    # Modules, each after those that it depends on.
    : > "$todo" || return 1
    while test "$1" != --; do
        guests_module "$guest_modules" "$1" "$todo" || return 1
        shift
    done
    shift
    while read -r path; do
        cp "$path" "$dir/root" &&
        echo "insmod /${path##*/}" || return 1
    done < "$todo" > "$dir/root/etc/modules"
    cp "$(command -v busybox)" "$@" "$dir/root/bin" &&
    $init > "$dir/root/init" &&
    chmod +x "$dir/root/init" &&
    (cd "$dir/root" && find . | cpio -o -H newc --quiet | gzip -1) \
        > "$guest_initrd"
}

# guests_module DIRECTORY NAME LIST: adds module NAME to LIST, if need be, and
# before it what it depends on.
guests_module() {
    local path name
    path=$(find "$1" -name "$2.ko") && test -n "$path" || {
        echo "there is no kernel module $2" >&2
        return 1
    }
    ! grep -qx "$path" "$3" || return 0
    for name in $(modinfo -F depends "$path" | tr , ' '); do
        guests_module "$1" "$name" "$3" || return 1
    done
    echo "$path" >> "$3"
}

# Prints the first process of the guest.
guests_init() {
    cat <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
. /etc/modules
ip link set lo up
nc -ll -p 99 -e /bin/sh &
nc -ll -p 98 -e /bin/cat &
nc -ll -p 97 -e /bin/md5sum &
# An event of the button is 24 bytes.
for event in /dev/input/event*; do
    { head -c 24 $event > /dev/null; echo "guest: off"; poweroff -f; } &
done
echo "guest: up after $(cut -d ' ' -f 1 /proc/uptime) s"
while :; do
    for dir in /sys/class/net/eth*; do
        dev=${dir##*/}
        test -e $dir || continue
        ip -4 addr show dev $dev | grep -q inet && continue
        mac=$(cat $dir/address)
        echo 1 > /proc/sys/net/ipv4/conf/$dev/arp_notify
        ip addr add 10.0.0.$((0x${mac##*:}))/24 dev $dev
        ip link set $dev mtu ${mtu-1500} up
        echo "guest: $dev has $mac"
    done
    sleep 0.2
done
END
}

# guests_libvirtd NODE: starts libvirtd on NODE, also again.  Its number is the
# last character of its name.
guests_libvirtd() {
    local node=$1 dir=$SANDBOX_DIR/$1/libvirt
    mkdir -p "$dir"/{etc,run,lib,log,cache,huge} &&
    ln -sfn "$SANDBOX_DIR/$node" "$dir/run/openvswitch" &&
    cat > "$dir/etc/libvirtd.conf" <<END &&
host_uuid = "b2f0a6c4-0000-4000-9000-00000000000${node: -1}"
listen_tls = 0
unix_sock_dir = "$dir"
auth_unix_rw = "none"
log_outputs = "2:file:$dir/libvirtd.log"
END
    # Scripts that libvirt starts have not its environment.
    mkdir -p "$dir/etc/hooks/qemu.d" &&
    cat > "$dir/etc/hooks/qemu.d/vmfex" <<END || return 1
#!/bin/sh
OVS_RUNDIR='$SANDBOX_DIR/$node' exec '$guest_hook' "\$@"
END
    chmod +x "$dir/etc/hooks/qemu.d/vmfex"
    # No other user, no security driver, no control groups: a sandbox has not
    # all that they need.
    cat > "$dir/etc/qemu.conf" <<END || return 1
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = [ ]
${guest_hugepages:+hugetlbfs_mount = \"$dir/huge\"}
cgroup_controllers = [ ]
stdio_handler = "file"
END
    # libvirt looks for its user, whatever that file says.
    { cat /etc/passwd; echo libvirt-qemu:x:64055:64055::/:/bin/false; } \
        > "$dir/etc/passwd"
    { cat /etc/group; echo libvirt-qemu:x:64055:; } > "$dir/etc/group"
    { cat /etc/hosts; echo "127.0.0.1 $node"; } > "$dir/etc/hosts"
    "$node" unshare --mount --uts --propagation private sh -c '
        hostname "$0" &&
        { test -z "$2" || mount -t hugetlbfs hugetlbfs "$1/huge"; } &&
        mount --bind "$1/etc" /etc/libvirt &&
        mount --bind "$1/etc/passwd" /etc/passwd &&
        mount --bind "$1/etc/group" /etc/group &&
        mount --bind "$1/etc/hosts" /etc/hosts &&
        mount --bind "$1/lib" /var/lib &&
        mount --bind "$1/log" /var/log &&
        mount --bind "$1/cache" /var/cache &&
        mount --bind "$1/run" /run &&
        exec libvirtd --config /etc/libvirt/libvirtd.conf \
                      --pid-file "$1/libvirtd.pid"' "$node" "$dir" \
        "$guest_hugepages" \
        < /dev/null > "$dir/libvirtd.out" 2>&1 &
}

# guests_libvirtd_wait NODE: waits until it takes commands.
guests_libvirtd_wait() {
    within 120 eval "virsh $1 version > /dev/null 2>&1" && return
    guests_log "$1"
    return 1
}

# guests_log NODE: what is of interest in the log of its libvirtd.
guests_log() {
    cat "$SANDBOX_DIR/$1/libvirt/libvirtd.out"
    grep -v virNetDevSendEthtoolIoctl "$SANDBOX_DIR/$1/libvirt/libvirtd.log" |
        tail -n 20
}

# virsh NODE ARGUMENT...
virsh() {
    local node=$1
    shift
    "$node" env virsh -c "$(guests_uri "$node")" "$@"
}

guests_uri() {
    echo "qemu:///system?socket=$SANDBOX_DIR/$1/libvirt/libvirt-sock"
}

# guest_iface_id NUMBER: the port's name for the manager.
guest_iface_id() {
    echo "b2f0a6c$1-0000-4000-8000-000000000000"
}

# guest_interface NUMBER PROFILE [BRIDGE]: prints the interface, for libvirt.
# BRIDGE is an ordinary one, which cannot complete what a guest leaves to its
# device.  If $guest_socket is not empty, the interface is a vhost-user one as
# Nova describes it, which has a port already.
guest_interface() {
    test -z "$guest_socket" || {
        cat <<END
<interface type='vhostuser'>
  <mac address='52:54:00:00:00:0$1'/>
  <source type='unix' path='$guest_socket' mode='server'/>
  <model type='virtio'/>
  <driver queues='$(guest_queues "$1")'/>
  <rom enabled='no'/>
</interface>
END
        return
    }
    cat <<END
<interface type='bridge'>
  <mac address='52:54:00:00:00:0$1'/>
  <source bridge='${3-br-fex}'/>
  ${3+<driver><host csum='off' gso='off'/></driver>}
  <virtualport type='openvswitch'>
    <parameters interfaceid='$(guest_iface_id "$1")' profileid='$2'/>
  </virtualport>
  <model type='virtio'/>
  <rom enabled='no'/>
</interface>
END
}

# guest_queues NUMBER: how many queues, and virtual CPUs, it has with
# $guest_socket.
guest_queues() {
    echo $(($1 == 2 ? 2 : 1))
}

# guest_domain NUMBER PROFILE [BRIDGE]: prints the VM vmNUMBER, for libvirt.
#
# With $guest_socket, its memory is shared with ovs-vswitchd, its MTU is 1400,
# and it takes no interrupts as messages (MSI-X): without KVM, QEMU 7.2 dies of
# a null pointer when a guest's vhost-user device begins to use them.
guest_domain() {
    local memory= options= vcpus=1
    test -z "$guest_socket" || {
        memory="<memoryBacking>$guest_hugepages<source type='memfd'/>
            <access mode='shared'/></memoryBacking>"
        options="pci=nomsi mtu=1400"
        vcpus=$(guest_queues "$1")
    }
    cat <<END
<domain type='qemu'>
  <name>vm$1</name>
  <uuid>b2f0a6c4-0000-4000-a000-00000000000$1</uuid>
  <memory unit='MiB'>96</memory>
  $memory
  <vcpu>$vcpus</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$guest_kernel</kernel>
    <initrd>$guest_initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=1 no_timer_check $options</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <controller type='usb' model='none'/>
    $(guest_interface "$@")
    <serial type='file'>
      <source path='$SANDBOX_DIR/vm$1.console' append='on'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
END
}

# guest_run NUMBER COMMAND: runs it in vmNUMBER, by way of the VM "client".
guest_run() {
    printf '%s\n' "$2" | client nc -N -w 120 "10.0.0.$1" 99
}

# sends FROM ADDRESS BYTES: as much goes by TCP from VM FROM to ADDRESS, which
# answers with its MD5 sum.
sends() {
    guest_run "$1" "
        head -c $3 /dev/urandom > /file && md5sum < /file &&
        nc -w 60 $2 97 < /file; rm /file" > "$work/sums" &&
    cat "$work/sums" &&
    test "$(uniq -c "$work/sums" | awk '{ print $1, $3 }')" = "2 -"
}

# datagrams FROM TO SIZE: all of 200 arrive as they were sent, but for a few
# that a loaded machine loses.
datagrams() {
    local good
    guest_run "$2" 'guest-frames receive 5001' > "$work/datagrams" &
    within 10 eval "guest_run $2 'netstat -lun' | grep -q :5001" &&
    guest_run "$1" "guest-frames send 10.0.0.$2 5001 200 $3" &&
    wait $! && read -r good < "$work/datagrams" && echo "$good" &&
    test "${good#* }" = "good 0 bad" && test "${good%% *}" -ge 100
}

# sound NUMBER: the VM has got nothing with a wrong checksum.
sound() {
    guest_run "$1" 'cat /proc/net/snmp' | awk '
        $1 == old { for (i in name) { if (name[i] ~ /InCsumErrors/ && $i) {
                        print name[i], $i; bad = 1 } } }
        { delete name; for (i = 1; i <= NF; i++) name[i] = $i; old = $1; n++ }
        END { exit bad || n < 4 }'
}
