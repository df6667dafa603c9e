/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_GUARD_H
#define VMFEX_GUARD_H 1

/* The source guard: what a VM may send.
 *
 * Every frame for a vethernet port of an ordinary bridge comes in at one
 * place, vmfex-inject.h, whatever its way there was.  There, in front of the
 * policer and of the bridge with its OpenFlow rules, the guard looks at it:
 *
 *     trunk --> tag checked, taken off --> guard --> policer --> bridge
 *                                            |
 *                                            +--> dropped, one counter a cause
 *
 * Options of the vethernet port are compiled into a struct vmfex_guard, which
 * is never changed, only replaced.  A port without any such option has none,
 * and then only frames to a group address are looked at: BPDUs do not pass.
 *
 * vmfex_guard_check() decides by the frame alone.  vmfex_storm_pass() limits
 * frames to many receivers; its state is a time for each kind, as an atomic.
 * Neither takes a lock.
 *
 * What is checked, for IPv4 and IPv6 behind any number of VLAN tags:
 *
 *     frame     what has to be an address of the VM
 *     -----     -----------------------------------
 *     any       source MAC
 *     IPv4      source; 0.0.0.0 only to ask for a lease
 *     ARP       sender's MAC and IPv4 address; the target's in a probe
 *     IPv6      source; :: only for neighbour and multicast listener discovery
 *     ND        target of an advertisement, and of a solicitation from ::;
 *               the link-layer address in an option
 *
 * The IPv6 link-local address that is made of the source MAC is one of the
 * VM's, too.  A frame that hides what is to be checked behind a chain of
 * headers without an end, or in fragments, is dropped (RFC 6980, RFC 7112). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/vmfex-drop.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "util.h"

/* How many addresses of a kind a port may have. */
#define VMFEX_GUARD_MAX_ADDRESSES 64

#define VMFEX_GUARD_MAX_LIMIT 100000000  /* Frames a second. */

/* Kinds of frames to many receivers. */
enum vmfex_storm {
    VMFEX_STORM_BROADCAST,
    VMFEX_STORM_MULTICAST,
    VMFEX_N_STORMS
};

/* Addresses that begin with the same bits.  IPv4 is mapped into IPv6. */
struct vmfex_prefix {
    uint64_t value[2];          /* In network byte order. */
    uint64_t mask[2];
};

/* What a VM may send.  Immutable once it is in use. */
struct vmfex_guard {
    struct ovs_refcount ref_cnt;
    struct eth_addr *macs;      /* That may send; all of them if 'n_macs' is */
    size_t n_macs;              /* zero. */
    struct vmfex_prefix *ips;   /* Likewise. */
    size_t n_ips;
    bool dhcp_client;           /* No messages of a DHCP server. */
    bool ra_host;               /* No messages of an IPv6 router. */
    bool pass_bpdus;
    uint32_t limits[VMFEX_N_STORMS]; /* Frames a second; 0 for no limit. */
};

struct vmfex_guard *vmfex_guard_create(void);
struct vmfex_guard *vmfex_guard_ref(const struct vmfex_guard *);
void vmfex_guard_unref(const struct vmfex_guard *);
bool vmfex_guard_equals(const struct vmfex_guard *,
                        const struct vmfex_guard *);
bool vmfex_guard_add_mac(struct vmfex_guard *, struct eth_addr);
bool vmfex_guard_add_ip(struct vmfex_guard *, const char *);
void vmfex_guard_format_ip(const struct vmfex_prefix *, char *, size_t);

bool vmfex_guard_has_mac(const struct vmfex_guard *, struct eth_addr);
enum vmfex_drop vmfex_guard_check(const struct vmfex_guard *,
                                  const void *frame, size_t size);

/* When the next frame of each kind is due, in ns since some time. */
struct vmfex_storms {
    atomic_uint64_t due[VMFEX_N_STORMS];
};

void vmfex_storms_init(struct vmfex_storms *);
enum vmfex_drop vmfex_storm_check(const struct vmfex_storms *,
                                  const struct vmfex_guard *,
                                  const void *frame, long long int now);
enum vmfex_drop vmfex_storm_pass(struct vmfex_storms *,
                                 const struct vmfex_guard *,
                                 const void *frame, long long int now);

/* Returns true if 'guard', which may be NULL, limits any kind of frames. */
static inline bool
vmfex_guard_limits(const struct vmfex_guard *guard)
{
    return (guard && (guard->limits[VMFEX_STORM_BROADCAST]
                      || guard->limits[VMFEX_STORM_MULTICAST]));
}

/* Returns true if the frame at 'frame', for a port with 'guard', which may be
 * NULL, needs no look.  Anything but a frame to a group address does not where
 * nothing is configured. */
static inline bool
vmfex_guard_is_idle(const struct vmfex_guard *guard, const void *frame)
{
    return !guard && !(*(const uint8_t *) frame & 1);
}

#endif /* vmfex-guard.h */
