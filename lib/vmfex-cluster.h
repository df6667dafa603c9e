/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CLUSTER_H
#define VMFEX_CLUSTER_H 1

#include <stdbool.h>

/* The manager's database as a cluster, as its clients see it.
 *
 * A client that writes, or wants a lock, has to talk to the member that leads,
 * which may be on another machine.  So "vmfex-pki member-join" writes a file
 * that names all members, members.env, for those who are told of none.
 *
 * A server whose database is older than what a client has seen is stale: the
 * client goes on to the next one.  If all are, since the cluster was made anew
 * from a backup, somebody has to say so, by "cluster-state-reset". */

char *vmfex_cluster_default_db(void);
char *vmfex_cluster_explain(const char *remotes);

void vmfex_cluster_hear(const char *module, const char *format);
void vmfex_cluster_set_connected(bool connected);
void vmfex_cluster_forget_stale(void);
bool vmfex_cluster_is_stale(void);

#endif /* vmfex-cluster.h */
