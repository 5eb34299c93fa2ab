#pragma once
// What the kernel says of this process: its threads, memory and files. Reads /proc: for threads that may
// block.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tailrace {

struct ThreadTime {
  int id = 0;  // the kernel's
  std::string name;
  double cpu_seconds = 0;  // user and system, since its start
};
/// By id: the oldest first, as long as ids do not wrap.
std::vector<ThreadTime> thread_times();
/// The same of a line of /proc/self/task/N/stat. The name may hold anything, blanks and `)` included. None:
/// it is no such line.
std::optional<ThreadTime> thread_time_of(const std::string& stat);

/// Bytes; 0: unknown.
uint64_t resident_bytes();

struct OpenFiles {
  uint64_t used = 0, bound = 0;
};
/// None: the kernel does not say.
std::optional<OpenFiles> open_files();

}  // namespace tailrace
