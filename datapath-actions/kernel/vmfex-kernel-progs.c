/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-progs.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "datapath-actions/kernel/vmfex-kernel-cure.h"
#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "openvswitch/compiler.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "sha1.h"
#include "util.h"

/* The name that the documents give, for the verifier's log. */
VLOG_DEFINE_THIS_MODULE(vmfex_kernel);

/* What a kernel may be without. */
enum {
    NO_FRAGS = 1 << 0,          /* XDP on frames of several buffers. */
    NO_CARRIER = 1 << 1         /* A look at the carrier of trunks. */
};

/* The programs as clang compiled them: those that look at the carrier of
 * trunks, and those that do not, for a kernel that does not let them.  Both
 * have the same names, and the same maps. */
OVS_ALIGNED_VAR(8) static const uint8_t carrier_elf[] = {
#include "datapath-actions/kernel/vmfex-kernel.bpf.inc"
};
OVS_ALIGNED_VAR(8) static const uint8_t plain_elf[] = {
#include "datapath-actions/kernel/vmfex-kernel-plain.bpf.inc"
};

static struct bpf_object *object; /* NULL if not loaded. */

static int
log_libbpf(enum libbpf_print_level level OVS_UNUSED, const char *format,
           va_list args)
{
    /* What matters is said by whoever called libbpf.  A verifier's log is
     * here, in full. */
    vlog_valist(&this_module, VLL_DBG, format, args);
    return 0;
}

static struct bpf_map *
find_map(size_t i)
{
    return bpf_object__find_map_by_name(object, kernel_map_name(i));
}

static struct bpf_program *
find_program(const char *name)
{
    return bpf_object__find_program_by_name(object, name);
}

/* Opens the programs, which look at the carrier of trunks if 'has_carrier'.
 * Returns NULL and sets errno if there is no memory. */
static struct bpf_object *
open_programs(bool has_carrier)
{
    LIBBPF_OPTS(bpf_object_open_opts, opts,
                .object_name = "vmfex_kernel_bpf");
    struct bpf_object *o
        = (has_carrier
           ? bpf_object__open_mem(carrier_elf, sizeof carrier_elf, &opts)
           : bpf_object__open_mem(plain_elf, sizeof plain_elf, &opts));
    long error = -libbpf_get_error(o);

    if (error) {
        errno = error;
        return NULL;
    }
    return o;
}

static void
print_type(void *text_, const char *format, va_list args)
{
    ds_put_format_valist(text_, format, args);
}

/* Appends to 'text' the definition of the type 'id' in 'btf', and of all that
 * it is made of. */
static void
describe_type(const struct btf *btf, uint32_t id, struct ds *text)
{
    struct btf_dump *dump = btf_dump__new(btf, print_type, text, NULL);

    if (!libbpf_get_error(dump)) {
        btf_dump__dump_type(dump, id);
        btf_dump__free(dump);
    }
    ds_put_format(text, "%lld\n", (long long int) btf__resolve_size(btf, id));
}

/* Appends to 'text' what a process has to understand in the same way if it is
 * to take over the maps of 'o': the types of their keys and values, as
 * compiled, and the list of drops. */
static void
describe_maps(const struct bpf_object *o, struct ds *text)
{
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
    #NUMBER " " NAME "\n"
    static const char drops[] = VMFEX_DROPS;
#undef VMFEX_DROP
    const struct btf *btf = bpf_object__btf(o);

    for (size_t i = 0; i < N_KMAPS; i++) {
        const struct bpf_map *map
            = bpf_object__find_map_by_name(o, kernel_map_name(i));

        ds_put_format(text, "%s\n", kernel_map_name(i));
        describe_type(btf, bpf_map__btf_key_type_id(map), text);
        describe_type(btf, bpf_map__btf_value_type_id(map), text);
    }
    ds_put_cstr(text, drops);
}

/* Returns the identity of what is in the maps, of VMFEX_KERNEL_IDENTITY_LEN
 * bytes: two programs with the same one, and the same VMFEX_KERNEL_VERSION,
 * understand them in the same way. */
const uint8_t *
kernel_progs_identity(void)
{
    static uint8_t identity[SHA1_DIGEST_SIZE];
    static bool known;

    BUILD_ASSERT_DECL(SHA1_DIGEST_SIZE == VMFEX_KERNEL_IDENTITY_LEN);
    if (!known) {
        struct ds text = DS_EMPTY_INITIALIZER;
        struct bpf_object *o = open_programs(false);

        if (o) {
            describe_maps(o, &text);
            bpf_object__close(o);
            known = true;
        }
        VLOG_DBG("the maps: %s", ds_cstr(&text));
        sha1_bytes(ds_cstr(&text), text.length, identity);
        ds_destroy(&text);
    }
    return identity;
}

/* Has the programs find the devices whose carrier they look at, those of this
 * process's network namespace.  Returns false if they do not. */
static bool
find_devices(void)
{
    uint8_t frame[60] = { 0 };  /* What they get does not matter. */
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
                .data_size_in = sizeof frame);
    int fd = bpf_program__fd(find_program("vmfex_find_devices"));

    return !bpf_prog_test_run_opts(fd, &opts) && !opts.retval;
}

/* Loads the programs, with those of 'map_fds' that are not -1. */
static int
load_programs(const int map_fds[N_KMAPS], bool has_carrier, bool has_frags)
{
    const struct vmfex_kernel_setup setup = { .has_frags = has_frags };
    int error;

    object = open_programs(has_carrier);
    if (!object) {
        return errno;
    }
    if (has_frags) {
        bpf_program__set_flags(find_program("vmfex_xdp"),
                               BPF_F_XDP_HAS_FRAGS);
    }
    for (size_t i = 0; i < N_KMAPS; i++) {
        if (map_fds[i] >= 0) {
            bpf_map__reuse_fd(find_map(i), map_fds[i]);
        }
    }
    error = -bpf_map__set_initial_value(
        bpf_object__find_map_by_name(object, ".rodata"), &setup, sizeof setup);
    if (!error) {
        error = -bpf_object__load(object);
    }
    if (!error && has_carrier && !find_devices()) {
        error = EOPNOTSUPP;
    }
    if (error) {
        kernel_progs_unload();
    }
    return error;
}

/* Has libbpf log to our log.  To be called before anything else of it. */
void
kernel_progs_set_log(void)
{
    libbpf_set_print(log_libbpf);
}

/* Returns true if this process may look for programs of others.  One that may
 * not must leave none: the next one could neither take them over nor take them
 * off, and each frame would be forwarded twice. */
static bool
may_find_programs(void)
{
    uint32_t id;

    return !bpf_prog_get_next_id(0, &id) || errno != EPERM;
}

/* Loads the programs, with those of 'map_fds' that are not -1, and with new
 * maps for the others.
 *
 * Returns 0, or a positive errno and in '*errorp' a sentence about why there
 * is no kernel path, which the caller must free. */
int
kernel_progs_load(const int map_fds[N_KMAPS], char **errorp)
{
    int without = 0;
    int error;

    /* A kernel may be without either. */
    do {
        error = load_programs(map_fds, !(without & NO_CARRIER),
                              !(without & NO_FRAGS));
    } while (error && error != EPERM
             && ++without <= (NO_CARRIER | NO_FRAGS));
    if (!error && without & NO_CARRIER) {
        VLOG_INFO("this kernel does not let eBPF programs see the carrier of "
                  "trunks; adapters move to their standby channel when "
                  "ovs-vswitchd does");
    }
    if (!error && !may_find_programs()) {
        kernel_progs_unload();
        error = EPERM;
    }
    if (error) {
        /* The verifier's answer to programs that may not look at what they
         * look at is EACCES. */
        *errorp = (error == EPERM || error == EACCES
                   ? xstrdup("ovs-vswitchd may not load eBPF programs: run it "
                             "as root or with CAP_SYS_ADMIN and "
                             "CAP_NET_ADMIN")
                   : error == ENOSYS
                   ? xstrdup("this kernel has no eBPF")
                   : vmfex_kernel_cure(error)[0]
                   ? xasprintf("the eBPF programs and maps cannot be loaded "
                               "(%s)%s", ovs_strerror(error),
                               vmfex_kernel_cure(error))
                   : xasprintf("this kernel does not take the eBPF programs "
                               "(%s); to see why, set the log level of "
                               "vmfex_kernel to dbg", ovs_strerror(error)));
        VLOG_WARN("kernel path: %s", *errorp);
    }
    return error;
}

/* Lets go of the programs.  Those that are on a device stay there. */
void
kernel_progs_unload(void)
{
    bpf_object__close(object);
    object = NULL;
}

/* Returns true if kernel_progs_load() was successful, and nothing has been
 * unloaded since. */
bool
kernel_progs_are_loaded(void)
{
    return object != NULL;
}

/* Returns the file descriptor of 'prog', which is loaded. */
int
kernel_prog_fd(enum kernel_prog prog)
{
    static const char *const names[] = {
        [KPROG_VM] = "vmfex_vm",
        [KPROG_VM_OUT] = "vmfex_vm_out",
        [KPROG_VLAN_TRUNK] = "vmfex_vlans",
        [KPROG_XDP] = "vmfex_xdp",
        [KPROG_TRUNK] = "vmfex_trunk",
        [KPROG_TRUNK_TC] = "vmfex_trunk_tc",
        [KPROG_SOCKET] = "vmfex_socket",
        [KPROG_SOCKET_TRUNK] = "vmfex_socket_trunk",
        [KPROG_SOCKET_BEHIND] = "vmfex_socket_behind",
    };

    return bpf_program__fd(find_program(names[prog]));
}

/* Returns that of 'map', which the programs use. */
int
kernel_prog_map_fd(enum kernel_map map)
{
    return bpf_map__fd(find_map(map));
}
