/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUZZ_H
#define FUZZ_H 1

/* Fuzzing: programs that are fed with bytes by libFuzzer, which keeps those
 * that reach code that no others reached, and changes them.
 *
 *     make fuzz                           each target for a minute
 *     make fuzz FUZZ_SECONDS=3600         for an hour
 *     make fuzz FUZZ_TARGETS="tags text"  only these
 *
 *     target    what it does with the bytes
 *     -------   ----------------------------------------------------------
 *     tags      a frame in memory of any kind: tags on, off, checked
 *     offload   a frame with a virtio header that lies: segments, checksums
 *     paths     frames on VM ports and trunks, through the emulated and the
 *               direct path, which must agree
 *     kernel    the same through the emulated path and the eBPF programs in
 *               this kernel; as root
 *     text      actions and flows as text, there and back
 *     options   options of vethernets, lists of VLANs, MACs, names
 *     lldp      frames of the other end of a cable, and the agent of a trunk
 *
 * A target is one file, fuzz-TARGET.c, and aborts if what it checks is not so;
 * the sanitizers look for the rest.  tests/fuzz/run builds them, with clang,
 * in a build directory of their own.  In tests/fuzz/seeds/TARGET are inputs to
 * begin with, each a file: those that somebody thought of, and those by which
 * something was found (found-*), which are run first, each time.  What is
 * found anew stays in the build directory, fuzz/TARGET-*: look at it with
 * "fuzz/tests/fuzz/fuzz-TARGET FILE", mend it, and add it to the seeds.
 *
 * "managerd on writes that roles allow" is tests/rbac-fuzz.py: no program of
 * one process. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of an input. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

/* Takes 'n' bytes, or as many as there are, into 'bytes', of which the others
 * become 0. */
static inline void
fuzz_take(struct fuzz_input *in, void *bytes, size_t n)
{
    size_t len = MIN(n, in->size);

    memset(bytes, 0, n);
    if (len) {
        memcpy(bytes, in->data, len);
    }
    in->data += len;
    in->size -= len;
}

/* Takes one byte, which is 0 if there is none. */
static inline uint8_t
fuzz_take_u8(struct fuzz_input *in)
{
    uint8_t byte;

    fuzz_take(in, &byte, sizeof byte);
    return byte;
}

/* Takes two bytes, the first one being the less significant one. */
static inline uint16_t
fuzz_take_u16(struct fuzz_input *in)
{
    uint8_t bytes[2];

    fuzz_take(in, bytes, sizeof bytes);
    return bytes[0] | bytes[1] << 8;
}

#endif /* fuzz.h */
