/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/cables.h"

#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/frames.h"
#include "controller/ovs-rows.h"
#include "coverage.h"
#include "discovery/cable.h"
#include "flow.h"
#include "lib/vmfex-cable.h"
#include "lib/vmfex-names.h"
#include "lib/vmfex-text.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"
#include "vmfex-config.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(cables);

COVERAGE_DEFINE(cables_bad_frame);

/* Keys of a trunk's external_ids. */
#define PEER_KEY "vmfex-peer"
#define PEER_PORT_KEY "vmfex-peer-port"
#define PEER_MTU_KEY "vmfex-peer-mtu"
#define PEER_TAG_KEY "vmfex-peer-tag"
#define PEER_SEEN_KEY "vmfex-peer-seen"
#define REASON_KEY "vmfex-reason"

/* Time between two changes of what is told of a trunk, in ms: who is at the
 * other end of the cable must not be able to keep databases busy. */
#define WRITE_INTERVAL_MS 1000

/* A trunk. */
struct trunk {
    char *bridge;
    ofp_port_t ofp_port;
    struct eth_addr mac;        /* What it sends from; zero if not known. */
    struct cable *cable;
    char *peer, *peer_trunk;    /* Who ought to be there, or NULL. */
    enum vmfex_reason reason;   /* What is wrong, as was last said. */
    char *detail;               /* About that. */
    char *report;               /* What the manager is told, or NULL. */
    long long int next_write;   /* When to tell more, in ms. */
    bool seen;                  /* In this update. */
};

struct cables {
    struct frames *frames;
    struct shash trunks;        /* "struct trunk"s, by name. */
};

/* Tags, by the names that users know. */
static const struct {
    const char *name;
    uint16_t type;
} tags[] = {
    { "vn-tag", 0x8926 },
    { "e-tag", 0x893f },
    { "s-tag", 0x88a8 },
    { "c-tag", 0x8100 },
};

static uint16_t
tag_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        if (!strcmp(tags[i].name, name)) {
            return tags[i].type;
        }
    }
    return 0;
}

/* Returns the name of the tag with EtherType 'type', or NULL. */
static const char *
tag_name(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        if (tags[i].type == type) {
            return tags[i].name;
        }
    }
    return NULL;
}

/* Returns a structure that knows of no trunk. */
struct cables *
cables_create(void)
{
    struct cables *cables = xmalloc(sizeof *cables);

    cables->frames = frames_create();
    shash_init(&cables->trunks);
    return cables;
}

static void
trunk_destroy(struct trunk *t)
{
    cable_destroy(t->cable);
    free(t->bridge);
    free(t->peer);
    free(t->peer_trunk);
    free(t->detail);
    free(t->report);
    free(t);
}

/* Destroys 'cables'. */
void
cables_destroy(struct cables *cables)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &cables->trunks) {
        trunk_destroy(node->data);
    }
    shash_destroy(&cables->trunks);
    frames_destroy(cables->frames);
    free(cables);
}

/* Bringing trunks up to date. */

static void
set_text(char text[LLDP_MAX_TEXT + 1], const char *value)
{
    ovs_strlcpy(text, value, LLDP_MAX_TEXT + 1);
}

/* Sets up 'info' as what the trunk 'row' says. */
static void
get_local(const struct controller_ctx *ctx,
          const struct ovsrec_interface *row, struct lldp_info *info)
{
    const char *system_id = ctx->system_id ? ctx->system_id : "";
    const char *role = smap_get_def(&row->other_config, "vmfex-role", "");
    const char *tag = smap_get_def(&row->other_config, "vmfex-tag", "vn-tag");

    memset(info, 0, sizeof *info);
    lldp_id_set(&info->chassis, LLDP_CHASSIS_LOCAL,
                system_id[0] ? system_id : ctx->hostname);
    lldp_id_set(&info->port, LLDP_PORT_IFNAME, row->name);
    info->ttl = CABLE_TTL_S;
    snprintf(info->port_description, sizeof info->port_description,
             "trunk %s, %s, %s", row->name, role, tag);
    set_text(info->system_name, ctx->hostname);
    snprintf(info->system_description, sizeof info->system_description,
             "VM-FEX for Open vSwitch %s", VMFEX_VERSION);
    info->ours = true;
    set_text(info->system_id, system_id);
    set_text(info->trunk, row->name);
    info->role = (!strcmp(role, "uplink") ? LLDP_ROLE_UPLINK
                  : !strcmp(role, "downlink") ? LLDP_ROLE_DOWNLINK
                  : LLDP_ROLE_NONE);
    info->tag_type = tag_type(tag);
    info->mtu = row->n_mtu ? MIN(MAX(row->mtu[0], 0), UINT16_MAX) : 0;
    info->max_frame = lldp_max_frame_from_mtu(info->mtu);
}

/* Finds out which machine and which of its trunks ought to be at the other end
 * of trunk 'name', or stores NULLs. */
static void
find_expected(const struct controller_ctx *ctx, const char *name,
              const char **peer, const char **peer_trunk)
{
    const struct vmfexrec_trunk *row;

    *peer = *peer_trunk = NULL;
    if (!ctx->vmfex_idl) {
        return;
    }
    VMFEXREC_TRUNK_FOR_EACH (row, ctx->vmfex_idl) {
        if (!strcmp(row->host, ctx->system_id) && !strcmp(row->uplink, name)) {
            *peer = row->switch_;
            *peer_trunk = row->downlink;
        } else if (!strcmp(row->switch_, ctx->system_id)
                   && !strcmp(row->downlink, name)) {
            *peer = row->host;
            *peer_trunk = row->uplink;
        }
    }
}

static void
set_expected(struct trunk *t, const char *peer, const char *peer_trunk)
{
    if (!nullable_string_is_equal(t->peer, peer)
        || !nullable_string_is_equal(t->peer_trunk, peer_trunk)) {
        free(t->peer);
        free(t->peer_trunk);
        t->peer = nullable_xstrdup(peer);
        t->peer_trunk = nullable_xstrdup(peer_trunk);
    }
}

static struct trunk *
get_trunk(struct cables *cables, const struct ovs_iface *iface)
{
    const struct ovsrec_interface *row = iface->row;
    struct trunk *t = shash_find_data(&cables->trunks, row->name);

    if (!t) {
        t = xzalloc(sizeof *t);
        t->cable = cable_create();
        shash_add(&cables->trunks, row->name, t);
    }
    if (!nullable_string_is_equal(t->bridge, iface->bridge->name)) {
        free(t->bridge);
        t->bridge = xstrdup(iface->bridge->name);
    }
    t->ofp_port = row->n_ofport ? u16_to_ofp(row->ofport[0]) : OFPP_NONE;
    if (!row->mac_in_use || !eth_addr_from_string(row->mac_in_use, &t->mac)) {
        t->mac = eth_addr_zero;
    }
    return t;
}

/* Writing. */

/* Sets external_ids:'key' of 'iface' to 'value', which may hold any character,
 * or deletes it if that is NULL or empty.  Returns false if it was that. */
static bool
set_key(struct controller_ctx *ctx, const struct ovs_iface *iface,
        const char *key, const char *value)
{
    char *escaped = value && value[0] ? vmfex_escape(value) : NULL;
    bool set = ovs_rows_set_external_id(ctx->rows, iface, key, escaped);

    free(escaped);
    return set;
}

/* As set_key(), with what 'put' says of 'info', which may be NULL. */
static bool
set_key_from(struct controller_ctx *ctx, const struct ovs_iface *iface,
             const char *key, const struct lldp_info *info,
             void (*put)(struct ds *, const struct lldp_info *))
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    bool set;

    if (info) {
        put(&ds, info);
    }
    set = set_key(ctx, iface, key, ds_cstr(&ds));
    ds_destroy(&ds);
    return set;
}

static void
put_mtu(struct ds *ds, const struct lldp_info *info)
{
    int mtu = cable_peer_mtu(info);

    if (mtu) {
        ds_put_format(ds, "%d", mtu);
    }
}

static void
put_tag(struct ds *ds, const struct lldp_info *info)
{
    const char *name = tag_name(info->tag_type);

    if (name) {
        ds_put_cstr(ds, name);
    }
}

/* Writes what is known of the other end of 't', if it is news.  Returns false
 * if it is not. */
static bool
write_peer(struct controller_ctx *ctx, const struct ovs_iface *iface,
           const struct trunk *t)
{
    const struct cable_neighbour *neighbours;
    const struct cable_neighbour *n
        = cable_neighbours(t->cable, &neighbours) ? neighbours : NULL;
    const struct lldp_info *info = n ? &n->info : NULL;
    struct ds seen = DS_EMPTY_INITIALIZER;
    bool set;

    set = set_key_from(ctx, iface, PEER_KEY, info, cable_put_peer);
    set |= set_key_from(ctx, iface, PEER_PORT_KEY, info, cable_put_peer_port);
    set |= set_key_from(ctx, iface, PEER_MTU_KEY, info, put_mtu);
    set |= set_key_from(ctx, iface, PEER_TAG_KEY, info, put_tag);
    if (n) {
        ds_put_strftime_msec(&seen, "%Y-%m-%dT%H:%M:%SZ", n->since, true);
    }
    set |= set_key(ctx, iface, PEER_SEEN_KEY, ds_cstr(&seen));
    set |= set_key(ctx, iface, REASON_KEY,
                   (t->reason == VMFEX_REASON_NONE ? NULL
                    : vmfex_reason_name(t->reason)));
    ds_destroy(&seen);
    return set;
}

static const char *
role_name(enum lldp_role role)
{
    return (role == LLDP_ROLE_UPLINK ? "uplink"
            : role == LLDP_ROLE_DOWNLINK ? "downlink" : NULL);
}

/* Returns what the manager is to be told of 't', for the caller to free. */
static char *
format_report(const struct trunk *t)
{
    const struct cable_neighbour *neighbours;
    size_t n = cable_neighbours(t->cable, &neighbours);
    struct ds peer = DS_EMPTY_INITIALIZER;
    struct ds port = DS_EMPTY_INITIALIZER;
    struct vmfex_cable c = { .detail = t->detail };
    char *report;

    if (t->reason != VMFEX_REASON_NONE) {
        c.reason = CONST_CAST(char *, vmfex_reason_name(t->reason));
    }
    if (n) {
        const struct lldp_info *info = &neighbours[0].info;

        cable_put_peer(&peer, info);
        cable_put_peer_port(&port, info);
        c.peer = ds_cstr(&peer);
        c.port = ds_cstr(&port);
        c.mtu = cable_peer_mtu(info);
        c.tag = CONST_CAST(char *, tag_name(info->tag_type));
        c.role = CONST_CAST(char *, role_name(info->role));
    }
    report = vmfex_cable_format(&c);
    ds_destroy(&peer);
    ds_destroy(&port);
    return report;
}

/* Brings what the manager is told of 't' up to date.  Returns false if it is
 * that. */
static bool
set_report(struct trunk *t)
{
    char *report = format_report(t);
    bool changed = !nullable_string_is_equal(t->report, report);

    free(t->report);
    t->report = report;
    return changed;
}

/* Finds out what is wrong with 't', named 'name', and says so if that is
 * new. */
static void
judge(struct trunk *t, const char *name)
{
    struct ds detail = DS_EMPTY_INITIALIZER;
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);
    enum vmfex_reason reason;

    reason = cable_judge(t->cable, t->peer, t->peer_trunk, &detail);
    if (reason != t->reason
        || !nullable_string_is_equal(t->detail, ds_cstr(&detail))) {
        if (reason != VMFEX_REASON_NONE) {
            VLOG_INFO_RL(&rl, "trunk %s: %s: %s: %s; %s", name,
                         vmfex_reason_name(reason),
                         vmfex_reason_sentence(reason), ds_cstr(&detail),
                         vmfex_reason_cure(reason));
        } else if (t->reason != VMFEX_REASON_NONE) {
            VLOG_INFO_RL(&rl, "trunk %s: no longer %s", name,
                         vmfex_reason_name(t->reason));
        }
        t->reason = reason;
        free(t->detail);
        t->detail = xstrdup(ds_cstr(&detail));
    }
    ds_destroy(&detail);
}

static void
update_trunk(struct cables *cables, struct controller_ctx *ctx,
             const struct ovs_iface *iface)
{
    const struct ovsrec_interface *row = iface->row;
    struct trunk *t = get_trunk(cables, iface);
    bool up = (row->admin_state && !strcmp(row->admin_state, "up")
               && row->link_state && !strcmp(row->link_state, "up"));
    const char *peer, *peer_trunk;
    struct lldp_info local;

    t->seen = true;
    get_local(ctx, row, &local);
    cable_set_local(t->cable, &local, up, ctx->now);
    cable_run(t->cable, ctx->now);
    if (!ctx->vmfex_idl || ctx->connected) {
        find_expected(ctx, row->name, &peer, &peer_trunk);
        set_expected(t, peer, peer_trunk);
    }
    judge(t, row->name);
    if (ctx->now < t->next_write) {
        controller_wake_at(ctx, t->next_write);
    } else {
        bool changed = set_report(t);

        changed |= ctx->ovs_txn && write_peer(ctx, iface, t);
        if (changed) {
            t->next_write = ctx->now + WRITE_INTERVAL_MS;
        }
    }
}

/* Returns true if the manager has to be told of 't', named 'name', 'old' being
 * what it knows of it, or NULL, and '*n' of how many trunks it knows. */
static bool
is_news(const char *name, const struct trunk *t, const char *old, size_t *n)
{
    if (!t->report || vmfex_name_is_too_long(name)) {
        return false;
    } else if (old) {
        return strcmp(old, t->report) != 0;
    }
    return (*n)++ < VMFEX_CABLE_MAX;
}

/* Makes "cables" of the manager's ROW in TABLE say what 'cables' does. */
#define WRITE_CABLES(TABLE, ROW, CABLES)                                    \
    do {                                                                    \
        const struct smap_node *old__;                                      \
        struct shash_node *node__;                                          \
        size_t n__ = smap_count(&(ROW)->cables);                            \
                                                                            \
        SMAP_FOR_EACH (old__, &(ROW)->cables) {                             \
            if (!shash_find(&(CABLES)->trunks, old__->key)) {               \
                vmfexrec_##TABLE##_update_cables_delkey(ROW, old__->key);   \
            }                                                               \
        }                                                                   \
        SHASH_FOR_EACH (node__, &(CABLES)->trunks) {                        \
            const struct trunk *t__ = node__->data;                         \
                                                                            \
            if (is_news(node__->name, t__,                                  \
                        smap_get(&(ROW)->cables, node__->name), &n__)) {    \
                vmfexrec_##TABLE##_update_cables_setkey(                    \
                    ROW, node__->name, t__->report);                        \
            }                                                               \
        }                                                                   \
    } while (0)

/* Tells the manager what was heard on our trunks. */
static void
write_cables(const struct cables *cables, struct controller_ctx *ctx)
{
    const struct vmfexrec_switch *sw;
    const struct vmfexrec_host *h;

    if (!ctx->connected || !ctx->vmfex_txn) {
        return;
    }
    VMFEXREC_HOST_FOR_EACH (h, ctx->vmfex_idl) {
        if (!strcmp(h->name, ctx->system_id)
            && controller_may_write(ctx, &vmfexrec_host_col_cables)) {
            WRITE_CABLES(host, h, cables);
        }
    }
    VMFEXREC_SWITCH_FOR_EACH (sw, ctx->vmfex_idl) {
        if (!strcmp(sw->name, ctx->system_id)
            && controller_may_write(ctx, &vmfexrec_switch_col_cables)) {
            WRITE_CABLES(switch, sw, cables);
        }
    }
}

/* Brings 'cables' up to date with the rows of the databases, and the rows of
 * trunks with what was heard. */
void
cables_update(struct cables *cables, struct controller_ctx *ctx)
{
    struct sset bridges = SSET_INITIALIZER(&bridges);
    struct shash_node *node, *next;

    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        const struct ovs_iface *iface = node->data;

        if (iface->trunk && ovs_bridge_is_vmfex(iface->bridge)) {
            update_trunk(cables, ctx, iface);
            sset_add(&bridges, iface->bridge->name);
        }
    }
    SHASH_FOR_EACH_SAFE (node, next, &cables->trunks) {
        struct trunk *t = node->data;

        if (!t->seen) {
            trunk_destroy(t);
            shash_delete(&cables->trunks, node);
        } else {
            t->seen = false;
        }
    }
    write_cables(cables, ctx);
    frames_set_bridges(cables->frames, &bridges);
    sset_destroy(&bridges);
}

/* Running. */

static void
receive(const char *bridge, ofp_port_t in_port, const void *frame, size_t len,
        void *cables_)
{
    struct cables *cables = cables_;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &cables->trunks) {
        struct trunk *t = node->data;

        if (t->ofp_port == in_port && !strcmp(t->bridge, bridge)) {
            const char *error;

            if (!lldp_is_frame(frame, len)) {
                return;
            }
            error = cable_receive(t->cable, frame, len, time_msec(),
                                  time_wall_msec());
            if (error) {
                static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

                COVERAGE_INC(cables_bad_frame);
                VLOG_INFO_RL(&rl, "trunk %s: ignores an LLDP frame: %s",
                             node->name, error);
            }
            return;
        }
    }
}

/* Returns true if 'info' is on its way from 't'. */
static bool
send_frame(struct cables *cables, const struct trunk *t,
           const struct lldp_info *info)
{
    uint64_t stub[512 / 8];
    struct ofpbuf frame = OFPBUF_STUB_INITIALIZER(stub);
    bool sent;

    if (t->ofp_port == OFPP_NONE || eth_addr_is_zero(t->mac)) {
        return false;
    }
    lldp_encode(info, t->mac, &frame);
    sent = frames_send(cables->frames, t->bridge, t->ofp_port, frame.data,
                       frame.size);
    ofpbuf_uninit(&frame);
    return sent;
}

/* Receives and sends.  Returns true if there is something new to be
 * written. */
bool
cables_run(struct cables *cables)
{
    struct shash_node *node;
    bool changed = false;

    frames_run(cables->frames, receive, cables);
    SHASH_FOR_EACH (node, &cables->trunks) {
        struct trunk *t = node->data;
        long long int now = time_msec();

        changed |= cable_run(t->cable, now);
        if (cable_should_send(t->cable, now)) {
            const struct lldp_info *goodbye = cable_goodbye(t->cable);

            if (goodbye) {
                send_frame(cables, t, goodbye);
            }
            cable_sent(t->cable,
                       send_frame(cables, t, cable_local(t->cable)), now);
        }
    }
    return changed;
}

/* Arranges for cables_run() to be called when there is something to do. */
void
cables_wait(struct cables *cables)
{
    struct shash_node *node;

    frames_wait(cables->frames);
    SHASH_FOR_EACH (node, &cables->trunks) {
        const struct trunk *t = node->data;

        poll_timer_wait_until(cable_wake(t->cable));
    }
}

static void
put_trunk(struct ds *ds, const char *name, const struct trunk *t)
{
    const struct cable_neighbour *neighbours;
    const struct cable_stats *stats = cable_stats(t->cable);
    size_t n = cable_neighbours(t->cable, &neighbours);

    vmfex_put_text(ds, "trunk %s:", name);
    for (size_t i = 0; i < n; i++) {
        struct ds peer = DS_EMPTY_INITIALIZER;

        cable_put_peer(&peer, &neighbours[i].info);
        ds_put_cstr(&peer, " port ");
        cable_put_peer_port(&peer, &neighbours[i].info);
        vmfex_put_text(ds, "%s hears %s", i ? "," : "", ds_cstr(&peer));
        ds_destroy(&peer);
    }
    ds_put_format(ds, "%s; LLDP frames: sent=%"PRIu64" received=%"PRIu64
                  " bad=%"PRIu64" own=%"PRIu64" aged=%"PRIu64
                  " too_many=%"PRIu64"\n", n ? "" : " hears nobody",
                  stats->n_sent, stats->n_received, stats->n_bad,
                  stats->n_own, stats->n_aged, stats->n_too_many);
    if (t->reason != VMFEX_REASON_NONE) {
        vmfex_put_text(ds, "    warning: %s: %s; %s\n",
                       vmfex_reason_name(t->reason), t->detail,
                       vmfex_reason_cure(t->reason));
    }
}

/* Appends to 'ds' who is heard on each trunk, and what is wrong there. */
void
cables_show(const struct cables *cables, struct ds *ds)
{
    const struct shash_node **nodes = shash_sort(&cables->trunks);

    for (size_t i = 0; i < shash_count(&cables->trunks); i++) {
        put_trunk(ds, nodes[i]->name, nodes[i]->data);
    }
    free(nodes);
}
