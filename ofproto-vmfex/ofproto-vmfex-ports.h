/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFPROTO_VMFEX_PORTS_H
#define OFPROTO_VMFEX_PORTS_H 1

/* Ports of a vmfex bridge: members of struct ofproto_class.
 *
 *                    what bridge.c        what is behind it
 *                    calls                (struct vmfex_port_info)
 *     port_add       -->  netdev          in the datapath and the model, or
 *                                         an adapter
 *     port_construct -->  ofport          found by name
 *     port_set_config                     role, adapter, path
 *     port_destruct                       loses its ofport
 *     port_del                            out of the datapath and the model */

#include "ofproto/ofproto-provider.h"

const char *vmfex_port_open_type(const char *datapath_type,
                                 const char *port_type);
struct ofport *vmfex_port_alloc(void);
int vmfex_port_construct(struct ofport *);
void vmfex_port_destruct(struct ofport *, bool del);
void vmfex_port_dealloc(struct ofport *);
void vmfex_port_modified(struct ofport *);
void vmfex_port_reconfigured(struct ofport *,
                             enum ofputil_port_config old_config);
int vmfex_port_query_by_name(const struct ofproto *, const char *name,
                             struct ofproto_port *);
int vmfex_port_add(struct ofproto *, struct netdev *);
int vmfex_port_del(struct ofproto *, ofp_port_t);
int vmfex_port_set_config(const struct ofport *, const struct smap *cfg);
int vmfex_port_get_stats(const struct ofport *, struct netdev_stats *stats);
int vmfex_class_vport_get_status(const struct ofport *, char **errp);
int vmfex_port_dump_start(const struct ofproto *, void **statep);
int vmfex_port_dump_next(const struct ofproto *, void *state,
                         struct ofproto_port *);
int vmfex_port_dump_done(const struct ofproto *, void *state);
int vmfex_port_poll(const struct ofproto *, char **devnamep);
void vmfex_port_poll_wait(const struct ofproto *);

/* A wrapped function. */
typedef int vmfex_vport_status_func(const struct ofproto *, ofp_port_t,
                                    char **errp);
int vmfex_vport_get_status(const struct ofproto *, ofp_port_t, char **errp,
                           vmfex_vport_status_func *original);

#endif /* ofproto-vmfex-ports.h */
