#pragma once
// What the kernel dropped before anybody could read it: the column `drops` of /proc/net/udp and udp6.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace {

/// The row of the socket with this inode, in a table as the kernel prints it. None: no such row.
std::optional<uint32_t> drops_in_table(std::string_view table, uint64_t inode);

/// Both tables, one after the other; empty if there is no /proc. Blocks: not for an event loop.
std::string udp_socket_tables();

/// The drops of one socket since it was opened. The kernel's number wraps at 2^32, this one does not.
class KernelDrops {
 public:
  void seen(uint32_t number) {
    total_ = total_.value_or(0) + uint32_t(number - last_);
    last_ = number;
  }
  /// None: no table has told yet.
  std::optional<uint64_t> total() const { return total_; }

 private:
  uint32_t last_ = 0;
  std::optional<uint64_t> total_;
};

}  // namespace tailrace
