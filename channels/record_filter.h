#pragma once
// Which records of its channel a drain wants.

#include <memory>

#include "channels/record.h"

namespace tailrace {

/// Immutable; asked by any thread: by the drain about each record it reads, and by the log, under its lock,
/// about those that are given up before the drain has read them (within bounds: JudgingTime). Depends on the
/// record alone.
class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  virtual bool wants(const Record& record) const = 0;
  /// Nanoseconds that it may take for each byte of a record's text at most, about.
  virtual double dearest() const { return 0; }
  /// What is given up under a log's lock is always asked about; of others only while there is time.
  bool is_cheap() const { return dearest() <= 5; }
};
using RecordFilterPtr = std::shared_ptr<const RecordFilter>;  // null: it wants all

}  // namespace tailrace
