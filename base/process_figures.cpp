#include "base/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/text.h"

namespace tailrace {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::optional<ThreadTime> thread_time_of(const std::string& stat) {
  constexpr size_t kUserTicks = 14,
                   kSystemTicks = 15;  // by proc(5)'s numbers; 3 is the first behind the name
  const size_t begin = stat.find('('), end = stat.rfind(')');
  if (begin == std::string::npos || end == std::string::npos || end < begin || begin < 2) return std::nullopt;
  ThreadTime time;
  const auto id = parse_u64(stat.substr(0, begin - 1));
  if (!id) return std::nullopt;
  time.id = static_cast<int>(*id);
  time.name = stat.substr(begin + 1, end - begin - 1);
  uint64_t ticks = 0;
  size_t field = 3;
  for_each_piece(std::string_view(stat).substr(end + 1), ' ', [&](std::string_view piece) {
    if (field == kUserTicks || field == kSystemTicks) ticks += parse_u64(piece).value_or(0);
    ++field;
  });
  if (field <= kSystemTicks) return std::nullopt;
  time.cpu_seconds = static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return time;
}

std::vector<ThreadTime> thread_times() {
  std::vector<ThreadTime> all;
  std::error_code error;
  for (std::filesystem::directory_iterator task("/proc/self/task", error), end; !error && task != end;
       task.increment(error))
    if (auto time = thread_time_of(file_text(task->path() / "stat"))) all.push_back(std::move(*time));
  std::ranges::sort(all, {}, &ThreadTime::id);
  return all;
}

uint64_t resident_bytes() {
  std::istringstream statm(file_text("/proc/self/statm"));
  uint64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

std::optional<OpenFiles> open_files() {
  OpenFiles files;
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (error) return std::nullopt;
  // One of them is the listing itself.
  files.used = static_cast<uint64_t>(std::distance(begin(open), std::filesystem::directory_iterator{}) - 1);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  files.bound = limit.rlim_cur;
  return files;
}

}  // namespace tailrace
