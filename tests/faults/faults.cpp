// A file system that fails on command, to be laid in front of libc with LD_PRELOAD. See README.md beside it.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace {

/// What a test sets while the process runs, and reads: a file that both map. tests/e2e/faults.py has the same
/// order.
struct Control {
  std::atomic<uint64_t> space;          // bytes that files may still grow by; all ones: no bound
  std::atomic<uint64_t> fail_sync_in;   // the n-th sync from now fails, once; 0: none
  std::atomic<uint64_t> fail_syncs;     // not 0: every sync fails
  std::atomic<uint64_t> fail_writes;    // not 0: every write fails with EIO
  std::atomic<uint64_t> fail_reads;     // not 0: every read fails with EIO
  std::atomic<uint64_t> short_percent;  // of writes that are cut short
  std::atomic<uint64_t> sync_micros;    // that a sync takes longer
  std::atomic<uint64_t> neighbour;      // not 0: somebody else takes what space is given back
  // counted
  std::atomic<uint64_t> syncs, syncs_failed, no_space, shortened;
};

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}
#define REAL(name) static auto* const real = next<decltype(::name)>(#name)

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

/// The process's faults, made at the first call and never unmade: other libraries write at exit.
struct Faults {
  std::string prefix = variable("TAILRACE_FAULTS_PREFIX");
  std::string journal = variable("TAILRACE_FAULTS_JOURNAL");
  Control* control = nullptr;
  std::mutex mutex;  // of the journal and the generator
  std::mt19937 random{1};

  Faults() {
    const std::string path = variable("TAILRACE_FAULTS_CONTROL");
    REAL(open);
    const int fd = path.empty() ? -1 : real(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* const at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) control = static_cast<Control*>(at);
    next<decltype(::close)>("close")(fd);
  }
};
Faults& faults() {
  static Faults* const all = new Faults;
  return *all;
}

// ---- which files -----------------------------------------------------------------------------------------

bool below_prefix(const std::string& path) {
  const std::string& prefix = faults().prefix;
  return faults().control && !prefix.empty() && path.compare(0, prefix.size(), prefix) == 0 &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

enum : char { unknown, ours, others };
constexpr int kMostFds = 1 << 16;
std::atomic<char> known[kMostFds];

void forget(int fd) {
  if (fd >= 0 && fd < kMostFds) known[fd].store(unknown, std::memory_order_relaxed);
}

std::string path_of(int fd) {
  char path[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return size > 0 ? std::string(path, size_t(size)) : "";
}

bool is_ours(int fd) {
  if (fd < 0 || fd >= kMostFds) return false;
  char what = known[fd].load(std::memory_order_relaxed);
  if (what == unknown) {
    const int saved = errno;
    what = below_prefix(path_of(fd)) ? ours : others;
    known[fd].store(what, std::memory_order_relaxed);
    errno = saved;
  }
  return what == ours;
}

/// As the kernel names it: without links in its directory's name.
std::string whole_path(const char* path) {
  std::string text = path;
  const size_t slash = text.rfind('/');
  char dir[PATH_MAX];
  if (!::realpath(slash == text.npos ? "." : slash == 0 ? "/" : text.substr(0, slash).c_str(), dir))
    return text;
  return std::string(dir) + "/" + (slash == text.npos ? text : text.substr(slash + 1));
}

std::string dir_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// ---- the journal of what is not synced -------------------------------------------------------------------

std::string id_of(const struct stat& status) {
  return std::to_string(status.st_dev) + "-" + std::to_string(status.st_ino);
}

struct Line {
  uint64_t kind, offset, bytes;  // kind: 0 the bytes that stood here, 1 zeros did, 2 the size was `offset`
};

void append(const std::string& file, const void* data, size_t bytes) {
  REAL(open);
  const int fd = real(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  static auto* const real_write = next<decltype(::write)>("write");
  if (fd < 0 || real_write(fd, data, bytes) != ssize_t(bytes)) {
    std::fprintf(stderr, "faults: cannot write %s\n", file.c_str());
    std::abort();
  }
  next<decltype(::close)>("close")(fd);
}

std::string journal_of(const struct stat& status) {
  return faults().journal + "/" + id_of(status) + ".data";
}

/// What stands in [offset, offset + bytes) and the size, before they change. The mutex is held.
void note_bytes(int fd, uint64_t offset, uint64_t bytes) {
  struct stat status;
  if (faults().journal.empty() || ::fstat(fd, &status) != 0) return;
  const auto size = uint64_t(status.st_size);
  std::vector<char> out;
  const auto put = [&](const void* data, size_t n) {
    out.insert(out.end(), static_cast<const char*>(data), static_cast<const char*>(data) + n);
  };
  static auto* const real_pread = next<decltype(::pread)>("pread");
  std::vector<char> piece;
  for (uint64_t at = offset, end = std::min(size, offset + bytes); at < end;) {
    piece.resize(std::min<uint64_t>(end - at, 1 << 20));
    const ssize_t got = real_pread(fd, piece.data(), piece.size(), off_t(at));
    if (got <= 0) break;  // opened for writing alone: the harness says so
    const bool zeros = std::all_of(piece.begin(), piece.begin() + got, [](char c) { return c == 0; });
    const Line line{uint64_t(zeros), at, uint64_t(got)};
    put(&line, sizeof line);
    if (!zeros) put(piece.data(), size_t(got));
    at += uint64_t(got);
  }
  const Line line{2, size, 0};
  put(&line, sizeof line);
  append(journal_of(status), out.data(), out.size());
}

uint64_t size_of(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? uint64_t(status.st_size) : 0;
}

/// What was noted before the sync began needs no undoing any more.
void synced(int fd, uint64_t noted) {
  struct stat status;
  if (faults().journal.empty() || ::fstat(fd, &status) != 0) return;
  const std::string path =
      S_ISDIR(status.st_mode) ? faults().journal + "/" + id_of(status) + ".dir" : journal_of(status);
  const uint64_t size = size_of(path);
  std::string rest;
  if (size > noted) {
    rest.resize(size - noted);
    REAL(open);
    const int file = real(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = next<decltype(::pread)>("pread")(file, rest.data(), rest.size(), off_t(noted));
    next<decltype(::close)>("close")(file);
    rest.resize(size_t(std::max<ssize_t>(got, 0)));
  }
  next<decltype(::unlink)>("unlink")(path.c_str());
  if (!rest.empty()) append(path, rest.data(), rest.size());
}

uint64_t noted_so_far(int fd) {
  struct stat status;
  if (faults().journal.empty() || ::fstat(fd, &status) != 0) return 0;
  return size_of(S_ISDIR(status.st_mode) ? faults().journal + "/" + id_of(status) + ".dir"
                                         : journal_of(status));
}

/// The kernel after a failed sync: the pages count as clean, and what was in them is gone. The mutex is held.
void drop_unsynced(int fd) {
  struct stat status;
  if (faults().journal.empty() || ::fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) return;
  const std::string path = journal_of(status);
  std::vector<char> bytes(size_of(path));
  REAL(open);
  const int file = real(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t got = next<decltype(::pread)>("pread")(file, bytes.data(), bytes.size(), 0);
  next<decltype(::close)>("close")(file);
  if (got != ssize_t(bytes.size())) return;
  std::vector<size_t> lines;
  for (size_t at = 0; at + sizeof(Line) <= bytes.size();) {
    Line line;
    std::memcpy(&line, &bytes[at], sizeof line);
    lines.push_back(at);
    at += sizeof line + (line.kind == 0 ? line.bytes : 0);
  }
  static auto* const real_pwrite = next<decltype(::pwrite)>("pwrite");
  static auto* const real_truncate = next<decltype(::ftruncate)>("ftruncate");
  for (size_t i = lines.size(); i-- > 0;) {
    Line line;
    std::memcpy(&line, &bytes[lines[i]], sizeof line);
    const std::vector<char> zeros(line.kind == 1 ? line.bytes : 0);
    const char* const old = line.kind == 0 ? &bytes[lines[i] + sizeof line] : zeros.data();
    const bool done = line.kind == 2
                          ? real_truncate(fd, off_t(line.offset)) == 0
                          : real_pwrite(fd, old, line.bytes, off_t(line.offset)) == ssize_t(line.bytes);
    if (!done) std::abort();
  }
  next<decltype(::unlink)>("unlink")(path.c_str());
}

/// A change of a directory: what undoes it. `kept`: another name of what it removes.
void note_name(const char* what, const std::string& path, const std::string& to, bool keep) {
  Faults& f = faults();
  if (f.journal.empty()) return;
  static uint64_t links = 0;
  const std::lock_guard lock(f.mutex);
  struct stat status;
  if (::stat(dir_of(path).c_str(), &status) != 0) return;
  std::string kept;
  if (keep) {
    kept = f.journal + "/kept-" + std::to_string(::getpid()) + "-" + std::to_string(++links);
    if (::link((to.empty() ? path : to).c_str(), kept.c_str()) != 0) kept.clear();
  }
  const std::string line = std::string(what) + "\t" + path + "\t" + to + "\t" + kept + "\n";
  append(f.journal + "/" + id_of(status) + ".dir", line.data(), line.size());
}

// ---- what is decided -------------------------------------------------------------------------------------

/// Whether a file may grow so much; takes it from the space if so.
bool grow(uint64_t bytes) {
  std::atomic<uint64_t>& space = faults().control->space;
  uint64_t left = space.load();
  for (;;) {
    if (left == UINT64_MAX || bytes == 0) return true;
    if (bytes > left) {
      ++faults().control->no_space;
      errno = ENOSPC;
      return false;
    }
    if (space.compare_exchange_weak(left, left - bytes)) return true;
  }
}

void give_back(uint64_t bytes) {
  std::atomic<uint64_t>& space = faults().control->space;
  if (faults().control->neighbour) return;
  uint64_t left = space.load();
  while (left != UINT64_MAX && !space.compare_exchange_weak(left, left + bytes)) {
  }
}

uint64_t file_size(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 ? uint64_t(status.st_size) : 0;
}

/// How many of these bytes are written; -1: errno says why none are.
ssize_t decide_write(int fd, uint64_t offset, size_t bytes) {
  Faults& f = faults();
  if (f.control->fail_writes) {
    errno = EIO;
    return -1;
  }
  const std::lock_guard lock(f.mutex);
  if (bytes > 1 && f.random() % 100 < f.control->short_percent) {
    bytes = 1 + f.random() % (bytes - 1);
    ++f.control->shortened;
  }
  const uint64_t size = file_size(fd), end = offset + bytes;
  const uint64_t growth = end > size ? end - size : 0;
  if (!grow(growth)) {
    // As a real disk: what still fits is written.
    const uint64_t left = f.control->space.load();
    if (growth >= bytes && left == 0) return -1;
    bytes -= size_t(growth - left);
    if (bytes == 0 || !grow(left)) return -1;
  }
  note_bytes(fd, offset, bytes);
  return ssize_t(bytes);
}

int sync_file(int fd, int (*real)(int)) {
  if (!is_ours(fd)) return real(fd);
  Faults& f = faults();
  ++f.control->syncs;
  if (const uint64_t micros = f.control->sync_micros) ::usleep(useconds_t(micros));
  bool fail = f.control->fail_syncs != 0;
  uint64_t left = f.control->fail_sync_in;
  while (left > 0 && !f.control->fail_sync_in.compare_exchange_weak(left, left - 1)) {
  }
  fail = fail || left == 1;
  uint64_t noted = 0;
  {
    const std::lock_guard lock(f.mutex);
    if (fail) {
      drop_unsynced(fd);
      ++f.control->syncs_failed;
      errno = EIO;
      return -1;
    }
    noted = noted_so_far(fd);
  }
  // A journal makes the disk's own sync needless: the machine stays on.
  const int done = f.journal.empty() ? real(fd) : 0;
  if (done == 0) {
    const std::lock_guard lock(f.mutex);
    synced(fd, noted);
  }
  return done;
}

int opened(int fd, const std::string& path, bool created) {
  forget(fd);
  if (fd >= 0 && created) note_name("create", path, "", false);
  return fd;
}

}  // namespace

// ---- what stands in front of libc ------------------------------------------------------------------------

extern "C" {

#define OPEN(name)                                                                \
  int name(const char* path, int flags, ...) {                                    \
    va_list more;                                                                 \
    va_start(more, flags);                                                        \
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                                 \
    REAL(open);                                                                   \
    if (!(flags & O_CREAT)) return opened(real(path, flags, mode), "", false);    \
    const std::string whole = whole_path(path);                                   \
    const bool created = below_prefix(whole) && ::access(path, F_OK) != 0;        \
    const int fd = real(path, flags, mode);                                       \
    return opened(fd, whole, created);                                            \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  REAL(close);
  forget(fd);
  return real(fd);
}

#define PWRITE(name, type)                                                              \
  ssize_t name(int fd, const void* data, size_t bytes, type offset) {                   \
    static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite"); \
    if (!is_ours(fd)) return real(fd, data, bytes, offset);                             \
    const ssize_t allowed = decide_write(fd, uint64_t(offset), bytes);                  \
    return allowed < 0 ? -1 : real(fd, data, size_t(allowed), offset);                  \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void* data, size_t bytes) {
  REAL(write);
  if (!is_ours(fd)) return real(fd, data, bytes);
  const bool at_end = ::fcntl(fd, F_GETFL) & O_APPEND;
  const off_t offset = at_end ? off_t(file_size(fd)) : ::lseek(fd, 0, SEEK_CUR);
  const ssize_t allowed = decide_write(fd, uint64_t(std::max<off_t>(offset, 0)), bytes);
  return allowed < 0 ? -1 : real(fd, data, size_t(allowed));
}

ssize_t writev(int fd, const iovec* parts, int n) {
  REAL(writev);
  if (!is_ours(fd)) return real(fd, parts, n);
  return n > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : 0;  // a short write, as it may be
}

ssize_t pwritev(int fd, const iovec* parts, int n, off_t offset) {
  REAL(pwritev);
  if (!is_ours(fd)) return real(fd, parts, n, offset);
  return n > 0 ? pwrite(fd, parts[0].iov_base, parts[0].iov_len, offset) : 0;
}

#define PREAD(name, type)                                                        \
  ssize_t name(int fd, void* data, size_t bytes, type offset) {                  \
    static auto* const real = next<ssize_t(int, void*, size_t, off_t)>("pread"); \
    if (is_ours(fd) && faults().control->fail_reads) {                           \
      errno = EIO;                                                               \
      return -1;                                                                 \
    }                                                                            \
    return real(fd, data, bytes, offset);                                        \
  }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define TRUNCATE(name, type)                                       \
  int name(int fd, type size) {                                    \
    static auto* const real = next<int(int, off_t)>("ftruncate");  \
    if (!is_ours(fd)) return real(fd, size);                       \
    const std::lock_guard lock(faults().mutex);                    \
    const uint64_t was = file_size(fd), now = uint64_t(size);      \
    note_bytes(fd, std::min(was, now), now < was ? was - now : 0); \
    const int done = real(fd, size);                               \
    if (done == 0 && now < was) give_back(was - now);              \
    return done;                                                   \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define ALLOCATE(name, type)                                                  \
  int name(int fd, int mode, type offset, type bytes) {                       \
    static auto* const real = next<int(int, int, off_t, off_t)>("fallocate"); \
    if (!is_ours(fd)) return real(fd, mode, offset, bytes);                   \
    const std::lock_guard lock(faults().mutex);                               \
    const uint64_t was = file_size(fd), end = uint64_t(offset + bytes);       \
    if (!grow(end > was ? end - was : 0)) return -1;                          \
    note_bytes(fd, was, 0);                                                   \
    return real(fd, mode, offset, bytes);                                     \
  }
ALLOCATE(fallocate, off_t)
ALLOCATE(fallocate64, off64_t)

#define POSIX_ALLOCATE(name, type)                                             \
  int name(int fd, type offset, type bytes) {                                  \
    static auto* const real = next<int(int, off_t, off_t)>("posix_fallocate"); \
    if (!is_ours(fd)) return real(fd, offset, bytes);                          \
    const std::lock_guard lock(faults().mutex);                                \
    const uint64_t was = file_size(fd), end = uint64_t(offset + bytes);        \
    if (!grow(end > was ? end - was : 0)) return ENOSPC;                       \
    note_bytes(fd, was, 0);                                                    \
    return real(fd, offset, bytes);                                            \
  }
POSIX_ALLOCATE(posix_fallocate, off_t)
POSIX_ALLOCATE(posix_fallocate64, off64_t)

int fdatasync(int fd) {
  REAL(fdatasync);
  return sync_file(fd, real);
}

int fsync(int fd) {
  REAL(fsync);
  return sync_file(fd, real);
}

int rename(const char* from, const char* to) {
  REAL(rename);
  const std::string whole_from = whole_path(from), whole_to = whole_path(to);
  if (!below_prefix(whole_to)) return real(from, to);
  const bool replaces = ::access(to, F_OK) == 0;
  const uint64_t freed = replaces ? size_of(whole_to) : 0;
  if (::access(from, F_OK) == 0) note_name("rename", whole_from, whole_to, replaces);
  const int done = real(from, to);
  if (done == 0) give_back(freed);
  return done;
}

int unlink(const char* path) {
  REAL(unlink);
  const std::string whole = whole_path(path);
  if (!below_prefix(whole)) return real(path);
  const uint64_t freed = size_of(whole);
  if (::access(path, F_OK) == 0) note_name("unlink", whole, "", true);
  const int done = real(path);
  if (done == 0) give_back(freed);
  return done;
}

}  // extern "C"
