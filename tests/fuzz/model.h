/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H 1

/* A forwarding state to put frames into, and the emulated path, which all
 * other paths have to agree with.
 *
 * A side is one trunk and what is behind it:
 *
 *     port          VIF        what of it
 *     -----------   --------   -----------------------------------------
 *     SIDE_TRUNK    -          the trunk
 *     SIDE_ANY      1          any MAC may send
 *     SIDE_MAC      2          only SIDE_MAC_ADDRESS may
 *     SIDE_CLOSED   3          the gate is closed
 *     SIDE_LAST     max_vif    any MAC may send
 *     SIDE_UNUSED   -          a VM port without a link
 *
 * If it is one of a switch, vethernet ports of an ordinary bridge are in place
 * of the VM ports, which are not there. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "netdev-provider.h"

#define SIDE_MAC_ADDRESS ETH_ADDR_C(52,54,00,00,00,02)
#define SIDE_MTU 1500

enum side_port {
    SIDE_TRUNK,
    SIDE_ANY,
    SIDE_MAC,
    SIDE_CLOSED,
    SIDE_LAST,
    SIDE_UNUSED,
    SIDE_N_PORTS
};

/* What is counted at a side: its trunk and its endpoints. */
struct side_counts {
    uint64_t n[SIDE_N_PORTS][VMFEX_N_COUNTERS];
};

struct side {
    enum vmfex_tag tag;
    bool is_switch;
    odp_port_t ports[SIDE_N_PORTS];
    struct netdev netdevs[SIDE_N_PORTS];
    struct vmfex_counters counters[SIDE_N_PORTS];   /* Of ports. */
    struct vmfex_endpoint *endpoints[SIDE_N_PORTS]; /* NULL if none. */
    struct vmfex_link *links[SIDE_N_PORTS];         /* Likewise. */
};

void side_create(struct side *, const char *name, enum vmfex_tag,
                 bool is_switch, enum vmfex_path,
                 const odp_port_t ports[SIDE_N_PORTS],
                 const struct netdev_class *);
void side_count(const struct side *, struct side_counts *);

/* Where frames went. */
#define OUTCOME_MAX 32

struct outcome {
    bool control;               /* One was a control frame. */
    size_t n;
    struct {
        odp_port_t port;        /* Or ODPP_NONE. */
        const struct vmfex_endpoint *endpoint; /* Of an ordinary bridge. */
        struct dp_packet *packet;
    } outputs[OUTCOME_MAX];
    const struct vmfex_endpoint *delivers; /* Internal. */
};

void outcome_add(struct outcome *, odp_port_t, const struct vmfex_endpoint *,
                 struct dp_packet *);
bool outcome_equals(const struct outcome *, const struct outcome *);
void outcome_uninit(struct outcome *);

void emulate(struct outcome *, struct dp_packet *, odp_port_t in_port);

#endif /* model.h */
