#pragma once
// One accepted record, as every store keeps it and every outlet reads it.
//
// An entry is a header of 32 bytes, the canonical RFC 5424 text, and padding to 8 bytes. The text is
//
//   <PRI>1 TIME HOST APP PROCID MSGID SD MSG
//
// with exactly one space between fields, APP already the name shown to readers, SD `-` where the sender gave
// none, and MSG the sender's bytes untouched (a trailing newline that was inside the frame stays). Each
// outlet writes its own frame from it; nobody parses it again, the header says where each field begins.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

struct EntryHeader {
  uint32_t text_size = 0;
  uint32_t msg_at = 0;  // == text_size when MSG is empty
  Micros arrival = 0;
  uint16_t time_at = 0, host_at = 0, app_at = 0, procid_at = 0, msgid_at = 0, sd_at = 0;
  uint8_t pri = 0;  // 0 to 191: facility * 8 + severity
  uint8_t flags = 0;
  uint16_t reserved = 0;
};
static_assert(sizeof(EntryHeader) == 32);

enum EntryFlag : uint8_t {
  kRawEntry = 1,    // the sender's bytes were no syslog; MSG is all of them
  kSplitEntry = 2,  // a later piece of a record longer than kMaxMessage
};

/// MSG bytes of one entry at most, a trailing newline not counted; longer records are split (contract section
/// 3).
inline constexpr size_t kMaxMessage = 10'000;
/// All fields before MSG together; what has more is kept as a raw record. Keeps offsets in 16 bits.
inline constexpr size_t kMaxHeader = 16 * 1024;

constexpr size_t entry_size(size_t text_size) {
  return (sizeof(EntryHeader) + text_size + 7) & ~size_t{7};
}

/// A view of one entry; lives as long as the chunk that holds it. Costs a pointer.
class Record {
 public:
  explicit Record(const std::byte* at) : header_(reinterpret_cast<const EntryHeader*>(at)) {}

  const EntryHeader& header() const { return *header_; }
  Micros arrival() const { return header_->arrival; }
  int facility() const { return header_->pri >> 3; }
  int severity() const { return header_->pri & 7; }

  std::string_view text() const { return {chars(), header_->text_size}; }
  std::string_view time() const { return field(header_->time_at, header_->host_at); }
  std::string_view host() const { return field(header_->host_at, header_->app_at); }
  std::string_view app() const { return field(header_->app_at, header_->procid_at); }
  std::string_view procid() const { return field(header_->procid_at, header_->msgid_at); }
  std::string_view msgid() const { return field(header_->msgid_at, header_->sd_at); }
  std::string_view structured_data() const { return field(header_->sd_at, header_->msg_at); }
  std::string_view message() const { return text().substr(header_->msg_at); }

  /// Bytes this entry takes in a chunk.
  size_t stride() const { return entry_size(header_->text_size); }

 private:
  const char* chars() const { return reinterpret_cast<const char*>(header_) + sizeof(EntryHeader); }
  // A field ends one space before the next one begins.
  std::string_view field(size_t at, size_t next) const { return {chars() + at, next - at - 1}; }

  const EntryHeader* header_;
};

}  // namespace tailrace
