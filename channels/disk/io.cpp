#include "channels/disk/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/system/generic_category.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

namespace tailrace {
namespace {

std::atomic<IoHook*> the_hook{nullptr};

error_code code_of(int number) {
  return {number, boost::system::generic_category()};
}

/// An errno that the hook wants in place of the call; 0: go on, with `allowed` bytes at most.
int refused(const IoStep& step, size_t& allowed) {
  IoHook* const hook = the_hook.load(std::memory_order_relaxed);
  return hook ? hook->before(step, allowed) : 0;
}

int refused(IoStep::Kind kind, const std::string& path, uint64_t offset = 0) {
  size_t whole = 0;
  return refused({kind, path, offset}, whole);
}

/// A call without parts, again while it is interrupted.
template <class F>
Result<void> run(IoStep::Kind kind, const std::string& path, uint64_t offset, F&& call) {
  if (const int error = refused(kind, path, offset)) return code_of(error);
  while (call() < 0)
    if (errno != EINTR) return code_of(errno);
  return {};
}

int open_file(const std::string& path, int flags) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

void set_io_hook(IoHook* hook) {
  the_hook.store(hook, std::memory_order_relaxed);
}

// ---- File ------------------------------------------------------------------------------------------------

Result<File> File::create(const std::string& path) {
  if (const int error = refused(IoStep::Kind::create, path)) return code_of(error);
  return opened(path, O_RDWR | O_CREAT | O_EXCL);
}

Result<File> File::open_to_read(const std::string& path) {
  return opened(path, O_RDONLY);
}

Result<File> File::open_to_write(const std::string& path) {
  return opened(path, O_RDWR);
}

Result<File> File::opened(const std::string& path, int flags) {
  File file;
  file.fd_ = open_file(path, flags);
  if (file.fd_ < 0) return code_of(errno);
  file.path_ = path;
  return file;
}

File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<uint64_t> File::size() const {
  struct stat status;
  if (::fstat(fd_, &status) < 0) return code_of(errno);
  return uint64_t(status.st_size);
}

Result<size_t> File::read(uint64_t offset, std::span<std::byte> out) const {
  size_t done = 0;
  while (done < out.size()) {
    size_t allowed = out.size() - done;
    if (const int error = refused({IoStep::Kind::read, path_, offset + done}, allowed)) return code_of(error);
    const ssize_t n =
        ::pread(fd_, out.data() + done, std::min(allowed, out.size() - done), off_t(offset + done));
    if (n < 0 && errno != EINTR) return code_of(errno);
    if (n == 0) break;
    if (n > 0) done += size_t(n);
  }
  return done;
}

Result<void> File::write(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    size_t allowed = bytes.size();
    if (const int error = refused({IoStep::Kind::write, path_, offset, bytes}, allowed))
      return code_of(error);
    const ssize_t n = ::pwrite(fd_, bytes.data(), std::min(allowed, bytes.size()), off_t(offset));
    if (n < 0 && errno != EINTR) return code_of(errno);
    if (n == 0) return code_of(ENOSPC);
    if (n < 0) continue;
    offset += uint64_t(n);
    bytes = bytes.subspan(size_t(n));
  }
  return {};
}

Result<void> File::allocate(uint64_t bytes) {
  if (const int error = refused(IoStep::Kind::allocate, path_, bytes)) return code_of(error);
  while (::fallocate(fd_, 0, 0, off_t(bytes)) < 0) {
    if (errno == EOPNOTSUPP) return truncate(bytes);
    if (errno != EINTR) return code_of(errno);
  }
  return {};
}

Result<void> File::truncate(uint64_t size) {
  return run(IoStep::Kind::truncate, path_, size, [&] { return ::ftruncate(fd_, off_t(size)); });
}

void File::start_writeback(uint64_t offset, uint64_t bytes) {
  ::sync_file_range(fd_, off_t(offset), off_t(bytes), SYNC_FILE_RANGE_WRITE);
}

void File::drop_cache() {
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
}

Result<void> File::sync() {
  // Not called again after EINTR: what the first call had begun may be lost by then.
  if (const int error = refused(IoStep::Kind::sync, path_)) return code_of(error);
  if (::fdatasync(fd_) < 0) return code_of(errno);
  return {};
}

// ---- directories -----------------------------------------------------------------------------------------

Result<std::vector<std::string>> list_dir(const std::string& dir) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(dir.c_str()), ::closedir);
  if (!open) return code_of(errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (!entry && errno != 0) return code_of(errno);
    if (!entry) return names;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  return run(IoStep::Kind::rename, from, 0, [&] { return ::rename(from.c_str(), to.c_str()); });
}

Result<void> unlink_file(const std::string& path) {
  return run(IoStep::Kind::unlink, path, 0, [&] { return ::unlink(path.c_str()); });
}

Result<void> sync_dir(const std::string& dir) {
  if (const int error = refused(IoStep::Kind::sync_dir, dir)) return code_of(error);
  const int fd = open_file(dir, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return code_of(errno);
  const int failed = ::fsync(fd) < 0 ? errno : 0;
  ::close(fd);
  if (failed) return code_of(failed);
  return {};
}

}  // namespace tailrace
