#pragma once
// Encoders: what a record looks like on the wire. They know no transport.

#include <string>
#include <string_view>

#include "channels/chunk.h"
#include "channels/ledger.h"
#include "drains/options.h"

namespace tailrace {

/// Byte for byte Logplex's: `LEN <PRI>1 TIME DRAIN-TOKEN APP PROCID - - MSG\n`: octet-counted, a newline
/// ensured and counted.
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

/// Byte for byte Logplex's: `LEN <PRI>1 TIME host APP PROCID - MSG`, without STRUCTURED-DATA, and nothing is
/// added to MSG.
class LogplexFrames {
 public:
  static size_t size(const Record& record);
  static char* write(const Record& record, char* out);
  static std::string loss(uint64_t records, Micros since, Micros now);
};

/// `LEN TEXT`: the whole record as it is stored, RFC 5424 with host, MSGID and STRUCTURED-DATA.
class Rfc5424Frames {
 public:
  static size_t size(const Record& record);
  static char* write(const Record& record, char* out);
  static std::string loss(uint64_t records, Micros since, Micros now);
};

/// What log-shuttle tells of its losses, framed: `<172>1 NOW heroku APP log-shuttle - - Error L12: N messages
/// dropped since T`, or L13 for `refused`; a newline at its end.
std::string sender_loss(std::string_view app, const Loss& loss, Micros now);

/// One drain's, as its transport and its option `format` want them.
class Frames {
 public:
  enum class Form : uint8_t { syslog, logplex, rfc5424 };
  /// For a syslog drain.
  static Frames syslog(DrainOptions::Format format, std::string_view drain_token) {
    return {format == DrainOptions::Format::rfc5424 ? Form::rfc5424 : Form::syslog, drain_token};
  }
  /// For bodies.
  static Frames body(DrainOptions::Format format) {
    return {format == DrainOptions::Format::rfc5424 ? Form::rfc5424 : Form::logplex, {}};
  }

  size_t size(const Record& record) const {
    if (form_ == Form::logplex) return LogplexFrames::size(record);
    return form_ == Form::syslog ? syslog_.size(record) : Rfc5424Frames::size(record);
  }
  char* write(const Record& record, char* out) const {
    if (form_ == Form::logplex) return LogplexFrames::write(record, out);
    return form_ == Form::syslog ? syslog_.write(record, out) : Rfc5424Frames::write(record, out);
  }
  /// The drain's own L10 frame.
  std::string loss(uint64_t records, Micros since, Micros now) const {
    if (form_ == Form::logplex) return LogplexFrames::loss(records, since, now);
    return form_ == Form::syslog ? syslog_.loss(records, since, now)
                                 : Rfc5424Frames::loss(records, since, now);
  }

  static constexpr size_t kMostOverhead = SyslogFrames::kMostOverhead;

 private:
  Frames(Form form, std::string_view token) : form_(form), syslog_(token) {}
  Form form_;
  SyslogFrames syslog_;
};

}  // namespace tailrace
