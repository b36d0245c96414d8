/* The load client of bench.stream: many event streams in one process, checked and timed event by event.
 *
 * client port=8000 path=/events clients=500 after=0 last=200 [resume=0] [ids=1] [stalled=1] [seconds=60]
 *        [received=FILE] [progress=FD]
 *
 * Expects every event with `"seq":N` in its data, after < N <= last, on each connection exactly once and in order. With
 * ids=1 the id line of an event must be its seq. Writes to stdout `ready SECONDS PORT` once each connection has brought
 * its first block (PORT: the local one of the connection that stops reading then), `done` once each has brought the
 * last event, and one line of JSON when stdin ends, all connections have ended or the time is up. Writes to FD each event that has arrived
 * everywhere, and to FILE a record {client, seq, nanoseconds since 1970} for each delivery.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum { RECEIVED_BYTES_MAX = 1 << 18, LINE_BYTES_MAX = 1 << 22, FRAME_BYTES_MAX = 64, READY_AT_ONCE = 512, STALLED_BUFFER_BYTES = 4096 };

/* Where in a response the next byte belongs. */
enum part { HEAD, CHUNK_SIZE, CHUNK, CHUNK_END, IDENTITY };

struct stream {
    int socket;
    enum part part;
    int is_chunked;
    size_t chunk_left;
    char frame[FRAME_BYTES_MAX]; /* the begin of a line of the head or of the chunked coding */
    size_t frame_length;
    char *line; /* what has come of a line that is not complete */
    size_t line_length, line_space;
    long long seq, id; /* of the block that is being read; -1: none */
    long long newest;
    long long count;
    uint8_t *seen; /* a bit an event */
    int has_content, is_ready, is_open;
};

struct record {
    uint32_t client, seq;
    int64_t nanoseconds;
};

static const char *path = "/", *received_path;
static int port, clients = 1, stalled, has_ids, progress = -1;
static long long after, last, resume_at = -1, seconds_max = 60;

static struct stream *streams;
static int *reached; /* how many readers have event after + 1 + n */
static long long floor_seq, duplicates, reordered, unexpected, wrong_ids, refused, closed_early, cut_nanoseconds;
static int open_count, ready_count, is_ready, is_done;
static int64_t begun, now;
static double ready_seconds, done_seconds;
static FILE *received;
static int poller;

static int64_t wall_clock(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int is_stalled(const struct stream *stream) { return stream - streams < stalled; }

static void say_progress(void) {
    char text[32];
    int length = snprintf(text, sizeof text, "%lld\n", floor_seq);
    if (progress >= 0 && write(progress, text, length) != length) fail("can't tell the progress");
}

static void deliver(struct stream *stream) {
    long long seq = stream->seq, place = seq - after - 1;
    if (seq <= after || seq > last) {
        unexpected++;
        return;
    }
    if (has_ids && stream->id != seq) wrong_ids++;
    if (stream->seen[place >> 3] & 1 << (place & 7)) {
        duplicates++;
        return;
    }
    stream->seen[place >> 3] |= 1 << (place & 7);
    if (seq < stream->newest) reordered++;
    else stream->newest = seq;
    stream->count++;
    if (received) {
        struct record record = {stream - streams, seq, now};
        fwrite(&record, sizeof record, 1, received);
    }
    if (!is_stalled(stream)) reached[place]++;
}

static void become_ready(struct stream *stream) {
    if (stream->is_ready) return;
    stream->is_ready = 1;
    ready_count++;
    if (is_stalled(stream)) {
        /* Only what can't be overlooked is still noticed: that the connection was cut. */
        struct epoll_event interest = {.events = EPOLLRDHUP, .data.ptr = stream};
        epoll_ctl(poller, EPOLL_CTL_MOD, stream->socket, &interest);
    }
}

static void end_block(struct stream *stream) {
    if (stream->seq >= 0) deliver(stream);
    if (stream->has_content) become_ready(stream);
    stream->seq = stream->id = -1;
    stream->has_content = 0;
}

static void take_line(struct stream *stream, const char *line, size_t length) {
    if (length && line[length - 1] == '\r') length--;
    if (!length) {
        end_block(stream);
        return;
    }
    stream->has_content = 1;
    if (length > 5 && !memcmp(line, "data:", 5)) {
        const char *found = memmem(line, length, "\"seq\":", 6);
        if (found) stream->seq = strtoll(found + 6, NULL, 10);
    } else if (length > 3 && !memcmp(line, "id:", 3)) {
        stream->id = strtoll(line + 3, NULL, 10);
    }
}

static void keep(struct stream *stream, const char *bytes, size_t length) {
    size_t needed = stream->line_length + length + 1;
    if (needed > LINE_BYTES_MAX) fail("a line is too long");
    if (needed > stream->line_space) {
        stream->line_space = needed * 2;
        stream->line = realloc(stream->line, stream->line_space);
        if (!stream->line) fail("no memory");
    }
    memcpy(stream->line + stream->line_length, bytes, length);
    stream->line_length += length;
    stream->line[stream->line_length] = 0;
}

static void take_body(struct stream *stream, const char *bytes, size_t length) {
    while (length) {
        const char *end = memchr(bytes, '\n', length);
        size_t taken = end ? (size_t)(end - bytes) : length;
        if (!end) {
            keep(stream, bytes, length);
            return;
        }
        if (stream->line_length) {
            keep(stream, bytes, taken);
            size_t whole = stream->line_length;
            stream->line_length = 0;
            take_line(stream, stream->line, whole);
        } else {
            take_line(stream, bytes, taken);
        }
        bytes += taken + 1;
        length -= taken + 1;
    }
}

static void close_stream(struct stream *stream) {
    if (!stream->is_open) return;
    stream->is_open = 0;
    open_count--;
    close(stream->socket);
    if (is_stalled(stream)) cut_nanoseconds = now;
    else if (!stream->is_ready) refused++;
    else if (stream->newest < last) closed_early++;
}

/* A line of the head or of the chunked coding; what is longer than FRAME_BYTES_MAX is cut. */
static void take_frame_line(struct stream *stream, const char *line) {
    if (stream->part == CHUNK_SIZE) {
        stream->chunk_left = strtoul(line, NULL, 16);
        stream->part = CHUNK;
        if (!stream->chunk_left) close_stream(stream);
    } else if (stream->part == CHUNK_END) {
        stream->part = CHUNK_SIZE;
    } else if (!strncmp(line, "HTTP/", 5)) {
        if (strncmp(line + 8, " 200", 4)) close_stream(stream);
    } else if (!strncasecmp(line, "transfer-encoding: chunked", 26)) {
        stream->is_chunked = 1;
    } else if (!*line) {
        stream->part = stream->is_chunked ? CHUNK_SIZE : IDENTITY;
    }
}

static size_t take_frame(struct stream *stream, const char *bytes, size_t length) {
    const char *end = memchr(bytes, '\n', length);
    size_t taken = end ? (size_t)(end - bytes) : length;
    size_t space = FRAME_BYTES_MAX - 1 - stream->frame_length, kept = taken < space ? taken : space;
    memcpy(stream->frame + stream->frame_length, bytes, kept);
    stream->frame_length += kept;
    if (!end) return length;
    if (stream->frame_length && stream->frame[stream->frame_length - 1] == '\r') stream->frame_length--;
    stream->frame[stream->frame_length] = 0;
    stream->frame_length = 0;
    take_frame_line(stream, stream->frame);
    return taken + 1;
}

static void take(struct stream *stream, const char *bytes, size_t length) {
    while (length && stream->is_open) {
        size_t taken = length;
        if (stream->part == IDENTITY) {
            take_body(stream, bytes, taken);
        } else if (stream->part == CHUNK) {
            if (taken > stream->chunk_left) taken = stream->chunk_left;
            take_body(stream, bytes, taken);
            stream->chunk_left -= taken;
            if (!stream->chunk_left) stream->part = CHUNK_END;
        } else {
            taken = take_frame(stream, bytes, length);
        }
        bytes += taken;
        length -= taken;
    }
}

static void open_stream(struct stream *stream) {
    stream->seq = stream->id = -1;
    stream->newest = after;
    stream->seen = calloc((last - after) / 8 + 1, 1);
    stream->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (!stream->seen || stream->socket < 0) fail("can't open a stream");
    stream->is_open = 1;
    open_count++;
    if (is_stalled(stream)) {
        int bytes = STALLED_BUFFER_BYTES;
        setsockopt(stream->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(stream->socket, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
        close_stream(stream);
        return;
    }
    struct epoll_event interest = {.events = EPOLLOUT, .data.ptr = stream};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, stream->socket, &interest)) fail("can't watch a stream");
}

static void ask(struct stream *stream) {
    char request[1024], resume[64] = "";
    if (resume_at >= 0) snprintf(resume, sizeof resume, "Last-Event-ID: %lld\r\n", resume_at);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n%s\r\n", path, port, resume);
    if (write(stream->socket, request, length) != length) {
        close_stream(stream);
        return;
    }
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = stream};
    epoll_ctl(poller, EPOLL_CTL_MOD, stream->socket, &interest);
}

static void receive(struct stream *stream) {
    static char bytes[RECEIVED_BYTES_MAX];
    ssize_t length = read(stream->socket, bytes, sizeof bytes);
    now = wall_clock();
    if (length > 0) take(stream, bytes, length);
    else if (!length || (errno != EAGAIN && errno != EINTR)) close_stream(stream);
}

static void serve(struct stream *stream, uint32_t events) {
    if (!stream->is_open) return;
    if (is_stalled(stream) && stream->is_ready) {
        now = wall_clock();
        close_stream(stream);
    } else if (events & EPOLLOUT) {
        ask(stream);
    } else {
        receive(stream);
    }
}

static int stalled_port(void) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    if (stalled) getsockname(streams[0].socket, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static void look_how_far(void) {
    if (!is_ready && ready_count + refused >= clients) {
        is_ready = 1;
        ready_seconds = (wall_clock() - begun) / 1e9;
        printf("ready %.4f %d\n", ready_seconds, stalled_port());
    }
    long long before = floor_seq;
    while (floor_seq < last && reached[floor_seq - after] >= clients - stalled) floor_seq++;
    if (floor_seq > before) say_progress();
    if (is_ready && !is_done && floor_seq >= last) {
        is_done = 1;
        done_seconds = (wall_clock() - begun) / 1e9;
        printf("done\n");
    }
}

static void report(void) {
    long long least = last - after, most = 0, open = 0;
    for (int i = stalled; i < clients; i++) {
        if (streams[i].count < least) least = streams[i].count;
        if (streams[i].count > most) most = streams[i].count;
        open += streams[i].is_open;
    }
    long long read_count = 0;
    for (int i = stalled; i < clients; i++) read_count += streams[i].count;
    printf("{\"deliveries\": %lld, \"least\": %lld, \"most\": %lld, \"missing\": %lld, \"duplicates\": %lld, "
           "\"reordered\": %lld, \"unexpected\": %lld, \"wrong_ids\": %lld, \"refused\": %lld, \"closed_early\": %lld, "
           "\"still_open\": %lld, \"ready_seconds\": %.4f, \"done_seconds\": %.4f, \"cut_nanoseconds\": %lld}\n",
           read_count, least, most, (last - after) * (clients - stalled) - read_count, duplicates, reordered,
           unexpected, wrong_ids, refused, closed_early, open, ready_seconds, done_seconds, cut_nanoseconds);
}

static void configure(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        if (!value) fail(arguments[i]);
        *value++ = 0;
        const char *name = arguments[i];
        if (!strcmp(name, "port")) port = atoi(value);
        else if (!strcmp(name, "path")) path = value;
        else if (!strcmp(name, "clients")) clients = atoi(value);
        else if (!strcmp(name, "after")) after = atoll(value);
        else if (!strcmp(name, "last")) last = atoll(value);
        else if (!strcmp(name, "resume")) resume_at = atoll(value);
        else if (!strcmp(name, "ids")) has_ids = atoi(value);
        else if (!strcmp(name, "stalled")) stalled = atoi(value);
        else if (!strcmp(name, "seconds")) seconds_max = atoll(value);
        else if (!strcmp(name, "received")) received_path = value;
        else if (!strcmp(name, "progress")) progress = atoi(value);
        else fail(name);
    }
    if (last < after || stalled > 1 || stalled >= clients) fail("these numbers don't go together");
}

int main(int count, char **arguments) {
    configure(count, arguments);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (received_path && !(received = fopen(received_path, "wb"))) fail(received_path);
    streams = calloc(clients, sizeof *streams);
    reached = calloc(last - after + 1, sizeof *reached);
    poller = epoll_create1(0);
    if (!streams || !reached || poller < 0) fail("can't begin");
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL}, happened[READY_AT_ONCE];
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input)) fail("stdin must be a pipe");
    floor_seq = after;
    begun = wall_clock();
    for (int i = 0; i < clients; i++) open_stream(&streams[i]);
    for (int is_told = 0; !is_told && open_count && wall_clock() - begun < seconds_max * 1000000000;) {
        int found = epoll_wait(poller, happened, READY_AT_ONCE, 100);
        for (int i = 0; i < found; i++) {
            if (happened[i].data.ptr) serve(happened[i].data.ptr, happened[i].events);
            else is_told = 1;
        }
        look_how_far();
    }
    report();
    if (received && fclose(received)) fail(received_path);
    return 0;
}
