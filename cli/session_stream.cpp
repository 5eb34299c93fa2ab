#include "cli/session_stream.h"

#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t kMostHead = 64;    // of an item in lines; two numbers of 20 digits fit
constexpr size_t kMostFields = 64;  // an event's bytes beside its data

}  // namespace

SessionStream::Fed SessionStream::add(std::string_view chunk, const Take& take) {
  std::string_view bytes = chunk;
  if (!rest_.empty()) bytes = rest_ += chunk;
  for (;;) {
    SessionItem item;
    switch (next(bytes, item)) {
      case Found::item:
        if (!take(item)) return Fed::enough;
        break;
      case Found::nothing:
        break;
      case Found::broken:
        return Fed::broken;
      case Found::incomplete:
        if (rest_.empty()) {
          rest_ = bytes;
        } else {
          rest_.erase(0, rest_.size() - bytes.size());
        }
        return Fed::more;
    }
  }
}

SessionStream::Found SessionStream::next(std::string_view& bytes, SessionItem& item) {
  return form_ == Form::lines ? next_line(bytes, item) : next_event(bytes, item);
}

SessionStream::Found SessionStream::next_line(std::string_view& bytes, SessionItem& item) const {
  const size_t end = bytes.substr(0, kMostHead).find('\n');
  if (end == bytes.npos) return bytes.size() < kMostHead ? Found::incomplete : Found::broken;
  const std::string_view head = bytes.substr(0, end);
  const size_t blank = head.find(' ');
  if (blank == head.npos) return Found::broken;
  const std::string_view number = head.substr(0, blank);
  if (number != "-" && !(item.number = parse_u64(number))) return Found::broken;
  const auto length = parse_u64(head.substr(blank + 1));
  if (!length || *length > kMostText) return Found::broken;
  if (bytes.size() - end - 1 < *length) return Found::incomplete;
  item.text = bytes.substr(end + 1, *length);
  bytes.remove_prefix(end + 1 + *length);
  return item.number || !item.text.empty() ? Found::item : Found::nothing;
}

/// The fields that are known; others and comments mean nothing (HTML standard, 9.2.6).
SessionStream::Found SessionStream::next_event(std::string_view& bytes, SessionItem& item) {
  data_.clear();
  std::string_view left = bytes;
  for (;;) {
    const size_t end = left.find('\n');
    if (end == left.npos) return bytes.size() <= kMostText + kMostFields ? Found::incomplete : Found::broken;
    std::string_view line = left.substr(0, end);
    left.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == line.npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "id") item.number = parse_u64(value);
    if (name == "data") (data_ += data_.empty() ? "" : "\n") += value;
  }
  if (data_.size() > kMostText) return Found::broken;
  bytes = left;
  item.text = data_;
  return item.number || !item.text.empty() ? Found::item : Found::nothing;
}

std::string_view media_type(SessionStream::Form form) {
  return form == SessionStream::Form::lines ? "application/x-tailrace-lines" : "text/event-stream";
}

}  // namespace tailrace
