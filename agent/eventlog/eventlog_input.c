// eventlog_input: packed bytes from a file, a pipe or memory, read in large pieces. Called by the
// unpackers; must never wait again after a signal (the caller may want to stop), nor for ever for
// somebody to open the other end of a pipe.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

enum { WRITER_WAIT_MS = 3000 };

static void use_fd(struct input *in, int fd, bool close_fd) {
    *in = (struct input){.fd = fd, .close_fd = close_fd, .read_bytes = INPUT_READ_BYTES};
}

// A pipe without a writer reads as ended, one whose writer is slow does not.
static enum status await_writer(struct input *in, const char *path, struct err *err) {
    struct pollfd wait = {.fd = in->fd, .events = POLLIN};
    if (poll(&wait, 1, WRITER_WAIT_MS) != 0) {
        return ST_OK;
    }
    in->data = mem_alloc(in->read_bytes + INPUT_SNIFF_BYTES);
    ssize_t n = read(in->fd, in->data, INPUT_SNIFF_BYTES);
    if (n == 0) {
        return err_set(err, ST_SKIP, "%s: a named pipe, and nobody writes to it", path);
    }
    in->len = n > 0 ? (size_t)n : 0;
    in->read_total = in->len;
    return ST_OK;
}

enum status input_init_path(struct input *in, const char *path, struct err *err) {
    struct stat st;
    if (path == NULL) {
        use_fd(in, STDIN_FILENO, false);
        return ST_OK;
    }
    // A pipe is opened without waiting for its writer; reading waits by itself.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int code = errno;
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ST_SKIP, "%s: %s", path, strerror(code));
    }
    use_fd(in, fd, true);
    enum status status = S_ISREG(st.st_mode) ? ST_OK
                         : S_ISFIFO(st.st_mode)
                             ? await_writer(in, path, err)
                             : err_set(err, ST_SKIP, "%s: neither a file nor a pipe", path);
    if (status != ST_OK) {
        input_fini(in);
    }
    return status;
}

void input_init_memory(struct input *in, const void *memory, size_t len, size_t read_bytes) {
    *in = (struct input){.fd = -1, .memory = memory, .memory_len = len, .read_bytes = read_bytes};
}

void input_fini(struct input *in) {
    if (in->fd >= 0 && in->close_fd) {
        close(in->fd);
    }
    mem_free(in->data);
    *in = (struct input){.fd = -1};
}

uint64_t input_offset(const struct input *in) {
    require(in->pos <= in->len && in->len - in->pos <= in->read_total);
    return in->read_total - (in->len - in->pos);
}

enum status input_seek(struct input *in, uint64_t at, struct err *err) {
    if (in->fd >= 0 && lseek(in->fd, (off_t)at, SEEK_SET) < 0) {
        return err_set(err, ST_SKIP, "%s", strerror(errno));
    }
    in->pos = in->len = 0;
    in->read_total = at;
    in->eof = false;
    return ST_OK;
}

// One read from outside; *got == 0 is the end.
static enum status read_outside(struct input *in, void *out, size_t room, size_t *got,
                                struct err *err) {
    *got = 0;
    if (in->fd < 0) {
        size_t left = in->read_total < in->memory_len ? in->memory_len - (size_t)in->read_total : 0;
        size_t n = room < left ? room : left;
        *got = n < in->read_bytes ? n : in->read_bytes;
        if (*got > 0) {
            memcpy(out, in->memory + in->read_total, *got);
        }
    } else {
        ssize_t n = read(in->fd, out, room);
        if (n < 0 && errno == EAGAIN) { // somebody made our standard input non-blocking
            struct pollfd wait = {.fd = in->fd, .events = POLLIN};
            (void)poll(&wait, 1, -1);
            return err_set(err, ST_RETRY, "waiting for input");
        }
        if (n < 0 && errno == EINTR) {
            return err_set(err, ST_RETRY, "interrupted");
        }
        if (n < 0) {
            in->failed = true;
            return err_set(err, ST_SKIP, "%s", strerror(errno));
        }
        *got = (size_t)n;
    }
    in->read_total += *got;
    if (*got == 0 && in->growing) {
        return err_set(err, ST_RETRY, "no more for now");
    }
    in->eof = *got == 0;
    return ST_OK;
}

enum status input_peek(struct input *in, struct str *out, struct err *err) {
    if (in->data == NULL) {
        in->data = mem_alloc(in->read_bytes + INPUT_SNIFF_BYTES);
    }
    enum status status = ST_OK;
    while (in->len < INPUT_SNIFF_BYTES && !in->eof && status == ST_OK) {
        size_t got = 0;
        status = read_outside(in, in->data + in->len, INPUT_SNIFF_BYTES - in->len, &got, err);
        in->len += got;
    }
    *out = (struct str){(const char *)in->data, in->len};
    return status;
}

enum status input_more(struct input *in, struct err *err) {
    if (in->pos < in->len || in->eof) {
        return ST_OK;
    }
    in->pos = in->len = 0;
    return read_outside(in, in->data, in->read_bytes, &in->len, err);
}

enum status input_collect(struct input *in, struct buf *into, size_t want, struct err *err) {
    require(in->data != NULL); // looked at before it is unpacked
    while (into->len < want) {
        enum status status = input_more(in, err);
        if (status != ST_OK) {
            return status;
        }
        size_t n = in->len - in->pos;
        if (n == 0) {
            return ST_OK;
        }
        n = n < want - into->len ? n : want - into->len;
        buf_add(into, in->data + in->pos, n);
        in->pos += n;
    }
    return ST_OK;
}

enum status input_read(struct input *in, void *out, size_t room, size_t *got, struct err *err) {
    size_t n = in->len - in->pos;
    if (n > 0) {
        *got = n < room ? n : room;
        memcpy(out, in->data + in->pos, *got);
        in->pos += *got;
        return ST_OK;
    }
    *got = 0;
    return in->eof ? ST_OK : read_outside(in, out, room, got, err);
}
