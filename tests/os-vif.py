#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""os-vif.py plug|unplug KIND NAME IFACE-ID MAC BRIDGE DATAPATH-TYPE [MTU]

Does to a port what OpenStack's Nova does when it starts or ends a VM: calls
plug() or unplug() of os-vif, as Debian's python3-os-vif has it, with its
defaults: OVSDB over tcp:127.0.0.1:6640.  KIND is

    vif          VIFOpenVSwitch; it is libvirt that adds the port
    create-port  VIFOpenVSwitch with create_port; NAME is a device
    vhost-user   VIFVHostUser whose socket is NAME, a file; QEMU is the server
    representor  VIFHostDevice, NAME being the PCI address of a virtual function
    hybrid       VIFBridge, with a Linux bridge and a veth pair between

DATAPATH-TYPE is what Neutron says that the bridge is, or "" if it does not
say so."""

import sys
import uuid

from oslo_config import cfg
import os_vif
from os_vif import objects
from vif_plug_linux_bridge import privsep as linux_bridge_privsep
from vif_plug_ovs import privsep

INSTANCE = "b2f0a6c4-0000-4000-a000-000000000001"


def make_vif(kind, name, iface_id, mac, bridge, datapath_type, mtu):
    """Returns the VIF object that Nova would make."""
    profile = objects.vif.VIFPortProfileOpenVSwitch(interface_id=iface_id)
    if datapath_type:
        profile.datapath_type = datapath_type
    common = {
        "id": iface_id,
        "address": mac,
        "plugin": "ovs",
        "network": objects.network.Network(
            id=str(uuid.UUID(int=1)), bridge=bridge, mtu=mtu),
        "port_profile": profile,
    }
    if kind in ("vif", "create-port"):
        profile.create_port = kind == "create-port"
        return objects.vif.VIFOpenVSwitch(
            vif_name=name, bridge_name=bridge, **common)
    if kind == "vhost-user":
        return objects.vif.VIFVHostUser(path=name, mode="server", **common)
    if kind == "representor":
        common["port_profile"] = objects.vif.VIFPortProfileOVSRepresentor(
            interface_id=iface_id, datapath_type=datapath_type,
            representor_name=name, representor_address=name)
        return objects.vif.VIFHostDevice(
            dev_type="ethernet", dev_address=name, **common)
    if kind == "hybrid":
        return objects.vif.VIFBridge(
            vif_name=name, bridge_name="qbr" + iface_id[:11], **common)
    raise SystemExit(__doc__)


def main(args):
    if len(args) not in (7, 8) or args[0] not in ("plug", "unplug"):
        raise SystemExit(__doc__)
    # Here is nobody but root, so privileged calls need no helper process.
    for context in (privsep.vif_plug, linux_bridge_privsep.vif_plug):
        context.set_client_mode(False)
    cfg.CONF([])
    os_vif.initialize()
    vif = make_vif(*args[1:7], mtu=int(args[7]) if len(args) > 7 else 1500)
    instance = objects.instance_info.InstanceInfo(
        uuid=INSTANCE, name="instance-00000001")
    getattr(os_vif, args[0])(vif, instance)


if __name__ == "__main__":
    main(sys.argv[1:])
