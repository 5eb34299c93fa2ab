#include "metrics/process_families.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/process_figures.h"
#include "base/text.h"

namespace tailrace {
namespace {

std::string file_text(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Fields of /proc/self/stat by proc(5)'s numbers, from 3 on; the name before may hold anything, `)` included.
std::vector<double> stat_fields() {
  const std::string text = file_text("/proc/self/stat");
  const size_t name_end = text.rfind(')');
  std::vector<double> fields(3, 0.0);
  if (name_end == std::string::npos) return fields;
  for_each_piece(std::string_view(text).substr(name_end + 1), ' ', [&](std::string_view piece) {
    double value = 0;
    std::from_chars(piece.data(), piece.data() + piece.size(), value);
    fields.push_back(value);
  });
  return fields;
}

// Unix seconds of the machine's start.
std::optional<double> boot_time() {
  std::ifstream in("/proc/stat");
  for (std::string key; in >> key; in.ignore(1 << 20, '\n')) {
    double seconds = 0;
    if (key == "btime" && in >> seconds) return seconds;
  }
  return std::nullopt;
}

void write_gauge(ExpositionWriter& out, std::string_view name, std::string_view help, double value) {
  out.family(name, FamilyType::gauge, help);
  out.sample({}, value);
}

}  // namespace

void write_process_families(ExpositionWriter& out) {
  out.family("tailrace_build_info", FamilyType::gauge, "The version that runs; always 1.");
  out.sample({{"version", TAILRACE_VERSION}}, uint64_t{1});

  constexpr size_t kUserTicks = 14, kSystemTicks = 15, kThreads = 20, kStartTicks = 22, kVirtual = 23,
                   kPages = 24;
  const std::vector<double> stat = stat_fields();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (stat.size() > kPages) {
    out.family("process_cpu_seconds_total", FamilyType::counter, "User and system CPU time spent.");
    out.sample({}, (stat[kUserTicks] + stat[kSystemTicks]) / ticks);
    write_gauge(out, "process_resident_memory_bytes", "Memory that is resident.",
                stat[kPages] * static_cast<double>(sysconf(_SC_PAGESIZE)));
    write_gauge(out, "process_virtual_memory_bytes", "Virtual memory.", stat[kVirtual]);
    write_gauge(out, "process_threads", "Threads of the process.", stat[kThreads]);
    if (const auto boot = boot_time())
      write_gauge(out, "process_start_time_seconds", "When the process started, since the Unix epoch.",
                  *boot + stat[kStartTicks] / ticks);
  }

  if (const auto files = open_files()) {
    write_gauge(out, "process_open_fds", "Open file descriptors.", static_cast<double>(files->used));
    write_gauge(out, "process_max_fds", "Limit of open file descriptors.", static_cast<double>(files->bound));
  }
}

}  // namespace tailrace
