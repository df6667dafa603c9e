/* SPDX-License-Identifier: Apache-2.0 */

/* What a daemon logs, escaped.
 *
 * Most messages have names of other machines and of VMs in them, those of Open
 * vSwitch too, and whoever adds one more does not think of who chose the name.
 * So it is done for all, where messages leave our objects and Open vSwitch's:
 * vmfex-managerd and vmfex-controller are linked with --wrap for both
 * functions.
 */

#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/vmfex-cluster.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

__typeof__(vlog) __real_vlog, __wrap_vlog;
__typeof__(vlog_rate_limit) __wrap_vlog_rate_limit;

static void OVS_PRINTF_FORMAT(3, 0)
log_escaped(const struct vlog_module *module, enum vlog_level level,
            const char *format, va_list args)
{
    int error = errno;
    char *s = xvasprintf(format, args);
    struct ds ds = DS_EMPTY_INITIALIZER;

    vmfex_cluster_hear(vlog_get_module_name(module), format);
    vmfex_put_escaped(&ds, s);
    __real_vlog(module, level, "%s", ds_cstr(&ds));
    ds_destroy(&ds);
    free(s);
    errno = error;
}

void
__wrap_vlog(const struct vlog_module *module, enum vlog_level level,
            const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_escaped(module, level, format, args);
    va_end(args);
}

void
__wrap_vlog_rate_limit(const struct vlog_module *module,
                       enum vlog_level level, struct vlog_rate_limit *limit,
                       const char *format, ...)
{
    va_list args;

    if (vlog_should_drop(module, level, limit)) {
        return;
    }
    va_start(args, format);
    log_escaped(module, level, format, args);
    va_end(args);
}
