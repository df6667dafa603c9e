/* SPDX-License-Identifier: Apache-2.0 */

/* What a VF of an SR-IOV card is told, and in which order: the pure functions
 * of vmfex-card.h, for each state of a link and of a card. */

#include <config.h>
#undef NDEBUG
#include "ofproto-vmfex/vmfex-card.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* The card that is told. */
static const unsigned int all_known = (1u << VMFEX_VF_N_ATTRS) - 1;

/* Does to 'vf' what the plan for 'use' says, and checks after each step that
 * no frame may pass that must not. */
static void
apply(struct vmfex_vf *vf, const struct vmfex_vf_use *use,
      unsigned int unsupported)
{
    bool can_disable = !(unsupported & 1u << VMFEX_VF_LINK);
    enum vmfex_vf_attr steps[VMFEX_VF_N_ATTRS];
    struct vmfex_vf wanted;
    size_t n;

    vmfex_vf_decide(use, can_disable, vf, &wanted);
    n = vmfex_vf_plan(vf, &wanted, unsupported, steps);
    for (size_t i = 0; i < n; i++) {
        assert(!(unsupported & 1u << steps[i]));
        for (size_t j = 0; j < i; j++) {
            assert(steps[i] != steps[j]);
        }
        if (can_disable) {
            /* Opened last, closed first. */
            assert(steps[i] != VMFEX_VF_LINK
                   || i == (wanted.link == VMFEX_VF_LINK_DISABLE ? 0 : n - 1));
        }
        vmfex_vf_done(vf, steps[i], &wanted);
    }

    assert(unsupported & 1u << VMFEX_VF_SPOOFCHK || vf->spoofchk);
    assert(unsupported & 1u << VMFEX_VF_TRUST || !vf->trust);
    if (use->linked && use->open) {
        assert(vf->vlan == use->vif && vf->proto == use->proto
               && vf->qos == use->pcp);
        assert(!can_disable || vf->link == VMFEX_VF_LINK_ENABLE);
        assert(vf->max_rate == use->max_rate);
        assert(eth_addr_is_zero(use->mac)
               || eth_addr_equals(vf->mac, use->mac));
    } else if (can_disable) {
        assert(vf->link == VMFEX_VF_LINK_DISABLE);
        assert(vf->vlan == (use->linked ? use->vif : 0));
    } else {
        assert(vf->vlan == VMFEX_VF_PARKED);
    }

    /* It is done: nothing is to be told twice. */
    vmfex_vf_decide(use, can_disable, vf, &wanted);
    assert(!vmfex_vf_plan(vf, &wanted, unsupported, steps));
}

/* All ways from one of these uses to another, on all kinds of card. */
static void
test_uses(void)
{
    static const struct vmfex_vf_use uses[] = {
        { .linked = false },
        { .linked = true, .vif = 101, .proto = CONSTANT_HTONS(ETH_P_8021Q) },
        { .linked = true, .open = true, .vif = 101,
          .proto = CONSTANT_HTONS(ETH_P_8021Q) },
        { .linked = true, .open = true, .vif = 4094, .pcp = 5,
          .proto = CONSTANT_HTONS(ETH_P_8021AD),
          .mac = ETH_ADDR_C(52,54,00,00,00,01), .max_rate = 100 },
        { .linked = true, .open = true, .vif = 101,
          .proto = CONSTANT_HTONS(ETH_P_8021AD) },
    };
    static const unsigned int cards[] = {
        0,
        1u << VMFEX_VF_LINK,
        1u << VMFEX_VF_SPOOFCHK | 1u << VMFEX_VF_TRUST,
        1u << VMFEX_VF_LINK | 1u << VMFEX_VF_SPOOFCHK,
    };
    size_t n = 0;

    for (size_t card = 0; card < ARRAY_SIZE(cards); card++) {
        for (size_t from = 0; from < ARRAY_SIZE(uses); from++) {
            for (size_t to = 0; to < ARRAY_SIZE(uses); to++) {
                for (int known = 0; known < 2; known++) {
                    struct vmfex_vf vf = {
                        .known = known ? all_known : 0,
                        .proto = htons(ETH_P_8021Q),
                        .trust = known,
                    };

                    apply(&vf, &uses[from], cards[card]);
                    apply(&vf, &uses[to], cards[card]);
                    n++;
                }
            }
        }
    }
    printf("uses: %"PRIuSIZE" ways\n", n);
}

static void
check_explain(enum vmfex_vf_attr attr, int proto, int error,
              const char *expected)
{
    struct vmfex_vf wanted = { .proto = htons(proto) };
    char *clause = vmfex_vf_explain(attr, &wanted, error);

    if (strncmp(clause, expected, strlen(expected))) {
        ovs_fatal(0, "\"%s\", not \"%s\"", clause, expected);
    }
    free(clause);
}

static void
test_errors(void)
{
    check_explain(VMFEX_VF_VLAN, ETH_P_8021AD, EPROTONOSUPPORT,
                  "card refuses 802.1ad: use c-tag");
    check_explain(VMFEX_VF_VLAN, ETH_P_8021Q, EPROTONOSUPPORT,
                  "card refuses the VLAN (");
    check_explain(VMFEX_VF_MAC, ETH_P_8021Q, EPERM,
                  "ovs-vswitchd may not change the MAC address (");
    check_explain(VMFEX_VF_LINK, ETH_P_8021Q, ENODEV, "the card is gone");
    assert(vmfex_vf_is_optional(VMFEX_VF_LINK, EOPNOTSUPP));
    assert(!vmfex_vf_is_optional(VMFEX_VF_LINK, EPERM));
    assert(!vmfex_vf_is_optional(VMFEX_VF_VLAN, EOPNOTSUPP));
    printf("errors: good\n");
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    set_program_name(argv[0]);
    test_uses();
    test_errors();
    return 0;
}
