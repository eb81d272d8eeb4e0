/* One screen: how its socket is opened, what it watches, and what arrives. A part of sink.c. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TOPICS = 64, KEPT = 64, HEAD = 160, AN_ADDRESS = 500, QUIET = 1000, ANSWER = 2048 };
enum { LARGE = 30 };                /* bytes: a compressed frame below is only a beat */
enum state { CLOSED, CONNECTING, GREETING, OPEN, WAITING };

struct screen {
    int fd, tries;
    enum state state;
    char *answer;                   /* of the handshake, while it comes */
    int answered;
    unsigned char header[10], head[HEAD];
    int have, kept;                 /* bytes of the frame's header and of its payload's head */
    int whole, deflated, small, ready;
    uint64_t left, size, again_at;  /* again_at: when a failed handshake is tried again */
    uint32_t version[TOPICS];
};

struct arrival {                    /* of one version of one topic */
    uint32_t version;
    int screens;
    uint64_t first;
};

static struct screen *screens;
static int count, port, person, offer, window, buffer, from, of = 1, each = 1, pads;
static int next_one, opening, waiting, ready, retries, lost, lost_told, poll_fd;
static uint64_t frames, bytes, began_ready;
static uint32_t base[TOPICS];
static int watchers[TOPICS];
static struct arrival arrivals[TOPICS][KEPT];
static FILE *out;
static char request[4096];          /* a format: port, person, extension */

static uint64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + at.tv_nsec;
}

static int topic_of(int screen, int nth) { return from + (screen * each + nth) % of; }

/* ---- the handshake */

static int under_way(enum state state) { return state == CONNECTING || state == GREETING; }

static void settle(struct screen *one, enum state state) {
    opening += under_way(state) - under_way(one->state);
    waiting += (state == WAITING) - (one->state == WAITING);
    one->state = state;
}

static void drop(struct screen *one) {
    if (one->fd >= 0) close(one->fd);
    one->fd = -1;
    free(one->answer);
    one->answer = NULL;
    ready -= one->ready;
    one->ready = one->small = one->have = one->deflated = one->answered = one->whole = 0;
}

/* As the page's script does it: later and later, and never all at the same instant. */
static void fail(struct screen *one) {
    int served = one->ready;
    drop(one);
    if (served) {
        lost++;
        settle(one, CLOSED);
        return;
    }
    retries++;
    double spread = 0.5 + rand() / (double)RAND_MAX;
    uint64_t pause = 500u << (one->tries < 5 ? one->tries : 5);
    one->tries++;
    one->again_at = now() + (uint64_t)(spread * pause * 1e6);
    settle(one, WAITING);
}

static void try_to_open(struct screen *one) {
    int at = person + (int)(one - screens), home = 2 + at / AN_ADDRESS, yes = 1;
    settle(one, CONNECTING);
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (one->fd < 0) { fail(one); return; }
    setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (buffer) setsockopt(one->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (home / 250) * 256 + home % 250);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons(port);
    bind(one->fd, (struct sockaddr *)&here, sizeof here);
    int came = connect(one->fd, (struct sockaddr *)&there, sizeof there);
    if (came && errno != EINPROGRESS) { fail(one); return; }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = one};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, one->fd, &event);
}

static void greet(struct screen *one) {
    char text[ANSWER];
    int at = person + (int)(one - screens), error = 0;
    socklen_t size = sizeof error;
    getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    const char *extension =
        offer ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "";
    int length = snprintf(text, sizeof text, request, port, at, extension);
    if (error || send(one->fd, text, length, MSG_NOSIGNAL) != length) { fail(one); return; }
    settle(one, GREETING);
    one->answer = malloc(ANSWER);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, one->fd, &event);
}

/* A masked frame, as clients must; the mask is nought, so the text stays as it is. */
static int say(struct screen *one, int opcode, const char *text, int length) {
    unsigned char frame[8192];
    int at = 2;
    frame[0] = 0x80 | opcode;
    if (length < 126) {
        frame[1] = 0x80 | length;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = length >> 8;
        frame[3] = length & 255;
        at = 4;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, length);
    return send(one->fd, frame, at + 4 + length, MSG_NOSIGNAL) == at + 4 + length;
}

static void watch(struct screen *one) {
    char text[8000];
    int at = snprintf(text, sizeof text, "{\"watch\":{"), me = (int)(one - screens);
    for (int nth = 0; nth < each; nth++) {
        int topic = topic_of(me, nth);
        at += snprintf(text + at, sizeof text - at, "%s\"t1/x/%d\":%u", nth ? "," : "", topic,
                       one->version[topic]);
    }
    for (int nth = 0; nth < pads; nth++)
        at += snprintf(text + at, sizeof text - at, "%s\"t1/pad/%d\":0", each + nth ? "," : "",
                       (me * pads + nth) % QUIET);
    at += snprintf(text + at, sizeof text - at, "},\"n\":1}");
    if (!say(one, 1, text, at)) fail(one);
}

/* ---- what arrives */

static void has(struct screen *one, int topic, uint32_t version, uint64_t at) {
    uint32_t next = one->version[topic] + 1;
    if (version < next) return;
    if (version - next >= KEPT) next = version - KEPT + 1;
    one->version[topic] = version;
    for (; next <= version; next++) {
        struct arrival *it = &arrivals[topic][next % KEPT];
        if (it->version != next || !it->screens) *it = (struct arrival){next, 0, at};
        if (++it->screens == watchers[topic])
            fprintf(out, "all %d %u %llu %llu\n", topic, next, (unsigned long long)it->first,
                    (unsigned long long)at);
    }
}

static long number_after(struct screen *one, const char *mark) {
    size_t size = strlen(mark);
    unsigned char *found = memmem(one->head, one->kept, mark, size);
    if (!found) return -1;
    long number = 0;
    for (found += size; found < one->head + one->kept && *found >= '0' && *found <= '9'; found++)
        number = number * 10 + *found - '0';
    return number;
}

static void served(struct screen *one, uint64_t at) {
    if (one->ready) return;
    if (!ready) began_ready = at;
    one->ready = 1;
    if (++ready == count)
        fprintf(out, "ready %llu %llu %d\n", (unsigned long long)began_ready,
                (unsigned long long)at, retries);
}

static void take(struct screen *one, uint64_t at) {
    int opcode = one->header[0] & 15, compressed = one->header[0] & 0x40;
    if (opcode == 9) say(one, 10, (char *)one->head, one->kept);
    if (opcode == 8) fail(one);
    if (opcode != 1) return;
    frames++;
    if (compressed) {
        if (one->ready && one->size >= LARGE) has(one, from, one->version[from] + 1, at);
        else if (++one->small == 2) served(one, at);     /* the epoch, and that it is live */
        return;
    }
    long topic = number_after(one, "\"topic\":\"t1/x/"), version;
    if (topic >= 0 && topic < TOPICS && (version = number_after(one, "\"version\":")) > 0)
        has(one, (int)topic, (uint32_t)version, at);
    else if (number_after(one, "{\"live\":") >= 0 || (one->deflated && ++one->small == 2))
        served(one, at);
}

static int header_size(struct screen *one) {
    if (one->have < 2) return 2;
    int length = one->header[1] & 127;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static void feed(struct screen *one, unsigned char *data, size_t size, uint64_t at) {
    while (size) {
        if (!one->whole) {                               /* the frame's header is coming */
            one->header[one->have++] = *data++;
            size--;
            if (one->have < header_size(one)) continue;
            int wide = header_size(one) - 2;
            one->size = wide ? 0 : one->header[1] & 127;
            for (int n = 0; n < wide; n++) one->size = one->size << 8 | one->header[2 + n];
            one->left = one->size;
            one->whole = 1;
            one->kept = 0;
        }
        size_t part = one->left < size ? one->left : size;
        size_t keep = (size_t)(HEAD - one->kept) < part ? (size_t)(HEAD - one->kept) : part;
        memcpy(one->head + one->kept, data, keep);
        one->kept += keep;
        data += part;
        size -= part;
        one->left -= part;
        if (one->left) return;
        take(one, at);
        if (one->fd < 0) return;
        one->whole = one->have = 0;
    }
}

/* True once the answer to the handshake is whole; what follows it belongs to the frames. */
static void hear_answer(struct screen *one, unsigned char *data, size_t size, uint64_t at) {
    size_t part = ANSWER - 1 - one->answered < (int)size ? ANSWER - 1 - one->answered : (int)size;
    memcpy(one->answer + one->answered, data, part);
    int before = one->answered;
    one->answered += part;
    one->answer[one->answered] = 0;
    char *end = strstr(one->answer, "\r\n\r\n");
    if (!end) {
        if (one->answered == ANSWER - 1) fail(one);
        return;
    }
    if (strncmp(one->answer, "HTTP/1.1 101", 12)) { fail(one); return; }
    one->deflated = strcasestr(one->answer, "permessage-deflate") != NULL;
    size_t used = end + 4 - one->answer - before;
    settle(one, OPEN);
    watch(one);
    if (one->state == OPEN) feed(one, data + used, size - used, at);
}

static void hear(struct screen *one) {
    static unsigned char data[1 << 16];
    for (;;) {
        ssize_t got = recv(one->fd, data, sizeof data, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) { fail(one); return; }
        bytes += got;
        if (one->state == GREETING) hear_answer(one, data, got, now());
        else feed(one, data, got, now());
        if (one->fd < 0 || got < (ssize_t)sizeof data) return;
    }
}
