#include "cli/sink_protocol.h"

#include <charconv>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t most_frame = 1 << 20, most_head = 16 << 10, most_body = 16 << 20;

struct Cut {
  enum { frame, more, wrong } kind;
  size_t begin = 0, length = 0, next = 0;
};

// The frame at the start of `text`: a count and a blank in front of it, or a newline behind it.
Cut cut_frame(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && digits < 8 && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits > 0 && digits == text.size()) return {Cut::more};
  if (digits > 0 && text[digits] == ' ') {
    const uint64_t length = parse_u64(text.substr(0, digits)).value_or(most_frame + 1);
    if (length > most_frame) return {Cut::wrong};
    if (text.size() - digits - 1 < length) return {Cut::more};
    return {Cut::frame, digits + 1, size_t(length), digits + 1 + size_t(length)};
  }
  const size_t newline = text.find('\n');
  if (newline == std::string_view::npos) return {text.size() > most_frame ? Cut::wrong : Cut::more};
  return {Cut::frame, 0, newline, newline + 1};
}

}  // namespace

bool FrameReader::add(std::string_view bytes, const OnFrame& frame) {
  held_ += bytes;
  std::string_view rest = held_;
  Cut cut{Cut::more};
  while (!rest.empty() && (cut = cut_frame(rest)).kind == Cut::frame) {
    frame(rest.substr(cut.begin, cut.length));
    rest.remove_prefix(cut.next);
  }
  held_.erase(0, held_.size() - rest.size());
  return cut.kind != Cut::wrong;
}

size_t read_body_frames(std::string_view body, const OnFrame& frame) {
  while (!body.empty()) {
    const Cut cut = cut_frame(body);
    if (cut.kind != Cut::frame) break;
    frame(body.substr(cut.begin, cut.length));
    body.remove_prefix(cut.next);
  }
  return body.size();
}

std::optional<SinkRequest> RequestReader::next() {
  if (broken_) return std::nullopt;
  if (!request_) {
    const size_t end = held_.find("\r\n\r\n");
    if (end == std::string::npos || end > most_head) {
      broken_ = held_.size() > most_head;
      return std::nullopt;
    }
    const std::string head = held_.substr(0, end + 2);
    held_.erase(0, end + 4);
    if (!read_head(head)) {
      broken_ = true;
      return std::nullopt;
    }
  }
  if (chunked_) {
    if (!read_chunks()) return std::nullopt;
  } else {
    if (held_.size() < length_) return std::nullopt;
    request_->body = held_.substr(0, length_);
    held_.erase(0, length_);
  }
  wants_continue_ = false;
  std::optional<SinkRequest> whole = std::move(request_);
  request_.reset();
  return whole;
}

bool RequestReader::wants_continue() {
  const bool wanted = request_ && wants_continue_;
  wants_continue_ = false;
  return wanted;
}

bool RequestReader::read_head(std::string_view head) {
  const size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || last == first || !line.substr(last + 1).starts_with("HTTP/1."))
    return false;
  request_.emplace();
  request_->method = line.substr(0, first);
  request_->target = line.substr(first + 1, last - first - 1);
  request_->keep_alive = line.ends_with("1.1");
  length_ = 0, chunked_ = false;
  head.remove_prefix(line_end + 2);
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view field = head.substr(0, end);
    head.remove_prefix(end + 2);
    const size_t colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view name = field.substr(0, colon);
    std::string_view value = field.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    if (iequals(name, "Content-Length")) {
      const auto length = parse_u64(value);
      if (!length || *length > most_body) return false;
      length_ = *length;
    } else if (iequals(name, "Transfer-Encoding")) {
      if (!iequals(value, "chunked")) return false;
      chunked_ = true;
    } else if (iequals(name, "Content-Type")) {
      request_->content_type = value;
    } else if (iequals(name, "Content-Encoding")) {
      request_->content_encoding = value;
    } else if (iequals(name, "Logplex-Frame-Id")) {
      request_->frame_id = value;
    } else if (iequals(name, "Connection")) {
      if (iequals(value, "close")) request_->keep_alive = false;
    } else if (iequals(name, "Expect")) {
      wants_continue_ = iequals(value, "100-continue");
    }
  }
  return true;
}

// True once the last chunk is in.
bool RequestReader::read_chunks() {
  for (;;) {
    const size_t end = held_.find("\r\n");
    if (end == std::string::npos) return broken_ = held_.size() > 1024, false;
    uint64_t size = 0;
    const auto [stop, failed] = std::from_chars(held_.data(), held_.data() + end, size, 16);
    if (failed != std::errc() || (stop != held_.data() + end && *stop != ';') ||
        request_->body.size() + size > most_body) {
      return broken_ = true, false;
    }
    if (size == 0) {
      // Trailers end with an empty line.
      const size_t trailers = held_.find("\r\n\r\n", end);
      if (trailers == std::string::npos) return broken_ = held_.size() > most_head, false;
      held_.erase(0, trailers + 4);
      return true;
    }
    if (held_.size() < end + 2 + size + 2) return false;
    request_->body.append(held_, end + 2, size);
    held_.erase(0, end + 2 + size + 2);
  }
}

}  // namespace tailrace
