#pragma once
// What `tailrace send` reads, as records.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channels/batch.h"
#include "ingest/frame_scanner.h"

namespace tailrace {

/// What a line's record says beside the line.
struct SendFields {
  std::string host = "-", app = "app", procid = "-", msgid = "-", sd = "-";
  uint8_t pri = 190;
  size_t max_line = kMaxMessage;  // bytes without the newline; longer lines are pieces
};

/// Cuts a stream of bytes into records and gives them on in batches. A line is a record whatever is in it,
/// its newline included; one that goes on for longer than `max_line` is given on while it comes. Holds no
/// more than such a line, or, with `syslog`, one frame of kMaxFrame.
class SendInput {
 public:
  enum class Form : uint8_t {
    raw,     // lines
    syslog,  // records of RFC 5424 by line or by octet count, told apart each; what is none is sent as a line
             // is
  };
  /// The bytes of a batch live until it returns.
  using Take = std::function<void(const Batch& batch)>;
  SendInput(Form form, SendFields fields, ChannelPtr channel, Take take);

  /// Where the next bytes may be put, 64 KiB at least.
  std::span<char> room();
  /// So many were, at `now`.
  void took(size_t bytes, Micros now);
  /// Nothing more comes: a last line without newline is a record too.
  void end(Micros now);

  uint64_t lines() const { return lines_; }        // whole ones, and a last one without newline
  uint64_t records() const { return records_; }    // given on
  uint64_t bytes() const { return bytes_; }        // read
  uint64_t rejected() const { return rejected_; }  // frames that are no record, or too long

 private:
  std::string_view rest() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void begin(Micros now);
  void cut_lines();
  void cut_frames();
  void add_line(std::string_view line, uint8_t flags);
  void add_frame(std::string_view frame);
  void add(const NewRecord& record);
  void flush();

  const Form form_;
  const SendFields fields_;
  const ChannelPtr channel_;
  const Take take_;
  const std::string ids_;  // `PROCID MSGID`
  StreamScanner scanner_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // of what is not a record yet
  uint8_t line_flags_ = 0;      // of the line that is begun
  std::string head_;            // `TIME HOST` of this read
  Micros now_ = 0;
  BatchSet set_;
  size_t batch_bytes_ = 0;
  uint64_t lines_ = 0, records_ = 0, bytes_ = 0, rejected_ = 0;
};

}  // namespace tailrace
