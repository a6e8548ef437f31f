/*
 * ldap_load.c -- for LDAP what wrk is for HTTP: one thread, many connections.
 *
 *     ldap_load PORT DN PASSWORD PEOPLE read|change USERS CONNECTIONS
 *
 * connects to 127.0.0.1 and binds each connection once. Then, for each line of
 * standard input, a number of seconds, it works for that long: on each
 * connection a request for a random user below PEOPLE, and the next when the
 * answer is there. It prints the line of samples.h for that.
 *
 *     read    searches for the user's entry, the attributes of a profile
 *     change  replaces givenName, sn and displayName, the last by a new one
 *
 * A request is encoded once; for each that is sent only digits change. Of an
 * answer its length, kind and result are read. With libldap's own calls the
 * load would need more of the machine than slapd does.
 */
#include "samples.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ldap.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_ID 2 /* of every request: each connection has one at a time */
#define MAX_EVENTS 128

/* What stands in a request where digits go; none of it is in another place. */
#define ID "3#################"
#define NUMBER "@@@@@@@"
#define COUNT "%%%%%%%%%"

typedef struct connection_t {
    int fd;
    double sent;
    int entries; /* in the answer so far */
    size_t length;
    unsigned char bytes[8192]; /* of the answer, LENGTH of them */
} connection_t;

typedef struct load_t {
    struct berval request;
    int is_read;
    unsigned long users, connections, count;
    connection_t *connection;
    int epoll;
} load_t;

static void
fail(const char *what, const char *why)
{
    printf("ldap_load: cannot %s: %s\n", what, why);
    exit(1);
}

/* Requests. */

static struct berval
flattened(BerElement *ber, int rc)
{
    struct berval bytes;

    if (rc < 0 || ber_flatten2(ber, &bytes, 1) < 0)
        fail("encode", "no memory");
    ber_free(ber, 1);
    return bytes;
}

static struct berval
bind_request(const char *dn, const char *password)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    int rc = ber_printf(ber, "{it{ists}}", MESSAGE_ID, LDAP_REQ_BIND,
                        LDAP_VERSION3, dn, LDAP_AUTH_SIMPLE, password);

    return flattened(ber, rc);
}

static struct berval
read_request(const char *dn)
{
    static char *attributes[] = {"givenName",
                                 "sn",
                                 "displayName",
                                 "preferredLanguage",
                                 "createTimestamp",
                                 "modifyTimestamp",
                                 NULL};
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    int rc = ber_printf(ber, "{it{seeiibts{v}}}", MESSAGE_ID, LDAP_REQ_SEARCH,
                        dn, LDAP_SCOPE_BASE, LDAP_DEREF_NEVER, 0, 0, 0,
                        LDAP_FILTER_PRESENT, "objectClass", attributes);

    return flattened(ber, rc);
}

static struct berval
change_request(const char *dn)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    int rc = ber_printf(ber, "{it{s{{e{s[s]}}{e{s[s]}}{e{s[s]}}}}}", MESSAGE_ID,
                        LDAP_REQ_MODIFY, dn, LDAP_MOD_REPLACE, "givenName",
                        "First" NUMBER, LDAP_MOD_REPLACE, "sn", "Last" NUMBER,
                        LDAP_MOD_REPLACE, "displayName", "C" COUNT);

    return flattened(ber, rc);
}

/* Write VALUE into each run of the character MARK in BYTES. */
static void
put_digits(char *bytes,
           const struct berval *request,
           char mark,
           unsigned long value)
{
    unsigned long rest = value;

    for (size_t i = request->bv_len; i-- > 0;) {
        if (request->bv_val[i] != mark) {
            rest = value;
            continue;
        }
        bytes[i] = (char)('0' + rest % 10);
        rest /= 10;
    }
}

static void
send_bytes(connection_t *connection, const char *bytes, size_t length)
{
    connection->sent = samples_now();
    connection->length = 0;
    connection->entries = 0;
    /* One request at a time always has room in the socket's buffer. */
    if (send(connection->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("send", strerror(errno));
}

static void
send_request(load_t *load, connection_t *connection)
{
    char bytes[1024];
    unsigned long user = (unsigned long)random() % load->users;

    memcpy(bytes, load->request.bv_val, load->request.bv_len);
    put_digits(bytes, &load->request, ID[1], user);
    put_digits(bytes, &load->request, NUMBER[0], user);
    put_digits(bytes, &load->request, COUNT[0], load->count++);
    send_bytes(connection, bytes, load->request.bv_len);
}

/* Answers. */

/* Read a tag and a length at BYTES, of which LENGTH are there: returns where
 * their contents begin, NULL if not all of them are there. */
static const unsigned char *
element(const unsigned char **end,
        unsigned *tag,
        const unsigned char *bytes,
        size_t length)
{
    if (length < 2)
        return NULL;
    size_t head = 2, size = bytes[1];
    if (size >= 0x80) {
        head += size & 0x7f;
        if (head > 2 + sizeof(unsigned) || length < head)
            return NULL;
        size = 0;
        for (size_t i = 2; i < head; i++)
            size = size << 8 | bytes[i];
    }
    if (length < head + size)
        return NULL;
    *tag = bytes[0];
    *end = bytes + head + size;
    return bytes + head;
}

/* The result in an answer to a bind, a search or a modification that begins
 * with CONTENTS; -1 for one entry of a search. */
static int
result_of(const unsigned char *contents, const unsigned char *end)
{
    unsigned tag;
    const unsigned char *after, *id, *body, *result;

    id = element(&after, &tag, contents, (size_t)(end - contents));
    body = id ? element(&end, &tag, after, (size_t)(end - after)) : NULL;
    if (body && tag == LDAP_RES_SEARCH_ENTRY)
        return -1;
    result = body ? element(&after, &tag, body, (size_t)(end - body)) : NULL;
    if (!result || tag != LBER_ENUMERATED || after - result != 1)
        fail("understand an answer", "it is no result");
    return *result;
}

/* Read what is there; true if the answer is complete. */
static int
receive(const load_t *load, connection_t *connection)
{
    unsigned tag;
    const unsigned char *end, *contents;
    ssize_t got = recv(connection->fd, connection->bytes + connection->length,
                       sizeof(connection->bytes) - connection->length, 0);

    if (got <= 0)
        fail("receive", got ? strerror(errno) : "the connection is closed");
    connection->length += (size_t)got;

    const unsigned char *next = connection->bytes;
    const unsigned char *last = next + connection->length;
    int result = -1;
    while ((contents = element(&end, &tag, next, (size_t)(last - next)))) {
        result = result_of(contents, end);
        if (result > 0)
            fail("do it", "slapd answers with an error");
        connection->entries += result < 0;
        next = end;
    }
    connection->length = (size_t)(last - next);
    memmove(connection->bytes, next, connection->length);
    if (result == 0 && load->is_read && connection->entries != 1)
        fail("read", "there is no such entry");
    return result == 0;
}

/* Connections. */

static void
connect_all(load_t *load, in_port_t port, struct berval greeting)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    load_t binding = {.is_read = 0};
    int on = 1;

    load->epoll = epoll_create1(0);
    load->connection = calloc(load->connections, sizeof(*load->connection));
    for (unsigned long i = 0; load->connection && i < load->connections; i++) {
        connection_t *connection = &load->connection[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

        connection->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(connection->fd, (struct sockaddr *)&address,
                    sizeof(address)) ||
            setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on,
                       sizeof(on)) ||
            epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event))
            fail("connect", strerror(errno));
        send_bytes(connection, greeting.bv_val, greeting.bv_len);
        while (!receive(&binding, connection))
            ;
    }
    if (!load->connection)
        fail("connect", "no memory");
}

/* Work for SECONDS, and until the last answer is there. */
static void
work(load_t *load, double seconds)
{
    struct epoll_event events[MAX_EVENTS];
    double start = samples_now(), now = start;
    unsigned long waiting = load->connections, answers = 0;

    samples_clear();
    for (unsigned long i = 0; i < load->connections; i++)
        send_request(load, &load->connection[i]);
    while (waiting) {
        int count = epoll_wait(load->epoll, events, MAX_EVENTS, -1);

        for (int i = 0; i < count; i++) {
            connection_t *connection = events[i].data.ptr;
            if (!receive(load, connection))
                continue;
            now = samples_now();
            samples_add(now - connection->sent);
            answers++;
            if (now - start < seconds)
                send_request(load, connection);
            else
                waiting--;
        }
    }
    if (!samples_print((double)answers / (now - start)))
        fail("print", "nothing was answered");
}

int
main(int count, char **argument)
{
    char dn[256], line[64];

    if (count != 8) {
        fprintf(stderr, "usage: see the head of ldap_load.c\n");
        return 2;
    }
    load_t load = {.is_read = strcmp(argument[5], "read") == 0,
                   .users = strtoul(argument[6], NULL, 10),
                   .connections = strtoul(argument[7], NULL, 10)};
    if (!load.users || !load.connections)
        fail("work", "no number of users, or of connections");

    snprintf(dn, sizeof(dn), "uid=" ID ",%s", argument[4]);
    load.request = load.is_read ? read_request(dn) : change_request(dn);
    srandom((unsigned)time(NULL) ^ (unsigned)getpid());
    load.count = (unsigned long)random() % 900000000;
    connect_all(&load, (in_port_t)strtoul(argument[1], NULL, 10),
                bind_request(argument[2], argument[3]));
    while (fgets(line, sizeof(line), stdin))
        work(&load, strtod(line, NULL));
    return 0;
}
