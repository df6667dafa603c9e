/* SPDX-License-Identifier: Apache-2.0 */

/* What people and machines write: options of vethernets, lists of VLANs, MAC
 * addresses, names.
 *
 *     byte 0    which of these
 *          1-   the text; options are KEY=VALUE, one a line */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "lib/vmfex-names.h"
#include "lib/vmfex-text.h"
#include "ofproto-vmfex/vethernet-options.h"
#include "smap.h"
#include "utilities/vmfex-ctl.h"

/* Of vmfex-ctl.c, which is not linked: how tables are printed. */
bool
vmfex_ctl_is_json(void)
{
    return false;
}

bool
vmfex_ctl_is_aligned(void)
{
    return false;
}

static void
fuzz_options(char *text)
{
    struct smap options = SMAP_INITIALIZER(&options);
    struct vethernet_config c;
    char *save_ptr = NULL;

    for (char *line = strtok_r(text, "\n", &save_ptr); line;
         line = strtok_r(NULL, "\n", &save_ptr)) {
        char *value = strchr(line, '=');

        if (value) {
            *value++ = '\0';
            smap_replace(&options, line, value);
        }
    }
    vethernet_config_parse(&c, "veth1", &options);
    if (!c.error) {
        struct smap again = SMAP_INITIALIZER(&again);
        struct vethernet_config d;

        vethernet_config_format(&c, &again);
        vethernet_config_parse(&d, "veth1", &again);
        ovs_assert(!d.error && vethernet_config_equals(&c, &d));
        ovs_assert(c.n_channels == 1 || c.n_channels == 2);
        vethernet_config_uninit(&d);
        smap_destroy(&again);
    }
    vethernet_config_uninit(&c);
    smap_destroy(&options);
}

static void
fuzz_vlans(const char *text)
{
    struct ctl_context ctx = { .error = NULL };
    int64_t *vlans, *again;
    size_t n, m;

    if (vmfex_ctl_parse_vlans(&ctx, text, &vlans, &n)) {
        char *s = vmfex_ctl_format_vlans(vlans, n);

        ovs_assert(vmfex_ctl_parse_vlans(&ctx, s, &again, &m));
        ovs_assert(n == m && (!n || !memcmp(vlans, again, n * sizeof *vlans)));
        free(again);
        free(s);
    } else {
        ovs_assert(ctx.error);
    }
    free(vlans);
    free(ctx.error);
}

static void
fuzz_mac(const char *text)
{
    char mac[ETH_ADDR_STRLEN + 1], again[ETH_ADDR_STRLEN + 1];

    if (vmfex_normalize_mac(text, mac)) {
        ovs_assert(vmfex_normalize_mac(mac, again) && !strcmp(mac, again));
    }
}

/* Checks that the order of three names, one a line, is one. */
static void
fuzz_names(char *text)
{
    const char *names[3] = { "", "", "" };
    char *save_ptr = NULL;
    char *name = strtok_r(text, "\n", &save_ptr);

    for (size_t i = 0; i < 3 && name; i++) {
        names[i] = name;
        name = strtok_r(NULL, "\n", &save_ptr);
    }
    for (size_t i = 0; i < 3; i++) {
        const char *a = names[i];
        const char *b = names[(i + 1) % 3];
        const char *c = names[(i + 2) % 3];
        int ab = vmfex_compare_names(a, b);

        ovs_assert((ab < 0) == (vmfex_compare_names(b, a) > 0));
        ovs_assert(!ab == !strcmp(a, b));
        ovs_assert(ab > 0 || vmfex_compare_names(b, c) > 0
                   || vmfex_compare_names(a, c) <= 0);
    }
}

static void
fuzz_escape(const char *text)
{
    char *escaped = vmfex_escape(text);
    char *again = vmfex_escape(escaped);

    ovs_assert(!strcmp(escaped, again));
    for (const char *p = escaped; *p; p++) {
        ovs_assert((unsigned char) *p >= ' ' && *p != 0x7f);
    }
    free(again);
    free(escaped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t kind = fuzz_take_u8(&in);
    char *text = xmemdup0((const char *) in.data, in.size);

    switch (kind % 5) {
    case 0:
        fuzz_options(text);
        break;
    case 1:
        fuzz_vlans(text);
        break;
    case 2:
        fuzz_mac(text);
        break;
    case 3:
        fuzz_names(text);
        break;
    case 4:
        fuzz_escape(text);
        break;
    }
    free(text);
    return 0;
}
