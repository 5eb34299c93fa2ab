#pragma once
// Files and directories as the disk store uses them: whole reads and writes, and each failure a value.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace {

/// What an operation is about to do, for tests that make it fail or keep a journal of what was synced.
struct IoStep {
  enum class Kind : uint8_t { create, allocate, write, sync, truncate, rename, unlink, sync_dir, read };
  Kind kind;
  const std::string& path;
  uint64_t offset = 0;  // of write, read; the new size of truncate and allocate
  std::span<const std::byte> bytes{};
};

/// Called before each step, on the thread that does it. The real system call follows unless an error is
/// returned. One for the process, set before any file is opened; null outside tests.
class IoHook {
 public:
  virtual ~IoHook() = default;
  /// An errno; 0: go on. A write may be cut short by making `allowed` smaller than its bytes.
  virtual int before(const IoStep& step, size_t& allowed) = 0;
};
void set_io_hook(IoHook* hook);

/// An open file. Any number of threads may read; writes, syncs and truncations are one thread's. Interrupted
/// and short calls are continued (an interrupted sync is not), so a call did all or says why not (as errno,
/// generic category).
class File {
 public:
  /// errors: exists already, no space for the directory's entry, …
  static Result<File> create(const std::string& path);
  static Result<File> open_to_read(const std::string& path);
  static Result<File> open_to_write(const std::string& path);

  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  Result<uint64_t> size() const;
  /// Fills `out`, or fewer bytes at the end of the file; their number.
  Result<size_t> read(uint64_t offset, std::span<std::byte> out) const;
  Result<void> write(uint64_t offset, std::span<const std::byte> bytes);
  /// Real blocks for `bytes`, so that writing there meets no full disk; where the file system cannot,
  /// the size alone.
  Result<void> allocate(uint64_t bytes);
  Result<void> truncate(uint64_t size);
  /// Asks the kernel to begin writing out, without waiting: the sync that follows is shorter. May do nothing.
  void start_writeback(uint64_t offset, uint64_t bytes);
  /// What is cached of it may go; what is not on disk yet stays. Memory that is used again costs less than
  /// fresh memory for each new byte: with 4 GB written, 0.6 instead of 1.4 CPU-s per GB in a virtual machine.
  void drop_cache();
  /// fdatasync. After an error nothing is known of any byte written since the last success: give the file up.
  Result<void> sync();

  explicit operator bool() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }

 private:
  static Result<File> opened(const std::string& path, int flags);

  int fd_ = -1;
  std::string path_;
};

/// Names in `dir`, in no order.
Result<std::vector<std::string>> list_dir(const std::string& dir);
Result<void> rename_file(const std::string& from, const std::string& to);
Result<void> unlink_file(const std::string& path);
/// After it, names made and removed in `dir` survive a power cut.
Result<void> sync_dir(const std::string& dir);

}  // namespace tailrace
