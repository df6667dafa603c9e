/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the guests of tests/guests.sh, which have no other programs than
 * busybox's.  Linked statically.
 *
 *     guest-frames raw DEVICE COUNT HEX...
 *         sends each frame, given in hexadecimal, COUNT times
 *     guest-frames send ADDRESS PORT COUNT SIZE
 *         sends COUNT UDP datagrams of SIZE bytes, one each 4 milliseconds
 *     guest-frames receive PORT
 *         until none has come for 3 seconds, counts the datagrams that come,
 *         and those with the wrong content */

#include <config.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_SIZE 65536

static unsigned char buffer[MAX_SIZE];

static int
check(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(EXIT_FAILURE);
    }
    return result;
}

static size_t
parse_hex(const char *hex)
{
    size_t n;

    for (n = 0; n < MAX_SIZE && sscanf(hex + 2 * n, "%2hhx", &buffer[n]) == 1;
         n++) {
        continue;
    }
    return n;
}

static void
raw(const char *device, int count, char *frames[])
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_ifindex = if_nametoindex(device),
    };
    int fd = check(socket(AF_PACKET, SOCK_RAW, 0), "socket");

    check(bind(fd, (struct sockaddr *) &sll, sizeof sll), device);
    for (int i = 0; i < count; i++) {
        for (char **hex = frames; *hex; hex++) {
            /* A queue that is full is not an error here. */
            if (write(fd, buffer, parse_hex(*hex)) < 0) {
                usleep(100);
            }
        }
    }
}

/* Byte 'i' of datagrams of 'size' bytes. */
static unsigned char
pattern(size_t size, size_t i)
{
    return size + i * 7;
}

static void
send_datagrams(const char *address, int port, int count, size_t size)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = inet_addr(address),
    };
    int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");

    for (size_t i = 0; i < size; i++) {
        buffer[i] = pattern(size, i);
    }
    check(connect(fd, (struct sockaddr *) &sin, sizeof sin), address);
    for (int i = 0; i < count; i++) {
        check(send(fd, buffer, size, 0), "send");
        usleep(4000);
    }
}

static void
receive_datagrams(int port)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
    };
    struct timeval timeout = { .tv_sec = 3 };
    int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    int good = 0, bad = 0;
    ssize_t size;

    check(bind(fd, (struct sockaddr *) &sin, sizeof sin), "bind");
    check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout),
          "setsockopt");
    while ((size = recv(fd, buffer, sizeof buffer, 0)) >= 0) {
        bool ok = true;

        for (ssize_t i = 0; i < size; i++) {
            ok = ok && buffer[i] == pattern(size, i);
        }
        good += ok;
        bad += !ok;
    }
    printf("%d good %d bad\n", good, bad);
}

int
main(int argc, char *argv[])
{
    if (argc >= 5 && !strcmp(argv[1], "raw")) {
        raw(argv[2], atoi(argv[3]), &argv[4]);
    } else if (argc == 6 && !strcmp(argv[1], "send")) {
        send_datagrams(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
    } else if (argc == 3 && !strcmp(argv[1], "receive")) {
        receive_datagrams(atoi(argv[2]));
    } else {
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
