/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vethernet-qos.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmap.h"
#include "datapath-actions/forwarding/vmfex-bucket.h"
#include "dp-packet.h"
#include "hash.h"
#include "netdev.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "smap.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

static const char egress_policer[] = "egress-policer";
static const char trtcm_policer[] = "trtcm-policer";

/* No rate is higher than this number of bytes a second, which is more than any
 * device has, nor a burst larger than this number of bytes. */
#define MAX_RATE (UINT64_C(1) << 40)

/* What is configured: bytes a second, and bytes. */
struct rates {
    uint64_t cir;               /* Committed; 0 if there is none. */
    uint64_t cbs;
    uint64_t eir;               /* In excess of it; likewise. */
    uint64_t ebs;
};

/* The colors of RFC 4115. */
enum color { GREEN, YELLOW, RED };

struct meter {
    struct rates rates;
    struct vmfex_bucket committed;
    struct vmfex_bucket excess;
};

struct queue {
    struct cmap_node node;      /* In a policy's 'queues', by 'id'. */
    uint32_t id;
    struct meter meter;
    long long int created;      /* In ms. */
    atomic_uint64_t tx_bytes;
    atomic_uint64_t tx_packets;
    atomic_uint64_t tx_errors;
};

/* The main thread replaces it, and its queues; any thread reads it. */
struct vethernet_policy {
    const char *type;
    struct meter meter;
    struct cmap queues;         /* Only of a trtcm-policer. */
};

/* Configuration. */

static bool
rates_equal(const struct rates *a, const struct rates *b)
{
    return (a->cir == b->cir && a->cbs == b->cbs
            && a->eir == b->eir && a->ebs == b->ebs);
}

/* Stores the number that 'details' has for 'key', or 0 if there is none, in
 * '*number'.  Returns NULL or what is wrong, which the caller must free. */
static char *
parse_number(const struct smap *details, const char *key, uint64_t *number)
{
    const char *value = smap_get(details, key);
    unsigned long long int n = 0;

    *number = 0;
    if (value && (!str_to_ullong(value, 10, &n) || n > MAX_RATE)) {
        return xasprintf("%s is not a number from 0 to %"PRIu64,
                         key, MAX_RATE);
    }
    *number = n;
    return NULL;
}

/* Parses a rate and its burst out of 'details'.  Returns NULL or what is
 * wrong, which the caller must free. */
static char *
parse_rate(const struct smap *details, const char *rate_key,
           const char *burst_key, uint64_t *rate, uint64_t *burst)
{
    char *error = parse_number(details, rate_key, rate);

    if (!error) {
        error = parse_number(details, burst_key, burst);
    }
    if (!error && *rate && !*burst) {
        error = xasprintf("%s is missing: give it the size of the largest "
                          "frame at least, in bytes", burst_key);
    }
    return error;
}

/* Stores in 'rates' what a policy or a queue of 'type' gets from 'details'.
 * Returns NULL or what is wrong, which the caller must free. */
static char *
parse_rates(const char *type, const struct smap *details, struct rates *rates)
{
    char *error;

    memset(rates, 0, sizeof *rates);
    error = parse_rate(details, "cir", "cbs", &rates->cir, &rates->cbs);
    if (!error && type == trtcm_policer) {
        error = parse_rate(details, "eir", "ebs", &rates->eir, &rates->ebs);
    }
    if (!error && type == egress_policer && !rates->cir) {
        error = xstrdup("cir is missing: give it the rate, in bytes a second");
    }
    return error;
}

static void
format_rates(const char *type, const struct rates *rates,
             struct smap *details)
{
    smap_add_format(details, "cir", "%"PRIu64, rates->cir);
    smap_add_format(details, "cbs", "%"PRIu64, rates->cbs);
    if (type == trtcm_policer) {
        smap_add_format(details, "eir", "%"PRIu64, rates->eir);
        smap_add_format(details, "ebs", "%"PRIu64, rates->ebs);
    }
}

static void
meter_init(struct meter *meter, const struct rates *rates)
{
    meter->rates = *rates;
    if (rates->cir) {
        vmfex_bucket_init(&meter->committed, rates->cir, rates->cbs);
    }
    if (rates->eir) {
        vmfex_bucket_init(&meter->excess, rates->eir, rates->ebs);
    }
}

/* Returns the color of a frame of 'size' bytes that comes as 'color'. */
static enum color
meter_run(struct meter *meter, enum color color, size_t size, uint64_t now)
{
    if (color == GREEN && meter->rates.cir
        && vmfex_bucket_take(&meter->committed, size, now)) {
        return GREEN;
    }
    if (color != RED && meter->rates.eir
        && vmfex_bucket_take(&meter->excess, size, now)) {
        return YELLOW;
    }
    return RED;
}

/* Queues. */

static struct queue *
queue_find(const struct vethernet_policy *policy, uint32_t id)
{
    struct queue *queue;

    CMAP_FOR_EACH_WITH_HASH (queue, node, hash_int(id, 0), &policy->queues) {
        if (queue->id == id) {
            return queue;
        }
    }
    return NULL;
}

static struct queue *
queue_create(uint32_t id, const struct rates *rates)
{
    struct queue *queue = xmalloc(sizeof *queue);

    queue->id = id;
    meter_init(&queue->meter, rates);
    queue->created = time_msec();
    atomic_init(&queue->tx_bytes, 0);
    atomic_init(&queue->tx_packets, 0);
    atomic_init(&queue->tx_errors, 0);
    return queue;
}

static void
queue_remove(struct vethernet_policy *policy, struct queue *queue)
{
    cmap_remove(&policy->queues, &queue->node, hash_int(queue->id, 0));
    ovsrcu_postpone(free, queue);
}

/* Policies. */

static struct vethernet_policy *
get_policy(const struct vethernet_qos *qos)
{
    return ovsrcu_get(struct vethernet_policy *, &qos->policy);
}

static struct vethernet_policy *
policy_create(const char *type, const struct rates *rates)
{
    struct vethernet_policy *policy = xmalloc(sizeof *policy);

    policy->type = type;
    meter_init(&policy->meter, rates);
    cmap_init(&policy->queues);
    return policy;
}

static void
policy_destroy(struct vethernet_policy *policy)
{
    struct queue *queue;

    CMAP_FOR_EACH (queue, node, &policy->queues) {
        queue_remove(policy, queue);
    }
    cmap_destroy(&policy->queues);
    free(policy);
}

/* Initializes 'qos', without any policy. */
void
vethernet_qos_init(struct vethernet_qos *qos)
{
    ovsrcu_init(&qos->policy, NULL);
}

/* Frees what 'qos', which no thread uses any more, holds. */
void
vethernet_qos_uninit(struct vethernet_qos *qos)
{
    struct vethernet_policy *policy = get_policy(qos);

    if (policy) {
        policy_destroy(policy);
    }
}

/* Adds the names of the types of QoS to 'types'. */
void
vethernet_qos_get_types(struct sset *types)
{
    sset_add(types, egress_policer);
    sset_add(types, trtcm_policer);
}

/* Returns the number of queues that a policy of 'type' may have. */
unsigned int
vethernet_qos_n_queues(const char *type)
{
    return !strcmp(type, trtcm_policer) ? UINT16_MAX : 0;
}

/* Gives 'qos' a policy of 'type', configured by 'details', or none if 'type'
 * is empty.  A policy that is there already stays as it is, with its queues.
 * Main thread only.
 *
 * Returns 0, or EOPNOTSUPP if there is no such type, or EINVAL: in these cases
 * there is no policy then, and '*errorp' is a sentence of what is wrong, which
 * the caller must free; otherwise NULL. */
int
vethernet_qos_set(struct vethernet_qos *qos, const char *type_name,
                  const struct smap *details, char **errorp)
{
    struct vethernet_policy *old = get_policy(qos);
    struct vethernet_policy *new = NULL;
    const char *type = (!strcmp(type_name, egress_policer) ? egress_policer
                        : !strcmp(type_name, trtcm_policer) ? trtcm_policer
                        : NULL);
    struct rates rates;
    int error = 0;

    *errorp = NULL;
    if (type) {
        *errorp = parse_rates(type, details, &rates);
        error = *errorp ? EINVAL : 0;
        if (!error && old && old->type == type
            && rates_equal(&rates, &old->meter.rates)) {
            return 0;
        }
        new = error ? NULL : policy_create(type, &rates);
    } else if (type_name[0]) {
        *errorp = xasprintf("a vethernet port has no type \"%s\": use %s or "
                            "%s", type_name, egress_policer, trtcm_policer);
        error = EOPNOTSUPP;
    }
    ovsrcu_set(&qos->policy, new);
    if (old) {
        ovsrcu_postpone(policy_destroy, old);
    }
    return error;
}

/* Adds the configuration of the policy of 'qos' to 'details'.  Returns its
 * type, or "" if there is no policy. */
const char *
vethernet_qos_get(const struct vethernet_qos *qos, struct smap *details)
{
    const struct vethernet_policy *policy = get_policy(qos);

    if (!policy) {
        return "";
    }
    format_rates(policy->type, &policy->meter.rates, details);
    return policy->type;
}

/* Configures the queue 'id' of 'qos' by 'details'.  Queue 0 without any
 * details gets the rates of the port.  Main thread only.
 *
 * Returns 0, or EOPNOTSUPP if the policy has no queues, or EINVAL: then the
 * queue is gone, and '*errorp' is a sentence of what is wrong, which the
 * caller must free; otherwise NULL. */
int
vethernet_qos_set_queue(struct vethernet_qos *qos, uint32_t id,
                        const struct smap *details, char **errorp)
{
    struct vethernet_policy *policy = get_policy(qos);
    struct queue *old;
    struct rates rates;
    char *error;

    *errorp = NULL;
    if (!policy || policy->type != trtcm_policer) {
        return EOPNOTSUPP;
    }
    error = parse_rates(policy->type, details, &rates);
    if (!id && smap_is_empty(details)) {
        rates = policy->meter.rates;
    }
    old = queue_find(policy, id);
    if (!error && old && rates_equal(&rates, &old->meter.rates)) {
        return 0;
    }
    if (old) {
        queue_remove(policy, old);
    }
    if (error) {
        *errorp = xasprintf("queue %"PRIu32": %s", id, error);
        free(error);
        return EINVAL;
    }
    cmap_insert(&policy->queues, &queue_create(id, &rates)->node,
                hash_int(id, 0));
    return 0;
}

/* Deletes the queue 'id' of 'qos'.  Main thread only.  Returns 0, or ENOENT if
 * there is none. */
int
vethernet_qos_delete_queue(struct vethernet_qos *qos, uint32_t id)
{
    struct vethernet_policy *policy = get_policy(qos);
    struct queue *queue = policy ? queue_find(policy, id) : NULL;

    if (!queue) {
        return ENOENT;
    }
    queue_remove(policy, queue);
    return 0;
}

/* Adds the configuration of the queue 'id' of 'qos' to 'details'.  Returns 0,
 * or ENOENT if there is none. */
int
vethernet_qos_get_queue(const struct vethernet_qos *qos, uint32_t id,
                        struct smap *details)
{
    const struct vethernet_policy *policy = get_policy(qos);
    const struct queue *queue = policy ? queue_find(policy, id) : NULL;

    if (!queue) {
        return ENOENT;
    }
    format_rates(policy->type, &queue->meter.rates, details);
    return 0;
}

/* Stores the statistics of the queue 'id' of 'qos' in 'stats'.  Returns 0, or
 * ENOENT if there is none. */
int
vethernet_qos_get_queue_stats(const struct vethernet_qos *qos, uint32_t id,
                              struct netdev_queue_stats *stats)
{
    const struct vethernet_policy *policy = get_policy(qos);
    struct queue *queue = policy ? queue_find(policy, id) : NULL;

    if (!queue) {
        return ENOENT;
    }
    atomic_read_relaxed(&queue->tx_bytes, &stats->tx_bytes);
    atomic_read_relaxed(&queue->tx_packets, &stats->tx_packets);
    atomic_read_relaxed(&queue->tx_errors, &stats->tx_errors);
    stats->created = queue->created;
    return 0;
}

/* Stores the id of the queue of 'qos' that is the next one from '*idp' on in
 * '*idp'.  Returns false if there is none. */
bool
vethernet_qos_next_queue(const struct vethernet_qos *qos, uint32_t *idp)
{
    const struct vethernet_policy *policy = get_policy(qos);
    const struct queue *queue;
    uint32_t next = UINT32_MAX;
    bool found = false;

    if (policy) {
        CMAP_FOR_EACH (queue, node, &policy->queues) {
            if (queue->id >= *idp && queue->id <= next) {
                next = queue->id;
                found = true;
            }
        }
    }
    *idp = next;
    return found;
}

/* Frames. */

/* Returns true if a frame of 'size' bytes that was put into the queue 'id' is
 * within the limits of 'policy' at the time 'now', and counts it. */
static bool
policy_pass(struct vethernet_policy *policy, uint32_t id, size_t size,
            uint64_t now)
{
    struct queue *queue;
    enum color color;
    uint64_t orig;

    if (policy->type == egress_policer) {
        return meter_run(&policy->meter, GREEN, size, now) != RED;
    }
    queue = queue_find(policy, id);
    if (!queue) {
        queue = queue_find(policy, 0);
        if (!queue) {
            return false;
        }
    }
    color = meter_run(&queue->meter, GREEN, size, now);
    if (color == RED) {
        atomic_add_relaxed(&queue->tx_errors, 1, &orig);
        return false;
    }
    atomic_add_relaxed(&queue->tx_bytes, size, &orig);
    atomic_add_relaxed(&queue->tx_packets, 1, &orig);
    return meter_run(&policy->meter, color, size, now) != RED;
}

/* Drops those frames of 'batch', which goes towards the VM, that are more than
 * 'qos' allows.  Returns how many these are, which the caller counts. */
unsigned int
vethernet_qos_run(const struct vethernet_qos *qos,
                  struct dp_packet_batch *batch)
{
    struct vethernet_policy *policy = get_policy(qos);
    size_t n = dp_packet_batch_size(batch);
    struct dp_packet *packet;
    uint64_t now;
    size_t i;

    if (OVS_LIKELY(!policy)) {
        return 0;
    }
    now = vmfex_bucket_now();
    DP_PACKET_BATCH_REFILL_FOR_EACH (i, n, packet, batch) {
        size_t size = dp_packet_size(packet);

        if (policy_pass(policy, packet->md.skb_priority,
                        size > ETH_HEADER_LEN ? size - ETH_HEADER_LEN : 0,
                        now)) {
            dp_packet_batch_refill(batch, packet, i);
        } else {
            dp_packet_delete(packet);
        }
    }
    return n - dp_packet_batch_size(batch);
}
