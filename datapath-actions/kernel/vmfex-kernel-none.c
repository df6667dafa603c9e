/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of all the others where configure was told --without-bpf: there is
 * no kernel path.  Whoever asks is told so by vmfex_kernel_open(), and has no
 * reason to call more than that and what may be called at any time. */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <errno.h>

#include "util.h"

bool
vmfex_kernel_exists(const char *owner OVS_UNUSED)
{
    return false;
}

int
vmfex_kernel_remove_unreadable(char **namep OVS_UNUSED)
{
    return 0;
}

int
vmfex_kernel_open(const char *owner OVS_UNUSED, char **errorp)
{
    *errorp = xstrdup("this ovs-vswitchd was built without the kernel path "
                      "(--without-bpf)");
    return EOPNOTSUPP;
}

bool
vmfex_kernel_is_open(void)
{
    return false;
}

void
vmfex_kernel_end(void)
{
    /* Nothing is open. */
}

void
vmfex_kernel_remove_all(void)
{
    /* Nothing is open. */
}

enum vmfex_kernel_attach_mode
vmfex_kernel_attach_trunk(int ifindex OVS_UNUSED, const char *name OVS_UNUSED,
                          enum vmfex_tag tag OVS_UNUSED,
                          enum vmfex_kernel_attach_mode wanted OVS_UNUSED,
                          char **reasonp OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool
vmfex_kernel_attach_port(int ifindex OVS_UNUSED, const char *name OVS_UNUSED,
                         char **reasonp OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool
vmfex_kernel_close(int ifindex OVS_UNUSED, const char *name OVS_UNUSED,
                   bool is_vlan_trunk OVS_UNUSED, char **reasonp OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool
vmfex_kernel_is_closed(int ifindex OVS_UNUSED)
{
    return false;
}

bool
vmfex_kernel_is_attached(int ifindex OVS_UNUSED)
{
    return false;
}

void
vmfex_kernel_detach(int ifindex OVS_UNUSED)
{
    /* Nothing is attached. */
}

void
vmfex_kernel_watch(void)
{
    /* Nothing is attached. */
}

bool
vmfex_kernel_was_touched(int ifindex OVS_UNUSED)
{
    return false;
}

void
vmfex_kernel_repair(int ifindex OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool
vmfex_kernel_is_behind_filters(int ifindex OVS_UNUSED)
{
    return false;
}

bool
vmfex_kernel_is_behind_tcx(int ifindex OVS_UNUSED)
{
    return false;
}

uint64_t
vmfex_kernel_count_seen(int ifindex OVS_UNUSED)
{
    return 0;
}

void
vmfex_kernel_filter_sockets(void)
{
    /* Nothing is attached. */
}

bool
vmfex_kernel_may_unhook(void)
{
    return false;
}

void
vmfex_kernel_sockets_park(void)
{
    /* Nothing is attached. */
}

int
vmfex_kernel_filter_behind(int fd OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

uint16_t
vmfex_kernel_may_go_behind(int ifindex OVS_UNUSED)
{
    return 0;
}

void
vmfex_kernel_go_behind(int ifindex OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

void
vmfex_kernel_port_stays(int ifindex OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

void
vmfex_kernel_trunk_stays(int ifindex OVS_UNUSED,
                         enum vmfex_tag tag OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

void
vmfex_kernel_sockets_resume(int ifindex OVS_UNUSED)
{
    /* Nothing is attached. */
}

void
vmfex_kernel_begin(void)
{
    OVS_NOT_REACHED();
}

int
vmfex_kernel_set_vif(int trunk OVS_UNUSED, uint16_t vif OVS_UNUSED,
                     const char *vethernet OVS_UNUSED, int port OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

int
vmfex_kernel_set_trunk(int ifindex OVS_UNUSED, const char *name OVS_UNUSED,
                       enum vmfex_tag tag OVS_UNUSED,
                       bool from_bridge OVS_UNUSED, bool promisc OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

int
vmfex_kernel_set_port(int ifindex OVS_UNUSED,
                      const struct vmfex_link *link OVS_UNUSED,
                      const struct vmfex_channel *channel OVS_UNUSED,
                      int trunk OVS_UNUSED,
                      const struct vmfex_channel *other OVS_UNUSED,
                      int other_trunk OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool
vmfex_kernel_has_moved(int trunk OVS_UNUSED,
                       const struct vmfex_channel *channel OVS_UNUSED,
                       bool adopted_only OVS_UNUSED)
{
    return false;
}

void
vmfex_kernel_keep_closed(int ifindex OVS_UNUSED,
                         bool keep_adopted OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

bool
vmfex_kernel_has_adopted_vif(int trunk OVS_UNUSED, uint16_t vif OVS_UNUSED)
{
    return false;
}

void
vmfex_kernel_sweep(bool keep_adopted OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

int
vmfex_kernel_keep_slot(const char *name OVS_UNUSED)
{
    return -1;
}

size_t
vmfex_kernel_get_macs(int port OVS_UNUSED,
                      struct eth_addr macs[VMFEX_N_MACS] OVS_UNUSED)
{
    return 0;
}
