#pragma once
// What a power cut would undo: what was written to each file before it was written over, and its syncs.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "channels/disk/io.h"

namespace tailrace::model {

inline constexpr uint64_t kSector = 512;

/// Written by the process that will be killed, from its IoHook; the kernel keeps it, as it keeps the rest.
class UndoLog {
 public:
  explicit UndoLog(const std::string& path)
      : fd_(::open(path.c_str(), O_CREAT | O_TRUNC | O_APPEND | O_WRONLY, 0600)) {}
  ~UndoLog() { ::close(fd_); }
  UndoLog(const UndoLog&) = delete;
  UndoLog& operator=(const UndoLog&) = delete;

  void before(const IoStep& step) {
    if (step.kind == IoStep::Kind::sync) return put('S', step.path, 0, {});
    if (step.kind != IoStep::Kind::write) return;
    std::vector<char> old(step.bytes.size());
    const int file = ::open(step.path.c_str(), O_RDONLY);
    const ssize_t got = ::pread(file, old.data(), old.size(), off_t(step.offset));
    ::close(file);
    old.resize(size_t(std::max<ssize_t>(got, 0)));
    put('W', step.path, step.offset, old);
  }

 private:
  void put(char kind, const std::string& path, uint64_t offset, const std::vector<char>& bytes) {
    std::string line(1, kind);
    const auto number = [&](uint64_t n) { line.append(reinterpret_cast<const char*>(&n), sizeof n); };
    number(path.size());
    number(offset);
    number(bytes.size());
    line += path;
    line.append(bytes.data(), bytes.size());
    (void)::write(fd_, line.data(), line.size());
  }
  const int fd_;
};

/// Undoes what was not synced, of each file each sector that `lost` says. Gives how many bytes were put back.
inline uint64_t undo(const std::string& log, const std::function<bool(const std::string&, uint64_t)>& lost) {
  struct Write {
    std::string path;
    uint64_t offset;
    std::string old;
  };
  std::vector<Write> writes;
  std::ifstream in(log, std::ios::binary);
  for (char kind; in.get(kind);) {
    uint64_t sizes[3];
    if (!in.read(reinterpret_cast<char*>(sizes), sizeof sizes)) break;
    Write w{std::string(sizes[0], 0), sizes[1], std::string(sizes[2], 0)};
    in.read(w.path.data(), std::streamsize(sizes[0]));
    if (!in.read(w.old.data(), std::streamsize(sizes[2]))) break;
    if (kind == 'S')
      std::erase_if(writes, [&](const Write& other) { return other.path == w.path; });
    else
      writes.push_back(std::move(w));
  }
  uint64_t undone = 0;
  for (auto w = writes.rbegin(); w != writes.rend(); ++w) {
    const int file = ::open(w->path.c_str(), O_WRONLY);
    if (file < 0) continue;  // unlinked
    for (uint64_t at = w->offset; at < w->offset + w->old.size();) {
      const uint64_t end = std::min((at / kSector + 1) * kSector, w->offset + w->old.size());
      if (lost(w->path, at / kSector))
        undone += uint64_t(
            std::max<ssize_t>(0, ::pwrite(file, w->old.data() + (at - w->offset), end - at, off_t(at))));
      at = end;
    }
    ::close(file);
  }
  return undone;
}

}  // namespace tailrace::model
