#include "ingest/kernel_drops.h"

#include <array>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace tailrace {

std::optional<uint32_t> drops_in_table(std::string_view table, uint64_t inode) {
  constexpr size_t kInode = 9,
                   kDrops = 12;  // sl local rem st tx:rx tr:tm retrnsmt uid timeout inode ref pointer drops
  std::optional<uint32_t> drops;
  for_each_piece(table, '\n', [&](std::string_view row) {
    std::array<std::string_view, kDrops + 1> fields;
    size_t n = 0;
    for_each_piece(row, ' ', [&](std::string_view field) {
      if (n < fields.size()) fields[n++] = field;
    });
    if (n != fields.size() || parse_u64(fields[kInode]) != inode) return;
    if (const auto number = parse_u64(fields[kDrops])) drops = uint32_t(*number);
  });
  return drops;
}

std::string udp_socket_tables() {
  std::string text;
  for (const char* path : {"/proc/net/udp", "/proc/net/udp6"}) {
    std::ifstream in(path);
    text.append(std::istreambuf_iterator<char>(in), {});
    text += '\n';
  }
  return text;
}

}  // namespace tailrace
