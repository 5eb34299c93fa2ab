#pragma once
// One process per data dir.

#include <string>

namespace tailrace {

/// Holds an flock on DIR/lock for its life; the kernel gives it back whatever happens to the process. The
/// file's text, `pid=1234 since=…`, names the holder to whoever comes second. Main thread.
class LockFile {
 public:
  LockFile() = default;
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// Empty: it is ours. Else one line for people: who holds it, or why it cannot be opened.
  std::string take(const std::string& dir);

 private:
  int fd_ = -1;
};

}  // namespace tailrace
