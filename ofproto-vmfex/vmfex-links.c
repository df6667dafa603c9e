/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-links.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "connectivity.h"
#include "coverage.h"
#include "datapath-actions/pmd/vmfex-loan.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "hash.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-vmfex/vethernet-port.h"
#include "ofproto-vmfex/vmfex-channels.h"
#include "lib/vmfex-choice.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-path.h"
#include "ofproto-vmfex/vmfex-publish.h"
#include "ofproto-vmfex/vmfex-reports.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_links);

COVERAGE_DEFINE(vmfex_links_run);
COVERAGE_DEFINE(vmfex_link_made);
COVERAGE_DEFINE(vmfex_link_broken);

struct hmap all_lports = HMAP_INITIALIZER(&all_lports);
struct hmap all_vethernets = HMAP_INITIALIZER(&all_vethernets);

/* Why vmfex_links_run() has to run. */
static bool changed = true;
static uint64_t last_vethernet_seqno, last_event_seqno;
static uint64_t last_connectivity_seqno;

static void vethernet_unlink(struct vmfex_vethernet *);

/* How long a predictable adapter is held back from VM ports that came at once,
 * in ms: time for vmfex-controller to hear what they got. */
#define HOLD_BACK 200
static long long int hold_back_until = LLONG_MAX;

/* Makes the next vmfex_links_run() compute everything anew. */
void
vmfex_links_changed(void)
{
    changed = true;
}

/* Datapath ports. */

/* Returns the name of 'lport'. */
const char *
vmfex_lport_name(const struct vmfex_lport *lport)
{
    return netdev_get_name(lport->netdev);
}

/* Returns true if 'lport' is a trunk. */
bool
vmfex_lport_is_trunk(const struct vmfex_lport *lport)
{
    return lport->role != VMFEX_ROLE_VM;
}

/* Returns the MTU of frames without their tag on 'trunk', or 0 if it is not
 * known. */
int
vmfex_trunk_inner_mtu(const struct vmfex_lport *trunk)
{
    int tag_len = vmfex_tag_len(trunk->tag);

    return trunk->mtu > tag_len ? trunk->mtu - tag_len : 0;
}

static void
lport_refresh(struct vmfex_lport *lport)
{
    enum netdev_flags flags;
    int mtu;

    lport->change_seq = netdev_get_change_seq(lport->netdev);
    lport->up = (!netdev_get_flags(lport->netdev, &flags)
                 && flags & NETDEV_UP
                 && netdev_get_carrier(lport->netdev));
    lport->mtu = netdev_get_mtu(lport->netdev, &mtu) ? 0 : mtu;
}

/* Returns a new port of 'bridge' for 'netdev', which has number 'odp_port' in
 * the datapath and takes ownership of 'txq', made for it before it was added
 * there.  Nothing is forwarded before vmfex_lport_configure(). */
struct vmfex_lport *
vmfex_lport_create(struct vmfex_bridge *bridge, struct netdev *netdev,
                   odp_port_t odp_port, struct vmfex_txq *txq)
{
    struct vmfex_lport *lport = xzalloc(sizeof *lport);

    lport->bridge = bridge;
    lport->netdev = netdev_ref(netdev);
    lport->dp_netdev = netdev_ref(netdev);
    lport->odp_port = odp_port;
    lport->txq = txq;
    lport->ifindex = MAX(netdev_get_ifindex(netdev), 0);
    lport->counters = xzalloc(sizeof *lport->counters);
    vmfex_counters_init(lport->counters);
    hmap_insert(&all_lports, &lport->node,
                hash_string(netdev_get_name(netdev), 0));
    lport_refresh(lport);
    changed = true;
    return lport;
}

static void
counters_free(struct vmfex_counters *counters)
{
    vmfex_counters_uninit(counters);
    free(counters);
}

/* Destroys 'lport', which must be out of the datapath. */
void
vmfex_lport_destroy(struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        for (size_t i = 0; i < v->n_channels; i++) {
            if (v->trunk[i] == lport) {
                v->trunk[i] = NULL;
            }
        }
    }
    if (lport->adapter) {
        vethernet_unlink(lport->adapter);
    }
    vmfex_kernel_links_port_gone(lport);
    vmfex_port_withdraw(lport->odp_port);
    vmfex_publish_flush(lport->odp_port, VMFEX_FLOWS_ANY_VIF);
    changed = true;

    hmap_remove(&all_lports, &lport->node);
    vmfex_txq_destroy(lport->txq);
    ovsrcu_postpone(counters_free, lport->counters);
    netdev_close(lport->netdev);
    netdev_close(lport->dp_netdev);
    free(lport->adapter_name);
    free(lport->path);
    free(lport->kernel_reason);
    free(lport->config_error);
    free(lport->error);
    free(lport);
}

/* Lets others send on 'lport' if it is a downlink that has a PMD thread or is
 * a netdev of the kernel, and receive from it if it has a PMD thread.  Behind
 * an uplink, all VM ports are in our own datapath. */
static void
lport_update_queues(struct vmfex_lport *lport)
{
    bool is_downlink = (lport->configured
                        && lport->role == VMFEX_ROLE_DOWNLINK
                        && !lport->config_error);
    bool is_pmd = netdev_is_pmd(lport->dp_netdev);

    vmfex_txq_allow(lport->txq, is_downlink
                    && (is_pmd || vmfex_netdev_has_socket(lport->dp_netdev)));
    vmfex_loan_offer(lport->dp_netdev,
                     is_downlink && is_pmd ? lport->odp_port : ODPP_NONE);
}

/* Uses 'netdev', which is the same device opened again, for 'lport'. */
void
vmfex_lport_set_netdev(struct vmfex_lport *lport, struct netdev *netdev)
{
    if (netdev != lport->netdev) {
        hmap_remove(&all_lports, &lport->node);
        netdev_close(lport->netdev);
        lport->netdev = netdev_ref(netdev);
        lport->change_seq = 0;
        hmap_insert(&all_lports, &lport->node,
                    hash_string(netdev_get_name(netdev), 0));
    }
}

static char *
lport_parse(struct vmfex_lport *lport, const struct smap *other_config)
{
    const char *role = smap_get(other_config, "vmfex-role");
    const char *tag = smap_get_def(other_config, "vmfex-tag", "vn-tag");
    const char *hook = smap_get_def(other_config, "vmfex-hook", "auto");
    const char *path = smap_get_def(other_config, "vmfex-path", "auto");
    bool is_trunk = role != NULL;

    if (!role) {
        lport->role = VMFEX_ROLE_VM;
    } else if (!strcmp(role, "uplink")) {
        lport->role = VMFEX_ROLE_UPLINK;
    } else if (!strcmp(role, "downlink")) {
        lport->role = VMFEX_ROLE_DOWNLINK;
    } else {
        return xasprintf("other_config:vmfex-role=%s is neither uplink nor "
                         "downlink", role);
    }

    if (is_trunk && !strcmp(tag, "vn-tag")) {
        lport->tag = VMFEX_VN_TAG;
    } else if (is_trunk && !strcmp(tag, "e-tag")) {
        lport->tag = VMFEX_E_TAG;
    } else if (is_trunk) {
        return xasprintf("other_config:vmfex-tag=%s is neither vn-tag nor "
                         "e-tag", tag);
    }

    lport->wanted_hook = (!strcmp(hook, "xdp") ? VMFEX_KERNEL_XDP
                          : !strcmp(hook, "tc") ? VMFEX_KERNEL_TC
                          : VMFEX_KERNEL_NONE);
    if (is_trunk && strcmp(hook, "auto") && !lport->wanted_hook) {
        return xasprintf("other_config:vmfex-hook=%s is none of auto, xdp "
                         "and tc", hook);
    }

    if (!is_trunk && strcmp(path, "auto") && strcmp(path, "emulated")
        && strcmp(path, "direct") && strcmp(path, "kernel")) {
        return xasprintf("other_config:vmfex-path=%s is none of auto, "
                         "emulated, direct and kernel", path);
    }
    free(lport->path);
    lport->path = xstrdup(path);
    return NULL;
}

/* Configures 'lport' according to 'other_config' of its Interface. */
void
vmfex_lport_configure(struct vmfex_lport *lport,
                      const struct smap *other_config)
{
    const char *adapter = smap_get(other_config, "vmfex-adapter");
    enum vmfex_role old_role = lport->role;
    enum vmfex_tag old_tag = lport->tag;
    char *old_error = lport->config_error;

    lport->config_error = lport_parse(lport, other_config);
    if (!nullable_string_is_equal(adapter, lport->adapter_name)) {
        free(lport->adapter_name);
        lport->adapter_name = nullable_xstrdup(adapter);
    }
    if (!lport->configured || lport->role != old_role || lport->tag != old_tag
        || !old_error != !lport->config_error) {
        if (lport->adapter) {
            vethernet_unlink(lport->adapter);
        }
        lport->configured = true;
        lport->publish = true;
        vmfex_publish_flush(lport->odp_port, VMFEX_FLOWS_ANY_VIF);
    }
    free(old_error);

    /* The caller may have changed more than that, such as the MTU. */
    changed = true;
}

/* Returns true if the host no longer has the device behind 'lport', or another
 * one by the same name. */
bool
vmfex_lport_is_gone(const struct vmfex_lport *lport)
{
    char name[IF_NAMESIZE];
    int ifindex;

    if (!lport->ifindex) {
        return false;
    }
    ifindex = netdev_get_ifindex(lport->netdev);

    /* A kernel netdev does not notice that its device got another name. */
    return (ifindex == -ENODEV
            || (ifindex > 0 && ifindex != lport->ifindex)
            || (ifindex > 0
                && !strcmp(netdev_get_type(lport->netdev), "system")
                && if_indextoname(ifindex, name)
                && strcmp(name, vmfex_lport_name(lport))));
}

/* Returns a sentence about what is wrong with 'lport', which the caller must
 * free, or NULL. */
char *
vmfex_lport_get_error(const struct vmfex_lport *lport)
{
    return nullable_xstrdup(lport->error);
}

/* Vethernets. */

static struct vmfex_vethernet *
vethernet_find(const struct vmfex_endpoint *ep)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH_WITH_HASH (v, node, hash_int(ep->id, 0), &all_vethernets) {
        if (v->ep == ep) {
            return v;
        }
    }
    return NULL;
}

/* Returns what is known of 'netdev', a vethernet, or NULL. */
struct vmfex_vethernet *
vmfex_vethernet_find(const struct netdev *netdev)
{
    return vethernet_find(vethernet_endpoint(netdev));
}

static struct vmfex_vethernet *
vethernet_create(struct netdev *netdev)
{
    struct vmfex_vethernet *v = vmfex_vethernet_find(netdev);

    if (!v) {
        v = xzalloc(sizeof *v);
        v->ep = vmfex_endpoint_ref(vethernet_endpoint(netdev));
        v->last_trunk = ODPP_NONE;
        hmap_insert(&all_vethernets, &v->node, hash_int(v->ep->id, 0));
    }
    return v;
}

static void
vethernet_destroy(struct vmfex_vethernet *v)
{
    hmap_remove(&all_vethernets, &v->node);
    vmfex_endpoint_unref(v->ep);
    free(v->detail);
    free(v->path_reason);
    free(v);
}

/* Makes 'netdev', a vethernet, an adapter of 'bridge'. */
void
vmfex_adapter_attach(struct vmfex_bridge *bridge, struct netdev *netdev)
{
    vethernet_create(netdev)->bridge = bridge;
    changed = true;
}

/* Undoes vmfex_adapter_attach(). */
void
vmfex_adapter_detach(struct netdev *netdev)
{
    struct vmfex_vethernet *v = vmfex_vethernet_find(netdev);

    if (v) {
        vethernet_unlink(v);
        v->bridge = NULL;
        changed = true;
    }
}

static void
vethernet_unlink(struct vmfex_vethernet *v)
{
    if (v->port) {
        COVERAGE_INC(vmfex_link_broken);
        VLOG_INFO("%s: VM port %s is no longer linked to adapter %s",
                  v->port->bridge->name, vmfex_lport_name(v->port),
                  v->ep->name);
        v->port->adapter = NULL;
        v->port->publish = true;
        v->port = NULL;
        vmfex_endpoint_forget_macs(v->ep);
    }
}

static void
vethernet_link(struct vmfex_vethernet *v, struct vmfex_lport *lport)
{
    COVERAGE_INC(vmfex_link_made);
    VLOG_INFO("%s: VM port %s is linked to adapter %s",
              lport->bridge->name, vmfex_lport_name(lport), v->ep->name);
    v->port = lport;
    lport->adapter = v;
    lport->publish = true;
}

/* Returns the index of the channel that 'v' sends on. */
size_t
vmfex_vethernet_channel(const struct vmfex_vethernet *v)
{
    return (v->rewritten ? 0
            : MIN(vmfex_endpoint_channel(v->ep),
                  v->n_channels ? v->n_channels - 1 : 0));
}

/* Returns the trunk that 'v' sends on, or NULL. */
const struct vmfex_lport *
vmfex_vethernet_trunk(const struct vmfex_vethernet *v)
{
    return v->trunk[vmfex_vethernet_channel(v)];
}

/* Returns true if frames can take a path through 'v'. */
bool
vmfex_vethernet_has_path(const struct vmfex_vethernet *v)
{
    return (v->port || v->ordinary) && v->state != VETHERNET_DOWN;
}

/* Returns true if frames can pass on any channel of 'v'. */
bool
vmfex_vethernet_works(const struct vmfex_vethernet *v)
{
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trouble[i] == VMFEX_REASON_NONE) {
            return true;
        }
    }
    return false;
}

/* Gives 'v' the 'reason' and, as a detail about it, 'format', which may be
 * NULL. */
void
vmfex_set_reason(struct vmfex_vethernet *v, enum vmfex_reason reason,
                 const char *format, ...)
{
    free(v->detail);
    v->reason = reason;
    v->detail = NULL;
    if (format) {
        va_list args;

        va_start(args, format);
        v->detail = xvasprintf(format, args);
        va_end(args);
    }
}

/* Step 1: trunks and other ports. */

static void
refresh_lports(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        /* A kernel netdev has to ask the kernel. */
        if (lport->change_seq != netdev_get_change_seq(lport->netdev)) {
            lport_refresh(lport);
        }
        lport_update_queues(lport);
        lport->n_links = lport->n_vethernets = 0;
    }
}

/* Step 3: links. */

static bool
mtu_fits(const struct vmfex_vethernet *v, const struct vmfex_lport *lport)
{
    const struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);

    return trunk && lport->mtu <= vmfex_trunk_inner_mtu(trunk);
}

/* Returns what speaks for 'v' as the adapter of 'lport'. */
static struct vmfex_choice
adapter_choice(const struct vmfex_vethernet *v,
               const struct vmfex_lport *lport)
{
    return (struct vmfex_choice) {
        .name = v->ep->name,
        .fits = mtu_fits(v, lport),
        .n_links = vmfex_vethernet_trunk(v)->n_links,
    };
}

/* Returns true if 'a' is a better choice than 'b' for 'lport'. */
static bool
adapter_is_better(const struct vmfex_vethernet *a,
                  const struct vmfex_vethernet *b,
                  const struct vmfex_lport *lport)
{
    struct vmfex_choice a_choice = adapter_choice(a, lport);
    struct vmfex_choice b_choice = adapter_choice(b, lport);

    return vmfex_choice_is_better(&a_choice, &b_choice);
}

/* Returns the adapter that 'lport' names, or NULL. */
static struct vmfex_vethernet *
find_named_adapter(const struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev && v->bridge == lport->bridge
            && !strcmp(v->ep->name, lport->adapter_name)) {
            return v;
        }
    }
    return NULL;
}

/* Returns the best free adapter for 'lport', or NULL. */
static struct vmfex_vethernet *
find_free_adapter(const struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v, *best = NULL;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev && v->bridge == lport->bridge && !v->port
            && !v->reserved && !v->held_back && vmfex_vethernet_works(v)
            && (!best || adapter_is_better(v, best, lport))) {
            best = v;
        }
    }
    return best;
}

static bool
link_is_valid(const struct vmfex_lport *lport)
{
    const struct vmfex_vethernet *v = lport->adapter;

    return (v->netdev && v->bridge == lport->bridge
            && (lport->adapter_name
                ? !strcmp(lport->adapter_name, v->ep->name)
                : !v->reserved));
}

static void
count_link(struct vmfex_vethernet *v)
{
    struct vmfex_lport *trunk = v->trunk[vmfex_vethernet_channel(v)];

    if (trunk) {
        trunk->n_links++;
    }
}

static int
compare_lports(const void *a_, const void *b_)
{
    const struct vmfex_lport *const *a = a_;
    const struct vmfex_lport *const *b = b_;

    /* Those that name an adapter come first. */
    return (!(*a)->adapter_name != !(*b)->adapter_name
            ? ((*a)->adapter_name ? -1 : 1)
            : vmfex_compare_names(vmfex_lport_name(*a),
                                  vmfex_lport_name(*b)));
}

static void
lport_find_adapter(struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v;

    v = (lport->adapter_name
         ? find_named_adapter(lport)
         : find_free_adapter(lport));
    if (v && !v->port) {
        vethernet_link(v, lport);
        count_link(v);
        lport->reason = VMFEX_REASON_NONE;
    } else {
        lport->reason = (v ? VMFEX_REASON_ADAPTER_BUSY
                         : lport->adapter_name ? VMFEX_REASON_ADAPTER_MISSING
                         : VMFEX_REASON_NO_ADAPTER);
    }
}

/* Returns true if a port in 'ports', of which there are 'n', has come to
 * 'bridge' in this run and names no adapter. */
static bool
any_new(const struct vmfex_bridge *bridge, struct vmfex_lport *const *ports,
        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ports[i]->bridge == bridge && !ports[i]->adapter_name
            && !ports[i]->waited) {
            return true;
        }
    }
    return false;
}

/* If several of the 'n' ports in 'unlinked' have come to a bridge at once,
 * holds back the adapter that one alone would have got, if it is predictable:
 * whoever saw only one of them come may count on it. */
static void
hold_back(struct vmfex_lport *const *unlinked, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct vmfex_bridge *bridge = unlinked[i]->bridge;

        if (any_new(bridge, &unlinked[i], 1) && !any_new(bridge, unlinked, i)
            && any_new(bridge, &unlinked[i + 1], n - i - 1)) {
            struct vmfex_vethernet *v = find_free_adapter(unlinked[i]);

            if (v && v->predictable) {
                v->held_back = true;
                hold_back_until = time_msec() + HOLD_BACK;
            }
        }
    }
}

static void
make_links(void)
{
    struct vmfex_lport **unlinked, *lport;
    struct vmfex_vethernet *v;
    size_t n = 0;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev && v->ordinary) {
            count_link(v);
        }
    }

    /* Break what is no longer right before anything new is made. */
    unlinked = xmalloc(hmap_count(&all_lports) * sizeof *unlinked);
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->adapter && !link_is_valid(lport)) {
            vethernet_unlink(lport->adapter);
        }
        if (lport->adapter) {
            count_link(lport->adapter);
            lport->reason = VMFEX_REASON_NONE;
        } else if (lport->configured && !vmfex_lport_is_trunk(lport)
                   && !lport->config_error) {
            unlinked[n++] = lport;
        }
    }

    qsort(unlinked, n, sizeof *unlinked, compare_lports);
    hold_back(unlinked, n);
    for (size_t i = 0; i < n; i++) {
        lport_find_adapter(unlinked[i]);
        unlinked[i]->waited = true;
    }
    free(unlinked);
}

/* Step 4: states. */

static void
vethernet_check_mtu(struct vmfex_vethernet *v)
{
    const struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);
    int needed = (v->port ? v->port->mtu : vethernet_requested_mtu(v->netdev));

    if (trunk && needed > vmfex_trunk_inner_mtu(trunk)) {
        vmfex_set_reason(v, VMFEX_REASON_TRUNK_MTU,
                         "%s has MTU %d, trunk %s has %d and needs "
                         "%"PRIuSIZE,
                         v->port ? vmfex_lport_name(v->port) : v->ep->name,
                         needed, vmfex_lport_name(trunk), trunk->mtu,
                         needed + vmfex_tag_len(trunk->tag));
    }
}

static void
vethernet_decide(struct vmfex_vethernet *v)
{
    bool used = v->port || v->ordinary;

    if (v->reason == VMFEX_REASON_NONE && used) {
        vethernet_check_mtu(v);
    }
    if (v->reason != VMFEX_REASON_NONE) {
        v->state = VETHERNET_DOWN;
    } else if (!used && v->reserved) {
        v->state = VETHERNET_RESERVED;
        vmfex_set_reason(v, VMFEX_REASON_RESERVED, NULL);
    } else if (!used) {
        v->state = VETHERNET_FREE;
    } else if (!v->active) {
        v->state = VETHERNET_LINKED;
        vmfex_set_reason(v, VMFEX_REASON_NOT_ACTIVATED,
                         "the gate of %s is closed", v->ep->name);
    } else if (!v->up) {
        v->state = VETHERNET_LINKED;
        vmfex_set_reason(v, VMFEX_REASON_NOT_ACTIVATED,
                         "%s is administratively down; set it up with "
                         "ovs-ofctl mod-port", v->ep->name);
    } else if (v->bridge && !v->bridge->forwarding) {
        v->state = VETHERNET_LINKED;
        vmfex_set_reason(v, VMFEX_REASON_NOT_ACTIVATED,
                         "bridge %s has no NORMAL rule; add it with "
                         "ovs-ofctl add-flow %s actions=NORMAL",
                         v->bridge->name, v->bridge->name);
    } else if (v->waits) {
        v->state = VETHERNET_LINKED;
        vmfex_set_reason(v, VMFEX_REASON_NOT_ACTIVATED,
                         "it waits for the first frame on trunk %s",
                         vmfex_lport_name(v->trunk[1]));
    } else {
        v->state = VETHERNET_ACTIVE;
    }
    if (v->active && v->port) {
        atomic_store_relaxed(&v->ep->first_frame, UINT64_C(0));
    }
    free(v->path_reason);
    v->path = vmfex_path_choose(v, &v->path_reason);
}

/* The run. */

static void
compute(void)
{
    struct shash netdevs = SHASH_INITIALIZER(&netdevs);
    struct vmfex_vethernet *v, *next;
    struct vmfex_lport *lport;
    struct shash_node *node;
    uint64_t claim;

    COVERAGE_INC(vmfex_links_run);
    vethernet_get_all(&netdevs);
    SHASH_FOR_EACH (node, &netdevs) {
        v = vethernet_create(node->data);
        v->netdev = node->data;
        claim = vethernet_get_config(v->netdev)->claim;
        v->rewritten |= v->claim != claim;
        v->claim = claim;
    }

    refresh_lports();
    vmfex_channels_run();
    vethernet_ports_poll_like(vmfex_channels_find_pmd_trunk());
    make_links();
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev) {
            vethernet_decide(v);
            vmfex_channels_check_announce(v);
            vmfex_report_vethernet(v);
        }
    }
    HMAP_FOR_EACH (lport, node, &all_lports) {
        vmfex_report_lport(lport);
    }
    vmfex_publish();

    HMAP_FOR_EACH_SAFE (v, next, node, &all_vethernets) {
        if (!v->netdev) {
            vethernet_destroy(v);
        } else {
            netdev_close(v->netdev);
            v->netdev = NULL;
        }
    }
    shash_destroy(&netdevs);
}

static bool
any_lport_changed(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->change_seq != netdev_get_change_seq(lport->netdev)) {
            return true;
        }
    }
    return false;
}

/* Brings links, states and forwarding up to date, if anything changed. */
void
vmfex_links_run(void)
{
    uint64_t connectivity_seqno = seq_read(connectivity_seq_get());
    uint64_t vethernet_seqno = seq_read(vethernet_seq);
    uint64_t event_seqno = seq_read(vmfex_event_seq);

    vmfex_reports_run();
    vmfex_kernel_links_run();
    if (time_msec() >= hold_back_until) {
        hold_back_until = LLONG_MAX;
        changed = true;
    }
    if (connectivity_seqno != last_connectivity_seqno) {
        last_connectivity_seqno = connectivity_seqno;
        changed |= any_lport_changed();
    }
    if (changed || vethernet_seqno != last_vethernet_seqno
        || event_seqno != last_event_seqno) {
        changed = false;
        last_vethernet_seqno = vethernet_seqno;
        last_event_seqno = event_seqno;
        compute();
    }
    vmfex_publish_run();
}

/* Arranges for vmfex_links_run() to be called when it has something to do. */
void
vmfex_links_wait(void)
{
    if (changed) {
        poll_immediate_wake();
    }
    seq_wait(vethernet_seq, last_vethernet_seqno);
    seq_wait(vmfex_event_seq, last_event_seqno);
    seq_wait(connectivity_seq_get(), last_connectivity_seqno);
    if (hold_back_until != LLONG_MAX) {
        poll_timer_wait_until(hold_back_until);
    }
    vmfex_reports_wait();
    vmfex_publish_wait();
    vmfex_kernel_links_wait();
}
