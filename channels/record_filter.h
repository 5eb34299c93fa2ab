#pragma once
// Which records of its channel a drain wants.

#include <memory>

#include "channels/record.h"

namespace tailrace {

/// Immutable; asked by any thread: by the drain about each record it reads, and by the log, under its lock,
/// about those that are given up before the drain has read them. Depends on the record alone.
class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  virtual bool wants(const Record& record) const = 0;
};
using RecordFilterPtr = std::shared_ptr<const RecordFilter>;  // null: it wants all

}  // namespace tailrace
