#include "channels/disk/lock_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

/// Whether somebody else has it. Some file systems lock no directories: then nobody has.
bool held_by_another(int fd, int how) {
  int done;
  do done = ::flock(fd, how | LOCK_NB);
  while (done < 0 && errno == EINTR);
  return done < 0 && errno == EWOULDBLOCK;
}

/// Whoever only looks has it for a moment, so that it is tried again for a tenth of a second.
bool lock(int fd) {
  for (int tries = 10; held_by_another(fd, LOCK_EX); ::poll(nullptr, 0, 10))
    if (--tries == 0) return false;
  return true;
}

std::string value_of(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == text.npos) return "";
  text.remove_prefix(at + key.size());
  return std::string(text.substr(0, text.find_first_of(" \n")));
}

/// Who wrote the text; it may be old, or somebody else's altogether.
std::string named_in(int fd) {
  char text[256];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  const std::string_view line(text, size_t(size > 0 ? size : 0));
  const std::string pid = value_of(line, "pid="), since = value_of(line, "since=");
  if (pid.empty() || pid.find_first_not_of("0123456789") != pid.npos) return "another process";
  return "pid " + pid + (since.empty() ? "" : " since " + since);
}

/// The line may be missing, as on a full disk: the lock counts.
void sign(int fd) {
  const std::string line =
      "pid=" + std::to_string(::getpid()) + " since=" + rfc3339_seconds(wall_now()) + "\n";
  const ssize_t written = ::pwrite(fd, line.data(), line.size(), 0);
  if (::ftruncate(fd, written > 0 ? written : 0) < 0) return;
}

int open_dir(const std::string& dir) {
  return ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

LockFile::~LockFile() {
  if (file_ >= 0) ::close(file_);
  if (dir_ >= 0) ::close(dir_);
}

std::string LockFile::take(const std::string& dir) {
  const auto cannot = [](const std::string& path, int error) {
    return "cannot open " + path + ": " + std::strerror(error);
  };
  dir_ = open_dir(dir);
  if (dir_ < 0) return cannot(dir, errno);
  const std::string path = dir + "/lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) return cannot(path, errno);
  if (lock(dir_) && lock(file_)) return sign(file_), "";
  const std::string by = named_in(file_);
  ::close(std::exchange(file_, -1));
  ::close(std::exchange(dir_, -1));
  return "data dir " + dir + " is in use by " + by;
}

std::string LockFile::holder(const std::string& dir) {
  const std::string path = dir + "/lock";
  const int held_dir = open_dir(dir), file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool held = held_by_another(held_dir, LOCK_SH) || held_by_another(file, LOCK_SH);
  const std::string by = held ? named_in(file) : "";
  if (file >= 0) ::close(file);
  if (held_dir >= 0) ::close(held_dir);
  return by;
}

}  // namespace tailrace
