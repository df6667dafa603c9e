/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_PATH_H
#define VMFEX_PATH_H 1

/* Which path a link takes.
 *
 *     VM port (its netdev,          trunks (their netdevs)
 *     other_config:vmfex-path)           |
 *            |                           |
 *            +---------------------------+
 *            |                           |
 *            v                           v
 *     vmfex_path_may_be_kernel()   vmfex_path_choose() <-- what this build has
 *            |                        ^          |
 *            v                        |          +---> Interface.status:path,
 *     vmfex_kernel_links_prepare()    |          |     path-reason
 *     puts programs on devices -------'          v
 *                 what stood in the way    struct vmfex_link:path
 *
 * This is the only place that decides.  The answer depends on what the ports
 * are, never on traffic, so that it changes only together with the link.  Both
 * functions only read the model, however often they are asked. */

#include <stdbool.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"

struct vmfex_vethernet;

bool vmfex_path_may_be_kernel(const struct vmfex_vethernet *);
enum vmfex_path vmfex_path_choose(const struct vmfex_vethernet *,
                                  char **reason);

#endif /* vmfex-path.h */
