#pragma once
// Decides which segment goes, and saves what lives in it. A step of its own: no thread, no clock.

#include <cstdint>
#include <functional>
#include <vector>

#include "channels/disk/group_commit.h"
#include "channels/disk/segment_set.h"

namespace tailrace {

/// What the cleaner must know of a channel: where its dead records end. A channel that was removed is all
/// dead.
struct LiveFrom {
  uint64_t ordinal = 0;
  Micros oldest = 0;
};

/// Belongs to the keeper thread. The oldest segment is cleaned when it is dead; when three quarters of it
/// are; when the disk bound asks for room; or when there are more segments than their bytes explain (many
/// starts leave small ones). Per segment:
///
///   its live records, read and checked, in chunks → GroupCommit::copy → synced → positions synced, if its
///   going takes anything from a drain → out of the set → unlink
///
/// Invariants: (1) D10; (2) never more than one segment is being cleaned; (3) what it copies in one round of
/// the disk is at most the live bytes, which the disk bound holds to three quarters of the disk's.
class Cleaner {
 public:
  struct Parts {
    SegmentSet& segments;
    GroupCommit& commit;
    std::function<LiveFrom(uint32_t channel)> live_from;
    std::function<Result<void>()> sync_positions;
    std::function<void(uint32_t channel, uint64_t first_kept, uint64_t bytes)> cleaned;
  };
  Cleaner(Parts parts, uint64_t disk_bytes);

  enum class Step : uint8_t { idle, copied, removed };
  /// One bounded piece of work: up to 1 MiB copied, or one segment removed. errors: as the disk has it; the
  /// segment stays.
  Result<Step> step(Micros now);

  /// Posts younger than this are copied too.
  static constexpr Micros kPostAge = Micros(5) * 60 * 1'000'000;

 private:
  bool worth_cleaning(const Segment& segment) const;

  const Parts parts_;
  const uint64_t disk_bytes_;
};

}  // namespace tailrace
