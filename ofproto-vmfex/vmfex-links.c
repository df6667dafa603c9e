/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-links.h"

#include <stdlib.h>
#include <string.h>

#include "connectivity.h"
#include "coverage.h"
#include "datapath-actions/pmd/vmfex-loan.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-vmfex/netdev-vethernet.h"
#include "ofproto-vmfex/vethernet-port.h"
#include "ofproto-vmfex/vmfex-channels.h"
#include "lib/vmfex-choice.h"
#include "lib/vmfex-names.h"
#include "ofproto-vmfex/vmfex-closed.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-memory.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "ofproto-vmfex/vmfex-path.h"
#include "ofproto-vmfex/vmfex-publish.h"
#include "ofproto-vmfex/vmfex-reports.h"
#include "ofproto-vmfex/vmfex-trunk.h"
#include "ofproto-vmfex/vmfex-vfs.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_links);

COVERAGE_DEFINE(vmfex_links_run);

/* What vmfex_links_run() has seen. */
static uint64_t last_vethernet_seqno, last_event_seqno;
static uint64_t last_connectivity_seqno;

/* How long a predictable adapter is held back from VM ports that came at once,
 * in ms: time for vmfex-controller to hear what they got. */
#define HOLD_BACK 200
static long long int hold_back_until = LLONG_MAX;

/* There may be links that are not remembered yet. */
static bool may_be_unwritten;

/* Configures 'lport' according to 'other_config' of its Interface. */
void
vmfex_links_configure_port(struct vmfex_lport *lport,
                           const struct smap *other_config)
{
    if (vmfex_lport_configure(lport, other_config)) {
        vmfex_publish_flush(lport->odp_port, VMFEX_FLOWS_ANY_VIF);
    }
    vmfex_trunk_set_admin(lport);
}

/* Takes back what was published of 'lport', which is out of the datapath, and
 * destroys it. */
void
vmfex_links_destroy_port(struct vmfex_lport *lport)
{
    vmfex_vfs_port_gone(lport);
    vmfex_closed_remove(lport);
    vmfex_kernel_links_port_gone(lport);
    vmfex_port_withdraw(lport->odp_port);
    vmfex_publish_flush(lport->odp_port, VMFEX_FLOWS_ANY_VIF);
    vmfex_lport_destroy(lport);
}

/* Step 1: trunks and other ports. */

static void
refresh_lports(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        vmfex_lport_refresh(lport);
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

/* Returns the adapter 'name' of the bridge of 'lport', or NULL. */
static struct vmfex_vethernet *
find_named_adapter(const struct vmfex_lport *lport, const char *name)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev && v->bridge == lport->bridge
            && !strcmp(v->ep->name, name)) {
            return v;
        }
    }
    return NULL;
}

/* Returns the adapter that 'lport' had before a restart, if it may have it
 * again, or NULL. */
static struct vmfex_vethernet *
find_last_adapter(const struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v
        = (lport->last_adapter
           ? find_named_adapter(lport, lport->last_adapter) : NULL);

    return (v && !v->port && !v->reserved && vmfex_vfs_fits(lport, v)
            ? v : NULL);
}

/* Returns true if 'v', which works, can do so for 'lport': that of a VF has to
 * send on the trunk of its card. */
static bool
can_serve(const struct vmfex_vethernet *v, const struct vmfex_lport *lport)
{
    return (!lport->is_vf
            || (vmfex_vfs_fits(lport, v)
                && vmfex_vethernet_trunk(v) == lport->vf_trunk));
}

/* Returns the best free adapter for 'lport', or NULL. */
static struct vmfex_vethernet *
find_free_adapter(const struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v, *best = NULL;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev && v->bridge == lport->bridge && !v->port
            && !v->reserved && !v->held_back && vmfex_vethernet_works(v)
            && can_serve(v, lport)
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
            && vmfex_vfs_fits(lport, v)
            && (lport->adapter_name
                ? !strcmp(lport->adapter_name, v->ep->name)
                : !v->reserved));
}

static void
count_link(struct vmfex_vethernet *v)
{
    struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);

    if (trunk) {
        trunk->n_links++;
    }
}

/* Those that name an adapter come first, then those that had one. */
static int
lport_rank(const struct vmfex_lport *lport)
{
    return lport->adapter_name ? 0 : lport->last_adapter ? 1 : 2;
}

static int
compare_lports(const void *a_, const void *b_)
{
    const struct vmfex_lport *const *a = a_;
    const struct vmfex_lport *const *b = b_;
    int a_rank = lport_rank(*a);
    int b_rank = lport_rank(*b);

    return (a_rank != b_rank
            ? (a_rank < b_rank ? -1 : 1)
            : vmfex_compare_names(vmfex_lport_name(*a),
                                  vmfex_lport_name(*b)));
}

/* Returns the adapter that 'lport' is to have, which may be another port's, or
 * NULL. */
static struct vmfex_vethernet *
choose_adapter(const struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v;

    if (lport->adapter_name) {
        return find_named_adapter(lport, lport->adapter_name);
    } else if (lport->unsure) {
        return NULL;
    }
    v = find_last_adapter(lport);
    return v ? v : find_free_adapter(lport);
}

static void
lport_find_adapter(struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v = choose_adapter(lport);

    if (v && !v->port && vmfex_vfs_fits(lport, v)) {
        vmfex_vethernet_link(v, lport);
        count_link(v);
        lport->reason = VMFEX_REASON_NONE;
        lport->unsure = false;
    } else {
        lport->reason = (v && v->port ? VMFEX_REASON_ADAPTER_BUSY
                         : v ? VMFEX_REASON_NO_VF
                         : lport->adapter_name ? VMFEX_REASON_ADAPTER_MISSING
                         : lport->unsure ? VMFEX_REASON_NOT_ACTIVATED
                         : VMFEX_REASON_NO_ADAPTER);
    }
}

/* Finds out which adapters the 'n' ports in 'unlinked' had before a restart of
 * ovs-vswitchd, in the first run after that.  (All ports that there are come
 * at once then.) */
static void
recall_adapters(struct vmfex_lport **unlinked, size_t n)
{
    if (!vmfex_memory_is_fresh() || !n) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct vmfex_lport *lport = unlinked[i];
        const char *adapter;

        if (vmfex_memory_find(lport->bridge->name, vmfex_lport_name(lport),
                              &adapter)) {
            lport->last_adapter = nullable_xstrdup(adapter);
            lport->unsure = !adapter;
        }
    }
    vmfex_memory_done();
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

/* Stores in 'unlinked' the VM ports that have no link, and returns their
 * number. */
static size_t
find_unlinked(struct vmfex_lport **unlinked)
{
    struct vmfex_lport *lport;
    size_t n = 0;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (!lport->adapter && lport->configured
            && !vmfex_lport_is_trunk(lport) && !lport->config_error) {
            unlinked[n++] = lport;
        }
    }
    return n;
}

/* Leaves out those of the 'n' ports in 'unlinked' that should be a VF, and
 * have none.  Returns the number of the others. */
static size_t
leave_out_without_vf(struct vmfex_lport **unlinked, size_t n)
{
    size_t n_left = 0;

    for (size_t i = 0; i < n; i++) {
        if (unlinked[i]->vf_reason != VMFEX_REASON_NONE) {
            unlinked[i]->reason = unlinked[i]->vf_reason;
        } else {
            unlinked[n_left++] = unlinked[i];
        }
    }
    return n_left;
}

static void
make_links(void)
{
    struct vmfex_lport **unlinked, *lport;
    struct vmfex_vethernet *v;
    size_t n;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        v->held_back = false;
        if (v->netdev && v->on_switch_bridge) {
            count_link(v);
        }
    }

    unlinked = xmalloc(hmap_count(&all_lports) * sizeof *unlinked);
    n = find_unlinked(unlinked);
    recall_adapters(unlinked, n);
    vmfex_vfs_assign();

    /* Break what is no longer right before anything new is made. */
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->adapter && !link_is_valid(lport)) {
            vmfex_vethernet_unlink(lport->adapter);
        }
        if (lport->adapter) {
            count_link(lport->adapter);
            lport->reason = VMFEX_REASON_NONE;
        }
    }

    n = leave_out_without_vf(unlinked, find_unlinked(unlinked));
    qsort(unlinked, n, sizeof *unlinked, compare_lports);
    hold_back(unlinked, n);
    for (size_t i = 0; i < n; i++) {
        lport_find_adapter(unlinked[i]);
        unlinked[i]->waited = true;
        free(unlinked[i]->last_adapter);
        unlinked[i]->last_adapter = NULL;
    }
    free(unlinked);
}

/* Step 4: states. */

/* Gives 'v', which forwards, a reason if the trunk is too small for some of
 * its frames, which are lost one by one: those that fit pass. */
static void
vethernet_check_mtu(struct vmfex_vethernet *v)
{
    const struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);
    int needed = (v->port ? v->port->mtu : vethernet_requested_mtu(v->netdev));

    if (trunk && needed > vmfex_trunk_inner_mtu(trunk)) {
        vmfex_set_reason(v, VMFEX_REASON_TRUNK_MTU,
                         "%s has MTU %d, trunk %s has %d and needs %d",
                         v->port ? vmfex_lport_name(v->port) : v->ep->name,
                         needed, vmfex_lport_name(trunk), trunk->mtu,
                         needed + vmfex_tag_class(trunk->tag)->len);
    }
}

static void
vethernet_decide(struct vmfex_vethernet *v)
{
    bool used = v->port || v->on_switch_bridge;

    if (v->reason == VMFEX_REASON_NONE && v->port && !v->port->admin_up) {
        vmfex_set_reason(v, VMFEX_REASON_PORT_DOWN, "%s",
                         vmfex_lport_name(v->port));
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
    } else if (v->port && v->port->cut_off) {
        v->state = VETHERNET_LINKED;
        vmfex_set_reason(v, VMFEX_REASON_NOT_ACTIVATED,
                         "Port.tag of %s is %d, which stands for a port that "
                         "is cut off; remove it", vmfex_lport_name(v->port),
                         VMFEX_DEAD_VLAN);
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
        vethernet_check_mtu(v);
    }
    if (v->active && v->port) {
        atomic_store_relaxed(&v->ep->first_frame, UINT64_C(0));
    }
}

static void
lport_decide(struct vmfex_lport *lport)
{
    const struct vmfex_vethernet *v = lport->adapter;

    if (lport->config_error) {
        lport->reason = VMFEX_REASON_BAD_CONFIG;
    } else if (vmfex_lport_is_trunk(lport)) {
        lport->reason = lport->vf_reason;
    } else if (!lport->configured) {
        lport->reason = VMFEX_REASON_NONE;
    } else if (v && v->reason != VMFEX_REASON_NONE) {
        lport->reason = v->reason;
    }
    if (lport->reason == VMFEX_REASON_NONE && lport->vain) {
        lport->reason = VMFEX_REASON_BAD_CONFIG;
    }
}

/* Step 5: paths. */

static void
choose_paths(void)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        v->may_be_kernel = v->netdev && vmfex_path_may_be_kernel(v);
    }
    vmfex_closed_run();
    vmfex_kernel_links_prepare();
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev) {
            free(v->path_reason);
            v->path = vmfex_path_choose(v, &v->path_reason);
        }
    }
}

/* Step 6: publication. */

/* Lets others send on 'lport' if it is a downlink that has a PMD thread or is
 * a kernel network device, and receive from it if it has a PMD thread.  Behind
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

static void
publish(void)
{
    struct vmfex_vethernet *v;
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        lport_update_queues(lport);
    }
    vethernet_ports_poll_like(vmfex_channels_find_pmd_trunk());
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev) {
            vmfex_report_vethernet(v);
        }
    }
    HMAP_FOR_EACH (lport, node, &all_lports) {
        vmfex_report_lport(lport);
    }
    vmfex_publish();
    vmfex_kernel_links_publish();

    /* A trunk that left the kernel path has to be closed otherwise. */
    vmfex_closed_run();
    vmfex_kernel_links_note_macs();
    vmfex_publish_announce();
}

/* The run. */

static void
compute(void)
{
    struct shash netdevs = SHASH_INITIALIZER(&netdevs);
    struct vmfex_vethernet *v, *next;
    struct vmfex_lport *lport;
    struct shash_node *node;
    uint64_t serial;

    COVERAGE_INC(vmfex_links_run);
    may_be_unwritten = true;
    netdev_vethernet_get_all(&netdevs);
    SHASH_FOR_EACH (node, &netdevs) {
        v = vmfex_vethernet_get(node->data);
        v->netdev = node->data;
        serial = vethernet_get_config(v->netdev)->serial;
        v->rewritten |= v->serial != serial;
        v->serial = serial;
    }

    refresh_lports();
    vmfex_vfs_evaluate();
    vmfex_channels_evaluate();
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev) {
            vmfex_kernel_links_follow(v);
        }
    }
    vmfex_channels_choose();
    make_links();
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev) {
            vethernet_decide(v);
            vmfex_channels_check_announce(v);
        }
    }
    vmfex_vfs_apply();
    HMAP_FOR_EACH (lport, node, &all_lports) {
        lport_decide(lport);
    }
    choose_paths();
    publish();

    HMAP_FOR_EACH_SAFE (v, next, node, &all_vethernets) {
        if (!v->netdev) {
            vmfex_vethernet_destroy(v);
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
    vmfex_vfs_run();
    if (time_msec() >= hold_back_until) {
        hold_back_until = LLONG_MAX;
        vmfex_model_changed();
    }
    if (connectivity_seqno != last_connectivity_seqno) {
        last_connectivity_seqno = connectivity_seqno;
        if (any_lport_changed()) {
            vmfex_model_changed();
        }
    }
    if (vmfex_model_is_changed() || vethernet_seqno != last_vethernet_seqno
        || event_seqno != last_event_seqno) {
        vmfex_model_is_computed();
        last_vethernet_seqno = vethernet_seqno;
        last_event_seqno = event_seqno;
        compute();
    }
    vmfex_publish_run();
}

/* Remembers the links for a restart, if they changed.  To be called after
 * vmfex_links_run() as long as ovs-vswitchd runs: links that are broken
 * because it ends are the ones to be made again. */
void
vmfex_links_remember(void)
{
    if (may_be_unwritten) {
        may_be_unwritten = false;
        vmfex_memory_write();
    }
}

/* Has all links made again as they are remembered: all ports are about to go,
 * and will come again. */
void
vmfex_links_recall(void)
{
    vmfex_memory_init();
}

/* Arranges for vmfex_links_run() to be called when it has something to do. */
void
vmfex_links_wait(void)
{
    if (vmfex_model_is_changed()) {
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
    vmfex_vfs_wait();
}

/* "vmfex/leave-kernel": takes the kernel path off all devices, for whoever is
 * about to start an ovs-vswitchd that knows nothing of it.  That is done when
 * it answers. */
static void
leave_kernel(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    vmfex_kernel_links_give_up();
    vmfex_links_run();
    unixctl_command_reply(conn, NULL);
}

/* Registers the command, and reads what links there were. */
void
vmfex_links_init(void)
{
    vmfex_memory_init();
    unixctl_command_register("vmfex/leave-kernel", "", 0, 0, leave_kernel,
                             NULL);
}
