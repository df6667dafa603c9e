/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-compiled.h"

#ifdef VMFEX_HAVE_PMD

#include "datapath-actions/pmd/vmfex-inject.h"
#include "datapath-actions/tags/etag.h"
#include "datapath-actions/tags/vlantag.h"
#include "datapath-actions/tags/vntag.h"

/* Returns true if ports can be compiled, that is, if this Open vSwitch has a
 * hook for the direct path. */
bool
vmfex_compiled_is_supported(void)
{
    return true;
}

/* Returns the mask of the MAC in the 8 bytes that start with it. */
static uint64_t
mac_mask(void)
{
    const uint8_t bytes[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0 };
    uint64_t mask;

    memcpy(&mask, bytes, sizeof mask);
    return mask;
}

static bool
link_is_direct(const struct vmfex_link *link)
{
    return (link && link->path == VMFEX_PATH_DIRECT
            && link->drop == VMFEX_DROP_NONE);
}

/* Stores the tag of frames that are sent on 'from' in 'to', whose 'tag_len' is
 * set. */
static void
compile_tag(const struct vmfex_channel *from, struct compiled_channel *to)
{
    struct compiled_tag *tag = &to->tag;
    uint8_t *bytes = to->bytes;

    vmfex_channel_get_tag(from, 0, bytes);
    if (to->tag_len == VNTAG_LEN) {
        uint8_t word[8] = { 0, 0, 0, 0, 0, 0, bytes[0], bytes[1] };

        memcpy(&tag->first, word, sizeof tag->first);
        tag->source_mask = mac_mask();
        memcpy(&tag->rest, bytes + 2, sizeof tag->rest);
    } else if (to->tag_len == ETAG_LEN) {
        memcpy(&tag->first, bytes, sizeof tag->first);
    } else if (to->tag_len == VLANTAG_LEN) {
        memcpy(&tag->rest, bytes, sizeof tag->rest);
    }
}

static struct vmfex_compiled *
compile_vm(const struct vmfex_link *link)
{
    struct vmfex_compiled *compiled = xzalloc_cacheline(sizeof *compiled);
    struct compiled_vm *vm = &compiled->vm;

    vm->endpoint = link->endpoint;
    vm->lanes = link->endpoint->counters.lanes;
    if (link->guard && link->guard->n_macs) {
        uint8_t mac[8] = { 0 };

        memcpy(mac, &link->guard->macs[0], sizeof link->guard->macs[0]);
        vm->mac_mask = mac_mask();
        vm->only_mac = link->guard->n_macs == 1;
        memcpy(&vm->mac, mac, sizeof mac);
    }
    for (size_t i = 0; i < link->n_channels; i++) {
        const struct vmfex_channel *from = &link->channels[i];
        struct compiled_channel *to = &vm->channels[i];

        to->netdev = from->netdev;
        to->trunk = from->trunk;
        to->tag_len = vmfex_tag_class(from->tag)->len;
        to->max_extra = MIN(from->mtu,
                            UINT16_MAX - to->tag_len - ETH_HEADER_LEN);
        to->copies_pcp = vmfex_channel_copies_pcp(from);
        compile_tag(from, to);
    }
    return compiled;
}

/* Sets what 'trunk' expects of a tag. */
static void
compile_expected_tag(struct compiled_trunk *trunk, enum vmfex_tag tag,
                     bool from_bridge)
{
    const struct vmfex_tag_class *class = vmfex_tag_class(tag);
    struct vmfex_tag_pattern pattern;

    class->get_pattern(from_bridge, &pattern);
    trunk->tag = htonll(pattern.value);
    trunk->tag_mask = htonll(pattern.mask);
    trunk->vif_ofs = pattern.vif_ofs;
    trunk->source_ofs = pattern.source_ofs;
    trunk->check_source = pattern.has_source;
    trunk->tag_len = class->len;
    trunk->min_size = MAX(ETH_HEADER_LEN + class->len,
                          2 * ETH_ADDR_LEN + sizeof trunk->tag);
}

static struct vmfex_compiled *
compile_trunk(const struct vmfex_port *port)
{
    const struct vmfex_trunk_table *table = port->trunk;
    struct vmfex_compiled *compiled;
    struct compiled_trunk *trunk;
    struct compiled_vif *vifs;
    bool hands_over = false;
    bool leads_out = true;
    bool any = false;

    vifs = xzalloc_cacheline((VMFEX_MAX_VIF + 1) * sizeof *vifs);
    for (size_t i = 1; i <= VMFEX_MAX_VIF; i++) {
        const struct vmfex_link *link = table->vif[i];

        if (link_is_direct(link)) {
            size_t channel = vmfex_link_find_channel(link, port->odp_port, i);

            vifs[i].endpoint = link->endpoint;
            vifs[i].lanes = link->endpoint->counters.lanes;
            vifs[i].netdev = link->netdev;
            vifs[i].port = link->port;
            vifs[i].switches = link->follow && channel == 1;
            any = true;
            hands_over = hands_over || !link->netdev;
        }
        leads_out &= !link || link->on_switch_bridge;
    }
    if (!any) {
        free_cacheline(vifs);
        return NULL;
    }

    compiled = xzalloc_cacheline(sizeof *compiled);
    compiled->is_trunk = true;
    compiled->leads_out = leads_out;
    trunk = &compiled->trunk;
    trunk->counters = port->counters;
    trunk->table = table;
    trunk->vifs = vifs;
    trunk->hands_over = hands_over;
    compile_expected_tag(trunk, table->tag, !table->from_bridge);
    return compiled;
}

/* Returns true if 'compiled' is of a trunk all of whose VIFs lead to ordinary
 * bridges. */
bool
vmfex_compiled_leads_out(const struct vmfex_compiled *compiled)
{
    return compiled && compiled->leads_out;
}

static void
compiled_free(struct vmfex_compiled *compiled)
{
    if (compiled->is_trunk) {
        free_cacheline(compiled->trunk.vifs);
    }
    free_cacheline(compiled);
}

/* Compiles 'port', which is not published yet, if a link of it takes the
 * direct path.  Otherwise its frames go the emulated way. */
void
vmfex_compiled_make(struct vmfex_port *port)
{
    port->compiled = (port->trunk ? compile_trunk(port)
                      : link_is_direct(port->link) ? compile_vm(port->link)
                      : NULL);
    port->free_compiled = compiled_free;
}

/* Moves those frames of 'batch', which came in at 'in_port', that are good in
 * every respect and for an ordinary bridge, to 'a', without their tags, and
 * leaves the others in 'batch'. */
void
vmfex_compiled_arrive(odp_port_t in_port, struct dp_packet_batch *batch,
                      struct vmfex_arrivals *a)
{
    const struct vmfex_port *port = vmfex_port_lookup(in_port);
    size_t n = dp_packet_batch_size(batch);
    const struct compiled_trunk *trunk;
    uint16_t numbers[NETDEV_MAX_BURST];
    struct dp_packet *unknown[NETDEV_MAX_BURST];
    uint64_t n_bytes = 0;
    size_t n_unknown = 0;
    size_t n_left = 0;
    size_t i;

    if (OVS_UNLIKELY(!port || !vmfex_compiled_leads_out(port->compiled))) {
        return;
    }
    trunk = &port->compiled->trunk;
    for (i = 0; i < COMPILED_PREFETCH_AHEAD; i++) {
        compiled_prefetch(batch->packets, i, n);
    }
    for (i = 0; i < n; i++) {
        compiled_prefetch(batch->packets, i + COMPILED_PREFETCH_AHEAD, n);
        numbers[i] = compiled_parse_tag(trunk, batch->packets[i]);
        OVS_PREFETCH(&trunk->vifs[numbers[i]]);
    }
    for (i = 0; i < n; i++) {
        const struct compiled_vif *vif = &trunk->vifs[numbers[i]];
        struct dp_packet *packet = batch->packets[i];

        if (OVS_UNLIKELY(!compiled_packet_is_simple(packet, 0))) {
            break;
        }
        if (OVS_UNLIKELY(!vif->endpoint || !compiled_vif_accepts(vif))) {
            if (compiled_vif_is_unknown(trunk, numbers[i])) {
                unknown[n_unknown++] = packet;
            } else {
                batch->packets[n_left++] = packet;
            }
            continue;
        }
        OVS_PREFETCH(&vif->endpoint->handover);
        compiled_pop_tag(packet, trunk->tag_len);
        n_bytes += dp_packet_size(packet);

        /* What was computed about the frame was about the tagged one. */
        dp_packet_reset_offload(packet);
        dp_packet_reset_cutlen(packet);
        a->packets[a->n] = packet;
        a->endpoints[a->n++] = vif->endpoint;
    }
    compiled_keep_rest(batch, n_left, i, n);
    if (OVS_UNLIKELY(n_unknown)) {
        compiled_drop_unknown(trunk, unknown, n_unknown);
    }
    if (OVS_LIKELY(a->n)) {
        vmfex_counters_traffic(trunk->counters, VMFEX_RX_FRAMES, a->n,
                               n_bytes);
    }
}

#else /* !VMFEX_HAVE_PMD */

/* Returns true if ports can be compiled, that is, if this Open vSwitch has a
 * hook for the direct path. */
bool
vmfex_compiled_is_supported(void)
{
    return false;
}

/* Does nothing: the frames of every port go the emulated way. */
void
vmfex_compiled_make(struct vmfex_port *port OVS_UNUSED)
{
}

/* Returns false. */
bool
vmfex_compiled_leads_out(const struct vmfex_compiled *compiled OVS_UNUSED)
{
    return false;
}

#endif
