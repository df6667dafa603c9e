/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-find.h"

#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "util.h"

/* Returns the name of 'map'. */
const char *
kernel_map_name(enum kernel_map map)
{
    static const char *const names[N_KMAPS] = {
        [KMAP_OWNER] = "vmfex_owner",
        [KMAP_SLOTS] = "vmfex_slots",
        [KMAP_COUNTERS] = "vmfex_counters",
        [KMAP_TRUNKS] = "vmfex_trunks",
        [KMAP_VIFS] = "vmfex_vifs",
        [KMAP_PORTS] = "vmfex_ports",
    };

    return names[map];
}

/* Returns true if the program with number 'prog_id' has 'name', of at most 15
 * characters. */
bool
kernel_prog_has_name(uint32_t prog_id, const char *name)
{
    struct bpf_prog_info info;
    uint32_t info_len = sizeof info;
    int fd = bpf_prog_get_fd_by_id(prog_id);
    int error;

    if (fd < 0) {
        return false;
    }
    memset(&info, 0, sizeof info);
    error = bpf_obj_get_info_by_fd(fd, &info, &info_len);
    close(fd);
    return !error && !strcmp(info.name, name);
}

/* Finds the maps of the program with number 'prog_id', and opens them; those
 * that it does not have become -1.  The caller must close them, in any case.
 * Returns true if it is one of ours, with the same 'owner'. */
bool
kernel_open_maps(uint32_t prog_id, const char *owner, int fds[N_KMAPS])
{
    struct vmfex_kernel_owner o;
    uint32_t ids[2 * N_KMAPS];
    struct bpf_prog_info info = {
        .nr_map_ids = ARRAY_SIZE(ids),
        .map_ids = (uintptr_t) ids,
    };
    uint32_t info_len = sizeof info;
    uint32_t zero = 0;
    int fd, error;

    for (size_t i = 0; i < N_KMAPS; i++) {
        fds[i] = -1;
    }
    fd = bpf_prog_get_fd_by_id(prog_id);
    if (fd < 0) {
        return false;
    }
    error = bpf_obj_get_info_by_fd(fd, &info, &info_len);
    close(fd);
    if (error || strncmp(info.name, "vmfex_", strlen("vmfex_"))) {
        return false;
    }
    for (size_t i = 0; i < MIN(info.nr_map_ids, ARRAY_SIZE(ids)); i++) {
        struct bpf_map_info map_info;
        uint32_t map_info_len = sizeof map_info;

        memset(&map_info, 0, sizeof map_info);
        fd = bpf_map_get_fd_by_id(ids[i]);
        if (fd < 0) {
            continue;
        }
        error = bpf_obj_get_info_by_fd(fd, &map_info, &map_info_len);
        for (size_t j = 0; !error && j < N_KMAPS; j++) {
            /* The kernel cuts names short. */
            if (fds[j] < 0 && !strncmp(map_info.name, kernel_map_name(j),
                                       sizeof map_info.name - 1)) {
                fds[j] = fd;
                fd = -1;
                break;
            }
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return (fds[KMAP_OWNER] >= 0
            && !bpf_map_lookup_elem(fds[KMAP_OWNER], &zero, &o)
            && !strncmp(o.name, owner, sizeof o.name));
}

/* Closes what kernel_open_maps() opened. */
void
kernel_close_maps(int fds[N_KMAPS])
{
    for (size_t i = 0; i < N_KMAPS; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
        fds[i] = -1;
    }
}

/* Returns the number of a map, or 0. */
uint32_t
kernel_map_id(int fd)
{
    struct bpf_map_info info;
    uint32_t info_len = sizeof info;

    memset(&info, 0, sizeof info);
    return bpf_obj_get_info_by_fd(fd, &info, &info_len) ? 0 : info.id;
}
