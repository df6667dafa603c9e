/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/switch-survey.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ovs-rows.h"
#include "coverage.h"
#include "lib/vmfex-report.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "sset.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(switch_survey);

COVERAGE_DEFINE(switch_survey_reported);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

/* Returns what is known of 'iface', an own vethernet. */
struct vport *
vport_get(struct ovs_iface *iface)
{
    if (!iface->aux) {
        ovs_iface_set_aux(iface, xzalloc(sizeof(struct vport)), free);
    }
    return iface->aux;
}

/* Returns true if 'iface', which has the name of the port of 'vp', is that
 * port: not that of another iface-id. */
bool
vport_is_for(const struct ovs_iface *iface,
             const struct vmfexrec_virtual_port *vp)
{
    const char *id = smap_get(&iface->row->external_ids, IFACE_ID_KEY);

    return iface->own && (!id || !strcmp(id, vp->iface_id));
}

/* Begins a run for 'me', before anybody says which ports are wanted. */
void
switch_survey_begin(const struct controller_ctx *ctx,
                    const struct vmfexrec_switch *me)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        struct ovs_iface *iface = node->data;

        if (iface->own) {
            struct vport *vport = vport_get(iface);

            vport->state = VPORT_UNKNOWN;
            vport->asked |= me->survey;
        }
    }
}

/* Returns true if the manager says that 'iface', an own vethernet for which
 * there is no row, is to be deleted. */
bool
switch_survey_must_go(const struct controller_ctx *ctx,
                      const struct vmfexrec_switch *me,
                      const struct ovs_iface *iface)
{
    const struct vport *vport = iface->aux;

    for (size_t i = 0; i < me->n_discard; i++) {
        if (!strcmp(me->discard[i], iface->row->name)) {
            return true;
        }
    }
    return !vport->asked && vport->session == ctx->since;
}

/* Returns the channel that 'options' say.  The string is theirs. */
static struct vmfex_report_channel
get_channel(const struct smap *options, const char *trunk_key,
            const char *vif_key)
{
    const char *trunk = smap_get(options, trunk_key);
    int vif = smap_get_int(options, vif_key, 0);

    return (trunk && vif
            ? (struct vmfex_report_channel) { CONST_CAST(char *, trunk), vif }
            : (struct vmfex_report_channel) { NULL, 0 });
}

static struct vmfex_report
get_report(const struct ovs_iface *iface)
{
    const struct smap *options = &iface->row->options;

    return (struct vmfex_report) {
        .first = get_channel(options, "trunk", "vif"),
        .standby = get_channel(options, "standby-trunk", "standby-vif"),
        .iface_id = CONST_CAST(char *,
                               smap_get_def(&iface->row->external_ids,
                                            IFACE_ID_KEY, "")),
    };
}

static bool
is_unknown(const struct ovs_iface *iface)
{
    const struct vport *vport = iface->aux;

    return (iface->own && vport && vport->state == VPORT_UNKNOWN
            && !iface->deleting);
}

static void
add_channel(struct sset *channels, const struct vmfex_report_channel *c)
{
    if (c->trunk) {
        sset_add_and_free(channels, xasprintf("%d %s", c->vif, c->trunk));
    }
}

/* Adds the channels of all ports that the manager does not know to 'channels',
 * for switch_survey_has_channel(). */
void
switch_survey_get_channels(const struct controller_ctx *ctx,
                           struct sset *channels)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        const struct ovs_iface *iface = node->data;

        if (is_unknown(iface)) {
            struct vmfex_report r = get_report(iface);

            add_channel(channels, &r.first);
            add_channel(channels, &r.standby);
        }
    }
}

/* Returns true if 'vif' of 'downlink' is one of 'channels'. */
bool
switch_survey_has_channel(const struct sset *channels, const char *downlink,
                          int vif)
{
    bool has = false;

    if (!sset_is_empty(channels)) {
        char *key = xasprintf("%d %s", vif, downlink);

        has = sset_contains(channels, key);
        free(key);
    }
    return has;
}

/* Tells the manager of each port that it does not know. */
void
switch_survey_run(const struct controller_ctx *ctx,
                  const struct vmfexrec_switch *me)
{
    struct smap reports = SMAP_INITIALIZER(&reports);
    struct shash_node *node;

    if (!ctx->vmfex_txn || !me->survey) {
        return;
    }
    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        const struct ovs_iface *iface = node->data;
        const char *name = iface->row->name;
        struct vmfex_report r;
        char *text;

        if (!is_unknown(iface) || smap_count(&reports) >= VMFEX_REPORT_MAX
            || strlen(name) > 15) {
            continue;
        }
        r = get_report(iface);
        text = vmfex_report_format(&r);
        if (!text) {
            continue;
        }
        if (!smap_get(&me->unknown_ports, name)) {
            COVERAGE_INC(switch_survey_reported);
            VLOG_INFO_RL(&rl, "%s (iface-id %s): the manager does not know "
                         "it: it stays until its host says that no VM uses "
                         "it", name, r.iface_id[0] ? r.iface_id : "none");
        }
        smap_add_nocopy(&reports, xstrdup(name), text);
    }
    if (!smap_equal(&reports, &me->unknown_ports)) {
        vmfexrec_switch_set_unknown_ports(me, &reports);
    }
    smap_destroy(&reports);
}
