#pragma once
// A checksum of one row: SQLite checks how a file hangs together, not what its cells say.

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace {

class RowSum {
 public:
  void add(uint64_t word);
  void add(std::string_view text);
  uint64_t value() const;
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

}  // namespace tailrace
