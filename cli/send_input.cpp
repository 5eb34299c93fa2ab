#include "cli/send_input.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/time_text.h"
#include "ingest/pieces.h"
#include "ingest/rfc5424.h"

namespace tailrace {
namespace {

constexpr size_t kRead = 64 * 1024;
constexpr size_t kBatch = 64 * 1024;  // bytes of entries that go on together, about
constexpr size_t kTimeSize = 32;      // of rfc3339_micros

}  // namespace

SendInput::SendInput(Form form, SendFields fields, ChannelPtr channel, Take take)
    : form_(form),
      fields_(std::move(fields)),
      channel_(std::move(channel)),
      take_(std::move(take)),
      ids_(fields_.procid + " " + fields_.msgid),
      buffer_(2 * kRead) {}

std::span<char> SendInput::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (buffer_.size() - end_ < kRead)
    buffer_.resize(std::max(buffer_.size() * 2, end_ + kRead));
  else if (end_ == 0 && buffer_.size() > 2 * kRead)
    buffer_ = std::vector<char>(2 * kRead);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void SendInput::begin(Micros now) {
  now_ = now;
  head_.resize(kTimeSize);
  write_rfc3339_micros(now, head_.data());
  (head_ += ' ') += fields_.host;
}

void SendInput::took(size_t bytes, Micros now) {
  begin(now);
  bytes_ += bytes;
  end_ += bytes;
  form_ == Form::raw ? cut_lines() : cut_frames();
  flush();
}

void SendInput::end(Micros now) {
  begin(now);
  if (form_ == Form::syslog && begin_ < end_) {
    (void)room();
    buffer_[end_++] = '\n';  // a last line, unless it is a frame that counts more bytes than came
    cut_frames();
    if (begin_ < end_) ++rejected_;
  } else if (begin_ < end_) {
    ++lines_;
    add_line(rest(), line_flags_);
  }
  begin_ = end_;
  flush();
}

void SendInput::cut_lines() {
  const size_t most = fields_.max_line;
  while (begin_ < end_) {
    const std::string_view bytes = rest();
    const void* const newline = std::memchr(bytes.data(), '\n', bytes.size());
    if (!newline && bytes.size() < most + 2) return;
    // Without a newline it is known that this much is not the last piece.
    const size_t size =
        newline ? size_t(static_cast<const char*>(newline) - bytes.data()) + 1 : piece_size(bytes, most);
    add_line(bytes.substr(0, size), line_flags_);
    line_flags_ = newline ? 0 : kSplitEntry;
    lines_ += newline != nullptr;
    begin_ += size;
  }
}

void SendInput::cut_frames() {
  for (;;) {
    const Scanned scanned = scanner_.next(rest());
    if (scanned.kind == Scanned::Kind::more) return;
    if (scanned.kind == Scanned::Kind::rejected) ++rejected_;
    if (scanned.kind == Scanned::Kind::frame) add_frame(scanned.bytes);
    begin_ += scanned.consumed;
  }
}

void SendInput::add_line(std::string_view line, uint8_t flags) {
  NewRecord record;
  record.pri = fields_.pri;
  record.flags = flags;
  record.head = head_;
  record.time_size = kTimeSize;
  record.app = fields_.app;
  record.ids = ids_;
  record.procid_size = uint16_t(fields_.procid.size());
  record.sd = fields_.sd;
  record.message = line;
  in_pieces(record, fields_.max_line, [this](const NewRecord& piece) { add(piece); });
}

void SendInput::add_frame(std::string_view frame) {
  ++lines_;
  Syslog syslog;
  if (!parse_rfc5424(frame, syslog)) return add_line(frame, kRawEntry);
  NewRecord record;
  record.pri = syslog.pri;
  record.head = syslog.head;
  record.time_size = syslog.time_size;
  record.app = syslog.app;
  record.ids = syslog.ids;
  record.procid_size = syslog.procid_size;
  record.sd = syslog.sd;
  record.message = syslog.message;
  in_pieces(record, fields_.max_line, [this](const NewRecord& piece) { add(piece); });
}

void SendInput::add(const NewRecord& record) {
  set_.add(channel_, record);
  ++records_;
  batch_bytes_ += entry_size(record.text_size());
  if (batch_bytes_ >= kBatch) flush();
}

void SendInput::flush() {
  if (set_.empty()) return;
  set_.for_each(now_, [this](Channel&, const Batch& batch) { take_(batch); });
  set_.clear();
  batch_bytes_ = 0;
}

}  // namespace tailrace
