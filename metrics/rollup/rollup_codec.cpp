#include "metrics/rollup/rollup_codec.h"

#include <algorithm>

#include "base/varint.h"

namespace tailrace {
namespace {

constexpr char kVersion = 1;

/// What `text` has in common with the one before in front, and the rest.
void put_behind(std::string& out, std::string_view before, std::string_view text) {
  const size_t shared = static_cast<size_t>(std::ranges::mismatch(before, text).in1 - before.begin());
  put_varint(out, shared);
  put_text(out, text.substr(shared));
}

/// `text`: the one before, and then this one.
bool take_behind(std::string_view& from, std::string& text) {
  uint64_t shared = 0;
  std::string_view rest;
  if (!take_varint(from, shared) || shared > text.size() || !take_text(from, rest)) return false;
  text.resize(shared);
  text += rest;
  return true;
}

bool take_byte(std::string_view& from, uint8_t& byte) {
  if (from.empty()) return false;
  byte = static_cast<uint8_t>(from.front());
  from.remove_prefix(1);
  return true;
}

bool take_version(std::string_view& from) {
  uint8_t version = 0;
  return take_byte(from, version) && version == kVersion;
}

bool take_cells(std::string_view from, const WindowSpan& span, SeriesCells& cells,
                const SeriesFilter& filter) {
  uint64_t size = 0;
  if (!take_version(from) || !take_varint(from, size)) return false;
  SeriesName name;
  for (uint64_t i = 0; i < size; ++i) {
    uint8_t kind = 0;
    if (!take_byte(from, kind) || kind > static_cast<uint8_t>(SeriesKind::router_host)) return false;
    name.kind = SeriesKind{kind};
    if (!take_behind(from, name.name) || !take_behind(from, name.source) || !take_behind(from, name.unit))
      return false;
    if (!filter.wants(name)) {
      if (!Cell().decode(from, span.begin)) return false;
      continue;
    }
    if (!cells.empty() && !(cells.rbegin()->first < name)) return false;
    if (!cells.try_emplace(cells.end(), name)->second.decode(from, span.begin)) return false;
  }
  return from.empty();
}

bool take_channel(std::string_view from, ChannelRollup& channel) {
  uint64_t marks = 0;
  if (!take_version(from) || !channel.covered.decode(from) || !take_varint(from, channel.late) ||
      !take_varint(from, marks) || marks > kMostMarks)
    return false;
  for (uint64_t i = 0; i < marks; ++i) {
    PlatformMark mark;
    uint8_t event = 0;
    std::string_view procid, text;
    if (!take_signed(from, mark.time) || !take_byte(from, event) ||
        event > static_cast<uint8_t>(PlatformEvent::config) || !take_text(from, procid) ||
        !take_text(from, text))
      return false;
    mark.event = PlatformEvent{event};
    mark.procid = procid;
    mark.text = text;
    channel.marks.push_back(std::move(mark));
  }
  if (from.empty()) return true;  // as it was written before there was more
  for (Micros& whole : channel.whole_from)
    if (!take_signed(from, whole)) return false;
  return take_varint(from, channel.records) && take_varint(from, channel.bytes) && from.empty();
}

}  // namespace

std::string encode_cells(const SeriesCells& cells, const WindowSpan& span) {
  std::string out(1, kVersion);
  put_varint(out, cells.size());
  const SeriesName none;
  const SeriesName* before = &none;
  for (const auto& [name, cell] : cells) {
    out += static_cast<char>(name.kind);
    put_behind(out, before->name, name.name);
    put_behind(out, before->source, name.source);
    put_behind(out, before->unit, name.unit);
    cell.encode(out, span.begin);
    before = &name;
  }
  return out;
}

bool decode_cells(std::string_view text, const WindowSpan& span, SeriesCells& cells,
                  const SeriesFilter& filter) {
  cells.clear();
  if (take_cells(text, span, cells, filter)) return true;
  cells.clear();
  return false;
}

std::string encode_channel(const ChannelRollup& channel) {
  std::string out(1, kVersion);
  channel.covered.encode(out);
  put_varint(out, channel.late);
  put_varint(out, channel.marks.size());
  for (const PlatformMark& mark : channel.marks) {
    put_signed(out, mark.time);
    out += static_cast<char>(mark.event);
    put_text(out, mark.procid);
    put_text(out, mark.text);
  }
  for (const Micros whole : channel.whole_from) put_signed(out, whole);
  put_varint(out, channel.records);
  put_varint(out, channel.bytes);
  return out;
}

bool decode_channel(std::string_view text, ChannelRollup& channel) {
  channel = {};
  if (take_channel(text, channel)) return true;
  channel = {};
  return false;
}

}  // namespace tailrace
