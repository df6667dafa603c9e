/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/replay-names.h"

#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"
#include "util.h"

#define CABLE_LEN 4096          /* Frames that wait for a port. */
#define KEY_LEN 26              /* Bytes of a frame that tell its kind. */
#define MAX_TAG_LEN 8           /* What a stamped frame may have lost. */

/* Frames of one kind that a port sent. */
struct summary_entry {
    struct hmap_node node;
    uint8_t key[KEY_LEN];
    uint8_t queue;
    uint64_t n_frames, n_bytes, n_disordered, n_shuffled, last_seq;
};

struct summary {
    struct ovs_mutex mutex;
    struct hmap entries OVS_GUARDED;
};

/* Frames on their way to a port, by its name: it need not be there. */
struct cable {
    struct ovs_mutex mutex;
    struct dp_packet *packets[CABLE_LEN] OVS_GUARDED;
    size_t head OVS_GUARDED, n OVS_GUARDED;
};

/* Summaries and cables by name of the port, never freed. */
static struct ovs_mutex names_mutex = OVS_MUTEX_INITIALIZER;
static struct shash summaries OVS_GUARDED_BY(names_mutex)
    = SHASH_INITIALIZER(&summaries);
static struct shash cables OVS_GUARDED_BY(names_mutex)
    = SHASH_INITIALIZER(&cables);

/* Frames in all cables. */
static atomic_count n_in_cables = ATOMIC_COUNT_INIT(0);

/* Summaries. */

/* Returns the summary of the port named 'name'. */
struct summary *
summary_get(const char *name)
{
    struct summary *summary;

    ovs_mutex_lock(&names_mutex);
    summary = shash_find_data(&summaries, name);
    if (!summary) {
        summary = xzalloc(sizeof *summary);
        ovs_mutex_init(&summary->mutex);
        ovs_mutex_lock(&summary->mutex);
        hmap_init(&summary->entries);
        ovs_mutex_unlock(&summary->mutex);
        shash_add(&summaries, name, summary);
    }
    ovs_mutex_unlock(&names_mutex);
    return summary;
}

/* Adds 'packet', which the port sent, to 'summary'. */
void
summary_add(struct summary *summary, const struct dp_packet *packet)
{
    size_t size = dp_packet_size(packet);
    uint8_t key[KEY_LEN + 1] = { 0 };
    struct summary_entry *e;
    uint64_t seq = 0;
    uint32_t hash;

    memcpy(key, dp_packet_data(packet), MIN(size, KEY_LEN));
    if (size >= MIN_STAMPED - MAX_TAG_LEN) {
        ovs_be64 value;

        memcpy(&value, (char *) dp_packet_tail(packet) - sizeof value,
               sizeof value);
        seq = ntohll(value) & (UINT64_MAX >> 8);
        key[KEY_LEN] = ntohll(value) >> 56;
    }

    hash = hash_bytes(key, sizeof key, 0);
    ovs_mutex_lock(&summary->mutex);
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &summary->entries) {
        if (!memcmp(e->key, key, KEY_LEN) && e->queue == key[KEY_LEN]) {
            break;
        }
    }
    if (!e) {
        e = xzalloc(sizeof *e);
        memcpy(e->key, key, KEY_LEN);
        e->queue = key[KEY_LEN];
        hmap_insert(&summary->entries, &e->node, hash);
    }
    e->n_frames++;
    e->n_bytes += size;
    if (seq) {
        if (seq >> 8 < e->last_seq >> 8) {
            e->n_disordered++;
        } else if (seq <= e->last_seq) {
            e->n_shuffled++;
        }
        e->last_seq = seq;
    }
    ovs_mutex_unlock(&summary->mutex);
}

static void
summary_format(struct summary *summary, const char *name, struct ds *ds)
{
    struct summary_entry *e;

    ovs_mutex_lock(&summary->mutex);
    HMAP_FOR_EACH (e, node, &summary->entries) {
        ds_put_format(ds, "%s ", name);
        for (size_t i = 0; i < KEY_LEN; i++) {
            ds_put_format(ds, "%02x", e->key[i]);
        }
        ds_put_format(ds, " queue=%d frames=%"PRIu64" bytes=%"PRIu64
                      " disordered=%"PRIu64" shuffled=%"PRIu64"\n",
                      e->queue, e->n_frames, e->n_bytes, e->n_disordered,
                      e->n_shuffled);
    }
    ovs_mutex_unlock(&summary->mutex);
}

/* Appends the summary of the port named 'name', or of all ports if 'name' is
 * NULL, to 'ds'. */
void
summaries_format(const char *name, struct ds *ds)
{
    struct shash_node *node;

    ovs_mutex_lock(&names_mutex);
    SHASH_FOR_EACH (node, &summaries) {
        if (!name || !strcmp(node->name, name)) {
            summary_format(node->data, node->name, ds);
        }
    }
    ovs_mutex_unlock(&names_mutex);
}

/* Empties all summaries. */
void
summaries_clear(void)
{
    struct shash_node *node;

    ovs_mutex_lock(&names_mutex);
    SHASH_FOR_EACH (node, &summaries) {
        struct summary *summary = node->data;
        struct summary_entry *e;

        ovs_mutex_lock(&summary->mutex);
        HMAP_FOR_EACH_POP (e, node, &summary->entries) {
            free(e);
        }
        ovs_mutex_unlock(&summary->mutex);
    }
    ovs_mutex_unlock(&names_mutex);
}

/* Cables. */

/* Returns the cable to the port named 'name'. */
struct cable *
cable_get(const char *name)
{
    struct cable *cable;

    ovs_mutex_lock(&names_mutex);
    cable = shash_find_data(&cables, name);
    if (!cable) {
        cable = xzalloc(sizeof *cable);
        ovs_mutex_init(&cable->mutex);
        shash_add(&cables, name, cable);
    }
    ovs_mutex_unlock(&names_mutex);
    return cable;
}

/* Puts a copy of 'packet' into 'cable'.  Returns false if it is full. */
bool
cable_put(struct cable *cable, const struct dp_packet *packet)
{
    bool ok;

    ovs_mutex_lock(&cable->mutex);
    ok = cable->n < CABLE_LEN;
    if (ok) {
        size_t i = (cable->head + cable->n++) % CABLE_LEN;

        atomic_count_inc(&n_in_cables);
        cable->packets[i] = dp_packet_clone_data_with_headroom(
            dp_packet_data(packet), dp_packet_size(packet), 128);
    }
    ovs_mutex_unlock(&cable->mutex);
    return ok;
}

/* Moves frames from 'cable' to 'batch'. */
void
cable_get_batch(struct cable *cable, struct dp_packet_batch *batch)
{
    ovs_mutex_lock(&cable->mutex);
    while (cable->n && dp_packet_batch_size(batch) < NETDEV_MAX_BURST) {
        dp_packet_batch_add(batch, cable->packets[cable->head]);
        cable->head = (cable->head + 1) % CABLE_LEN;
        cable->n--;
        atomic_count_dec(&n_in_cables);
    }
    ovs_mutex_unlock(&cable->mutex);
}

/* Returns true if no frame is in 'cable'. */
bool
cable_is_empty(struct cable *cable)
{
    bool empty;

    ovs_mutex_lock(&cable->mutex);
    empty = !cable->n;
    ovs_mutex_unlock(&cable->mutex);
    return empty;
}

/* Returns true if whoever has more frames to put into cables should wait. */
bool
cables_are_crowded(void)
{
    return atomic_count_get(&n_in_cables) > CABLE_LEN / 4;
}
