/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef HAVE_OPENSSL
#include <openssl/pem.h>
#include <openssl/x509.h>
#endif

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "stream-ssl.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_tls);

/* How often to compute anew how many days are left, and to log it. */
#define LOOK_MS (60 * 60 * 1000)
#define LOG_MS (24 * 60 * 60 * 1000)

#ifdef HAVE_OPENSSL
static X509 *
read_cert(const char *file)
{
    FILE *stream = fopen(file, "r");
    X509 *cert = stream ? PEM_read_X509(stream, NULL, NULL, NULL) : NULL;

    if (stream) {
        fclose(stream);
    }
    return cert;
}

/* Returns true if 'key_file' has the key of the certificate in 'cert_file'. */
static bool
is_pair(const char *key_file, const char *cert_file)
{
    FILE *stream = fopen(key_file, "r");
    EVP_PKEY *key = (stream ? PEM_read_PrivateKey(stream, NULL, NULL, NULL)
                     : NULL);
    X509 *cert = read_cert(cert_file);
    bool ok = key && cert && X509_check_private_key(cert, key);

    if (stream) {
        fclose(stream);
    }
    EVP_PKEY_free(key);
    X509_free(cert);
    return ok;
}

/* Returns when the certificate in 'file' ends; 0 if it cannot be read. */
static time_t
read_end(const char *file)
{
    X509 *cert = read_cert(file);
    struct tm tm;
    time_t end = 0;

    if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm)) {
        end = timegm(&tm);
    }
    X509_free(cert);
    return end;
}
#else
static bool
is_pair(const char *key_file OVS_UNUSED, const char *cert_file OVS_UNUSED)
{
    return false;
}

static time_t
read_end(const char *file OVS_UNUSED)
{
    return 0;
}
#endif

/* Stores what identifies the contents of 'file' in '*s', zeros if there is no
 * such file. */
static void
look_at(const char *file, struct stat *s)
{
    if (stat(file, s)) {
        memset(s, 0, sizeof *s);
    }
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return (a->st_mtim.tv_sec == b->st_mtim.tv_sec
            && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
            && a->st_ino == b->st_ino && a->st_size == b->st_size);
}

/* Returns another name of 'file', for the caller to free. */
static char *
other_name(const char *file)
{
    char *dir = dir_name(file), *base = base_name(file);
    char *name = xasprintf("%s/./%s", dir, base);

    free(dir);
    free(base);
    return name;
}

/* Takes the private key in file 'key' and the certificate in file 'cert' for
 * connections from now on.  Reads the files if one of them has changed, or has
 * another name, since the last call. */
void
vmfex_tls_set_key_and_cert(const char *key, const char *cert)
{
    static char *files[2];
    static struct stat seen[2];
    static bool loaded, other;
    const char *const now_files[2] = { key, cert };
    struct stat now[2];
    bool same = true;

    for (size_t i = 0; i < 2; i++) {
        look_at(now_files[i], &now[i]);
        if (!nullable_string_is_equal(files[i], now_files[i])
            || !is_same(&seen[i], &now[i])) {
            same = false;
            free(files[i]);
            files[i] = xstrdup(now_files[i]);
            seen[i] = now[i];
        }
    }
    if (same) {
        return;
    }
    if (now[0].st_ino && now[1].st_ino ? !is_pair(key, cert) : loaded) {
        VLOG_INFO("%s and %s do not belong together: waiting for the other "
                  "one to be replaced, too", key, cert);
        return;
    }
    loaded = true;

    /* Names that were not there before make Open vSwitch read both. */
    other = !other;
    if (other) {
        char *key2 = other_name(key), *cert2 = other_name(cert);

        stream_ssl_set_key_and_cert(key2, cert2);
        free(key2);
        free(cert2);
    } else {
        stream_ssl_set_key_and_cert(key, cert);
    }
}

/* Looks when the certificate in 'file' ends, which may be NULL for none, if
 * that was not done lately, and sets the 'warning' of 'c' accordingly. */
void
vmfex_cert_run(struct vmfex_cert *c, const char *file)
{
    long long int now = time_wall_msec();
    struct stat s;
    time_t left;

    if (!file) {
        vmfex_cert_destroy(c);
        return;
    }
    look_at(file, &s);
    if (nullable_string_is_equal(c->file, file)
        && c->mtime.tv_sec == s.st_mtim.tv_sec
        && c->mtime.tv_nsec == s.st_mtim.tv_nsec && now < c->next_look) {
        return;
    }
    if (!nullable_string_is_equal(c->file, file)) {
        vmfex_cert_destroy(c);
        c->file = xstrdup(file);
    }
    c->mtime = s.st_mtim;
    c->next_look = now + LOOK_MS;
    c->until = s.st_ino ? read_end(file) : 0;
    free(c->warning);
    c->warning = NULL;

    left = c->until - now / 1000;
    if (c->until && left < VMFEX_CERT_WARN_S) {
        char *end = xastrftime_msec("%Y-%m-%d", c->until * 1000LL, true);

        c->warning = (left <= 0
                      ? xasprintf("certificate %s has expired on %s", file,
                                  end)
                      : xasprintf("certificate %s expires on %s, in %d days",
                                  file, end, (int) (left / (24 * 60 * 60))));
        if (now >= c->next_log) {
            VLOG_WARN("%s: renew it, see vmfex-pki(8)", c->warning);
            c->next_log = now + LOG_MS;
        }
        free(end);
    } else {
        c->next_log = 0;
    }
}

/* Frees what 'c' has, which may be used again. */
void
vmfex_cert_destroy(struct vmfex_cert *c)
{
    free(c->file);
    free(c->warning);
    *c = (struct vmfex_cert) { .file = NULL };
}
