/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/netdev-replay.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/compat.h"
#include "dp-packet.h"
#include "dummy.h"
#include "hash.h"
#include "netdev-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "pcap-file.h"
#include "smap.h"
#include "tests/replay-load.h"
#include "tests/replay-names.h"
#include "unaligned.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_replay);

#define MAX_QUEUES 8
#define BREAK_INTERVAL 32       /* Polls between two short breaks... */
#define BREAK_NS (300 * 1000)   /* ...of so many nanoseconds. */
#define FOREVER UINT64_MAX

/* What a receive queue has to do.  The queue itself comes and goes with each
 * reconfiguration. */
struct replay_source {
    struct ovs_mutex mutex;
    struct load *load OVS_GUARDED;      /* NULL if there is nothing to do. */
    size_t next OVS_GUARDED;            /* Index in 'load->frames'. */
    uint64_t times OVS_GUARDED;         /* How often, or FOREVER. */
    bool busy OVS_GUARDED;              /* A batch is being forwarded. */
    unsigned int n_polls OVS_GUARDED;   /* Since the last break. */
};

struct netdev_replay {
    struct netdev up;
    struct replay_source sources[MAX_QUEUES];
    atomic_bool receiving[MAX_QUEUES]; /* A thread is in a receive queue. */
    struct ovs_mutex tx_mutexes[MAX_QUEUES];
    struct summary *summary;    /* Not owned. */
    struct cable *cable;        /* To this port.  Not owned. */
    atomic_count n_senders;     /* Threads in netdev_replay_send(). */
    atomic_bool stamp, summarize;

    struct ovs_mutex mutex;
    struct eth_addr hwaddr OVS_GUARDED;
    enum netdev_flags flags OVS_GUARDED;
    struct netdev_stats stats OVS_GUARDED;
    int mtu OVS_GUARDED, requested_mtu OVS_GUARDED;
    int requested_n_rxq OVS_GUARDED;
    int max_n_txq OVS_GUARDED, requested_n_txq OVS_GUARDED;
    struct pcap_file *tx_pcap OVS_GUARDED;
    char *tx_pcap_name OVS_GUARDED;
    char *rx_forever OVS_GUARDED;
    char *peer_name OVS_GUARDED;
    struct cable *peer OVS_GUARDED; /* To the peer, or NULL.  Not owned. */
};

struct netdev_rxq_replay {
    struct netdev_rxq up;
};

enum total {
    RX_FRAMES, RX_BYTES, TX_FRAMES, TX_BYTES, TX_DROPPED, VIOLATIONS, N_TOTALS
};
static atomic_uint64_t totals[N_TOTALS];

/* The last batch, of all ports: it grows even if a port is added anew. */
static atomic_uint64_t last_batch;

static const struct netdev_class replay_class, replay_main_class;

static bool
is_replay_class(const struct netdev_class *class)
{
    return class == &replay_class || class == &replay_main_class;
}

static struct netdev_replay *
netdev_replay_cast(const struct netdev *netdev)
{
    ovs_assert(is_replay_class(netdev->netdev_class));
    return CONTAINER_OF(netdev, struct netdev_replay, up);
}

static void
total_add(enum total total, uint64_t n)
{
    uint64_t orig;

    atomic_add_relaxed(&totals[total], n, &orig);
}

static void
violation(const struct netdev_replay *dev, const char *what)
{
    total_add(VIOLATIONS, 1);
    VLOG_ERR("%s: %s", netdev_get_name(&dev->up), what);
}

/* Receiving. */

static void
source_start(struct replay_source *source, struct load *load, uint64_t times)
{
    ovs_mutex_lock(&source->mutex);
    load_destroy(source->load);
    source->load = load;
    source->next = 0;
    source->times = times;
    ovs_mutex_unlock(&source->mutex);
}

/* Puts the next batch of 'source', or if there is none, of 'cable' (if it is
 * nonnull), into 'batch'.  If it is time for a break, makes one. */
static void
source_next(struct replay_source *source, struct cable *cable, int queue,
            bool stamp, bool is_pmd, struct dp_packet_batch *batch)
{
    bool want_break = false;    /* Others need the CPU more. */
    struct load *load;
    uint64_t seq = 0;

    ovs_mutex_lock(&source->mutex);
    if ((!source->load || source->times == FOREVER)
        && is_pmd && ++source->n_polls >= BREAK_INTERVAL) {
        source->n_polls = 0;
        want_break = true;
    }
    load = source->load;
    if (!load && cable) {
        cable_get_batch(cable, batch);
    }
    source->busy = load || !dp_packet_batch_is_empty(batch);
    if (source->busy && source->times != FOREVER) {
        want_break = false;
    }
    while (load && (source->times == FOREVER || !cables_are_crowded())) {
        const struct load_frame *frame = &load->frames[source->next];
        struct dp_packet *packet;

        /* Even an empty frame has memory. */
        packet = dp_packet_new_with_headroom(frame->size + 1,
                                             frame->headroom);
        dp_packet_put(packet, load->data + frame->ofs, frame->size);
        if (frame->partial) {
            vmfex_packet_set_tx_offload(packet);
        }
        if (stamp && frame->size >= MIN_STAMPED) {
            ovs_be64 value;

            if (!seq) {
                atomic_add_relaxed(&last_batch, 1, &seq);
                seq = (seq + 1) << 8;
            }
            value = htonll((uint64_t) queue << 56 | ++seq);
            memcpy((char *) dp_packet_tail(packet) - sizeof value,
                   &value, sizeof value);
        }
        dp_packet_batch_add(batch, packet);

        if (++source->next >= load->n_frames) {
            source->next = 0;
            if (source->times != FOREVER && !--source->times) {
                load_destroy(load);
                source->load = NULL;
            }
            break;
        }
        if (load->frames[source->next].first) {
            break;
        }
    }
    ovs_mutex_unlock(&source->mutex);
    if (want_break) {
        xnanosleep(BREAK_NS);
    }
}

static int
netdev_replay_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                       int *qfill)
{
    struct netdev_replay *dev = netdev_replay_cast(rxq->netdev);
    atomic_bool *receiving = &dev->receiving[rxq->queue_id];
    struct dp_packet *packet;
    uint64_t n_bytes = 0;
    bool stamp, old = false;
    size_t n;

    dp_packet_batch_init(batch);
    atomic_read_relaxed(&dev->stamp, &stamp);
    if (!atomic_compare_exchange_strong(receiving, &old, true)) {
        violation(dev, "two threads in one receive queue");
    }
    source_next(&dev->sources[rxq->queue_id],
                rxq->queue_id ? NULL : dev->cable, rxq->queue_id, stamp,
                netdev_is_pmd(rxq->netdev), batch);
    atomic_store(receiving, false);
    n = dp_packet_batch_size(batch);
    if (!n) {
        return EAGAIN;
    }

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        n_bytes += dp_packet_size(packet);
    }
    ovs_mutex_lock(&dev->mutex);
    dev->stats.rx_packets += n;
    dev->stats.rx_bytes += n_bytes;
    ovs_mutex_unlock(&dev->mutex);
    total_add(RX_FRAMES, n);
    total_add(RX_BYTES, n_bytes);
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    return 0;
}

static struct netdev_rxq *
netdev_replay_rxq_alloc(void)
{
    struct netdev_rxq_replay *rx = xzalloc(sizeof *rx);

    return &rx->up;
}

static int
netdev_replay_rxq_construct(struct netdev_rxq *rxq OVS_UNUSED)
{
    return 0;
}

static void
netdev_replay_rxq_destruct(struct netdev_rxq *rxq)
{
    struct netdev_replay *dev = netdev_replay_cast(rxq->netdev);
    struct replay_source *source = &dev->sources[rxq->queue_id];
    bool receiving;

    atomic_read(&dev->receiving[rxq->queue_id], &receiving);
    if (receiving) {
        violation(dev, "a receive queue is closed while it is polled");
    }
    ovs_mutex_lock(&source->mutex);
    source->busy = false;
    ovs_mutex_unlock(&source->mutex);
}

static void
netdev_replay_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(CONTAINER_OF(rxq, struct netdev_rxq_replay, up));
}

/* Sending. */

static void
send_packet(struct netdev_replay *dev, struct dp_packet *packet)
    OVS_REQUIRES(dev->mutex)
{
    const uint8_t *data = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    size_t max_size = ETH_HEADER_LEN + dev->mtu;
    bool summarize;

    if (size >= ETH_HEADER_LEN) {
        ovs_be16 eth_type;

        /* Data may start at an odd address. */
        memcpy(&eth_type, data + 2 * ETH_ADDR_LEN, sizeof eth_type);
        if (eth_type_vlan(eth_type)) {
            max_size += VLAN_HEADER_LEN;
        }
    }
    if (size > max_size || (dev->peer && !cable_put(dev->peer, packet))) {
        dev->stats.tx_dropped++;
        total_add(TX_DROPPED, 1);
        return;
    }

    dev->stats.tx_packets++;
    dev->stats.tx_bytes += size;
    total_add(TX_FRAMES, 1);
    total_add(TX_BYTES, size);
    if (dev->tx_pcap) {
        ovs_pcap_write(dev->tx_pcap, packet);
    }
    atomic_read_relaxed(&dev->summarize, &summarize);
    if (summarize) {
        summary_add(dev->summary, packet);
    }
}

static int
netdev_replay_send(struct netdev *netdev, int qid,
                   struct dp_packet_batch *batch, bool concurrent_txq)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);
    struct dp_packet *packet;

    atomic_count_inc(&dev->n_senders);
    if (qid < 0 || qid >= netdev->n_txq) {
        violation(dev, "a transmit queue that does not exist");
        qid = 0;
    }
    if (concurrent_txq) {
        ovs_mutex_lock(&dev->tx_mutexes[qid]);
    } else if (ovs_mutex_trylock(&dev->tx_mutexes[qid])) {
        violation(dev, "two threads in one transmit queue");
        ovs_mutex_lock(&dev->tx_mutexes[qid]);
    }

    ovs_mutex_lock(&dev->mutex);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        send_packet(dev, packet);
    }
    ovs_mutex_unlock(&dev->mutex);

    ovs_mutex_unlock(&dev->tx_mutexes[qid]);
    dp_packet_delete_batch(batch, true);
    atomic_count_dec(&dev->n_senders);
    return 0;
}

/* Life and configuration. */

static struct netdev *
netdev_replay_alloc(void)
{
    struct netdev_replay *dev = xzalloc(sizeof *dev);

    return &dev->up;
}

static int
netdev_replay_construct(struct netdev *netdev)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);
    const char *name = netdev_get_name(netdev);

    for (size_t i = 0; i < MAX_QUEUES; i++) {
        ovs_mutex_init(&dev->sources[i].mutex);
        ovs_mutex_init(&dev->tx_mutexes[i]);
        atomic_init(&dev->receiving[i], false);
    }
    dev->summary = summary_get(name);
    dev->cable = cable_get(name);
    atomic_count_init(&dev->n_senders, 0);
    atomic_init(&dev->stamp, false);
    atomic_init(&dev->summarize, false);
    ovs_mutex_init(&dev->mutex);

    ovs_mutex_lock(&dev->mutex);
    dev->hwaddr = (struct eth_addr) ETH_ADDR_C(aa,56,00,00,00,00);
    put_unaligned_be32((void *) &dev->hwaddr.ea[2],
                       htonl(hash_string(name, 0)));
    dev->flags = NETDEV_UP | NETDEV_PROMISC;
    dev->mtu = dev->requested_mtu = ETH_PAYLOAD_MAX;
    dev->requested_n_rxq = dev->requested_n_txq = dev->max_n_txq = 1;
    ovs_mutex_unlock(&dev->mutex);
    netdev->n_rxq = netdev->n_txq = 1;
    return 0;
}

static void
netdev_replay_destruct(struct netdev *netdev)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    if (atomic_count_get(&dev->n_senders)) {
        violation(dev, "sent to while it is destroyed");
    }
    for (size_t i = 0; i < MAX_QUEUES; i++) {
        source_start(&dev->sources[i], NULL, 0);
        ovs_mutex_destroy(&dev->sources[i].mutex);
        ovs_mutex_destroy(&dev->tx_mutexes[i]);
    }
    ovs_mutex_lock(&dev->mutex);
    if (dev->tx_pcap) {
        ovs_pcap_close(dev->tx_pcap);
    }
    free(dev->tx_pcap_name);
    free(dev->rx_forever);
    free(dev->peer_name);
    ovs_mutex_unlock(&dev->mutex);
    ovs_mutex_destroy(&dev->mutex);
}

static void
netdev_replay_dealloc(struct netdev *netdev)
{
    free(netdev_replay_cast(netdev));
}

/* Stores 'args''s 'key' in '*string' and returns true if that is a change. */
static bool
update_string(char **string, const struct smap *args, const char *key)
{
    const char *new = smap_get(args, key);

    if (nullable_string_is_equal(*string, new)) {
        return false;
    }
    free(*string);
    *string = nullable_xstrdup(new);
    return true;
}

static void
set_rx_forever(struct netdev_replay *dev)
    OVS_REQUIRES(dev->mutex)
{
    for (size_t i = 0; i < MAX_QUEUES; i++) {
        struct load *load = NULL;
        int error = dev->rx_forever ? load_read(dev->rx_forever, &load) : 0;

        if (error) {
            VLOG_ERR("%s: cannot read %s (%s)", netdev_get_name(&dev->up),
                     dev->rx_forever, ovs_strerror(error));
        }
        source_start(&dev->sources[i], load, FOREVER);
    }
}

static int
get_n_queues(const struct smap *args, const char *key, int default_)
{
    int n = smap_get_int(args, key, default_);

    return MIN(MAX(n, 1), MAX_QUEUES);
}

static int
netdev_replay_set_config(struct netdev *netdev, const struct smap *args,
                         char **errp OVS_UNUSED)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);
    int n_rxq = get_n_queues(args, "n_rxq", 1);
    int n_txq = get_n_queues(args, "n_txq", MAX_QUEUES);

    atomic_store_relaxed(&dev->stamp, smap_get_bool(args, "stamp", false));
    atomic_store_relaxed(&dev->summarize,
                         smap_get_bool(args, "summary", false));
    ovs_mutex_lock(&dev->mutex);
    if (update_string(&dev->tx_pcap_name, args, "tx_pcap")) {
        if (dev->tx_pcap) {
            ovs_pcap_close(dev->tx_pcap);
        }
        dev->tx_pcap = (dev->tx_pcap_name
                        ? ovs_pcap_open(dev->tx_pcap_name, "ab") : NULL);
    }
    if (update_string(&dev->peer_name, args, "peer")) {
        dev->peer = dev->peer_name ? cable_get(dev->peer_name) : NULL;
    }
    if (n_rxq != dev->requested_n_rxq || n_txq != dev->max_n_txq) {
        dev->requested_n_rxq = n_rxq;
        dev->max_n_txq = n_txq;
        netdev_request_reconfigure(netdev);
    }
    if (update_string(&dev->rx_forever, args, "rx_forever")) {
        set_rx_forever(dev);
    }
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_get_config(const struct netdev *netdev, struct smap *args)
{
    smap_add_format(args, "configured_rx_queues", "%d", netdev->n_rxq);
    smap_add_format(args, "configured_tx_queues", "%d", netdev->n_txq);
    return 0;
}

static int
netdev_replay_set_tx_multiq(struct netdev *netdev, unsigned int n_txq)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    if (n_txq != dev->requested_n_txq) {
        dev->requested_n_txq = n_txq;
        netdev_request_reconfigure(netdev);
    }
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_reconfigure(struct netdev *netdev)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    if (atomic_count_get(&dev->n_senders)) {
        violation(dev, "sent to while it is reconfigured");
    }
    if (dev->mtu != dev->requested_mtu) {
        dev->mtu = dev->requested_mtu;
        netdev_change_seq_changed(netdev);
    }
    netdev->n_rxq = dev->requested_n_rxq;
    netdev->n_txq = MIN(dev->requested_n_txq, dev->max_n_txq);
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_set_mtu(struct netdev *netdev, int mtu)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    if (mtu < 68 || mtu > 9500) {
        return EINVAL;
    }
    ovs_mutex_lock(&dev->mutex);
    if (mtu != dev->requested_mtu) {
        dev->requested_mtu = mtu;
        netdev_request_reconfigure(netdev);
    }
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_get_mtu(const struct netdev *netdev, int *mtu)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mtu = dev->mtu;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_get_numa_id(const struct netdev *netdev OVS_UNUSED)
{
    return 0;
}

static int
netdev_replay_set_etheraddr(struct netdev *netdev, const struct eth_addr mac)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    dev->hwaddr = mac;
    ovs_mutex_unlock(&dev->mutex);
    netdev_change_seq_changed(netdev);
    return 0;
}

static int
netdev_replay_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mac = dev->hwaddr;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_get_stats(const struct netdev *netdev,
                        struct netdev_stats *stats)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    stats->rx_packets = dev->stats.rx_packets;
    stats->rx_bytes = dev->stats.rx_bytes;
    stats->tx_packets = dev->stats.tx_packets;
    stats->tx_bytes = dev->stats.tx_bytes;
    stats->tx_dropped = dev->stats.tx_dropped;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_replay_update_flags(struct netdev *netdev, enum netdev_flags off,
                           enum netdev_flags on, enum netdev_flags *old_flags)
{
    struct netdev_replay *dev = netdev_replay_cast(netdev);
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    *old_flags = dev->flags;
    dev->flags = (dev->flags | on) & ~off;
    changed = *old_flags != dev->flags;
    ovs_mutex_unlock(&dev->mutex);
    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return 0;
}

static void
netdev_replay_rxq_wait(struct netdev_rxq *rxq)
{
    struct netdev_replay *dev = netdev_replay_cast(rxq->netdev);
    struct replay_source *source = &dev->sources[rxq->queue_id];

    ovs_mutex_lock(&source->mutex);
    if (source->busy || source->load) {
        poll_immediate_wake();
    } else {
        poll_timer_wait(10);
    }
    ovs_mutex_unlock(&source->mutex);
}

#define NETDEV_REPLAY_CLASS(TYPE, IS_PMD)                                    \
    {                                                                        \
        .type = TYPE,                                                        \
        .is_pmd = IS_PMD,                                                    \
        .alloc = netdev_replay_alloc,                                        \
        .construct = netdev_replay_construct,                                \
        .destruct = netdev_replay_destruct,                                  \
        .dealloc = netdev_replay_dealloc,                                    \
        .get_config = netdev_replay_get_config,                              \
        .set_config = netdev_replay_set_config,                              \
        .get_numa_id = netdev_replay_get_numa_id,                            \
        .set_tx_multiq = netdev_replay_set_tx_multiq,                        \
        .send = netdev_replay_send,                                          \
        .set_etheraddr = netdev_replay_set_etheraddr,                        \
        .get_etheraddr = netdev_replay_get_etheraddr,                        \
        .get_mtu = netdev_replay_get_mtu,                                    \
        .set_mtu = netdev_replay_set_mtu,                                    \
        .get_carrier = NULL,        /* There is one while the device is up. */\
        .get_stats = netdev_replay_get_stats,                                \
        .update_flags = netdev_replay_update_flags,                          \
        .reconfigure = netdev_replay_reconfigure,                            \
        .rxq_alloc = netdev_replay_rxq_alloc,                                \
        .rxq_construct = netdev_replay_rxq_construct,                        \
        .rxq_destruct = netdev_replay_rxq_destruct,                          \
        .rxq_dealloc = netdev_replay_rxq_dealloc,                            \
        .rxq_recv = netdev_replay_rxq_recv,                                  \
        .rxq_wait = netdev_replay_rxq_wait,                                  \
        .rxq_drain = NULL,          /* Nothing is lost. */                   \
    }

static const struct netdev_class replay_class
    = NETDEV_REPLAY_CLASS("replay", true);
static const struct netdev_class replay_main_class
    = NETDEV_REPLAY_CLASS("replay-main", false);

/* Commands. */

/* Opens the netdev named 'name', of our type.  Otherwise replies to 'conn' and
 * returns NULL. */
static struct netdev_replay *
netdev_replay_open(struct unixctl_conn *conn, const char *name)
{
    struct netdev *netdev = netdev_from_name(name);

    if (netdev && is_replay_class(netdev->netdev_class)) {
        return netdev_replay_cast(netdev);
    }
    netdev_close(netdev);
    unixctl_command_reply_error(conn, "no such netdev of type \"replay\"");
    return NULL;
}

static void
replay_receive(struct unixctl_conn *conn, int argc, const char *argv[],
               void *aux OVS_UNUSED)
{
    struct netdev_replay *dev = netdev_replay_open(conn, argv[1]);
    int queue = argc > 3 ? atoi(argv[3]) : 0;
    long long int times = argc > 4 ? atoll(argv[4]) : 1;
    struct load *load;
    int error;

    if (!dev) {
        return;
    }
    error = (queue < 0 || queue >= dev->up.n_rxq || times < 1
             ? EINVAL : load_read(argv[2], &load));
    if (error) {
        unixctl_command_reply_error(conn, ovs_strerror(error));
    } else {
        source_start(&dev->sources[queue], load, times);
        unixctl_command_reply(conn, NULL);
    }
    netdev_close(&dev->up);
}

static void
replay_is_idle(struct unixctl_conn *conn, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct shash devices = SHASH_INITIALIZER(&devices);
    struct shash_node *node;
    bool idle = true;

    netdev_get_devices(&replay_class, &devices);
    netdev_get_devices(&replay_main_class, &devices);
    SHASH_FOR_EACH (node, &devices) {
        struct netdev_replay *dev = netdev_replay_cast(node->data);

        idle = idle && cable_is_empty(dev->cable);
        for (size_t i = 0; i < MAX_QUEUES; i++) {
            struct replay_source *source = &dev->sources[i];

            ovs_mutex_lock(&source->mutex);
            idle = idle && !source->load && !source->busy;
            ovs_mutex_unlock(&source->mutex);
        }
        netdev_close(&dev->up);
    }
    shash_destroy(&devices);
    unixctl_command_reply(conn, idle ? "yes" : "no");
}

static void
replay_set_admin_state(struct unixctl_conn *conn, int argc OVS_UNUSED,
                       const char *argv[], void *aux OVS_UNUSED)
{
    struct netdev_replay *dev = netdev_replay_open(conn, argv[1]);
    bool up = !strcmp(argv[2], "up");
    enum netdev_flags old;

    if (dev) {
        netdev_replay_update_flags(&dev->up, up ? 0 : NETDEV_UP,
                                   up ? NETDEV_UP : 0, &old);
        netdev_close(&dev->up);
        unixctl_command_reply(conn, NULL);
    }
}

static void
replay_stats(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[], void *aux OVS_UNUSED)
{
    struct netdev_replay *dev = netdev_replay_open(conn, argv[1]);
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (dev) {
        ovs_mutex_lock(&dev->mutex);
        ds_put_format(&ds, "rx_frames=%"PRIu64" rx_bytes=%"PRIu64
                      " tx_frames=%"PRIu64" tx_bytes=%"PRIu64
                      " tx_dropped=%"PRIu64, dev->stats.rx_packets,
                      dev->stats.rx_bytes, dev->stats.tx_packets,
                      dev->stats.tx_bytes, dev->stats.tx_dropped);
        ovs_mutex_unlock(&dev->mutex);
        netdev_close(&dev->up);
        unixctl_command_reply(conn, ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

static void
replay_summary(struct unixctl_conn *conn, int argc, const char *argv[],
               void *aux OVS_UNUSED)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    summaries_format(argc > 1 ? argv[1] : NULL, &ds);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static void
replay_clear(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    summaries_clear();
    unixctl_command_reply(conn, NULL);
}

static void
replay_totals(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    static const char *const names[N_TOTALS] = {
        [RX_FRAMES] = "rx_frames",
        [RX_BYTES] = "rx_bytes",
        [TX_FRAMES] = "tx_frames",
        [TX_BYTES] = "tx_bytes",
        [TX_DROPPED] = "tx_dropped",
        [VIOLATIONS] = "violations",
    };
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < N_TOTALS; i++) {
        uint64_t n;

        atomic_read_relaxed(&totals[i], &n);
        ds_put_format(&ds, "%s=%"PRIu64"\n", names[i], n);
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Registers the type and its commands. */
void
netdev_replay_register(void)
{
    netdev_register_provider(&replay_class);
    netdev_register_provider(&replay_main_class);
    unixctl_command_register("netdev-replay/receive",
                             "port file [queue [times]]", 2, 4,
                             replay_receive, NULL);
    unixctl_command_register("netdev-replay/is-idle", "", 0, 0,
                             replay_is_idle, NULL);
    unixctl_command_register("netdev-replay/set-admin-state", "port up|down",
                             2, 2, replay_set_admin_state, NULL);
    unixctl_command_register("netdev-replay/stats", "port", 1, 1,
                             replay_stats, NULL);
    unixctl_command_register("netdev-replay/summary", "[port]", 0, 1,
                             replay_summary, NULL);
    unixctl_command_register("netdev-replay/clear", "", 0, 0,
                             replay_clear, NULL);
    unixctl_command_register("netdev-replay/totals", "", 0, 0,
                             replay_totals, NULL);
}

/* ovs-vswitchd calls this for --enable-dummy.  A type that is there before
 * would be overridden, as any other. */
void __real_netdev_dummy_register(enum dummy_level);
void __wrap_netdev_dummy_register(enum dummy_level);

void
__wrap_netdev_dummy_register(enum dummy_level level)
{
    __real_netdev_dummy_register(level);
    netdev_replay_register();
}
