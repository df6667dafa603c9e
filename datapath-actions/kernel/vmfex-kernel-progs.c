/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-progs.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "openvswitch/vlog.h"
#include "util.h"

#include "datapath-actions/kernel/vmfex-kernel-plain.skel.h"
#include "datapath-actions/kernel/vmfex-kernel.skel.h"

/* The name that the documents give, for the verifier's log. */
VLOG_DEFINE_THIS_MODULE(vmfex_kernel);

/* What a kernel may be without. */
enum {
    NO_FRAGS = 1 << 0,          /* XDP on frames of several buffers. */
    NO_CARRIER = 1 << 1         /* A look at the carrier of trunks. */
};

static struct vmfex_kernel_bpf *skel; /* NULL if not loaded. */

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
skel_map(size_t i)
{
    return bpf_object__find_map_by_name(skel->obj, kernel_map_name(i));
}

/* Opens the programs, which look at the carrier of trunks if 'has_carrier'.
 * Those which do not are for a kernel that does not let them. */
static struct vmfex_kernel_bpf *
open_programs(bool has_carrier)
{
    struct vmfex_kernel_bpf *s;

    if (has_carrier) {
        return vmfex_kernel_bpf__open();
    }

    /* Both have the same programs and maps. */
    s = calloc(1, sizeof *s);
    if (s && (vmfex_kernel_bpf__create_skeleton(s)
              || (s->skeleton->data = vmfex_kernel_plain_bpf__elf_bytes(
                      &s->skeleton->data_sz),
                  bpf_object__open_skeleton(s->skeleton, NULL)))) {
        vmfex_kernel_bpf__destroy(s);
        s = NULL;
    }
    return s;
}

/* Has the programs find the devices whose carrier they look at, those of this
 * process's network namespace.  Returns false if they do not. */
static bool
find_devices(void)
{
    uint8_t frame[60] = { 0 };  /* What they get does not matter. */
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
                .data_size_in = sizeof frame);
    int fd = bpf_program__fd(skel->progs.vmfex_find_devices);

    return !bpf_prog_test_run_opts(fd, &opts) && !opts.retval;
}

/* Loads the programs, with those of 'map_fds' that are not -1. */
static int
load_programs(const int map_fds[N_KMAPS], bool has_carrier, bool has_frags)
{
    int error;

    skel = open_programs(has_carrier);
    if (!skel) {
        return errno ? errno : ENOMEM;
    }
    skel->rodata->has_frags = has_frags;
    if (has_frags) {
        bpf_program__set_flags(skel->progs.vmfex_xdp, BPF_F_XDP_HAS_FRAGS);
    }
    for (size_t i = 0; i < N_KMAPS; i++) {
        if (map_fds[i] >= 0) {
            bpf_map__reuse_fd(skel_map(i), map_fds[i]);
        }
    }
    error = -vmfex_kernel_bpf__load(skel);
    if (!error && has_carrier && !find_devices()) {
        error = EOPNOTSUPP;
    }
    if (error) {
        vmfex_kernel_bpf__destroy(skel);
        skel = NULL;
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
    vmfex_kernel_bpf__destroy(skel);
    skel = NULL;
}

/* Returns true if kernel_progs_load() was successful, and nothing has been
 * unloaded since. */
bool
kernel_progs_are_loaded(void)
{
    return skel != NULL;
}

/* Returns the file descriptor of 'prog', which is loaded. */
int
kernel_prog_fd(enum kernel_prog prog)
{
    const struct bpf_program *programs[] = {
        [KPROG_VM] = skel->progs.vmfex_vm,
        [KPROG_XDP] = skel->progs.vmfex_xdp,
        [KPROG_TRUNK] = skel->progs.vmfex_trunk,
        [KPROG_TRUNK_TC] = skel->progs.vmfex_trunk_tc,
        [KPROG_SOCKET] = skel->progs.vmfex_socket,
        [KPROG_SOCKET_TRUNK] = skel->progs.vmfex_socket_trunk,
        [KPROG_SOCKET_BEHIND] = skel->progs.vmfex_socket_behind,
    };

    return bpf_program__fd(programs[prog]);
}

/* Returns that of 'map', which the programs use. */
int
kernel_prog_map_fd(enum kernel_map map)
{
    return bpf_map__fd(skel_map(map));
}
