/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coverage.h"
#include "dirs.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_memory);

COVERAGE_DEFINE(vmfex_memory_write);

static struct json *links;      /* What an earlier process wrote, or NULL. */
static bool lost;               /* It wrote something that is not known. */
static bool fresh;              /* No link was made since it was read. */
static char *written;           /* What the file has, or NULL if not known. */

static char *
file_name(void)
{
    return xasprintf("%s/vmfex-links", ovs_rundir());
}

/* Returns true if 'json' is what this module writes. */
static bool
is_valid(const struct json *json)
{
    struct shash_node *bridge, *port;

    if (json->type != JSON_OBJECT) {
        return false;
    }
    SHASH_FOR_EACH (bridge, json_object(json)) {
        const struct json *ports = bridge->data;

        if (ports->type != JSON_OBJECT) {
            return false;
        }
        SHASH_FOR_EACH (port, json_object(ports)) {
            const struct json *adapter = port->data;

            if (adapter->type != JSON_STRING && adapter->type != JSON_NULL) {
                return false;
            }
        }
    }
    return true;
}

/* Reads what an earlier process, or this one, wrote about links, all of which
 * have yet to be made. */
void
vmfex_memory_init(void)
{
    char *name = file_name();

    json_destroy(links);
    links = NULL;
    lost = false;
    fresh = true;
    if (!access(name, F_OK)) {
        links = json_from_file(name);
        if (!is_valid(links)) {
            VLOG_WARN("%s: cannot be read: it is not known which adapter each "
                      "VM port had, so those that name none get none", name);
            json_destroy(links);
            links = NULL;
            lost = true;
        }
    } else if (errno != ENOENT) {
        VLOG_WARN("%s: cannot be read (%s)", name, ovs_strerror(errno));
        lost = true;
    }
    free(written);
    written = NULL;
    free(name);
}

/* Returns true if no link was made since vmfex_memory_init(). */
bool
vmfex_memory_is_fresh(void)
{
    return fresh;
}

/* Returns true if 'port' of 'bridge' had an adapter before, and stores its
 * name in '*adapter', or NULL if it is not known.  The name is valid until
 * vmfex_memory_done(). */
bool
vmfex_memory_find(const char *bridge, const char *port, const char **adapter)
{
    const struct json *ports, *name;

    *adapter = NULL;
    ports = links ? shash_find_data(json_object(links), bridge) : NULL;
    name = ports ? shash_find_data(json_object(ports), port) : NULL;
    if (name && name->type == JSON_STRING) {
        *adapter = json_string(name);
    }
    return name || lost;
}

/* Forgets what was read: who had a link before has it again, and another port
 * by the same name is another port. */
void
vmfex_memory_done(void)
{
    json_destroy(links);
    links = NULL;
    lost = fresh = false;
}

/* Returns what the file should have, which the caller must free. */
static char *
format(void)
{
    struct json *bridges = json_object_create();
    const struct vmfex_lport *lport;
    char *s;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        const char *bridge = lport->bridge->name;
        struct json *ports;

        if (!lport->adapter && !lport->unsure) {
            continue;
        }
        ports = shash_find_data(json_object(bridges), bridge);
        if (!ports) {
            ports = json_object_create();
            json_object_put(bridges, bridge, ports);
        }
        json_object_put(ports, vmfex_lport_name(lport),
                        (lport->adapter
                         ? json_string_create(lport->adapter->ep->name)
                         : json_null_create()));
    }
    s = json_to_string(bridges, JSSF_SORT);
    json_destroy(bridges);
    return s;
}

/* Replaces the contents of the file 'name' by 's'.  Returns 0 or a positive
 * errno value. */
static int
replace(const char *name, const char *s)
{
    char *tmp = xasprintf("%s.tmp", name);
    FILE *stream = fopen(tmp, "w");
    int error = stream ? 0 : errno;

    if (stream) {
        if (fprintf(stream, "%s\n", s) < 0) {
            error = errno;
        }
        if (fclose(stream) && !error) {
            error = errno;
        }
        if (!error && rename(tmp, name)) {
            error = errno;
        }
        if (error) {
            unlink(tmp);
        }
    }
    free(tmp);
    return error;
}

/* Writes the links, if they are not as written.  Does nothing before links can
 * have been made: what there is to be read is not to be lost. */
void
vmfex_memory_write(void)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    char *name, *s;
    int error;

    if (fresh) {
        return;
    }
    s = format();
    if (nullable_string_is_equal(s, written)) {
        free(s);
        return;
    }

    COVERAGE_INC(vmfex_memory_write);
    name = file_name();
    error = replace(name, s);
    free(written);
    written = s;
    if (error) {
        VLOG_WARN_RL(&rl, "%s: cannot be written (%s): after a restart of "
                     "ovs-vswitchd, VM ports that name no adapter will get "
                     "none", name, ovs_strerror(error));
        if (truncate(name, 0) && errno != ENOENT) {
            VLOG_WARN_RL(&rl, "%s: cannot be emptied (%s)", name,
                         ovs_strerror(errno));
        }
        free(written);
        written = NULL;
    }
    free(name);
}
