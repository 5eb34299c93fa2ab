#pragma once
// One process per data dir.

#include <string>

namespace tailrace {

/// Holds an flock on DIR, and one on DIR/lock whose text, `pid=1234 since=…`, names the holder to whoever
/// comes second. The kernel gives both back whatever happens to the process; a text without a lock means
/// nothing, and deleting the file lets nobody else in. Main thread.
class LockFile {
 public:
  LockFile() = default;
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// Empty: it is ours. Else one line for people: who holds it, or why it cannot be opened.
  std::string take(const std::string& dir);

  /// `pid 1234 since …`, or empty if nobody holds it. For those who only look: changes nothing.
  static std::string holder(const std::string& dir);

 private:
  int dir_ = -1, file_ = -1;
};

}  // namespace tailrace
