/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_PATH_H
#define VMFEX_PATH_H 1

/* Which path a link takes.
 *
 *     VM port (its netdev,          trunks (their netdevs)
 *     other_config:vmfex-path)           |
 *            |                           |
 *            +-----> vmfex_path_choose() <---- what this build has
 *                          |
 *            +-------------+---------------------+
 *            v                                   v
 *     struct vmfex_link:path              Interface.status:path,
 *     (vmfex-publish)                     path-reason
 *
 * This is the only place that decides.  The answer depends on what the ports
 * are, never on traffic, so that it changes only together with the link. */

#include "datapath-actions/forwarding/vmfex-fwd.h"

struct vmfex_vethernet;

enum vmfex_path vmfex_path_choose(const struct vmfex_vethernet *,
                                  char **reason);

#endif /* vmfex-path.h */
