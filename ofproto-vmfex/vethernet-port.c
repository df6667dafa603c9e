/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vethernet-port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "datapath-actions/pmd/vmfex-compiled.h"
#include "datapath-actions/pmd/vmfex-handover.h"
#include "datapath-actions/pmd/vmfex-pmd.h"
#include "dpif.h"
#include "dpif-provider.h"
#include "netdev-provider.h"
#include "odp-util.h"
#include "ofproto-vmfex/vethernet.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vethernet_port);

COVERAGE_DEFINE(vethernet_lead);

/* The vethernet ports of an ordinary datapath. */
struct vethernet_group {
    struct ovs_list node;       /* In 'all_groups'. */
    char *dpif_name;            /* Like "netdev@ovs-netdev". */
    struct vmfex_handover *handover;
    struct ovs_list ports;      /* Contains struct vethernet_port. */
    struct vethernet_port *leader; /* NULL if there are no ports. */
    unsigned int generation;    /* Of the queues that are offered to it. */
};

/* A receive queue of a leader. */
struct vethernet_rxq {
    struct netdev_rxq up;
    struct vmfex_consumer consumer;
};

static struct ovs_list all_groups = OVS_LIST_INITIALIZER(&all_groups);

/* Whether a PMD thread is to poll the leaders, and on which NUMA node. */
static bool use_pmd;
static int numa_id = NETDEV_NUMA_UNSPEC;

/* Initializes 'port', which belongs to 'netdev', a vethernet. */
void
vethernet_port_init(struct vethernet_port *port, struct netdev *netdev)
{
    port->netdev = netdev;
    port->group = NULL;
    netdev->n_rxq = 0;
}

/* Groups. */

/* Has the number of queues of each leader made anew. */
static void
groups_changed(void)
{
    struct vethernet_group *group;

    LIST_FOR_EACH (group, node, &all_groups) {
        group->generation = vmfex_loan_generation() - 1;
    }
}

/* Makes a group for 'dpif', in which the main thread is 'main_'. */
static struct vethernet_group *
group_create(const struct dpif *dpif, struct dp_netdev_pmd_thread *main_)
{
    struct vethernet_group *group = xzalloc(sizeof *group);

    group->dpif_name = xstrdup(dpif_name(dpif));
    group->handover = vmfex_handover_create(vmfex_datapath_receive, main_);
    ovs_list_init(&group->ports);
    ovs_list_push_back(&all_groups, &group->node);
    groups_changed();
    return group;
}

static void
group_destroy(struct vethernet_group *group)
{
    ovs_list_remove(&group->node);
    groups_changed();
    vmfex_handover_destroy(group->handover);
    free(group->dpif_name);
    free(group);
}

/* Stores in '*groupp' the group for a new port of 'dpif'.  Returns 0 or a
 * positive errno value. */
static int
group_get(struct dpif *dpif, struct vethernet_group **groupp)
{
    struct dp_netdev_pmd_thread *main_;
    struct vethernet_group *group;
    int error;

    if (vmfex_compiled_is_supported()) {
        LIST_FOR_EACH (group, node, &all_groups) {
            if (!strcmp(group->dpif_name, dpif_name(dpif))) {
                *groupp = group;
                return 0;
            }
        }
    }
    error = vmfex_pmd_probe(dpif, &main_);
    if (!error) {
        *groupp = group_create(dpif, main_);
    }
    return error;
}

/* Makes 'port' the leader of its group. */
static void
port_lead(struct vethernet_port *port)
{
    COVERAGE_INC(vethernet_lead);
    VLOG_DBG("%s: %s takes the frames of all vethernet ports",
             port->group->dpif_name, netdev_get_name(port->netdev));
    port->group->leader = port;
    netdev_request_reconfigure(port->netdev);
}

static void
port_join(struct vethernet_port *port, struct vethernet_group *group)
{
    port->group = group;
    ovs_list_push_back(&group->ports, &port->node);
    if (!group->leader) {
        /* It is not polled yet. */
        vethernet_set_pmd(port->netdev, use_pmd);
        port_lead(port);
    }
}

/* Called when 'port' is no port of a datapath any more.  When this returns, no
 * frame comes in any more at the number that it had. */
void
vethernet_port_left(struct vethernet_port *port)
{
    struct vethernet_group *group = port->group;

    if (!group) {
        return;
    }
    vmfex_handover_leave(vethernet_endpoint(port->netdev));
    port->group = NULL;
    ovs_list_remove(&port->node);
    if (ovs_list_is_empty(&group->ports)) {
        group_destroy(group);
    } else if (group->leader == port) {
        port_lead(CONTAINER_OF(ovs_list_front(&group->ports),
                               struct vethernet_port, node));
    }
    seq_change(vethernet_seq);
}

/* Wrapper for dpif_port_add(): has a netdev that is a vethernet join those of
 * the same datapath, then calls original(). */
int
vethernet_dpif_port_add(struct dpif *dpif, struct netdev *netdev,
                        odp_port_t *port_nop,
                        vethernet_dpif_port_add_func *original)
{
    struct vethernet_group *group;
    struct vethernet_port *port;
    odp_port_t port_no;
    int error;

    if (!netdev_is_vethernet(netdev)
        || dpif->dpif_class->port_add != dpif_netdev_class.port_add) {
        return original(dpif, netdev, port_nop);
    }

    port = vethernet_port(netdev);
    if (port->group) {
        VLOG_WARN("%s: vethernet %s is a port of datapath %s already: delete "
                  "it there first", dpif_name(dpif), netdev_get_name(netdev),
                  port->group->dpif_name);
        return EBUSY;
    }

    error = group_get(dpif, &group);
    if (error) {
        return error;
    }
    port_no = port_nop ? *port_nop : ODPP_NONE;
    port_join(port, group);
    error = original(dpif, netdev, &port_no);
    if (error) {
        vethernet_port_left(port);
    } else {
        vmfex_handover_join(port->group->handover, vethernet_endpoint(netdev),
                            port_no);
        seq_change(vethernet_seq);
    }
    if (port_nop) {
        *port_nop = port_no;
    }
    return error;
}

/* Has a PMD thread on the NUMA node of 'trunk' poll for the frames of
 * vethernet ports, or the main thread if 'trunk' is NULL.  Has leaders follow
 * changes in the set of queues that are offered. */
void
vethernet_ports_poll_like(const struct netdev *trunk)
{
    bool new_use_pmd = trunk && vmfex_compiled_is_supported();
    int new_numa_id = trunk ? netdev_get_numa_id(trunk) : NETDEV_NUMA_UNSPEC;
    bool changed = use_pmd != new_use_pmd || numa_id != new_numa_id;
    struct vethernet_group *group;

    use_pmd = new_use_pmd;
    numa_id = new_numa_id;
    LIST_FOR_EACH (group, node, &all_groups) {
        if (changed
            || (use_pmd && group->generation != vmfex_loan_generation())) {
            netdev_request_reconfigure(group->leader->netdev);
        }
    }
}

/* Returns the NUMA node where 'netdev', a vethernet, should be polled. */
int
vethernet_port_get_numa_id(const struct netdev *netdev OVS_UNUSED)
{
    return numa_id;
}

/* Gives 'netdev', a vethernet, the receive queue that it needs. */
int
vethernet_port_reconfigure(struct netdev *netdev)
{
    struct vethernet_port *port = vethernet_port(netdev);
    bool leads = port->group && port->group->leader == port;
    bool pmd = leads && use_pmd;

    netdev->n_rxq = leads;
    if (pmd) {
        /* One queue has one borrower. */
        port->group->generation = vmfex_loan_generation();
        if (ovs_list_is_singleton(&all_groups)) {
            netdev->n_rxq += vmfex_loan_count();
        }
    }
    if (netdev_is_pmd(netdev) != pmd) {
        vethernet_set_pmd(netdev, pmd);
        if (leads) {
            /* The datapath has to see this first, or no thread would poll. */
            netdev->n_rxq = 0;
            netdev_request_reconfigure(netdev);
        }
    }
    return 0;
}

/* Frames. */

/* Sends what Port.qos allows of 'batch' into the current channel of 'netdev',
 * a vethernet. */
int
vethernet_port_send(struct netdev *netdev, int qid OVS_UNUSED,
                    struct dp_packet_batch *batch,
                    bool concurrent_txq OVS_UNUSED)
{
    struct vethernet *dev = vethernet_cast(netdev);
    unsigned int n_dropped = vethernet_qos_run(&dev->qos, batch);

    if (OVS_UNLIKELY(n_dropped)) {
        vmfex_counters_drop(&dev->ep->counters, VMFEX_DROP_QOS, n_dropped);
    }
    vmfex_datapath_transmit(dev->ep, batch);
    return 0;
}

static struct vethernet_rxq *
rxq_cast(const struct netdev_rxq *rxq)
{
    return CONTAINER_OF(rxq, struct vethernet_rxq, up);
}

/* Allocates a receive queue. */
struct netdev_rxq *
vethernet_port_rxq_alloc(void)
{
    struct vethernet_rxq *rxq = xzalloc(sizeof *rxq);
    return &rxq->up;
}

/* Constructs 'rxq', the queue of a leader. */
int
vethernet_port_rxq_construct(struct netdev_rxq *rxq)
{
    struct vethernet_port *port = vethernet_port(rxq->netdev);

    if (!port->group) {
        return ENODEV;
    }
    vmfex_consumer_init(&rxq_cast(rxq)->consumer, port->group->handover,
                        netdev_rxq_get_queue_id(rxq));
    return 0;
}

/* Destructs 'rxq'. */
void
vethernet_port_rxq_destruct(struct netdev_rxq *rxq)
{
    vmfex_consumer_uninit(&rxq_cast(rxq)->consumer);
}

/* Frees 'rxq'. */
void
vethernet_port_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq_cast(rxq));
}

/* Receives a batch of frames from 'rxq', of any vethernet of the group: see
 * vmfex-handover.h. */
int
vethernet_port_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                        int *qfill)
{
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    return vmfex_consumer_recv(&rxq_cast(rxq)->consumer, batch, qfill);
}

/* Arranges to wake up when vethernet_port_rxq_recv() has something. */
void
vethernet_port_rxq_wait(struct netdev_rxq *rxq)
{
    vmfex_consumer_wait(&rxq_cast(rxq)->consumer);
}

/* Discards the frames that wait. */
int
vethernet_port_rxq_drain(struct netdev_rxq *rxq)
{
    vmfex_handover_drain(rxq_cast(rxq)->consumer.h);
    return 0;
}
