/* The screens: one process that opens very many websockets, watches, and counts what arrives.
 *
 * usage: sink BROWSER FD    BROWSER is a file with what a browser sends to open a socket; FD is a
 *                           stream socket: commands come in there and reports go out, by lines
 *
 *   watch FROM OF EACH PADS   each socket watches EACH of the OF topics from number FROM on, and
 *                             PADS quiet ones that nobody changes
 *   base TOPIC VERSION        what the sockets that are opened next already have of a topic
 *   open COUNT PORT PERSON OFFER WINDOW BUFFER
 *                             PERSON is the first one's number; OFFER 1 offers compression; at most
 *                             WINDOW handshakes at a time; BUFFER limits the kernel's, 0 does not
 *   reopen                    closes all and opens them again at once, with the versions they have
 *   stall                     reads no more
 *   stats                     -> stats FRAMES BYTES LOST
 *
 *   ready FIRST LAST RETRIES        all are open and served; RETRIES handshakes did not come off
 *   all TOPIC VERSION FIRST LAST    when the first and the last watcher had that version or newer
 *   lost COUNT                      so many were closed that nobody meant to close
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, the same for every process of a machine. Only the head
 * of a frame is looked at: `"topic":"t1/x/NUMBER"` and `"version":NUMBER`. A compressed frame is
 * not opened: once served, what is no beat counts as the next version of the first topic.
 */
#include "screen.h"

/* ---- commands */

static void open_all(void) {
    for (int topic = 0; topic < TOPICS; topic++) watchers[topic] = 0;
    for (int n = 0; n < count; n++)
        for (int nth = 0; nth < each; nth++) watchers[topic_of(n, nth)]++;
    next_one = retries = 0;
}

static void open_new(void) {
    screens = calloc(count, sizeof *screens);
    for (int n = 0; n < count; n++) {
        screens[n].fd = -1;
        memcpy(screens[n].version, base, sizeof base);
    }
    open_all();
}

static void reopen(void) {
    for (int n = 0; n < count; n++) {
        drop(&screens[n]);
        settle(&screens[n], CLOSED);
        screens[n].tries = 0;
    }
    lost = lost_told = 0;
    window = count;
    open_all();
}

static void stall(void) {
    for (int n = 0; n < count; n++)
        if (screens[n].fd >= 0) epoll_ctl(poll_fd, EPOLL_CTL_DEL, screens[n].fd, NULL);
}

static void obey(char *line) {
    unsigned topic, version;
    if (sscanf(line, "watch %d %d %d %d", &from, &of, &each, &pads) == 4) return;
    if (sscanf(line, "base %u %u", &topic, &version) == 2) base[topic % TOPICS] = version;
    else if (sscanf(line, "open %d %d %d %d %d %d", &count, &port, &person, &offer, &window,
                    &buffer) == 6) open_new();
    else if (!strcmp(line, "reopen")) reopen();
    else if (!strcmp(line, "stall")) stall();
    else if (!strcmp(line, "stats"))
        fprintf(out, "stats %llu %llu %d\n", (unsigned long long)frames,
                (unsigned long long)bytes, lost);
}

/* Ends the process when the other side has gone. */
static void hear_commands(int fd) {
    static char text[4096];
    static size_t have;
    ssize_t got = recv(fd, text + have, sizeof text - 1 - have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) exit(0);
    have += got;
    text[have] = 0;
    char *line = text, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        obey(line);
        line = end + 1;
    }
    have -= line - text;
    memmove(text, line, have);
}

static void go_on_opening(void) {
    for (; next_one < count && opening < window; next_one++)
        if (screens[next_one].state == CLOSED) try_to_open(&screens[next_one]);
    uint64_t at = waiting ? now() : 0;
    for (int n = 0; waiting && n < count && opening < window; n++)
        if (screens[n].state == WAITING && screens[n].again_at <= at) try_to_open(&screens[n]);
}

static void take_turn(int commands) {
    struct epoll_event events[512];
    int came = epoll_wait(poll_fd, events, 512, waiting ? 20 : -1);
    for (int n = 0; n < came; n++) {
        struct screen *one = events[n].data.ptr;
        if (!one) hear_commands(commands);
        else if (one->fd < 0) continue;
        else if (one->state == CONNECTING) greet(one);
        else hear(one);
    }
    go_on_opening();
    if (lost != lost_told) fprintf(out, "lost %d\n", lost_told = lost);
    fflush(out);
}

/* With the line ends of HTTP. */
static void learn_request(const char *path) {
    FILE *file = fopen(path, "r");
    size_t at = 0;
    int letter;
    if (!file) exit(2);
    while ((letter = getc(file)) != EOF && at < sizeof request - 16) {
        if (letter == '\n') request[at++] = '\r';
        request[at++] = letter;
    }
    strcpy(request + at, "%3$s\r\n");
    fclose(file);
}

int main(int arguments, char **values) {
    if (arguments != 3) return 2;
    learn_request(values[1]);
    int commands = atoi(values[2]);
    out = fdopen(dup(commands), "w");
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, commands, &event);
    for (;;) take_turn(commands);
}
