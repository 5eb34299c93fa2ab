#pragma once
// Decides which segment goes, and saves what lives in it. A step of its own: no thread, no clock.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "channels/disk/group_commit.h"
#include "channels/disk/kept_log.h"
#include "channels/disk/segment_set.h"

namespace tailrace {

/// Belongs to the keeper thread. The oldest segment is cleaned when it is dead; when three quarters of it
/// are; when the disk bound asks for room; or when there are more segments than their bytes explain (many
/// starts leave small ones). Per segment:
///
///   its live records, read and checked, in chunks → GroupCommit::copy → synced → positions synced
///   → out of the set → unlink
///
/// Invariants: (1) D10; (2) never more than one segment is being cleaned; (3) what it copies in one round of
/// the disk is at most the live bytes, which the disk bound holds to three quarters of the disk's.
class Cleaner {
 public:
  struct Parts {
    SegmentSet& segments;
    KeptLogs& logs;
    /// GroupCommit::copy.
    std::function<void(Copies)> copy;
    /// Positions survive a power cut when it returns, and with them the ends of channels that have no record
    /// left on disk.
    std::function<Result<void>(const std::vector<std::pair<uint32_t, uint64_t>>& ends)> sync_positions;
    Micros age;  // of records whose channel the catalog never knew
  };
  explicit Cleaner(Parts parts) : parts_(std::move(parts)) {}

  enum class Step : uint8_t {
    idle,     // nothing is worth it
    waiting,  // for a copy to be synced
    copied,   // part of it is on its way
    removed
  };
  /// One bounded piece of work: up to 1 MiB copied, or one segment removed. `pressed`: the disk bound asks
  /// for room. errors: as the disk has it; the segment stays, and is begun again.
  Result<Step> step(Micros now, bool pressed);

  /// Posts younger than this are copied too.
  static constexpr Micros kPostAge = Micros(5) * 60 * 1'000'000;

 private:
  bool worth_cleaning(const Segment& segment, bool pressed) const;

  const Parts parts_;
};

}  // namespace tailrace
