/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_LINKS_H
#define VMFEX_LINKS_H 1

/* The run: from configuration and the state of the netdevs to links, states,
 * and what is published of them.
 *
 *     configuration (OVSDB)                     state of the netdevs
 *        |                                               |
 *        | vmfex_lport_configure(),                      | carrier, MTU,
 *        | options of a vethernet                        | events
 *        v                                               v
 *     +------------------------- vmfex_links_run() -------------------------+
 *     |  1. ports: up? MTU?                                                 |
 *     |  2. vethernets: options good? channel taken? trunk working?         |
 *     |     which channel to send on?                        vmfex-channels |
 *     |  3. VM ports: keep the adapter, or get one                          |
 *     |  4. state and reason of each vethernet and each VM port             |
 *     |  5. the kernel path's programs are put where they    vmfex-kernel-  |
 *     |     may be needed                                    links          |
 *     |     which path?                                      vmfex-path     |
 *     |  6. publication                                                     |
 *     +---------------------------------------------------------------------+
 *        |                          |                          |
 *        v                          v                          v
 *     Interface.status,      forwarding state, and       kernel path
 *     Interface.error        flows of what changed
 *     (vmfex-reports)        (vmfex-publish)             (vmfex-kernel-links)
 *
 * Each of these modules works on the model (vmfex-model.h), and knows no other
 * of them; this one calls them in order.  Steps 1 to 4, and the choice of a
 * path, have no effect but on the model, other than that an endpoint is told
 * which channel to send on.
 *
 * The run computes everything anew from what there is, whatever came first,
 * compares the result to what is published, and publishes the difference.  It
 * works from memory alone, so that a thousand ports take about a millisecond;
 * only when something changed does it run at all.
 *
 * A VM port, from here (Interface.error tells the reason):
 *
 *                         adapter found
 *       +-----------+ ------------------------> +--------+
 *       | no link   |                           | linked |
 *       +-----------+ <------------------------ +--------+
 *         reason:         adapter deleted, or     reason: the adapter's,
 *         no-adapter,     reserved, or            if it is not active
 *         adapter-missing another one is named
 *         adapter-busy
 *
 * A link stays through any trouble of its trunk: the switch's configuration
 * belongs to the channel, so another adapter would be another port.
 *
 * All of this is for the main thread. */

struct smap;
struct vmfex_lport;

void vmfex_links_init(void);
void vmfex_links_configure_port(struct vmfex_lport *, const struct smap *);
void vmfex_links_destroy_port(struct vmfex_lport *);

void vmfex_links_run(void);
void vmfex_links_remember(void);
void vmfex_links_recall(void);
void vmfex_links_wait(void);

#endif /* vmfex-links.h */
