#pragma once
// Encoders: what a record looks like on the wire, byte for byte as Logplex wrote it. They know no transport.

#include <string>
#include <string_view>

#include "channels/chunk.h"

namespace tailrace {

/// `LEN <PRI>1 TIME DRAIN-TOKEN APP PROCID - - MSG\n`: octet-counted, a newline ensured and counted.
class SyslogFrames {
 public:
  explicit SyslogFrames(std::string_view drain_token) : token_(drain_token) {}
  /// Bytes that write() will write.
  size_t size(const Record& record) const;
  /// Writes one frame to `out`, which has room for size(), and returns its end.
  char* write(const Record& record, char* out) const;
  /// `<172>1 NOW DRAIN-TOKEN heroku logplex - - Error L10 …`, framed.
  std::string loss(uint64_t records, Micros since, Micros now) const;

  static constexpr size_t kMostOverhead = 64;  // of a frame over its entry

 private:
  std::string token_;
};

/// `LEN <PRI>1 TIME host APP PROCID - MSG`: no STRUCTURED-DATA, nothing added to MSG.
class LogplexFrames {
 public:
  static size_t size(const Record& record);
  static char* write(const Record& record, char* out);
  static std::string loss(uint64_t records, Micros since, Micros now);
};

}  // namespace tailrace
